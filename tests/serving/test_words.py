"""Answers in words."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from skpneumo.serving._answers import Answer, get_reason
from skpneumo.serving._words import write_sentences

# Of five negative and five positive images.
REFERENCE = Bunch(
    y_true=np.repeat([0, 1], 5),
    y_score=np.array([0.05, 0.1, 0.2, 0.4, 0.9, 0.08, 0.3, 0.6, 0.8, 0.95]),
)


def facts(rule_in=None, threshold=0.15):
    return {
        "classes": ["NORMAL", "PNEUMONIA"],
        "positive": "PNEUMONIA",
        "threshold": threshold,
        "rule_in_threshold": rule_in,
        "is_certified_at_site": True,
    }


def answer(probability, label, triage=None):
    return Answer(
        file="a", outcome="predicted", probability=probability, label=label, triage=triage
    )


@pytest.mark.parametrize(
    ("probability", "label", "triage", "sentence"),
    [
        # Three of five negative images are above the threshold, one of five positive ones is not.
        (0.5, "PNEUMONIA", None, "the same answer to 60.0% of those labelled NORMAL."),
        (0.1, "NORMAL", None, "the same answer to 20.0% of those labelled PNEUMONIA."),
        # One negative image is ruled in, one positive image is ruled out.
        (0.9, "PNEUMONIA", "ruled in", "the same answer to 20.0% of those labelled NORMAL."),
        (0.1, "NORMAL", "ruled out", "the same answer to 20.0% of those labelled PNEUMONIA."),
    ],
)
def test_how_often_the_same_answer_is_wrong(probability, label, triage, sentence):
    known = facts(None if triage is None else 0.7)
    text = " ".join(write_sentences(answer(probability, label, triage), known, REFERENCE))
    assert sentence in text


def test_what_is_to_be_read_is_not_judged():
    known = facts(0.7)
    text = " ".join(write_sentences(answer(0.5, "PNEUMONIA", "to be read"), known, REFERENCE))
    assert "what lies between is to be read" in text
    assert "the same answer" not in text


def test_a_small_threshold_is_not_0():
    text = write_sentences(answer(0.5, "PNEUMONIA"), facts(threshold=0.00031), None)[0]
    assert text.endswith("That is at least the decision threshold, 0.00031.")


def test_digits_of_a_reason_are_kept_whatever_the_name_of_the_file():
    error = ValueError("uploads/upload-1: 121 of 1000 rows are black")
    assert get_reason(error, "uploads/upload-1") == "121 of 1000 rows are black"
