import hashlib
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, binomtest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.metrics import recall_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

import skpneumo
from skpneumo.images import XRaySequence
from skpneumo.metrics import missed_cost_score, recall_scorer, specificity_score
from skpneumo.model_selection import OperatingPointClassifierCV
from skpneumo.model_selection._fold_mean import (
    FoldMeanClassifier,
    find_resolution,
    mean_by_log_odds,
)

LABELS = np.array(["NORMAL", "PNEUMONIA"])


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Fits are so small that threads cost time, most of all on a machine that has other work."""
    with threadpool_limits(1):
        yield


class FirstColumn(ClassifierMixin, BaseEstimator):
    """Scores by the first column; counts what it is asked for."""

    def __init__(self, dtype="float64"):
        self.dtype = dtype

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.asked_ = []
        return self

    def decision_function(self, X):
        self.asked_.append(len(X))
        return np.asarray(X)[:, 0].astype(self.dtype)


def by_column(scores, y, **options):
    """An operating point chosen by these very scores."""
    scores = np.asarray(scores)
    model = FrozenEstimator(FirstColumn(scores.dtype.name).fit(scores[:2, None], np.unique(y)))
    groups = options.pop("groups", None)
    return OperatingPointClassifierCV(model, **options).fit(scores[:, None], y, groups=groups)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def scores(rng):
    """Of 40 healthy and 200 ill images, which overlap."""
    return np.r_[rng.normal(0, 1, 40), rng.normal(2, 1, 200)]


@pytest.fixture
def y():
    return LABELS[np.repeat([0, 1], [40, 200])]


@pytest.fixture(scope="module")
def table():
    """300 rows, the healthy first, and the patient of each."""
    X, y = make_classification(
        300, n_informative=4, weights=[0.3], flip_y=0.1, class_sep=1.0, random_state=0
    )
    order = np.argsort(y, kind="stable")
    groups = np.array([f"child {i}" for i in np.random.default_rng(0).integers(0, 150, 300)])
    return X[order], LABELS[y[order]], groups


def clopper_pearson(caught, n, confidence):
    interval = binomtest(int(caught), int(n), alternative="greater")
    return interval.proportion_ci(confidence, method="exact").low


def rank_written_out(scores, share, confidence):
    """Rank of the threshold: the order of the scores decides whether it is the next one."""
    n = len(scores)
    risk = binom.cdf(np.arange(n), n, 1 - share)  # of the k-th lowest, k from 1
    rank = np.sum(risk <= 1 - confidence)
    digest = hashlib.sha256(np.argsort(scores, kind="stable").astype("<i8").tobytes()).digest()
    draw = int.from_bytes(digest[:8], "little") / 2**64
    left = (1 - confidence - risk[rank - 1]) / (risk[rank] - risk[rank - 1])
    return rank + (draw <= left)


# -- the choice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("min_recall", "confidence"), [(0.98, 0.95), (0.9, 0.95), (0.95, 0.8), (0.5, 0.99)]
)
def test_the_highest_threshold_of_certified_recall(scores, y, min_recall, confidence):
    model = by_column(scores, y, min_recall=min_recall, confidence=confidence)
    rank = rank_written_out(scores[40:], min_recall, confidence)
    ill, healthy = np.sort(scores[40:]), scores[:40]
    threshold = ill[rank - 1]
    assert model.best_threshold_ == threshold
    assert model.recall_ == 1 - (rank - 1) / 200 == np.mean(ill >= threshold)
    assert model.recall_lower_bound_ == min_recall
    assert model.specificity_ == np.mean(healthy < threshold)
    spared = np.sum(healthy < threshold)
    expected = clopper_pearson(spared, 40, confidence)
    assert model.specificity_lower_bound_ == pytest.approx(expected)
    assert (model.n_negative_units_, model.n_positive_units_) == (40, 200)
    np.testing.assert_array_equal(model.predict(scores[:, None]) == LABELS[1], scores >= threshold)


@pytest.mark.parametrize("share", [0.98, 0.9, 0.5, 1])
def test_without_confidence_the_recall_of_the_images_at_hand(scores, y, share):
    model = by_column(scores, y, min_recall=share, confidence=None)
    assert model.recall_ >= share
    assert np.mean(scores[40:] > model.best_threshold_) < share  # a higher one will not do
    model = by_column(scores, y, min_recall=None, min_specificity=share, confidence=None)
    assert model.specificity_ >= share
    assert np.nextafter(model.best_threshold_, -9) in scores[:40]
    assert np.mean(scores[:40] < np.nextafter(model.best_threshold_, -9)) < share
    for bound in (model.recall_lower_bound_, model.specificity_lower_bound_):
        assert np.isnan(bound)
    assert np.isnan(model.curve_.recall_lower_bound).all()


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("confidence", [0.95, None])
@pytest.mark.parametrize("digits", [9, 1])
def test_min_specificity_is_the_mirror_of_min_recall(rng, scores, y, grouped, confidence, digits):
    scores = scores.round(digits)
    groups = rng.integers(0, 120, 240) if grouped else None
    model = by_column(scores, y, min_recall=0.9, confidence=confidence, groups=groups)
    mirror = by_column(
        -scores,
        LABELS[(y == "NORMAL").astype(int)],
        min_recall=None,
        min_specificity=0.9,
        confidence=confidence,
        groups=groups,
    )
    np.testing.assert_array_equal(
        mirror.predict(-scores[:, None]) == "NORMAL", model.predict(scores[:, None]) == "PNEUMONIA"
    )
    assert mirror.specificity_ == model.recall_
    assert mirror.recall_ == model.specificity_
    assert mirror.n_negative_units_ == model.n_positive_units_
    np.testing.assert_equal(mirror.specificity_lower_bound_, model.recall_lower_bound_)
    np.testing.assert_equal(mirror.recall_lower_bound_, model.specificity_lower_bound_)


@pytest.mark.parametrize("missed_cost", [0.01, 0.1, 1 / 3, 1, 2.5, 10, 1e6])
@pytest.mark.parametrize("digits", [9, 0])
def test_the_highest_threshold_of_least_cost(scores, y, missed_cost, digits):
    scores = scores.round(digits)
    model = by_column(scores, y, min_recall=None, missed_cost=missed_cost)
    ill, healthy = scores[40:], scores[:40]
    costs = {
        t: missed_cost * np.sum(ill < t) + np.sum(healthy >= t)
        for t in [*scores, np.nextafter(scores.max(), np.inf)]
    }
    least = min(costs.values())
    assert model.best_threshold_ == max(t for t, cost in costs.items() if cost <= least + 1e-9)
    called = model.predict(scores[:, None])
    assert -240 * missed_cost_score(y, called, missed_cost=missed_cost) == pytest.approx(least)
    assert np.isnan(model.recall_lower_bound_)
    assert np.isnan(model.specificity_lower_bound_)


def test_equal_costs_tie_in_spite_of_rounding():
    # at 1: 9 missed and 1 alarm; at 2: 19 missed, and 0.1 * 19 is more than 0.1 * 9 + 1
    ill, healthy = np.repeat([0.0, 1.0, 2.0], [9, 10, 3]), np.repeat([0.0, 1.5], [5, 1])
    model = by_column(
        np.r_[healthy, ill], np.repeat([0, 1], [6, 22]), min_recall=None, missed_cost=0.1
    )
    assert model.best_threshold_ == 2


def test_nobody_is_predicted_positive_if_false_positives_cost_too_much():
    model = by_column(
        np.array([0.1, 0.9, 0.5, 0.6]), [0, 0, 1, 1], min_recall=None, missed_cost=0.1
    )
    assert model.best_threshold_ > 0.9
    assert not model.predict([[0.9]]).any()
    assert (model.recall_, model.specificity_) == (0, 1)


def test_a_patient_is_a_true_positive_only_if_every_positive_image_is():
    ill = np.r_[np.linspace(1, 2, 30), np.linspace(3, 4, 30)]  # image i and i + 30: one patient
    healthy = np.array([0.0, 1.5, 9.0, 0.5])
    groups = np.r_[[0, 0, 1, 1], np.tile(np.arange(100, 130), 2)]
    y = np.repeat([0, 1], [4, 60])
    model = by_column(np.r_[healthy, ill], y, min_recall=0.9, groups=groups)
    assert (model.n_negative_units_, model.n_positive_units_) == (2, 30)
    assert model.best_threshold_ == 1.0  # 29 of them are needed, so none may be missed
    assert model.specificity_ == 0  # each healthy patient has an image of at least 1
    assert by_column(np.r_[healthy, ill], y, min_recall=0.9).best_threshold_ > 1.0


def test_a_patient_with_images_of_both_classes_counts_in_both():
    scores = np.r_[np.linspace(0, 1, 20), np.linspace(1, 2, 20)]
    y, groups = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
    model = by_column(scores, y, min_recall=0.8, groups=groups)
    assert (model.n_negative_units_, model.n_positive_units_) == (20, 20)


def test_ties_make_it_safer_never_less_safe(scores, y):
    scores = scores.round(0)
    model = by_column(scores, y, min_recall=0.9)
    rank = rank_written_out(scores[40:], 0.9, 0.95)
    assert model.best_threshold_ == np.sort(scores[40:])[rank - 1]
    assert model.recall_ > 1 - (rank - 1) / 200
    assert model.recall_lower_bound_ == 0.9


@pytest.mark.parametrize(
    ("target", "recall", "specificity"),
    [
        ({"min_recall": 0.9}, 1, 0),
        ({"min_recall": None, "min_specificity": 0.9}, 0, 1),
        ({"min_recall": None, "missed_cost": 5}, 1, 0),
        ({"min_recall": None, "missed_cost": 0.1}, 0, 1),
    ],
)
def test_equal_scores_call_everyone_the_same(target, recall, specificity):
    X, y = np.zeros((80, 3)), np.repeat([0, 1], [40, 40])
    model = OperatingPointClassifierCV(DummyClassifier(strategy="prior"), **target).fit(X, y)
    assert (model.predict(X) == recall).all()
    assert (model.recall_, model.specificity_) == (recall, specificity)


def test_scores_are_compared_in_the_type_they_were_chosen_in(rng, y):
    scores = rng.uniform(0, 1, 240).astype(np.float32)
    model = by_column(scores, y, min_recall=0.9)
    assert model.best_threshold_.dtype == np.float32
    at = model.best_threshold_
    below = np.nextafter(at, np.float32(0))
    np.testing.assert_array_equal(model.predict([[at], [below]]), LABELS[::-1])
    # the same network asked in another precision
    model.estimator_.estimator.dtype = "float64"
    just_short = np.float64(at) - 1e-12
    np.testing.assert_array_equal(model.predict([[just_short], [below]]), LABELS[::-1])


@pytest.mark.parametrize("dtype", ["int64", "bool", "float16"])
@pytest.mark.parametrize("target", ["min_recall", "min_specificity", "missed_cost"])
def test_scores_of_any_type(rng, y, dtype, target):
    scores = (rng.integers(0, 4, 240) * (rng.random(240) < 0.5)).astype(dtype)
    value = 1 if target == "missed_cost" else 0.8
    groups = np.arange(240) // 2
    model = by_column(scores, y, **{"min_recall": None, target: value}, groups=groups)
    expected = by_column(
        scores.astype(float), y, **{"min_recall": None, target: value}, groups=groups
    )
    X = scores[:, None]
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("grouped", [False, True])
def test_the_curve_holds_the_metrics_of_each_threshold(rng, scores, y, grouped):
    scores = scores.round(1)
    groups = rng.integers(0, 60, 240) if grouped else None
    curve = by_column(scores, y, min_recall=0.8, groups=groups).curve_
    np.testing.assert_array_equal(curve.threshold, np.unique(scores))
    units = np.arange(240) if groups is None else groups
    for i, t in enumerate(curve.threshold):
        called = scores >= t
        caught = [called[(units == u) & (y == "PNEUMONIA")] for u in np.unique(units[40:])]
        recall = np.mean([images.all() for images in caught])
        assert curve.recall[i] == pytest.approx(recall)
        bound = clopper_pearson(round(recall * len(caught)), len(caught), 0.95)
        assert curve.recall_lower_bound[i] == pytest.approx(bound)
        spared = [~called[(units == u) & (y == "NORMAL")] for u in np.unique(units[:40])]
        specificity = np.mean([images.all() for images in spared])
        assert curve.specificity[i] == pytest.approx(specificity)
        called = LABELS[called.astype(int)]
        if not grouped:
            assert specificity == pytest.approx(specificity_score(y, called))
            assert recall == pytest.approx(recall_score(y, called, pos_label="PNEUMONIA"))


# -- out-of-fold scores -----------------------------------------------------------------------


def test_each_image_is_scored_by_a_model_that_did_not_see_it(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, refit=True).fit(X, y)
    out = cross_val_predict(LogisticRegression(), X, y, cv=5, method="predict_proba")[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    whole = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(model.decision_function(X), whole.decision_function(X))
    called = whole.predict_proba(X)[:, 1] >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X), LABELS[called.astype(int)])


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(
    ("cv", "splitter"),
    [
        (None, StratifiedGroupKFold(5)),
        (3, StratifiedGroupKFold(3)),
        (GroupKFold(4), GroupKFold(4)),
        ("splits", GroupKFold(4)),
    ],
)
def test_the_images_of_a_patient_are_kept_together(table, cv, splitter, routing):
    X, y, groups = table
    if cv == "splits":
        cv = splitter.split(X, y, groups)
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=cv)
    with config_context(enable_metadata_routing=routing):
        model.fit(X, y, groups=groups)
    out = cross_val_predict(
        LogisticRegression(), X, y, cv=splitter, groups=groups, method="predict_proba"
    )[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    assert model.n_positive_units_ == len(np.unique(groups[y == "PNEUMONIA"]))


def test_sample_weights_reach_every_fit(table, rng):
    X, y, _ = table
    weight = rng.exponential(1, 300)
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, cv=3, refit=True)
    model.fit(X, y, sample_weight=weight)
    out = np.empty(300)
    for train, test in StratifiedKFold(3).split(X, y):
        part = LogisticRegression().fit(X[train], y[train], sample_weight=weight[train])
        out[test] = part.predict_proba(X[test])[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    whole = LogisticRegression().fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.estimator_.coef_, whole.coef_)


def test_class_weights_may_name_text_labels(table):
    X, y, _ = table
    named, numbered = (
        OperatingPointClassifierCV(
            LogisticRegression(class_weight={label: 5}), cv=3, min_recall=0.9
        )
        for label in ("PNEUMONIA", 1)
    )
    named.fit(X, y)
    numbered.fit(X, (y == "PNEUMONIA").astype(int))
    np.testing.assert_array_equal(named.curve_.threshold, numbered.curve_.threshold)
    assert named.best_threshold_ == numbered.best_threshold_
    assert set(named.predict(X)) == set(LABELS)


def test_two_processes_give_what_one_gives(table):
    X, y, groups = table
    one, two = (
        OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, n_jobs=n_jobs)
        for n_jobs in (None, 2)
    )
    one.fit(X, y, groups=groups)
    two.fit(X, y, groups=groups)
    assert one.best_threshold_ == two.best_threshold_
    np.testing.assert_array_equal(one.curve_.threshold, two.curve_.threshold)


# -- the models of the folds ------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_log_odds_of_the_folds_are_averaged(table, n_jobs):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, n_jobs=n_jobs).fit(
        X, y, groups=groups
    )
    parts = [
        LogisticRegression().fit(X[train], y[train])
        for train, _ in StratifiedGroupKFold(5).split(X, y, groups)
    ]
    mean = np.mean([part.decision_function(X) for part in parts], axis=0)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expit(mean))
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_allclose(model.decision_function(X), mean)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))
    called = expit(mean) >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X), LABELS[called.astype(int)])
    refitted = clone(model).set_params(refit=True).fit(X, y, groups=groups)
    assert model.best_threshold_ == refitted.best_threshold_
    np.testing.assert_array_equal(model.curve_.threshold, refitted.curve_.threshold)
    assert model.n_features_in_ == refitted.n_features_in_
    assert [one.coef_.tolist() for one in model.estimator_.fold_estimators_] == [
        part.coef_.tolist() for part in parts
    ]


def test_without_probabilities_decision_values_are_averaged(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(LinearSVC(), min_recall=0.9, refit=False).fit(X, y)
    parts = [LinearSVC().fit(X[train], y[train]) for train, _ in StratifiedKFold(5).split(X, y)]
    mean = np.mean([part.decision_function(X) for part in parts], axis=0)
    np.testing.assert_allclose(model.decision_function(X), mean)
    assert not hasattr(model, "predict_proba")
    np.testing.assert_array_equal(model.predict(X) == "PNEUMONIA", mean >= model.best_threshold_)


class Counter(LogisticRegression):
    """Counts fits."""

    sizes = []

    def fit(self, X, y):
        self.sizes.append(len(X))
        return super().fit(X, y)


def test_nothing_is_fitted_that_is_not_needed(table):
    X, y, _ = table
    del Counter.sizes[:]
    OperatingPointClassifierCV(Counter(), min_recall=0.9, cv=3).fit(X, y)
    assert Counter.sizes == [200, 200, 200]
    del Counter.sizes[:]
    OperatingPointClassifierCV(Counter(), min_recall=0.9, cv=3, refit=True).fit(X, y)
    assert sorted(Counter.sizes) == [200, 200, 200, 300]


def test_a_frozen_model_is_kept_for_any_refit(scores, y):
    kept, refitted = (by_column(scores, y, min_recall=0.9, refit=refit) for refit in (False, True))
    assert isinstance(kept.estimator_, FrozenEstimator)
    assert kept.best_threshold_ == refitted.best_threshold_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_of_0_or_1_does_not_decide_alone(dtype):
    """It counts as half the smallest distance from 0 or 1 that occurs out of fold."""
    resolution = find_resolution(np.array([0, 0.02, 0.5, 0.9, 1], dtype))
    assert resolution == pytest.approx((0.01, 0.05))
    parts = [np.array([0, 0.9, 1, 0.001], dtype), *[np.array([0.9, 0.9, 0.1, 0.9], dtype)] * 4]
    mean = mean_by_log_odds(parts, resolution)
    assert mean.dtype == dtype
    at_0 = expit((4 * logit(0.9) + logit(0.01)) / 5)
    at_1 = expit((4 * logit(0.1) + logit(0.95)) / 5)
    np.testing.assert_allclose(mean, [at_0, 0.9, at_1, at_0], rtol=1e-4)
    assert find_resolution(np.array([0, 1], dtype)) == (0.25, 0.25)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_threshold_may_be_tiny(dtype, rng):
    """Far below the distance of two numbers near 1, where classes are apart all the same."""
    y = LABELS[np.repeat([0, 1], [100, 200])]
    X = np.r_[rng.normal(-30, 1, 100), rng.normal(-18, 1, 200)][:, None]
    model = OperatingPointClassifierCV(AsProbability(dtype=dtype), min_recall=0.9).fit(X, y)
    assert model.best_threshold_ < np.finfo(np.float32).eps
    assert model.specificity_ == 1
    predicted = model.predict(X) == LABELS[1]
    assert predicted[:100].mean() == 0
    assert predicted[100:].mean() >= 0.9


class AsProbability(ClassifierMixin, BaseEstimator):
    """The log odds are the first column."""

    def __init__(self, dtype=np.float64):
        self.dtype = dtype

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        positive = expit(X[:, 0]).astype(self.dtype)
        return np.stack([1 - positive, positive], axis=1)


def test_the_mean_of_folds_can_be_pickled_cloned_and_fitted_again(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, refit=False)
    inner = model.fit(X, y, groups=groups).estimator_
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    assert inner.classes_.tolist() == LABELS.tolist()
    again = clone(inner)
    with pytest.raises(NotFittedError):
        again.predict(X)
    again.fit(X, y, groups=groups)
    np.testing.assert_array_equal(again.predict_proba(X), inner.predict_proba(X))
    np.testing.assert_array_equal(
        again.predict(X), LABELS[(again.predict_proba(X)[:, 1] > 0.5) + 0]
    )
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    assert model.fit(frame, y).feature_names_in_[0] == "x0"
    assert not hasattr(model.fit(X, y), "feature_names_in_")


def test_the_mean_of_folds_at_another_hospital(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, refit=False)
    model.fit(X, y, groups=groups)
    local = OperatingPointClassifierCV(FrozenEstimator(model), min_recall=0.8)
    local.fit(X - 1, y, groups=groups)
    np.testing.assert_array_equal(local.predict_proba(X), model.predict_proba(X))


# -- the draw ---------------------------------------------------------------------------------


def test_the_same_data_give_the_same_threshold_in_another_process(scores, y):
    code = """
import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from skpneumo import OperatingPointClassifierCV
rng = np.random.default_rng(0)
y = np.repeat([0, 1], [50, 190])
X = rng.normal(size=(240, 3)) + y[:, None]
for groups in (None, np.arange(240) // 3):
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, cv=3)
    print(model.fit(X, y, groups=groups).best_threshold_.hex())
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.split()) == 2


def test_patients_in_another_order_give_the_same_threshold(rng, scores, y):
    groups = np.array([f"child {i}" for i in rng.integers(0, 150, 240)])
    order = rng.permutation(240)
    one = by_column(scores, y, min_recall=0.9, groups=groups)
    other = by_column(scores[order], y[order], min_recall=0.9, groups=groups[order])
    assert one.best_threshold_ == other.best_threshold_


# -- images per patient, and what names tell --------------------------------------------------


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"min_recall": 0.8}, 3.0),
        ({"min_recall": 0.8, "confidence": None}, 3.0),
        ({"min_recall": None, "min_specificity": 0.8}, 2.0),
        ({"min_recall": None, "missed_cost": 2}, np.nan),
    ],
)
def test_images_per_patient_are_those_of_the_class_that_is_certified(scores, y, target, expected):
    groups = np.r_[np.arange(40) // 2, 100 + np.arange(200) // 3]
    groups[-2:] = groups[-3]
    groups[-5:-3] = groups[-6]
    model = by_column(scores, y, groups=groups, **target)
    n_patients = len(np.unique(groups[40:]))
    expected = 200 / n_patients if expected == 3 else expected
    assert model.images_per_patient_ == pytest.approx(expected, nan_ok=True)
    assert np.isnan(by_column(scores, y, **target).images_per_patient_)


class ByName(ClassifierMixin, BaseEstimator):
    """Scores paths by the number before the extension."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.array([float(os.path.splitext(os.fsdecode(path))[0][-3:]) for path in X])


def names(n_patients, n_images=80):
    return [f"train/person{i % n_patients}_virus_{i:03}.jpeg" for i in range(n_images)]


@pytest.mark.parametrize(
    "container",
    [list, tuple, np.array, pd.Series, XRaySequence, lambda n: list(map(Path, n))],
)
def test_patients_that_repeat_in_names_without_groups(container):
    y = np.repeat([0, 1], [20, 60])
    model = OperatingPointClassifierCV(ByName(), min_recall=0.8)
    message = (
        r"groups=None .* names of 80 files are those of 40 patient.s., such as virus-0 with 2 "
        "images.*6 to 24 %.*Pass the patient of each image as groups"
    )
    X = names(40)
    if container is XRaySequence:
        model.set_params(estimator=ByPath())
    with pytest.warns(UserWarning, match=message):
        model.fit(container(X), y)
    groups = np.arange(80) % 40
    model.fit(container(X), y, groups=groups)
    model.fit(container(names(80)), y)
    model.set_params(confidence=None).fit(container(X), y)
    model.set_params(min_recall=None, missed_cost=3).fit(container(X), y)


class ByPath(ByName):
    def decision_function(self, X):
        return super().decision_function(X.paths)


@pytest.mark.parametrize(
    "X",
    [
        [f"scan-{i // 2}-{i:03}.png" for i in range(80)],
        [f"IM_{i:03}.dcm" for i in range(80)],
        [f"{i:03}" for i in range(80)],
        # Programs that export DICOM files count them in each folder.
        [f"patient-{i // 2}/IM-0001-{i:04}.dcm" for i in range(80)],
        [f"site-{i}/normal-1-{i:03}.png" for i in range(80)],
    ],
)
def test_names_without_a_patient(X):
    OperatingPointClassifierCV(ByName(), min_recall=0.8).fit(X, np.repeat([0, 1], [20, 60]))


# -- estimators that were fitted before -------------------------------------------------------

GRID = {"C": [0.1, 1]}


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "LogisticRegression"),
        (FixedThresholdClassifier(LogisticRegression()), "FixedThresholdClassifier"),
        (BaggingClassifier(LogisticRegression(), 2, random_state=0), "BaggingClassifier"),
    ],
)
def test_a_fitted_estimator_may_have_been_selected(table, estimator, name):
    X, y, _ = table
    model = OperatingPointClassifierCV(estimator, min_recall=0.8, cv=2).fit(X, y)
    fitted = clone(estimator).fit(X, y)
    message = (
        f"^{name} is fitted already.*15 % did with the best of 7 candidates and 28 % with the best "
        r"of 40.*Pass the search itself.*FrozenEstimator.*sklearn\.base\.clone"
    )
    with pytest.warns(UserWarning, match=message):
        same = OperatingPointClassifierCV(fitted, min_recall=0.8, cv=2).fit(X, y)
    assert same.best_threshold_ == model.best_threshold_
    for options in ({"confidence": None}, {"min_recall": None, "missed_cost": 3}):
        OperatingPointClassifierCV(fitted, **{"cv": 2, "min_recall": 0.8} | options).fit(X, y)
    OperatingPointClassifierCV(clone(fitted), min_recall=0.8, cv=2).fit(X, y)


@pytest.mark.parametrize("around", [CalibratedClassifierCV, TunedThresholdClassifierCV])
def test_a_fitted_estimator_inside_another(table, around):
    X, y, _ = table
    best = GridSearchCV(LogisticRegression(), GRID, cv=2).fit(X, y).best_estimator_
    options = {"scoring": recall_scorer} if around is TunedThresholdClassifierCV else {}
    with pytest.warns(UserWarning, match="^LogisticRegression is fitted already"):
        OperatingPointClassifierCV(around(best, cv=2, **options), min_recall=0.8, cv=2).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [
        GridSearchCV(LogisticRegression(), GRID, cv=2),
        make_pipeline(StandardScaler(), GridSearchCV(LogisticRegression(), GRID, cv=2)),
        OperatingPointClassifierCV(LogisticRegression(), min_recall=0.5, cv=2),
        RidgeClassifierCV(cv=2),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        FrozenEstimator(LogisticRegression()),
    ],
)
def test_what_chooses_again_in_each_split_may_be_fitted(table, estimator):
    X, y, _ = table
    if isinstance(estimator, FrozenEstimator):
        estimator = FrozenEstimator(LogisticRegression().fit(X, y))
    fitted = estimator.fit(X, y)
    OperatingPointClassifierCV(fitted, min_recall=0.8, cv=2).fit(X, y)


# -- a frozen model ---------------------------------------------------------------------------


def test_a_frozen_model_is_neither_fitted_again_nor_are_its_images_split(scores, y):
    inner = FirstColumn().fit(scores[:2, None], LABELS)
    model = OperatingPointClassifierCV(FrozenEstimator(inner), cv=KFold(7), min_recall=0.9)
    model.fit(scores[:, None], y, sample_weight=np.ones(240))
    assert inner.asked_ == [240]
    assert model.estimator_.estimator is inner
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(scores))


def test_a_fitted_model_is_recalibrated_on_a_local_sample(table, rng):
    X, y, groups = table
    fitted = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8).fit(
        X, y, groups=groups
    )
    weights = np.mean([fold.coef_ for fold in fitted.estimator_.fold_estimators_], axis=0)
    local = X - 0.3 * weights  # another device: lower scores
    again = OperatingPointClassifierCV(FrozenEstimator(fitted), min_recall=0.8)
    again.fit(local, y, groups=groups)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.best_threshold_ < fitted.best_threshold_
    assert fitted.fit(X, y, groups=groups).best_threshold_ > again.best_threshold_


def test_a_frozen_model_of_other_classes_is_refused(table):
    X, y, _ = table
    frozen = FrozenEstimator(LogisticRegression().fit(X, y == "PNEUMONIA"))
    model = OperatingPointClassifierCV(frozen, min_recall=0.8)
    message = r"y holds \['NORMAL', 'PNEUMONIA'\], but the estimator was fitted on .*False.*True"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    frozen = FrozenEstimator(LogisticRegression().fit(X, np.arange(300) % 3))
    with pytest.raises(ValueError, match=r"but the estimator was fitted on \[0, 1, 2\]"):
        OperatingPointClassifierCV(frozen, min_recall=0.8).fit(X, np.repeat([0, 1], 150))


def test_a_frozen_model_must_be_fitted(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(FrozenEstimator(LogisticRegression()), min_recall=0.8)
    with pytest.raises(NotFittedError, match="LogisticRegression instance is not fitted"):
        model.fit(X, y)


# -- among scikit-learn's tools ---------------------------------------------------------------


def test_names_of_an_earlier_fit_are_forgotten(table):
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


def test_pickled_it_decides_the_same(table):
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


def test_it_has_the_methods_of_the_ones_of_scikit_learn():
    ours, inner = OperatingPointClassifierCV(LogisticRegression()), LogisticRegression()
    for theirs in (FixedThresholdClassifier(inner), TunedThresholdClassifierCV(inner)):
        public = {name for name in dir(theirs) if name[0] != "_" and hasattr(theirs, name)}
        public -= {*theirs.get_params(deep=False)}
        assert public <= set(dir(ours)), public - set(dir(ours))


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


class Spy(StratifiedGroupKFold):
    """Keeps the groups that it is given."""

    seen = []

    def split(self, X, y=None, groups=None):
        self.seen.append(groups)
        yield from super().split(X, y, groups)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_the_search_inside(table, routing, refit):
    X, y, groups = table
    search = GridSearchCV(LogisticRegression(), {"C": [1e-3, 1]}, cv=Spy(2), scoring="roc_auc")
    model = OperatingPointClassifierCV(search, min_recall=0.8, cv=3, refit=refit)
    del Spy.seen[:]
    with config_context(enable_metadata_routing=routing):
        model.fit(X, y, groups=groups)
    expected = [groups[train] for train, _ in StratifiedGroupKFold(3).split(X, y, groups)]
    expected += [groups] if refit else []
    assert sorted(map(list, Spy.seen)) == sorted(map(list, expected))
    assert model.predict(X).shape == (300,)


def test_groups_reach_an_estimator_whose_fit_names_them(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(Keeper(), min_recall=0.8, cv=3, refit=True)
    model.fit(X, y, groups=groups)
    assert model.estimator_.groups_ is groups
    assert model.fit(X, y).estimator_.groups_ is None
    twice = OperatingPointClassifierCV(
        OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8), min_recall=0.8, cv=3
    ).fit(X, y, groups=groups)
    assert {fold.unit_ for fold in twice.estimator_.fold_estimators_} == {"patient"}


def test_a_splitter_by_patients_inside_a_pipeline_is_given_them_by_name(table):
    X, y, groups = table
    search = GridSearchCV(LogisticRegression(), {"C": [1e-3, 1]}, cv=StratifiedGroupKFold(2))
    pipe = make_pipeline(StandardScaler(), search)
    model = OperatingPointClassifierCV(pipe, min_recall=0.8, cv=3)
    with pytest.raises(ValueError, match="groups"):
        model.fit(X, y, groups=groups)
    model.fit(X, y, groups=groups, gridsearchcv__groups=groups)
    assert model.unit_ == "patient"


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


# -- groups and metadata ----------------------------------------------------------------------


def patients_of(groups, rows):
    return len(np.unique(groups[rows]))


def test_groups_reach_it_through_a_cross_validation(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=3)
    outer = StratifiedGroupKFold(3)
    without = cross_val_score(
        model, X, y, groups=groups, params={"groups": groups}, cv=outer, scoring=recall_scorer
    )
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            model, X, y, params={"groups": groups}, cv=outer, scoring=recall_scorer
        )
    by_hand = []
    for train, test in outer.split(X, y, groups):
        one = clone(model).fit(X[train], y[train], groups=groups[train])
        assert one.n_positive_units_ == patients_of(groups, train[y[train] == "PNEUMONIA"])
        by_hand.append(recall_scorer(one, X[test], y[test]))
    np.testing.assert_array_equal(without, by_hand)
    np.testing.assert_array_equal(routed, by_hand)


@pytest.mark.parametrize("cv", [None, "splits"])
def test_groups_are_routed_to_it_for_any_cv(table, cv):
    X, y, groups = table
    rows = np.arange(300)
    if cv == "splits":  # asks for no groups, but the promise does
        cv = [(rows[groups > "child 5"], rows[groups <= "child 5"])]
        cv = [*cv, cv[0][::-1]]
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8),
            {"estimator__C": [1]},
            scoring=recall_scorer,
            cv=StratifiedGroupKFold(2),
            refit=False,
            error_score="raise",
        ).fit(X, y, groups=groups)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        pipe = make_pipeline(
            OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=cv)
        ).fit(X, y, groups=groups)
    assert pipe[-1].n_positive_units_ == patients_of(groups, y == "PNEUMONIA")


def test_routing_hands_on_what_is_requested(table, rng):
    X, y, groups = table
    weight = rng.exponential(1, 300)
    plain = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=3, refit=True)
    plain.fit(X, y, groups=groups, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        model = OperatingPointClassifierCV(inner, min_recall=0.8, cv=3, refit=True)
        model.fit(X, y, groups=groups, sample_weight=weight)
        np.testing.assert_array_equal(model.curve_.threshold, plain.curve_.threshold)
        np.testing.assert_array_equal(model.estimator_.coef_, plain.estimator_.coef_)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8).fit(
                X, y, sample_weight=weight
            )


class Keeper(LogisticRegression):
    """Keeps the groups that it is given."""

    def fit(self, X, y, groups=None):
        self.groups_ = groups
        return super().fit(X, y)


def test_groups_are_passed_to_an_estimator_that_takes_them(table):
    X, y, groups = table
    with config_context(enable_metadata_routing=True):
        model = OperatingPointClassifierCV(
            Keeper().set_fit_request(groups=True), min_recall=0.8, refit=True
        )
        model.fit(X, y, groups=groups)
        assert model.estimator_.groups_ is groups
        model.set_params(estimator=Keeper().set_fit_request(groups=False))
        assert model.fit(X, y, groups=groups).estimator_.groups_ is None


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored by StratifiedKFold")
@pytest.mark.parametrize("routing", [False, True])
def test_a_splitter_that_parts_patients_is_refused(table, routing):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=StratifiedKFold(3))
    with config_context(enable_metadata_routing=routing):
        with pytest.raises(
            ValueError, match=r"cv has images of \d+ patients.*StratifiedGroupKFold"
        ):
            model.fit(X, y, groups=groups)
        model.fit(X, y, groups=np.arange(300))


# -- errors -----------------------------------------------------------------------------------


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
    model = OperatingPointClassifierCV(FirstColumn(), **options)
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


@pytest.mark.parametrize(
    "cv",
    [ShuffleSplit(4, test_size=0.25), [([0, 299], [1, 298])], RepeatedKFold(n_repeats=2), []],
)
def test_each_image_is_left_out_once(table, cv):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression(), cv=cv, min_recall=0.8)
    with pytest.raises(ValueError, match=r"cv must leave out each of the 300 images once, got"):
        model.fit(X, y)


def test_a_fold_without_one_of_the_classes_is_refused(table):
    X, y, _ = table  # sorted: the first training part holds the positive ones only
    model = OperatingPointClassifierCV(GaussianNB(), cv=KFold(2), min_recall=0.8)
    message = r"GaussianNB.predict_proba returns .* shape \(90, 1\).*StratifiedGroupKFold"
    with pytest.raises(ValueError, match=message):
        model.fit(X[60:240], y[60:240])


def test_scores_that_are_no_numbers_are_refused(scores, y):
    scores[7] = np.nan
    with pytest.raises(ValueError, match=r"Estimator.decision_function .* not finite"):
        by_column(scores, y, min_recall=0.9)


def test_calibration_inside_keeps_the_threshold_and_around_it_does_not(table):
    X, y, _ = table
    inside = OperatingPointClassifierCV(
        CalibratedClassifierCV(LogisticRegression(), cv=3), min_recall=0.95
    ).fit(X, y)
    called = inside.predict_proba(X)[:, 1] >= inside.best_threshold_
    np.testing.assert_array_equal(inside.predict(X) == "PNEUMONIA", called)
    around = CalibratedClassifierCV(FrozenEstimator(inside)).fit(X, y)
    called = around.predict_proba(X)[:, 1] > 0.5
    np.testing.assert_array_equal(around.predict(X) == "PNEUMONIA", called)


# -- scikit-learn's own checks ----------------------------------------------------------------

HALF_RECALL = OperatingPointClassifierCV(
    LogisticRegression(), min_recall=0.5, confidence=None, cv=2
)
MIN_COST = OperatingPointClassifierCV(LogisticRegression(), min_recall=None, missed_cost=1, cv=2)
CHECKED = {
    "check_classifiers_train": "It asks for more right answers than a recall of one half "
    "leaves, and for labels that change at a probability of one half.",
}
WEIGHTED = {
    "check_classifiers_one_label_sample_weights": "Weights are the estimator's affair: rows "
    "of weight 0 are counted in the choice of the threshold.",
}
EXEMPT = {
    clone(HALF_RECALL).set_params(refit=True): CHECKED,
    HALF_RECALL: CHECKED
    | {"check_classifiers_classes": "It asks for labels that change at a decision value of 0."},
    MIN_COST: WEIGHTED,
    clone(MIN_COST).set_params(refit=True): WEIGHTED,
    FoldMeanClassifier(LogisticRegression(), cv=2): {},
}


# One check has labels 1 and 2.
@pytest.mark.filterwarnings("ignore:Of the sorted labels .1, 2.")
@parametrize_with_checks([*EXEMPT], expected_failed_checks=EXEMPT.get)
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)
