"""The mean of the models of the folds."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import LinearSVC

from skpneumo.model_selection import OperatingPointClassifierCV
from skpneumo.model_selection._fold_mean import find_resolution
from skpneumo.model_selection._log_odds_mean import mean_by_log_odds

LABELS = np.array(["NORMAL", "PNEUMONIA"])


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
    y_pred = expit(mean) >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X), LABELS[y_pred.astype(int)])
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_of_0_or_1_does_not_outweigh_all_others(dtype):
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tiny_threshold_separates_the_classes(dtype, rng):
    """It is far below the spacing of floating-point numbers near 1."""
    y = LABELS[np.repeat([0, 1], [100, 200])]
    X = np.r_[rng.normal(-30, 1, 100), rng.normal(-18, 1, 200)][:, None]
    model = OperatingPointClassifierCV(AsProbability(dtype=dtype), min_recall=0.9).fit(X, y)
    assert model.best_threshold_ < np.finfo(np.float32).eps
    assert model.specificity_ == 1
    predicted = model.predict(X) == LABELS[1]
    assert predicted[:100].mean() == 0
    assert predicted[100:].mean() >= 0.9


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


def test_a_frozen_mean_of_folds_keeps_its_probabilities(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, refit=False)
    model.fit(X, y, groups=groups)
    local = OperatingPointClassifierCV(FrozenEstimator(model), min_recall=0.8)
    local.fit(X - 1, y, groups=groups)
    np.testing.assert_array_equal(local.predict_proba(X), model.predict_proba(X))
