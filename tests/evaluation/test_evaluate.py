import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, recall_score, roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.svm import LinearSVC

from skpneumo.evaluation import Evaluation, Figure, evaluate


class Fixed:
    """A classifier whose scores are its X."""

    classes_ = np.array(["NORMAL", "PNEUMONIA"])

    def __init__(self, threshold=0.5):
        self.threshold = threshold

    def get_params(self, deep=True):
        return {"threshold": self.threshold}

    def predict_proba(self, X):
        return np.stack([1 - X, X], axis=1)

    def predict(self, X):
        return self.classes_[(self.threshold <= X).astype(int)]


class TwoThresholds(Fixed):
    def predict(self, X):
        return self.classes_[((X >= 0.7) | (X < 0.2)).astype(int)]


def labels(ill):
    return Fixed.classes_[np.asarray(ill, dtype=int)]


def test_figures_are_those_of_the_images_at_hand(report, linear, new):
    called = linear.predict(new.X)
    scores = linear.predict_proba(new.X)[:, 1]
    assert report.figures["recall"].value == recall_score(new.y, called, pos_label="PNEUMONIA")
    assert report.figures["roc_auc"].value == pytest.approx(roc_auc_score(new.y, scores))
    tn, fp, fn, tp = confusion_matrix(new.y, called).ravel().tolist()
    assert report.table == {
        "true_negative": tn,
        "false_positive": fp,
        "false_negative": fn,
        "true_positive": tp,
    }
    assert (report.n_images, report.n_patients) == (120, 60)
    assert report.prevalence == pytest.approx(2 / 3)
    assert report.classes == ["NORMAL", "PNEUMONIA"]


def test_each_interval_holds_its_figure(report):
    for name, figure in report.figures.items():
        assert figure.low < figure.value < figure.high, name


def test_recall_of_each_kind(report, linear, new):
    for kind in ("bacteria", "virus"):
        rows = (new.y == "PNEUMONIA") & (new.subtype == kind)
        expected = np.mean(linear.predict(new.X[rows]) == "PNEUMONIA")
        assert report.figures[f"recall_of_{kind}"].value == pytest.approx(expected)
    assert [name for name in report.figures if "recall_of_" in name] == [
        "recall_of_bacteria",
        "recall_of_virus",
    ]


def test_intervals_are_wider_where_images_of_a_patient_are_alike(linear, new):
    X, y = np.repeat(new.X, 4, axis=0), np.repeat(new.y, 4)
    groups = np.repeat(np.arange(len(new.y)), 4)
    width = {}
    for name, given in (("images", None), ("patients", groups)):
        low, high = evaluate(linear, X, y, groups=given, n_resamples=400).figures["recall"][1:]
        width[name] = high - low
    assert width["patients"] == pytest.approx(2 * width["images"], rel=0.25)


def test_names_of_patients_may_be_anything(linear, new, report):
    names = np.array([f"child {code % 7}-{code}" for code in new.groups], dtype=object)
    named = evaluate(linear, new.X, new.y, groups=names, n_resamples=5)
    assert named.n_patients == report.n_patients


def test_an_interval_depends_on_the_seed_and_the_confidence(linear, new):
    given = {"n_resamples": 200}
    one = evaluate(linear, new.X, new.y, random_state=0, **given).figures
    assert one == evaluate(linear, new.X, new.y, random_state=0, **given).figures
    assert one != evaluate(linear, new.X, new.y, random_state=1, **given).figures
    narrow = evaluate(linear, new.X, new.y, confidence=0.5, **given).figures["roc_auc"]
    assert one["roc_auc"].low < narrow.low < narrow.high < one["roc_auc"].high


def test_without_errors_the_interval_is_that_of_clopper_and_pearson_over_patients():
    ill = np.arange(90) >= 30
    perfect = evaluate(
        Fixed(),
        np.where(ill, 0.9, 0.1),
        labels(ill),
        groups=np.arange(90) // 3,
        subtype=np.where(ill, "virus", ""),
        n_resamples=50,
    )
    for name, n in (
        ("recall", 20),
        ("recall_of_virus", 20),
        ("specificity", 10),
        ("positive_predictive_value", 20),
        ("negative_predictive_value", 10),
        ("accuracy", 30),
    ):
        expected = binomtest(n, n).proportion_ci(0.95, method="exact").low
        assert perfect.figures[name] == (1.0, pytest.approx(expected), 1.0), name
    blind = evaluate(Fixed(2), np.where(ill, 0.9, 0.1), labels(ill), n_resamples=50).figures
    assert blind["recall"].high == pytest.approx(binomtest(0, 60).proportion_ci().high)
    assert np.isnan(blind["positive_predictive_value"]).all()
    # What cannot be told apart from certainty has no interval.
    assert perfect.figures["roc_auc"].value == 1
    assert np.isnan(perfect.figures["roc_auc"][1:]).all()
    assert np.isnan(perfect.figures["calibration_slope"]).all()
    assert perfect.figures["positive_likelihood_ratio"].value == np.inf


def test_an_infinite_likelihood_ratio_reaches_into_its_interval():
    ill = np.arange(60) >= 20
    X = np.where(ill, 0.9, 0.1)
    X[0] = 0.8  # one false alarm, which a third of the resamples lack
    figure = evaluate(Fixed(), X, labels(ill), n_resamples=300).figures["positive_likelihood_ratio"]
    assert figure.value == pytest.approx(20)
    assert figure.high == np.inf


def test_a_decision_function_has_no_probabilities(learnt, new):
    model = LinearSVC().fit(learnt.X, learnt.y)
    report = evaluate(model, new.X, new.y, n_resamples=20)
    assert not report.is_probability
    assert report.threshold == 0
    assert "brier" not in report.figures
    assert report.figures["roc_auc"].value > 0.6
    assert "Probabilities" not in str(report)


def test_a_rule_that_is_no_threshold_is_told(new):
    scores = np.linspace(0, 1, 60)
    report = evaluate(TwoThresholds(), scores, labels(np.arange(60) >= 20), n_resamples=20)
    assert np.isnan(report.threshold)
    assert "Threshold not known: predict does not follow one threshold" in str(report)
    assert report.to_dict()["threshold"] is None


def test_calibrated_probabilities_are_kept_before_and_after(learnt, new):
    model = CalibratedClassifierCV(LogisticRegression(C=1e-3), cv=3).fit(learnt.X, learnt.y)
    report = evaluate(model, new.X, new.y, n_resamples=20)
    parts = [one.estimator.predict_proba(new.X)[:, 1] for one in model.calibrated_classifiers_]
    np.testing.assert_allclose(report.before_calibration, np.mean(parts, axis=0))
    np.testing.assert_allclose(report.scores, model.predict_proba(new.X)[:, 1])
    assert not np.allclose(report.scores, report.before_calibration)


def test_comparison_in_pairs_is_narrower_than_two_intervals(linear, new, report):
    other = evaluate(
        FixedThresholdClassifier(FrozenEstimator(linear), threshold=0.45).fit(new.X, new.y),
        new.X,
        new.y,
        groups=new.groups,
        n_resamples=300,
    )
    differences = report.compare(other)
    both = [report.figures["specificity"], other.figures["specificity"]]
    difference = differences["specificity"]
    assert difference.value == pytest.approx(both[0].value - both[1].value)
    apart = np.hypot(*(high - low for _, low, high in both))
    assert difference.high - difference.low < 0.8 * apart
    assert differences["roc_auc"] == pytest.approx((0, 0, 0), abs=1e-12)
    assert "recall_of_virus" not in differences  # the other was not told of kinds


def test_comparison_with_itself_is_zero(report):
    differences = report.compare(report)
    assert differences.keys() == report.figures.keys()
    for name, figure in differences.items():
        assert isinstance(figure, Figure)
        assert figure == (0, 0, 0), name


def test_comparison_of_other_images_is_refused(report, linear, new):
    for other in (
        evaluate(linear, new.X[1:], new.y[1:], groups=new.groups[1:], n_resamples=5),
        evaluate(linear, new.X, new.y, n_resamples=5),  # other groups
        evaluate(linear, new.X, new.y[::-1], groups=new.groups, n_resamples=5),
    ):
        with pytest.raises(ValueError, match="on the same images, labels and groups only"):
            report.compare(other)


def test_json_holds_all_figures_and_nothing_that_json_lacks(report):
    told = json.loads(report.to_json())
    assert told == report.to_dict()
    assert told["figures"]["recall"] == report.figures["recall"]._asdict()
    assert told["n_patients"] == 60
    assert told["model"]["name"] == "LogisticRegression"
    assert told["model"]["params"]["C"] == "1.0"
    assert {"python", "skpneumo", "scikit-learn"} <= told["versions"].keys()
    assert len(told["data_fingerprint"]) == 64
    undefined = evaluate(Fixed(2), np.linspace(0, 1, 9), labels(np.arange(9) > 3), n_resamples=5)
    figures = json.loads(undefined.to_json())["figures"]
    assert figures["positive_predictive_value"] == {"value": None, "low": None, "high": None}


def test_text_tells_what_matters(report):
    text = str(report)
    assert repr(report) == text
    assert "LogisticRegression on 120 images of 60 patients, 66.7% PNEUMONIA" in text
    assert "Threshold 0.5: scikit-learn's default." in text
    recall = report.figures["recall"]
    assert f"{recall.value:.1%}  [{recall.low:.1%}, {recall.high:.1%}]" in text
    assert "one miss worth 9 false alarms" in text
    assert "95% intervals, 300 resamples of patients" in text
    assert max(map(len, text.splitlines())) < 80


def test_save_writes_what_the_name_ends_in(report, tmp_path):
    for suffix in ("html", "json", "txt", "JSON"):
        report.save(tmp_path / f"report.{suffix}")
    assert json.loads((tmp_path / "report.json").read_text()) == report.to_dict()
    assert (tmp_path / "report.JSON").read_text() == report.to_json()
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == str(report)
    HTMLParser().feed((tmp_path / "report.html").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=r"ends in \.html, \.json, \.txt; got 'report\.pdf'"):
        report.save(tmp_path / "report.pdf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["PNEUMONIA"] * 119}, "inconsistent numbers of samples"),
        ({"groups": np.zeros(3)}, "inconsistent numbers of samples"),
        ({"subtype": ["virus"]}, "inconsistent numbers of samples"),
        ({"y": ["PNEUMONIA"] * 120}, "all 120 are labelled 'PNEUMONIA'"),
        ({"y": ["COVID"] * 120}, "labels that are not known here: \\['COVID'\\]"),
        ({"groups": [None] * 120}, "groups holds no value for 120 of 120"),
        ({"confidence": 95}, "confidence must lie between 0 and 1, such as 0.95; got 95"),
        ({"n_resamples": 0}, "n_resamples must be an int of at least 1, got 0"),
    ],
)
def test_wrong_input_is_told(linear, new, change, message):
    given = {"X": new.X, "y": new.y} | change
    with pytest.raises(ValueError, match=message):
        evaluate(linear, **given)


def test_more_than_two_classes_are_refused(new):
    model = LogisticRegression().fit(new.X, np.arange(120) % 3)
    with pytest.raises(ValueError, match=r"two classes is wanted, got classes_=\[0, 1, 2\]"):
        evaluate(model, new.X, np.arange(120) % 3)


def test_a_data_frame_and_numbers_for_labels(learnt, new):
    columns = ["a", "b", "c"]
    frame = pd.DataFrame(learnt.X, columns=columns)
    model = LogisticRegression().fit(frame, learnt.y == "PNEUMONIA")
    report = evaluate(
        model,
        pd.DataFrame(new.X, columns=columns),
        pd.Series(new.y == "PNEUMONIA"),
        groups=pd.Series(new.groups),
        n_resamples=5,
    )
    assert isinstance(report, Evaluation)
    assert report.classes == [False, True]
