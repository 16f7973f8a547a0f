"""``skpneumo check-site``, the check by ``predict`` and ``evaluate``, and ``--prevalence``."""

import json
import re

import pytest
from sklearn.frozen import FrozenEstimator

from skpneumo import OperatingPointClassifierCV, load_model, save_model
from skpneumo.datasets import load_xray_folder
from skpneumo.sites import PrevalenceThresholdClassifier, check_site

pytestmark = pytest.mark.filterwarnings("ignore::skpneumo.exceptions.OutlierWarning")


@pytest.fixture(scope="module")
def site(make_collection, tmp_path_factory):
    """A folder of 84 small X-rays, of no class."""
    root = make_collection(tmp_path_factory.mktemp("site"), {"test": 84, "other": 14})
    return root / "test"


@pytest.fixture(scope="module")
def point_file(model_file, collection, tmp_path_factory):
    """A model with a reference: the scores of 54 images."""
    train = load_xray_folder(collection / "train")
    model = OperatingPointClassifierCV(
        FrozenEstimator(load_model(model_file)), min_recall=0.6, confidence=0.8
    ).fit(train.paths, train.target, groups=train.groups)
    path = tmp_path_factory.mktemp("point") / "point.skpneumo"
    save_model(model, path)
    return path


@pytest.fixture(scope="module")
def expected(point_file, site):
    """What Python finds."""
    data = load_xray_folder(site)
    return check_site(load_model(point_file), data.paths, groups=data.groups)


def test_text(point_file, site, expected, invoke, words):
    done = invoke("check-site", point_file, site)
    assert done.exit_code == 0, done.output
    text = words(done.stdout)
    assert text.startswith(f"{expected.headline}. compared 84 images of {expected.n_patients} pat")
    assert text.endswith(words(expected.advice))


def test_json_and_the_number_of_checks(point_file, site, expected, invoke):
    once, often = (
        json.loads(invoke("check-site", point_file, site, "--json", *options).stdout)
        for options in ((), ("--checks", "7"))
    )
    assert once["n_images"] == 84
    assert once["n_patients"] == expected.n_patients
    assert once["threshold"] == expected.threshold
    assert (once["n_checks"], often["n_checks"]) == (1, 7)
    assert often["p_value"] == pytest.approx(min(1, 7 * once["p_value"]))


@pytest.mark.parametrize("suffix", ["html", "json", "txt"])
def test_report(point_file, site, expected, tmp_path, invoke, words, suffix):
    path = tmp_path / f"check.{suffix}"
    done = invoke("check-site", point_file, site, "--report", path)
    assert done.exit_code == 0, done.output
    assert f"Wrote {path}. Next: skpneumo " in words(done.stderr)
    assert expected.advice.split("(")[0] in words(path.read_text(encoding="utf-8"))


def test_narrow_terminals(point_file, site, invoke, words):
    wide, narrow = (
        invoke("check-site", point_file, site, columns=columns).stdout for columns in (None, "50")
    )
    assert max(map(len, narrow.splitlines())) <= 50
    assert words(narrow) == words(wide)


def test_refuses(point_file, model_file, site, collection, tmp_path, invoke, assert_refused):
    assert_refused(invoke("check-site", point_file, tmp_path), 1, "holds no")
    missing = invoke("check-site", point_file, tmp_path / "missing")
    assert missing.exit_code == 1
    assert_refused(invoke("check-site", model_file, site), 1, "holds no reference scores")
    few = site.parent / "other"
    assert_refused(invoke("check-site", point_file, few), 1, "compares at least 20 patients; got")
    assert_refused(invoke("check-site", point_file, site, "--checks", "0"), 2, "got '0'")
    assert_refused(
        invoke("check-site", point_file, site, "--checks", "99"), 1, "would find nothing"
    )
    report = ("--report", tmp_path / "check.pdf")
    assert invoke("check-site", point_file, site, *report).exit_code == 2
    assert list(tmp_path.iterdir()) == []


# -- predict and evaluate ---------------------------------------------------------------------

LINE = "Check of the site (p-value"


def test_predict_and_evaluate_check_the_site(point_file, site, expected, invoke, words):
    for command in (
        ("predict", point_file, site, "--label-outliers"),
        ("evaluate", point_file, site),
    ):
        done = invoke(*command)
        assert done.exit_code == 0, done.output
        assert words(done.stderr).count(LINE) == 1
        assert words(expected.summarize()) in words(done.stderr)
        assert LINE not in done.stdout


def test_fewer_files_and_models_without_a_reference_are_not_checked(
    point_file, model_file, collection, site, invoke
):
    files = sorted(site.rglob("*.png"))
    for arguments in (
        ("predict", point_file, *files[:49]),  # of more than 20 patients
        ("evaluate", point_file, collection / "test"),
        ("predict", model_file, site),
        ("evaluate", model_file, site),
    ):
        done = invoke(*arguments)
        assert done.exit_code == 0, done.output
        assert LINE not in done.output
    assert LINE in invoke("predict", point_file, *files[:50], "--label-outliers").stderr


def test_predict_with_a_prevalence(point_file, site, invoke, words):
    options = ("--prevalence", "0.3", "--label-outliers")
    done = invoke("predict", point_file, site, *options, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    data = load_xray_folder(site)
    local = PrevalenceThresholdClassifier(
        FrozenEstimator(load_model(point_file)), prevalence=0.3
    ).fit(data.paths, groups=data.groups)
    assert result["threshold"] == pytest.approx(float(local.best_threshold_), rel=1e-5)
    by_file = {row["file"]: row["label"] for row in result["predictions"]}
    assert [by_file[path] for path in data.paths] == local.predict(data.paths).tolist()
    done = invoke("predict", point_file, site, *options)
    assert re.search(r"threshold for PNEUMONIA: 0\.\d+", words(done.stdout))
    assert words(local.describe_threshold()) in words(done.stderr)
    assert "as a prevalence of 30% implies; nothing certified" in words(done.stderr)


def test_predict_refuses_a_prevalence(
    point_file, model_file, site, collection, invoke, assert_refused
):
    with_prevalence = ("--prevalence", "0.3")
    few = invoke("predict", point_file, collection / "test", *with_prevalence)
    assert_refused(few, 1, "needs at least 50 patients; got")
    other = invoke("predict", model_file, site, *with_prevalence)
    assert_refused(other, 1, "holds no reference scores")
    for option in (("--threshold", "0.5"), ("--triage",)):
        both = invoke("predict", point_file, site, *with_prevalence, *option)
        assert_refused(both, 2, "--threshold, --prevalence and --triage exclude each other")
    for value in ("0", "1", "x"):
        assert_refused(invoke("predict", point_file, site, "--prevalence", value), 2, value)
