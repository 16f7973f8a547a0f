import json
import re
import sys
from html.parser import HTMLParser

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, recall_score, roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.svm import LinearSVC

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV
from skpneumo._utils.formatting import percent
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import Estimate, Evaluation, evaluate


class Fixed(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are its X. It was born fitted."""

    classes_ = np.array(["NORMAL", "PNEUMONIA"])

    def __init__(self, threshold=0.5):
        self.threshold = threshold

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        return np.stack([1 - X, X], axis=1)

    def predict(self, X):
        return self.classes_[(self.threshold <= X).astype(int)]


class TwoThresholds(Fixed):
    def predict(self, X):
        return self.classes_[((X >= 0.7) | (X < 0.2)).astype(int)]


def labels(positive):
    return Fixed.classes_[np.asarray(positive, dtype=int)]


def test_metrics_are_those_of_scikit_learn(report, linear, new):
    y_pred = linear.predict(new.X)
    scores = linear.predict_proba(new.X)[:, 1]
    assert report.metrics["recall"].value == recall_score(new.y, y_pred, pos_label="PNEUMONIA")
    assert report.metrics["roc_auc"].value == pytest.approx(roc_auc_score(new.y, scores))
    tn, fp, fn, tp = confusion_matrix(new.y, y_pred).ravel().tolist()
    assert report.table == {
        "true_negative": tn,
        "false_positive": fp,
        "false_negative": fn,
        "true_positive": tp,
    }
    assert (report.n_images, report.n_patients) == (120, 60)
    assert report.prevalence == pytest.approx(2 / 3)
    assert report.classes == ["NORMAL", "PNEUMONIA"]


def test_each_interval_contains_its_metric(report):
    for name, estimate in report.metrics.items():
        # A calibration error may be 0: what is there may come by chance.
        assert estimate.low <= estimate.value < estimate.high, name
        assert estimate.low < estimate.value or name == "calibration_error"


def test_recall_of_each_subtype(report, linear, new):
    for kind in ("bacteria", "virus"):
        rows = (new.y == "PNEUMONIA") & (new.subtype == kind)
        expected = np.mean(linear.predict(new.X[rows]) == "PNEUMONIA")
        assert report.metrics[f"recall_of_kind_{kind}"].value == pytest.approx(expected)
    assert [name for name in report.metrics if "of_kind" in name] == [
        "recall_of_kind_bacteria",
        "recall_of_kind_virus",
    ]


def test_recall_and_specificity_of_patients(report, linear, new):
    y_pred = linear.predict(new.X) == "PNEUMONIA"
    for name, label, right in (
        ("recall", "PNEUMONIA", y_pred),
        ("specificity", "NORMAL", ~y_pred),
    ):
        rows = new.y == label
        patients = np.unique(new.groups[rows])
        all_right = [right[rows & (new.groups == patient)].all() for patient in patients]
        estimate = report.metrics[f"{name}_of_patients"]
        assert estimate.value == np.mean(all_right) < report.metrics[name].value
        expected = binomtest(sum(all_right), len(patients)).proportion_ci(0.95, method="exact")
        assert estimate[1:] == pytest.approx([expected.low, expected.high])
        assert f"{name} of patients" in str(report)
        assert f"{name} of patients" in report.to_html()
    alone = evaluate(linear, new.X, new.y)
    assert not [name for name in alone.metrics if "patients" in name]


def test_a_subtype_may_be_named_patients(linear, new):
    report = evaluate(linear, new.X, new.y, groups=new.groups, subtype=["patients"] * 120)
    assert report.metrics["recall_of_kind_patients"].value == report.metrics["recall"].value
    assert report.metrics["recall_of_patients"].value < report.metrics["recall"].value


def test_intervals_are_wider_where_images_of_a_patient_are_alike(linear, new):
    X, y = np.repeat(new.X, 4, axis=0), np.repeat(new.y, 4)
    groups = np.repeat(np.arange(len(new.y)), 4)
    width = {}
    for name, given in (("images", None), ("patients", groups)):
        low, high = evaluate(linear, X, y, groups=given).metrics["recall"][1:]
        width[name] = high - low
    assert width["patients"] == pytest.approx(2 * width["images"], rel=0.25)


def test_names_of_patients_may_be_anything(linear, new, report):
    names = np.array([f"patient {code % 7}-{code}" for code in new.groups], dtype=object)
    named = evaluate(linear, new.X, new.y, groups=names)
    assert named.n_patients == report.n_patients


def test_a_lower_confidence_gives_narrower_intervals(linear, new, report):
    narrow = evaluate(linear, new.X, new.y, groups=new.groups, confidence=0.5).metrics
    for name in ("recall", "roc_auc", "negative_likelihood_ratio", "brier"):
        wide = report.metrics[name]
        assert wide.low < narrow[name].low < narrow[name].high < wide.high, name


def test_without_errors_the_interval_is_that_of_clopper_and_pearson_over_patients():
    positive = np.arange(90) >= 30
    perfect = evaluate(
        Fixed(),
        np.where(positive, 0.9, 0.1),
        labels(positive),
        groups=np.arange(90) // 3,
        subtype=np.where(positive, "virus", ""),
    )
    for name, n in (
        ("recall", 20),
        ("recall_of_kind_virus", 20),
        ("recall_of_patients", 20),
        ("specificity_of_patients", 10),
        ("specificity", 10),
        ("positive_predictive_value", 20),
        ("negative_predictive_value", 10),
        ("accuracy", 30),
    ):
        expected = binomtest(n, n).proportion_ci(0.95, method="exact").low
        assert perfect.metrics[name] == (1.0, pytest.approx(expected), 1.0), name
    blind = evaluate(Fixed(2), np.where(positive, 0.9, 0.1), labels(positive)).metrics
    assert blind["recall"].high == pytest.approx(binomtest(0, 60).proportion_ci().high)
    assert np.isnan(blind["positive_predictive_value"]).all()
    assert perfect.metrics["roc_auc"] == (1, pytest.approx(0.025 ** (1 / 10)), 1)
    assert perfect.metrics["calibration_slope"].value == np.inf
    assert np.isnan(perfect.metrics["calibration_slope"][1:]).all()
    assert perfect.metrics["positive_likelihood_ratio"].value == np.inf


def test_what_derives_from_a_recall_of_1_has_an_interval():
    positive = np.arange(90) >= 30
    scores = np.where(positive, 0.9, 0.1)
    scores[:6] = 0.8
    metrics = evaluate(Fixed(), scores, labels(positive)).metrics
    (_, r, _), (_, s, t) = metrics["recall"], metrics["specificity"]
    assert metrics["recall"] == (1, pytest.approx(0.9404, abs=1e-4), 1)
    for name, value in (
        ("balanced_accuracy", 0.9),
        ("positive_likelihood_ratio", 5),
        ("negative_likelihood_ratio", 0),
        ("npv_at_prevalence_0.10", 1),
        ("ppv_at_prevalence_0.10", 0.1 / 0.28),
        ("f1", 2 * 60 / (2 * 60 + 6)),
    ):
        estimate = metrics[name]
        assert estimate.value == pytest.approx(value), name
        assert estimate.low <= estimate.value <= estimate.high, name
        assert estimate.low < estimate.high, name
    # No wider than what the ends of recall and specificity could do together.
    assert metrics["negative_likelihood_ratio"].high <= (1 - r) / s
    assert metrics["positive_likelihood_ratio"].high <= 1 / (1 - t)
    assert metrics["positive_likelihood_ratio"].low >= r / (1 - s)
    perfect = evaluate(Fixed(), np.where(positive, 0.9, 0.1), labels(positive)).metrics
    assert (
        perfect["balanced_accuracy"].low > (perfect["recall"].low + perfect["specificity"].low) / 2
    )
    assert perfect["positive_likelihood_ratio"].high == np.inf
    assert np.isfinite(perfect["positive_likelihood_ratio"].low)


@pytest.mark.parametrize(("n_positive", "has"), [(4, False), (5, True)])
def test_calibration_has_no_interval_where_patients_of_a_class_are_few(n_positive, has):
    rng = np.random.default_rng(0)
    positive = np.arange(100 + n_positive) >= 100
    scores = 1 / (1 + np.exp(2 - rng.normal(1.5 * positive, 1)))
    metrics = evaluate(Fixed(), scores, labels(positive)).metrics
    for name in ("brier", "calibration_slope", "calibration_intercept", "calibration_error"):
        assert np.isfinite(metrics[name]).all() == has, name
        assert np.isfinite(metrics[name].value)


def test_calibration_has_no_interval_where_no_prediction_is_in_doubt():
    positive = np.arange(120) >= 50
    metrics = evaluate(Fixed(), np.where(positive, 0.995, 0.01), labels(positive)).metrics
    assert np.isfinite(metrics["calibration_error"].value)
    assert np.isnan(metrics["calibration_error"][1:]).all()
    # None of 120 wrong still allows for some.
    assert metrics["brier"].low < metrics["brier"].value < 1e-3 < 0.02 < metrics["brier"].high


def test_a_few_errors_that_were_not_expected_give_calibration_no_interval():
    positive = np.arange(200) >= 80
    for n_errors, has in ((2, False), (6, True)):
        scores = np.where(positive, 0.995, 0.005)
        scores[:n_errors], scores[80 : 80 + n_errors] = 0.995, 0.005
        estimate = evaluate(Fixed(), scores, labels(positive)).metrics["calibration_slope"]
        assert np.isfinite(estimate.value)
        assert np.isfinite(estimate[1:]).all() == has


def test_a_subtype_may_be_named_like_a_metric(linear, new):
    report = evaluate(linear, new.X, new.y, subtype=["f1 x"] * 120)
    assert re.search(r"recall, f1 x +\d+\.\d%  \[\d+\.\d%, \d+\.\d%\]", str(report))


def test_calibration_has_intervals_where_a_model_is_certain_and_wrong():
    rng = np.random.default_rng(0)
    positive = np.arange(300) >= 100
    scores = expit(200 * (rng.normal(size=300) + np.where(positive, 1, -1)))
    assert np.sum(scores * (1 - scores)) < 1  # it expects no error
    metrics = evaluate(Fixed(), scores, labels(positive)).metrics
    assert metrics["calibration_slope"].high < 0.3
    assert metrics["calibration_error"].low > 0.05


def test_one_false_positive_leaves_the_likelihood_ratio_open_above():
    """No wider than without a false positive, where the ratio is infinite."""
    positive = np.arange(60) >= 20
    highs = []
    for n_false_positives in range(4):
        X = np.where(positive, 0.9, 0.1)
        X[:n_false_positives], X[30] = 0.8, 0.2
        estimate = evaluate(Fixed(), X, labels(positive)).metrics["positive_likelihood_ratio"]
        assert estimate.low < estimate.value <= estimate.high
        highs.append(estimate.high)
    assert highs[0] == np.inf
    assert highs[1] > 100
    assert (np.diff(highs) < 0).all()


def test_a_decision_function_has_no_probabilities(train, new):
    model = LinearSVC().fit(train.X, train.y)
    report = evaluate(model, new.X, new.y)
    assert not report.predictions.is_probability
    assert report.threshold == 0
    assert "brier" not in report.metrics
    assert report.metrics["roc_auc"].value > 0.6
    assert "Probabilities" not in str(report)


def test_a_rule_that_follows_no_threshold_is_reported(new):
    scores = np.linspace(0, 1, 60)
    report = evaluate(TwoThresholds(), scores, labels(np.arange(60) >= 20))
    assert np.isnan(report.threshold)
    assert "Threshold not known: predict follows another score or threshold." in str(report)
    assert report.to_dict()["threshold"] is None


def test_calibrated_probabilities_are_kept_before_and_after(train, new):
    model = CalibratedClassifierCV(LogisticRegression(C=1e-3), cv=3).fit(train.X, train.y)
    report = evaluate(model, new.X, new.y)
    parts = [one.estimator.predict_proba(new.X)[:, 1] for one in model.calibrated_classifiers_]
    np.testing.assert_allclose(report.predictions.y_score_uncalibrated, np.mean(parts, axis=0))
    np.testing.assert_allclose(report.predictions.y_score, model.predict_proba(new.X)[:, 1])
    assert not np.allclose(report.predictions.y_score, report.predictions.y_score_uncalibrated)


def test_comparison_in_pairs_is_narrower_than_two_intervals(linear, new, report):
    other = evaluate(
        FixedThresholdClassifier(FrozenEstimator(linear), threshold=0.45).fit(new.X, new.y),
        new.X,
        new.y,
        groups=new.groups,
    )
    differences = report.compare(other)
    both = [report.metrics["specificity"], other.metrics["specificity"]]
    difference = differences["specificity"]
    assert difference.value == pytest.approx(both[0].value - both[1].value)
    apart = np.hypot(*(high - low for _, low, high in both))
    assert difference.high - difference.low < 0.8 * apart
    assert differences["roc_auc"].value == pytest.approx(0, abs=1e-12)
    assert "recall_of_kind_virus" not in differences  # the other has no subtypes


def test_a_model_compared_with_itself_differs_by_nothing(report):
    differences = report.compare(report)
    assert differences.keys() == report.metrics.keys()
    for name, estimate in differences.items():
        assert isinstance(estimate, Estimate)
        assert estimate.value == 0, name
    assert differences["recall"].high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert np.isnan(differences["calibration_slope"][1:]).all()


def test_comparison_of_other_images_is_refused(report, linear, new):
    for other in (
        evaluate(linear, new.X[1:], new.y[1:], groups=new.groups[1:]),
        evaluate(linear, new.X, new.y),  # other groups
        evaluate(linear, new.X, new.y[::-1], groups=new.groups),
    ):
        with pytest.raises(ValueError, match="on the same images, labels and groups only"):
            report.compare(other)


def test_json_holds_all_metrics_and_no_infinite_number(report):
    text = json.loads(report.to_json())
    alone = evaluate(Fixed(), np.linspace(0, 1, 9), labels(np.arange(9) > 3))
    assert json.loads(alone.to_json())["n_patients"] is None
    assert text == report.to_dict()
    assert text["metrics"]["recall"] == report.metrics["recall"]._asdict()
    assert text["n_patients"] == 60
    assert text["model"]["name"] == "LogisticRegression"
    assert text["model"]["params"]["C"] == "1.0"
    assert {"python", "skpneumo", "scikit-learn"} <= text["versions"].keys()
    assert len(text["data_fingerprint"]) == 64
    undefined = evaluate(Fixed(2), np.linspace(0, 1, 9), labels(np.arange(9) > 3))
    metrics = json.loads(undefined.to_json())["metrics"]
    assert metrics["positive_predictive_value"] == {"value": None, "low": None, "high": None}


def test_text(report):
    text = str(report)
    assert repr(report) == text
    assert "LogisticRegression on 120 images of 60 patients, 66.6% PNEUMONIA" in text
    assert "Threshold 0.5: scikit-learn's default." in text
    recall = report.metrics["recall"]
    ends = f"[{percent(recall.low)}, {percent(recall.high, up=True)}]"
    assert f"{percent(recall.value)}  {ends}" in text
    assert "at threshold probability 0.10" in text
    assert "95% confidence intervals, patients as clusters." in text
    assert max(map(len, text.splitlines())) < 80


@pytest.mark.parametrize("by", ["patients", "images"])
def test_a_certified_target_that_is_not_reached_is_reported(by):
    scores = np.linspace(0, 1, 300)
    y = labels(scores > 0.4)
    model = OperatingPointClassifierCV(FrozenEstimator(Fixed()), min_recall=0.9)
    groups = np.arange(300) // 2 if by == "patients" else None
    model.fit(scores, y, groups=groups)
    options = {"groups": groups}
    assert "Not reached" not in str(evaluate(model, scores, y, **options))
    worse = evaluate(model, scores, labels(scores > 0.1), **options)
    short = evaluate(model, scores[::5], labels(scores > 0.36)[::5])
    assert short.metrics["recall"].value < 0.9 < short.metrics["recall"].high
    assert "Not reached" not in str(short)
    name = "recall of patients" if by == "patients" else "recall"
    text = " ".join(str(worse).split())
    assert worse.to_dict()["certified_target"] == [name.replace(" ", "_"), 0.9]
    value = percent(worse.metrics[name.replace(" ", "_")].value)
    assert f"Not reached on these images: {name} {value} [" in text
    assert f"Not reached on these images: {name} {value} [" in worse.to_html()
    model.set_params(min_recall=None)
    assert " ".join(str(worse).split()) == text


def certify(groups, n=300):
    """An operating point that is certified by scores from 0 to 1, and these scores."""
    scores = np.linspace(0, 1, n)
    model = OperatingPointClassifierCV(FrozenEstimator(Fixed()), min_recall=0.9)
    return model.fit(scores, labels(scores > 0.4), groups=groups), scores


def as_line(report):
    return " ".join(str(report).split())


def test_a_target_of_patients_is_not_checked_without_groups():
    model, scores = certify(np.arange(300) // 2)
    report = evaluate(model, scores, labels(scores > 0.1))
    expected = (
        "Not checked: it was certified for patients, and these images have no groups; the recall "
        "of images is another metric."
    )
    assert expected in as_line(report)
    assert expected in " ".join(report.to_html().split())
    named = evaluate(model, scores, labels(scores > 0.4), groups=np.arange(300))
    assert "Not checked" not in str(named)
    assert named.metrics["recall_of_patients"].value == named.metrics["recall"].value


@pytest.mark.parametrize(("n_images", "noted"), [(1, False), (2, False), (3, True)])
def test_a_target_of_patients_with_fewer_images_is_doubtful(n_images, noted):
    model, scores = certify(np.arange(300) // 2)
    report = evaluate(model, scores, labels(scores > 0.4), groups=np.arange(300) // n_images)
    assert report.provenance.certified_images_per_patient == pytest.approx(2, abs=0.05)
    assert (
        report.to_dict()["certified_images_per_patient"]
        == report.provenance.certified_images_per_patient
    )
    expected = "certified for patients with 2.0 images each on average. Here they have 3.0,"
    assert (expected in as_line(report)) == noted


def test_a_target_of_images_needs_no_patients():
    model, scores = certify(None)
    report = evaluate(model, scores, labels(scores > 0.4), groups=np.arange(300) // 3)
    assert report.provenance.certified_images_per_patient is None
    assert "on average" not in str(report)


def test_text_without_groups_names_no_patients():
    given = Fixed(), np.linspace(0, 1, 9), labels(np.arange(9) > 3)
    text = str(evaluate(*given, confidence=0.975))
    assert "Fixed on 9 images, 55.5% PNEUMONIA" in text
    assert "97.5% confidence intervals, images taken as independent." in text
    assert " of patients" not in text
    html = evaluate(*given, confidence=0.999).to_html()
    assert "(99.9% interval " in html
    assert "100% interval" not in html


def test_a_proportion_reads_as_100_percent_only_if_it_is():
    positive = np.arange(5000) >= 2000
    scores = np.where(positive, 0.9, 0.1)
    scores[0], scores[2000] = 0.8, 0.2
    report = evaluate(Fixed(), scores, labels(positive))
    text = str(report)
    assert re.search(r"recall \(sens.* 99\.9%  \[99\.8%, 100\.0%\]", text)
    assert "recall 99.9% (95% interval 99.8% to 100.0%)" in report.to_html()
    assert '<td class="skp-error"><strong>1</strong><small>0.1% false negatives' in report.to_html()


def test_save_writes_what_the_name_ends_in(report, tmp_path):
    for suffix in ("html", "json", "txt", "JSON"):
        report.save(tmp_path / f"report.{suffix}")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report.to_dict()
    assert (tmp_path / "report.JSON").read_text(encoding="utf-8") == report.to_json()
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
        ({"groups": pd.array([pd.NA] * 3 + [1] * 117)}, "groups holds no value for 3 of 120"),
    ],
)
def test_wrong_input(linear, new, change, message):
    given = {"X": new.X, "y": new.y} | change
    with pytest.raises(ValueError, match=message):
        evaluate(linear, **given)


def test_estimators_not_fitted_or_without_scores_are_refused(train, new):
    for model in (LogisticRegression(), OperatingPointClassifierCV(LogisticRegression())):
        with pytest.raises(NotFittedError, match="not fitted"):
            evaluate(model, new.X, new.y)
    hard = VotingClassifier([("a", LogisticRegression()), ("b", LinearSVC())])
    hard.fit(train.X, train.y)
    with pytest.raises(ValueError, match="neither predict_proba nor decision_function"):
        evaluate(hard, new.X, new.y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, ""])
def test_missing_values_are_no_subtype(linear, new, missing):
    subtype = pd.Series(["virus"] * 120, dtype=object)
    subtype[100:] = missing
    report = evaluate(linear, new.X, new.y, subtype=subtype)
    assert [name for name in report.metrics if "of_kind" in name] == ["recall_of_kind_virus"]
    predicted = linear.predict(new.X[40:100]) == "PNEUMONIA"
    assert report.metrics["recall_of_kind_virus"].value == pytest.approx(predicted.mean())
    assert "nan" not in report.to_html().replace("nance", "")


def test_versions_are_of_packages_that_computed(linear, report):
    assert (
        not {"keras", "scikeras", "tensorflow", "jax", "torch"} & report.provenance.versions.keys()
    )
    xrays = make_xrays(24, image_size=(40, 33), random_state=0)
    cnn = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    cnn.fit(xrays.images, xrays.target)
    model = CalibratedClassifierCV(FrozenEstimator(cnn)).fit(xrays.images, xrays.target)
    versions = evaluate(model, xrays.images, xrays.target).provenance.versions
    assert {"keras", "scikeras", keras.backend.backend()} <= versions.keys()


def test_more_than_two_classes_are_refused(new):
    model = LogisticRegression().fit(new.X, np.arange(120) % 3)
    with pytest.raises(ValueError, match=r"two classes, got classes_=\[0, 1, 2\]"):
        evaluate(model, new.X, np.arange(120) % 3)


def test_a_data_frame_and_boolean_labels(train, new):
    columns = ["a", "b", "c"]
    frame = pd.DataFrame(train.X, columns=columns)
    model = LogisticRegression().fit(frame, train.y == "PNEUMONIA")
    report = evaluate(
        model,
        pd.DataFrame(new.X, columns=columns),
        pd.Series(new.y == "PNEUMONIA"),
        groups=pd.Series(new.groups),
    )
    assert isinstance(report, Evaluation)
    assert report.classes == [False, True]


def test_a_data_frame_has_a_row_for_each_metric(report):
    frame = report.to_frame()
    assert frame.index.name == "metric"
    assert frame.index.tolist() == [*report.metrics]
    assert any("bacteria" in name for name in frame.index)
    for name, estimate in report.metrics.items():
        np.testing.assert_equal(frame.loc[name].tolist(), [*estimate])


def test_without_pandas_the_error_says_what_to_do(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas.*to_dict"):
        report.to_frame()
