"""The result of a training job in the terminal and in the model card."""

import io
import re

import pytest
from rich.console import Console

from skpneumo.cli._training import model_notes, print_result

METRICS = ("recall", "specificity", "f1", "positive_predictive_value", "accuracy", "roc_auc")


@pytest.fixture
def result():
    """What a job on a folder returned, without a confidence."""
    spread = {"mean": 0.5, "std": 0.5}  # the widest: a mean of 100 % has no spread
    names = ("recall", "specificity", "f1", "precision", "accuracy")
    candidate = {"class_weight": 4, "threshold": 0.5} | dict.fromkeys(names, spread)
    counts = {"false_negatives": 3, "false_positives": 4, "n_images": 21, "n_patients": None}
    side = {name: {"value": 0.9, "interval": [0.8, 0.95]} for name in METRICS} | counts
    return {
        "data": {
            "folder": "chest_xray",
            "images": 54,
            "pneumonia": 30,
            "patients": 36,
            "images_without_patient": 0,
        },
        "model": "cnn",
        "weights": None,
        "weights_warning": None,
        "image_size": [40, 36],
        "folds": 2,
        "random_state": 0,
        "candidates": [candidate] * 27,
        "selected": candidate | {"index": 26, "reason": "Candidate 26 is the best."},
        "operating_point": None,
        "baseline": {
            "threshold": 0.4,
            "mean_recall": 0.9,
            "mean_specificity": 0.6,
            "met": True,
        },
        "test": {"model": side, "baseline": side},
        "beats_baseline": True,
        "comparison": {"verdict": "The cnn beats it: AUC 1."},
        "seconds": 90,
    }


def printed(result):
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_result(result, console)
    return console.file.getvalue()


def words(text):
    return " ".join(text.split())


@pytest.mark.parametrize("met", [True, False])
def test_a_baseline_that_does_not_meet_the_rule_is_reported(result, met):
    result["baseline"]["met"] = met
    text = "by the same rule, which none of its thresholds meets: mean recall 90.0%"
    assert (text in words(printed(result))) != met


def test_the_widest_metrics_fit_into_80_columns(result):
    text = printed(result)
    assert "→ 26" in text
    assert "…" not in text
    assert text.count("50.0 ±50.0") == 27 * 5
    assert max(map(len, text.splitlines())) <= 80


def test_a_metric_that_is_not_defined_is_printed_as_such(result):
    undefined = {"positive_predictive_value": {"value": None, "interval": None}}
    result["test"] = {name: side | undefined for name, side in result["test"].items()}
    assert re.search(r"^ *precision +n/a +n/a *$", printed(result), re.M)


def test_the_verdict_and_the_name_of_the_folder_are_printed_as_they_are(result):
    result["data"]["folder"] = "xrays[/b]"
    text = printed(result)
    assert text.startswith("xrays[/b]: 54 images of 36 patients, 30 with pneumonia.")
    assert "The cnn beats it: AUC 1." in text
    assert text.endswith("1.5 minutes.\n")
    result["data"]["folder"] = None
    assert printed(result).startswith("Synthetic X-rays: 54 images")


def test_files_without_a_patient_are_counted(result):
    assert "name no patient" not in printed(result)
    result["data"]["images_without_patient"] = 4
    assert "\n4 of 54 files name no patient; each counts" in printed(result)


def test_initial_weights_are_named(result):
    assert "initial weights" not in printed(result)
    assert "Initial network" not in model_notes(result)
    result |= {"weights": "pretrained", "weights_warning": "Too optimistic."}
    assert "cnn at 40x36, initial weights: pretrained." in words(printed(result))
    assert model_notes(result)["Initial network"] == "Too optimistic."


def test_notes_state_whether_the_recall_is_certified(result):
    notes = model_notes(result)
    assert notes["Selection"] == "Candidate 26 is the best."
    assert notes["Baseline"] == "The cnn beats it: AUC 1."
    assert notes["Recall"].startswith("Nothing is certified")
    result["operating_point"] = {"reason": "Certified operating point: 80%."}
    assert "Recall" not in (certified := model_notes(result))
    assert certified["Operating point"] == "Certified operating point: 80%."
