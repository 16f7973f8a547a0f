"""Metrics of a classifier with two thresholds."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import precision_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo._utils.formatting import percent
from skpneumo.evaluation import evaluate
from skpneumo.evaluation._predictions import Predictions
from skpneumo.evaluation._triage import triage_proportions
from skpneumo.metrics import specificity_score
from skpneumo.sites import TriageClassifierCV


@pytest.fixture(scope="module")
def model(linear, train):
    triage = TriageClassifierCV(
        FrozenEstimator(linear), min_recall=0.7, min_specificity=0.8, confidence=0.8
    )
    return triage.fit(train.X, train.y, groups=train.groups)


@pytest.fixture(scope="module")
def report(model, new):
    return evaluate(model, new.X, new.y, groups=new.groups)


def test_metrics_are_those_of_the_answers(model, report, new):
    answers, positive = model.predict_triage(new.X), new.y == "PNEUMONIA"
    metrics, ruled_in = report.metrics, answers == "ruled in"
    for answer in ("ruled out", "to be read", "ruled in"):
        estimate = metrics[answer.replace(" ", "_")]
        assert estimate.value == pytest.approx(np.mean(answers == answer))
        assert 0 < estimate.low < estimate.value < estimate.high
    assert metrics["precision_of_ruling_in"].value == precision_score(positive, ruled_in)
    assert metrics["recall_of_ruling_in"].value == recall_score(positive, ruled_in)
    assert metrics["specificity_of_ruling_in"].value == specificity_score(positive, ruled_in)
    assert metrics["recall"].value == recall_score(positive, answers != "ruled out")


def test_patients_are_ruled_out_by_all_images_and_in_by_any(report, model, new):
    by_patient = [set(model.predict_triage(new.X[new.groups == g])) for g in range(60)]
    expected = {
        "patients_ruled_out": np.mean([found == {"ruled out"} for found in by_patient]),
        "patients_ruled_in": np.mean(["ruled in" in found for found in by_patient]),
    }
    expected["patients_to_be_read"] = 1 - sum(expected.values())
    assert min(expected.values()) > 0
    for name, value in expected.items():
        assert report.metrics[name].value == pytest.approx(value)
    negative = [g for g in range(60) if (new.y[new.groups == g] == "NORMAL").all()]
    assert report.metrics["specificity_of_ruling_in_of_patients"].value == pytest.approx(
        np.mean(["ruled in" not in by_patient[g] for g in negative])
    )


def test_the_influence_of_an_image_is_how_the_metric_changes_as_it_is_repeated():
    rng = np.random.default_rng(0)
    n, score = 2000, rng.random(2000)
    y_true = np.arange(n) >= 700
    predictions = Predictions(y_true, score > 0.3, score, ruled_in=score > 0.6)
    before = triage_proportions(predictions)
    for row in (0, 500, 900, 1999):
        rows = np.append(np.arange(n), row)
        after = triage_proportions(
            Predictions(y_true[rows], score[rows] > 0.3, score[rows], ruled_in=score[rows] > 0.6)
        )
        for name, statistic in before.items():
            change = after[name].value - statistic.value
            assert change == pytest.approx(statistic.influence[row], abs=2e-6), name


def test_reports_have_a_section(report, model):
    text, html = str(report), report.to_html()
    assert "\nTriage\n  patients ruled out (all images)" in text
    assert "Triage</h3>" in html
    for words in ("patients to be read", "negative images not ruled in", "precision of ruling in"):
        assert words in text
        assert words in html
    assert f"those from {model.rule_in_threshold_:.4g} on" in " ".join(text.split())
    proportions = [
        percent(report.metrics[name].value) for name in ("ruled_out", "to_be_read", "ruled_in")
    ]
    assert (
        "Of all images {} are ruled out, {} to be read and {} ruled in.".format(*proportions)
        in html
    )
    assert "To be read</p>" in html
    assert report.to_dict()["metrics"]["to_be_read"]["value"] > 0
    assert report.provenance.certified_target == ("recall_of_patients", 0.7)


def test_a_triage_is_found_in_a_pipeline_and_not_below_calibration(model, new, report):
    pipe = make_pipeline(FunctionTransformer(), model)
    assert evaluate(pipe, new.X, new.y, groups=new.groups).metrics == report.metrics
    # It predicts by a threshold of its own.
    around = CalibratedClassifierCV(FrozenEstimator(model)).fit(new.X, new.y)
    assert "to_be_read" not in evaluate(around, new.X, new.y).metrics


def test_without_groups_and_without_triage(model, linear, new, report):
    ungrouped = evaluate(model, new.X, new.y).metrics
    assert "to_be_read" in ungrouped
    assert "patients_to_be_read" not in ungrouped
    one = evaluate(linear, new.X, new.y, groups=new.groups)
    assert "to_be_read" not in one.metrics
    assert "Triage" not in str(one)
    assert "to_be_read" not in report.compare(one)


def test_two_triages_are_compared(report, train, new, linear):
    other = TriageClassifierCV(
        FrozenEstimator(linear), min_recall=0.9, min_specificity=0.8, confidence=0.8
    ).fit(train.X, train.y, groups=train.groups)
    difference = report.compare(evaluate(other, new.X, new.y, groups=new.groups))["to_be_read"]
    assert difference.value < 0
