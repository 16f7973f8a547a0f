"""A whole training job, from images to the result."""

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score
from sklearn.utils import Bunch

from skpneumo.cli._training import load_folder, run
from skpneumo.cli._training._baseline import fit_baseline
from skpneumo.cli._training._data import select_rows
from skpneumo.cli._training._search import search
from skpneumo.datasets import load_xray_folder
from skpneumo.evaluation import evaluate

CANDIDATE_METRICS = ("recall", "specificity", "f1", "precision", "accuracy", "roc_auc")
TEST_METRICS = (
    "recall",
    "specificity",
    "f1",
    "positive_predictive_value",
    "accuracy",
    "roc_auc",
)


@pytest.fixture
def job(make_options, make_tiny_classifier):
    """Return a function that runs a small job on data and returns its result."""

    def run_small(data, *, test=True, on_progress=None, **options):
        classifier = make_tiny_classifier(random_state=options.get("random_state", 0))
        options = make_options(**options)
        return run(data, classifier, options, test=test, on_progress=on_progress)[0]

    return run_small


def test_the_result(three_splits, data, job):
    result = job(data)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["data"] == {
        "folder": str(three_splits),
        "images": 64,
        "pneumonia": (data.train.y == "PNEUMONIA").sum(),
        "patients": len(set(data.train.groups)),
        "images_without_patient": 0,
    }
    assert result["image_size"] == [36, 40]
    assert (result["model"], result["weights"], result["epochs"]) == ("cnn", None, 1)
    selected = result["selected"]
    assert selected.items() >= result["candidates"][selected["index"]].items()
    assert str(selected["index"]) in selected["reason"]
    assert result["baseline"]["threshold"] in (0.3, 0.5, 0.7)


def test_progress_ends_with_the_job(data, job):
    reports = []
    # A seed of its own: fits that are reused report no epochs.
    job(data, random_state=11, on_progress=lambda *report: reports.append(report))
    fractions, doing = zip(*reports, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions.index(1) == len(fractions) - 1
    assert doing[-1] == "Done"
    assert [*dict.fromkeys(doing)][-4:] == ["Final fit", "Baseline", "Test", "Done"]
    assert fractions[doing.index("Baseline")] < 0.9


def test_the_model_is_compared_with_the_baseline(data, job):
    by_test, by_folds = job(data), job(data, test=False)
    for result in (by_test, by_folds):
        comparison = result["comparison"]
        assert result["beats_baseline"] in (True, False)
        verb = "beats" if result["beats_baseline"] else "does not beat"
        assert f"{comparison['on']} the cnn {verb} the logistic" in comparison["verdict"]
        assert comparison["min_recall"] == 0.8
    sides = by_test["test"]
    for name in ("recall", "specificity", "roc_auc"):
        row = by_test["comparison"]["metrics"][name]
        for side in ("model", "baseline"):
            assert row[side] == pytest.approx(sides[side][name]["value"])
    row = by_test["comparison"]["metrics"]["roc_auc"]
    low, high = row["interval"]
    assert low <= row["difference"] <= high
    metrics = by_folds["comparison"]["metrics"]
    assert metrics["roc_auc"]["model"] == by_folds["selected"]["roc_auc"]["mean"]
    assert metrics["recall"]["baseline"] == by_folds["baseline"]["mean_recall"]
    assert metrics["roc_auc"]["baseline"] == by_folds["baseline"]["mean_roc_auc"]


def test_the_test_metrics_are_those_of_the_selected_candidate(
    data, job, make_options, make_tiny_classifier
):
    result, test = job(data), data.test
    model = search(make_tiny_classifier(), data.train, make_options())
    baseline, summary = fit_baseline(data.train, make_options())
    for side, fitted in (("model", model), ("baseline", baseline)):
        metrics = evaluate(fitted, test.X, test.y, groups=test.groups).to_dict()["metrics"]
        y_pred = fitted.predict(test.X)
        for name, score in (
            ("recall", recall_score),
            ("f1", f1_score),
            ("positive_predictive_value", precision_score),
        ):
            expected = score(test.y, y_pred, pos_label="PNEUMONIA", zero_division=np.nan)
            assert result["test"][side][name]["value"] == pytest.approx(expected, nan_ok=True)
        for name in TEST_METRICS:
            interval = [metrics[name]["low"], metrics[name]["high"]]
            assert result["test"][side][name]["interval"] == pytest.approx(interval)
    assert summary == result["baseline"]


def test_the_test_split_is_not_used_if_it_is_switched_off_or_missing(data, job):
    results = [job(data), job(data, test=False), job(Bunch(**data | {"test": None}))]
    assert [result.pop("test") is None for result in results] == [False, True, True]
    by_folds = "the folds of the cross-validation"
    assert [r["comparison"]["on"] for r in results] == ["the test split", by_folds, by_folds]
    for result in results:
        for name in ("seconds", "comparison", "beats_baseline"):
            del result[name]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("identified", [True, False])
def test_intervals_are_by_patient_if_patients_are_known(data, job, identified):
    data.test.identified[:] = identified
    result = job(data)["test"]
    for side in result.values():
        for name in ("recall_of_patients", "specificity_of_patients"):
            assert (name in side) == identified
        assert side["n_patients"] == (len(set(data.test.groups)) if identified else None)
        for name in TEST_METRICS:
            low, high = side[name]["interval"]
            assert 0 <= low <= side[name]["value"] <= high <= 1
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_copies_of_images_of_the_same_patients_narrow_no_interval(data, job):
    copies = Bunch(**data | {"test": select_rows(data.test, np.repeat(np.arange(21), 5))})
    once, five_times = (job(images)["test"]["model"] for images in (data, copies))
    assert five_times["n_images"] == 5 * once["n_images"]
    assert five_times["n_patients"] == once["n_patients"]
    for name in ("recall", "specificity", "accuracy"):
        assert five_times[name]["value"] == pytest.approx(once[name]["value"])
        widths = [np.ptp(metrics[name]["interval"]) for metrics in (once, five_times)]
        assert widths[1] > 0.9 * widths[0]  # by image it would be half as wide


def test_a_test_split_of_one_class_is_reported_before_training(data, job):
    data.test = select_rows(data.test, data.test.y == "NORMAL")
    with pytest.warns(UserWarning, match="holds images of NORMAL alone and is not evaluated"):
        result = job(data)
    assert result["test"] is None
    assert result["comparison"]["on"] == "the folds of the cross-validation"


@pytest.mark.parametrize(("min_recall", "known"), [(0.95, True), (0.8, False), (0.951, False)])
def test_a_difference_has_an_interval_if_evaluate_computes_it(data, job, min_recall, known):
    rows = job(data, min_recall=min_recall)["comparison"]["metrics"]
    low, high = rows["roc_auc"]["interval"]
    assert low <= rows["roc_auc"]["difference"] <= high
    interval = rows["specificity_at_recall"]["interval"]
    assert (interval is not None) == known
    for name in ("recall", "specificity", "specificity_at_its_recall"):
        assert rows[name]["interval"] is None


def test_the_whole_job_on_real_xrays(xray_data, job):
    root = xray_data / "chest_xray"
    result = job(load_folder(root, subset=120))
    listed = load_xray_folder(root)
    target = listed.target[listed.split == "test"]
    for side in result["test"].values():
        assert side["n_images"] == len(target)
        n_positive = (target == "PNEUMONIA").sum()
        n_true_positives = round(side["recall"]["value"] * n_positive)
        assert n_true_positives == n_positive - side["false_negatives"]
        for name in TEST_METRICS:
            assert side[name]["value"] is None or 0 <= side[name]["value"] <= 1
    for candidate in result["candidates"]:
        for name in CANDIDATE_METRICS:
            assert 0 <= candidate[name]["mean"] <= 1
            assert 0 <= candidate[name]["std"] <= 0.5
    assert 90 < result["data"]["images"] <= 120
