"""The operating point among scikit-learn's tools, and what it refuses."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import skpneumo
from skpneumo.metrics import recall_scorer
from skpneumo.model_selection import LogOddsMeanClassifier, OperatingPointClassifierCV
from skpneumo.model_selection._fold_mean import FoldMeanClassifier

LABELS = np.array(["NORMAL", "PNEUMONIA"])


def test_feature_names_of_an_earlier_fit_are_removed(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    assert model.fit(frame, y).feature_names_in_[0] == "x0"
    assert model.unit_ == "image"
    assert not hasattr(model.fit(X, y, groups=groups), "feature_names_in_")
    assert model.n_features_in_ == X.shape[1]
    assert model.unit_ == "patient"


def test_it_is_a_classifier_with_parameters(table):
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9)
    assert is_classifier(model)
    assert {*model.get_params()} >= {
        "min_recall", "min_specificity", "missed_cost", "confidence", "cv", "n_jobs",
        "estimator", "estimator__C",
    }  # fmt: skip
    model.set_params(estimator__C=0.1, confidence=0.5)
    twin = clone(model)
    assert (twin.estimator.C, twin.confidence, twin.min_recall) == (0.1, 0.5, 0.9)
    X, y, _ = table
    twin.fit(X, y)
    assert not hasattr(model, "classes_")
    assert twin.classes_.tolist() == LABELS.tolist()
    assert twin.n_features_in_ == X.shape[1]
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert skpneumo.OperatingPointClassifierCV is OperatingPointClassifierCV


def test_a_pickled_copy_predicts_the_same(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8).fit(
        X, y, groups=groups
    )
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    assert twin.best_threshold_.dtype == model.best_threshold_.dtype
    np.testing.assert_array_equal(twin.curve_.recall, model.curve_.recall)


def test_methods_are_those_of_the_estimator(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(LinearSVC(), min_recall=0.9)
    assert not hasattr(model, "predict_proba")
    assert hasattr(model, "decision_function")
    decision = model.fit(X, y).decision_function(X)
    np.testing.assert_array_equal(
        model.predict(X) == "PNEUMONIA", decision >= model.best_threshold_
    )
    assert not hasattr(OperatingPointClassifierCV(GaussianNB()), "decision_function")


def test_logarithms_of_probabilities_are_those_of_the_estimator(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9)
    with pytest.raises(NotFittedError):
        model.predict_log_proba(X)
    model.fit(X, y)
    np.testing.assert_array_equal(model.predict_log_proba(X), model.estimator_.predict_log_proba(X))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))
    for inner in (LinearSVC(), SVC()):
        assert not hasattr(OperatingPointClassifierCV(inner), "predict_log_proba")
        assert not hasattr(OperatingPointClassifierCV(inner).fit(X, y), "predict_log_proba")


def test_it_has_the_public_methods_of_scikit_learn_s_threshold_classifiers():
    ours, inner = OperatingPointClassifierCV(LogisticRegression()), LogisticRegression()
    for theirs in (FixedThresholdClassifier(inner), TunedThresholdClassifierCV(inner)):
        public = {name for name in dir(theirs) if name[0] != "_" and hasattr(theirs, name)}
        public -= {*theirs.get_params(deep=False)}
        assert public <= set(dir(ours)), public - set(dir(ours))


@pytest.mark.parametrize("criterion", ["min_recall", "min_specificity", "missed_cost"])
def test_another_threshold_is_that_of_another_fit(table, criterion):
    X, y, groups = table
    value = 7 if criterion == "missed_cost" else 0.8
    options = {"min_recall": None, criterion: value}
    # Without a confidence no rank is drawn, which depends on the order of the patients.
    for confidence in (None, 0.9):
        model = OperatingPointClassifierCV(
            LogisticRegression(), min_recall=0.6, confidence=confidence
        ).fit(X, y, groups=groups)
        proba = model.predict_proba(X)
        assert model.set_operating_point(**{criterion: value}) is model
        other = clone(model).set_params(**options).fit(X, y, groups=groups)
        assert {name: getattr(model, name) for name in options} == options
        np.testing.assert_array_equal(model.predict_proba(X), proba)
        if confidence is None or criterion == "missed_cost":
            assert model.best_threshold_ == other.best_threshold_
            np.testing.assert_array_equal(model.predict(X), other.predict(X))
            assert (model.recall_, model.specificity_) == (other.recall_, other.specificity_)
        else:
            found = getattr(model, f"{criterion.removeprefix('min_')}_lower_bound_")
            assert found == value


def test_another_threshold_without_the_scores_of_the_fit(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.6).fit(X, y)
    del model.reference_
    with pytest.raises(ValueError, match=r"of an earlier version. Fit it again"):
        model.set_operating_point(min_recall=0.5)


def test_another_threshold_that_is_refused_changes_nothing(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.6, confidence=0.9)
    with pytest.raises(NotFittedError):
        model.set_operating_point(min_recall=0.5)
    before = vars(model.fit(X, y, groups=groups)).copy()
    for options, message in (
        ({}, "One of min_recall"),
        ({"min_recall": 0.5, "missed_cost": 2}, "One of min_recall"),
        ({"min_recall": 1.5}, "min_recall"),
        ({"min_recall": 0.9999}, "cannot be certified"),
    ):
        with pytest.raises(ValueError, match=message):
            model.set_operating_point(**options)
    assert vars(model) == before


def test_around_and_inside_a_pipeline(table):
    X, y, groups = table
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    around = OperatingPointClassifierCV(pipe, min_recall=0.8).fit(X, y, groups=groups)
    inside = make_pipeline(
        StandardScaler(), OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8)
    )
    inside.fit(X, y, operatingpointclassifiercv__groups=groups)
    assert inside[-1].n_positive_units_ == around.n_positive_units_
    assert inside[-1].best_threshold_ == pytest.approx(around.best_threshold_, abs=0.02)
    assert inside.predict(X).shape == (300,)


def test_around_a_search(table):
    X, y, groups = table
    search = GridSearchCV(LogisticRegression(), {"C": [1e-3, 1]}, cv=2, scoring="roc_auc")
    model = OperatingPointClassifierCV(search, min_recall=0.8, cv=3).fit(X, y, groups=groups)
    assert {fold.best_params_["C"] for fold in model.estimator_.fold_estimators_} <= {1e-3, 1}
    assert model.predict(X).shape == (300,)


def test_inside_a_search(table):
    X, y, _ = table
    search = GridSearchCV(
        OperatingPointClassifierCV(LogisticRegression(), cv=3, min_recall=0.9),
        {"estimator__C": [0.01, 1], "confidence": [None, 0.8]},
        scoring=recall_scorer,
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert set(search.cv_results_["param_confidence"]) == {None, 0.8}
    assert search.best_params_["confidence"] == 0.8
    assert search.best_estimator_.recall_lower_bound_ >= 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_recall": 98}, r"'min_recall' parameter .* range \(0.0, 1.0\] or None. Got 98"),
        ({"min_recall": 0}, "'min_recall' parameter"),
        ({"min_recall": -0.5}, "'min_recall' parameter"),
        ({"min_recall": "0.9"}, "'min_recall' parameter"),
        ({"min_recall": np.nan}, "'min_recall' parameter"),
        ({"min_recall": None, "min_specificity": 1.01}, "'min_specificity' parameter"),
        ({"min_recall": None, "missed_cost": 0}, "'missed_cost' parameter"),
        ({"min_recall": None, "missed_cost": np.inf}, "'missed_cost' parameter"),
        ({"confidence": 1}, "'confidence' parameter"),
        ({"confidence": 95}, "'confidence' parameter"),
        ({"confidence": 0}, "'confidence' parameter"),
        ({"cv": "prefit"}, "'cv' parameter"),
        ({"estimator": StandardScaler()}, "'estimator' parameter"),
        (
            {"min_specificity": 0.9},
            r"One of min_recall, min_specificity and missed_cost .* got \{'min_recall': 0.98, "
            r"'min_specificity': 0.9\}",
        ),
        ({"min_recall": None}, r"One of min_recall, .* got \{\}"),
    ],
)
def test_wrong_parameters_are_refused(table, options, message):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression()).set_params(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {},
            "min_recall=0.98 with confidence=0.95 cannot be certified with 40 positive images: at "
            "least 149 are needed. Add images, lower min_recall or confidence, or set "
            "confidence=None to require it only of the images at hand.",
        ),
        (
            {"groups": np.arange(80) // 2},
            "with 20 positive patients: at least 149 are needed. Add p",
        ),
        (
            {"min_recall": None, "min_specificity": 0.95},
            "min_specificity=0.95 with confidence=0.95 cannot be certified with 40 negative "
            "images: at least 59 are needed. ",
        ),
        (
            {"min_recall": 1},
            "min_recall=1 with confidence=0.95 cannot be certified with 40 positive images: no "
            "number is enough. Lower min_recall or confidence, or set",
        ),
    ],
)
def test_a_target_that_cannot_be_certified_is_refused(options, message):
    groups = options.pop("groups", None)
    model = OperatingPointClassifierCV(LogisticRegression(), **options)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(np.arange(80.0)[:, None], np.repeat([0, 1], 40), groups=groups)
    assert not hasattr(model.estimator, "classes_")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y, g: (X, np.full(300, "NORMAL"), g), "y holds one class"),
        (lambda X, y, g: (X, np.arange(300) % 3, g), "Only binary classification"),
        (lambda X, y, g: (X, np.linspace(0, 1, 300), g), "Unknown label type: continuous"),
        (lambda X, y, g: (X[:0], y[:0], g), "no label"),
        (lambda X, y, g: (X, y[:-1], g), "inconsistent numbers of samples: .300, 299"),
        (lambda X, y, g: (X, y, g[:-1]), "inconsistent numbers of samples: .300, 299"),
        (lambda X, y, g: (X, y, [None, *g[1:]]), "groups holds no value for 1 of 300"),
        (lambda X, y, g: (X, y, np.c_[g, g]), "should be a 1d array"),
        (lambda X, y, g: (X, None, g), "y should be a 1d array"),
    ],
)
def test_wrong_data_are_refused(table, spoil, message):
    X, y, groups = spoil(*table)
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, groups=groups)


def test_scores_that_are_not_finite_are_refused(by_column, scores, y):
    scores[7] = np.nan
    with pytest.raises(ValueError, match=r"Estimator.decision_function .* not finite"):
        by_column(scores, y, min_recall=0.9)


def test_calibration_inside_keeps_the_threshold_and_around_it_does_not(table):
    X, y, _ = table
    inside = OperatingPointClassifierCV(
        CalibratedClassifierCV(LogisticRegression(), cv=3), min_recall=0.95
    ).fit(X, y)
    y_pred = inside.predict_proba(X)[:, 1] >= inside.best_threshold_
    np.testing.assert_array_equal(inside.predict(X) == "PNEUMONIA", y_pred)
    around = CalibratedClassifierCV(FrozenEstimator(inside)).fit(X, y)
    y_pred = around.predict_proba(X)[:, 1] > 0.5
    np.testing.assert_array_equal(around.predict(X) == "PNEUMONIA", y_pred)


HALF_RECALL = OperatingPointClassifierCV(
    LogisticRegression(), min_recall=0.5, confidence=None, cv=2
)


MIN_COST = OperatingPointClassifierCV(LogisticRegression(), min_recall=None, missed_cost=1, cv=2)


CHECKED = {
    "check_classifiers_train": "It requires a higher accuracy than a recall of one half "
    "allows, and labels that change at a probability of one half.",
}


WEIGHTED = {
    "check_classifiers_one_label_sample_weights": "Weights are passed to the estimator alone: "
    "rows of weight 0 are counted in the choice of the threshold.",
}


EXEMPT = {
    clone(HALF_RECALL).set_params(refit=True): CHECKED,
    HALF_RECALL: CHECKED
    | {"check_classifiers_classes": "It requires labels that change at a decision value of 0."},
    MIN_COST: WEIGHTED,
    clone(MIN_COST).set_params(refit=True): WEIGHTED,
    FoldMeanClassifier(LogisticRegression(), cv=2): {},
    LogOddsMeanClassifier([("linear", LogisticRegression()), ("bayes", GaussianNB())]): {},
}


# One check has labels 1 and 2.
@pytest.mark.filterwarnings("ignore:Of the sorted labels .1, 2.")
@parametrize_with_checks([*EXEMPT], expected_failed_checks=EXEMPT.get)
def test_estimator_checks_of_scikit_learn(estimator, check):
    check(estimator)
