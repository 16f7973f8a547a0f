"""A fitted model whose scores are given."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin


class FirstColumn(ClassifierMixin, BaseEstimator):
    """A classifier that scores by the first column."""

    classes_ = np.array(["NORMAL", "PNEUMONIA"])

    def __init__(self, dtype="float64"):
        self.dtype = dtype

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0].astype(self.dtype)


@pytest.fixture(scope="session")
def by_first_column():
    """Return a class of fitted classifiers whose score is the first column."""
    return FirstColumn
