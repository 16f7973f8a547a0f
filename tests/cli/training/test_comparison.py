"""When a model beats the baseline, and the verdict if it does not."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skpneumo.cli._training._comparison import compare, ranking_metrics

OPTIONS = {"on": "the test split", "name": "cnn", "min_recall": 0.98}
BASELINE = {"roc_auc": 0.9, "specificity_at_recall": 0.6, "recall": 0.97, "specificity": 0.7}
BETTER = {"roc_auc": 0.95, "specificity_at_recall": 0.8, "recall": 0.98, "specificity": 0.8}


@pytest.mark.parametrize(
    "worse",
    [
        {"roc_auc": 0.89},
        {"specificity_at_recall": 0.59},
        {"roc_auc": 0.9, "specificity_at_recall": 0.6},  # no better
        {"recall": 0.96, "specificity": 0.7},  # in neither better, in one worse
        {"recall": 1.0, "specificity": 0.0},  # everybody is predicted positive
        {"recall": 0.0, "specificity": 1.0},
    ],
)
def test_a_model_that_is_worse_in_one_respect_does_not_beat_the_baseline(worse):
    beats, comparison = compare(BETTER | worse, BASELINE, **OPTIONS)
    assert beats is False
    assert (
        "On the test split the cnn does not beat the logistic regression" in (comparison["verdict"])
    )
    for name, value in (BETTER | worse).items():
        row = comparison["metrics"][name]
        assert (row["model"], row["baseline"]) == (value, BASELINE[name])
        assert row["difference"] == value - BASELINE[name]


def test_a_better_model_beats_the_baseline():
    for equal in ({}, {"roc_auc": 0.9}, {"specificity_at_recall": 0.6}, {"recall": 0.5}):
        beats, comparison = compare(BETTER | equal, BASELINE, **OPTIONS)
        assert beats is True
        assert "cnn beats the logistic regression. AUC: 0.9" in comparison["verdict"]
        assert "specificity at 98% recall: " in comparison["verdict"]


def test_the_baseline_may_be_better_at_the_recall_of_the_model():
    name = "specificity_at_its_recall"
    assert compare(BETTER | {name: 0.8}, BASELINE | {name: 0.8}, **OPTIONS)[0]
    assert not compare(BETTER | {name: 0.8}, BASELINE | {name: 0.81}, **OPTIONS)[0]


def test_a_difference_that_may_be_chance_is_reported():
    sure = {"roc_auc": [0.01, 0.08], "specificity_at_recall": [0.1, 0.3]}
    unsure = sure | {"roc_auc": [-0.01, 0.08]}
    for intervals, expected in ((sure, False), (unsure, True)):
        beats, comparison = compare(BETTER, BASELINE, intervals=intervals, **OPTIONS)
        assert beats
        assert ("may be chance" in comparison["verdict"]) == expected
        assert comparison["metrics"]["roc_auc"]["interval"] == intervals["roc_auc"]


def test_ranking_metrics_are_those_of_the_whole_curve():
    positive = np.array([False] * 4 + [True] * 5)
    score = np.array([0.1, 0.2, 0.6, 0.3, 0.25, 0.5, 0.7, 0.8, 0.9])
    found = ranking_metrics(positive, score, 0.8)
    assert found["roc_auc"] == roc_auc_score(positive, score)
    assert found["specificity_at_recall"] == 0.75
    assert ranking_metrics(positive, score, 1.0)["specificity_at_recall"] == 0.5
