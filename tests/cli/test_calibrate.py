"""``skpneumo calibrate``, and what ``predict`` does with the model that it writes."""

import csv
import json

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skpneumo import OperatingPointClassifierCV, load_model, save_model
from skpneumo.cli._calibration import without_operating_point
from skpneumo.datasets import load_xray_folder
from skpneumo.sites import TriageClassifierCV

LENIENT = ("--min-recall", "0.6", "--confidence", "0.8")

pytestmark = pytest.mark.filterwarnings("ignore::skpneumo.exceptions.OutlierWarning")


@pytest.fixture(scope="module")
def triage_file(model_file, collection, tmp_path_factory, invoke):
    path = tmp_path_factory.mktemp("triage") / "triage.skpneumo"
    done = invoke(
        "calibrate", model_file, collection / "test", *LENIENT, "--min-specificity", "0.5",
        "--save", path,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return path


def test_calibrate(model_file, collection, tmp_path, invoke, words):
    path = tmp_path / "local.skpneumo"
    done = invoke("calibrate", model_file, collection / "test", *LENIENT, "--save", path)
    assert done.exit_code == 0, done.output
    test = load_xray_folder(collection / "test")
    expected = OperatingPointClassifierCV(
        FrozenEstimator(load_model(model_file)), min_recall=0.6, confidence=0.8
    ).fit(test.paths, test.target, groups=test.groups)
    calibrated = load_model(path)
    assert calibrated.best_threshold_ == expected.best_threshold_
    text = words(done.stdout)
    assert (
        f"Decision threshold for PNEUMONIA: {expected.best_threshold_:.4g} (before: 0.5)." in text
    )
    assert "A recall of 60% of patients certified with 80% confidence on" in text
    assert done.stderr.endswith(f"Wrote {path}.\nNext: skpneumo predict {path} IMAGES\n")


def test_an_earlier_operating_point_is_dropped(
    model_file, triage_file, collection, tmp_path, invoke
):
    again, path = tmp_path / "again.skpneumo", tmp_path / "once.skpneumo"
    for model, to in ((triage_file, again), (model_file, path)):
        done = invoke("calibrate", model, collection / "test", *LENIENT, "--save", to)
        assert done.exit_code == 0, done.output
    twice, once = load_model(again), load_model(path)
    assert twice.best_threshold_ == once.best_threshold_
    assert type(twice.estimator_.estimator) is type(load_model(model_file))


def test_only_operating_points_are_taken_off(model_file, triage_file):
    inner, triage = load_model(model_file), load_model(triage_file)
    assert without_operating_point(inner) is inner
    assert without_operating_point(FrozenEstimator(triage)) is triage.estimator_.estimator


def test_predict_with_triage(triage_file, collection, tmp_path, invoke, words):
    folder, table = collection / "test", tmp_path / "out.csv"
    done = invoke("predict", triage_file, folder, "--triage", "--label-outliers", "--csv", table)
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    model = load_model(triage_file)
    assert isinstance(model, TriageClassifierCV)
    answers = model.predict_triage([row["file"] for row in rows])
    assert [row["triage"] for row in rows] == answers.tolist()
    counts = {
        answer: np.sum(answers == answer) for answer in ("ruled out", "ruled in", "to be read")
    }
    assert (
        f"PNEUMONIA ruled out below {model.rule_out_threshold_:.4g}: {counts['ruled out']}; ruled "
        f"in from {model.rule_in_threshold_:.4g} on: {counts['ruled in']}; to be read: "
        f"{counts['to be read']}. Not a medical device."
    ) in words(done.stdout)
    done = invoke("predict", triage_file, folder, "--triage", "--label-outliers", "--json")
    result = json.loads(done.stdout)
    assert [one["triage"] for one in result["predictions"]] == answers.tolist()
    assert result["rule_in_threshold"] == float(model.rule_in_threshold_)
    # Without the option it predicts labels, as any model.
    result = json.loads(invoke("predict", triage_file, folder, "--json").stdout)
    assert "triage" not in result["predictions"][0]
    assert "rule_in_threshold" not in result


def test_outliers_have_no_answer(triage_file, collection, tmp_path, invoke):
    from PIL import Image

    file = next((collection / "test" / "NORMAL").iterdir())
    Image.fromarray(255 - np.asarray(Image.open(file))).save(tmp_path / "negative.png")
    done = invoke("predict", triage_file, tmp_path / "negative.png", "--triage", "--json")
    (row,) = json.loads(done.stdout)["predictions"]
    assert (row["outlier"], row["triage"], row["label"]) == (True, None, None)


def test_predict_with_a_threshold(model_file, collection, invoke, words):
    folder = collection / "test"
    shown = json.loads(invoke("predict", model_file, folder, "--label-outliers", "--json").stdout)[
        "predictions"
    ]
    at = sorted(row["probability"] for row in shown)[12]
    options = ("--threshold", at, "--label-outliers")
    result = json.loads(invoke("predict", model_file, folder, *options, "--json").stdout)
    assert result["threshold"] == at
    for row in result["predictions"]:
        assert row["label"] == ("PNEUMONIA" if row["probability"] >= at else "NORMAL")
    done = invoke("predict", model_file, folder, *options)
    assert f"Decision threshold for PNEUMONIA: {at:.3g}." in words(done.stdout)


def test_wrong_options(model_file, collection, invoke, assert_refused, tmp_path):
    folder = collection / "test"
    done = invoke("predict", model_file, folder, "--triage")
    assert_refused(done, 1, "--triage needs a model with two thresholds", "--min-specificity")
    done = invoke("predict", model_file, folder, "--triage", "--threshold", "0.5")
    assert_refused(done, 2, "--threshold, --prevalence and --triage exclude each other")
    done = invoke("predict", model_file, folder, "--threshold", "1.5")
    assert_refused(done, 2, "got '1.5', wanted a number from 0 to 1")
    done = invoke("calibrate", model_file, collection)
    assert_refused(done, 1, "has the splits test, train", "Name the folder of one split")
    done = invoke("calibrate", model_file, folder)
    assert_refused(done, 1, "at least 149 are needed")
    done = invoke("calibrate", model_file, folder, "--min-recall", "1")
    assert_refused(done, 2, "wanted a number between 0 and 1")


def test_a_mean_of_folds_is_calibrated(collection, tmp_path, invoke, make_tiny_classifier):
    train = load_xray_folder(collection / "train")
    model = OperatingPointClassifierCV(make_tiny_classifier(), min_recall=0.5, cv=2)
    model.fit(train.paths, train.target, groups=train.groups)
    path = tmp_path / "folds.skpneumo"
    save_model(model, path)
    done = invoke("calibrate", path, collection / "test", *LENIENT, "--save", path)
    assert done.exit_code == 0, done.output
    calibrated = load_model(path)
    assert len(calibrated.estimator_.estimator.fold_estimators_) == 2
    assert calibrated.min_recall == 0.6
