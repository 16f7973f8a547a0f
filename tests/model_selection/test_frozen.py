"""Operating points of models that are not fitted again."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from skpneumo.model_selection import OperatingPointClassifierCV

LABELS = np.array(["NORMAL", "PNEUMONIA"])


class CountingFirstColumn(ClassifierMixin, BaseEstimator):
    """Returns the first column as decision values, and counts the rows of each call."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_scored_ = []
        return self

    def decision_function(self, X):
        self.n_scored_.append(len(X))
        return X[:, 0]


def test_a_frozen_model_is_neither_fitted_again_nor_are_its_images_split(scores, y):
    inner = CountingFirstColumn().fit(scores[:2, None], LABELS)
    model = OperatingPointClassifierCV(FrozenEstimator(inner), cv=KFold(7), min_recall=0.9)
    model.fit(scores[:, None], y, sample_weight=np.ones(240))
    assert inner.n_scored_ == [240]
    assert model.estimator_.estimator is inner
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(scores))


def test_a_frozen_model_is_kept_for_any_refit(by_column, scores, y):
    kept, refitted = (by_column(scores, y, min_recall=0.9, refit=refit) for refit in (False, True))
    assert isinstance(kept.estimator_, FrozenEstimator)
    assert kept.best_threshold_ == refitted.best_threshold_


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
