"""Scores and tables on which operating points are chosen."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from skpneumo.model_selection import OperatingPointClassifierCV

LABELS = np.array(["NORMAL", "PNEUMONIA"])


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Fits are so small that threads cost time, most of all on a machine that has other work."""
    with threadpool_limits(1):
        yield


class FirstColumn(ClassifierMixin, BaseEstimator):
    """Returns the first column as decision values."""

    def __init__(self, dtype="float64"):
        self.dtype = dtype

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0].astype(self.dtype)


@pytest.fixture(scope="session")
def by_column():
    """Return `choose_by_column`."""
    return choose_by_column


def choose_by_column(scores, y, **options):
    """An operating point that is chosen by these very scores."""
    scores = np.asarray(scores)
    model = FrozenEstimator(FirstColumn(scores.dtype.name).fit(scores[:2, None], np.unique(y)))
    groups = options.pop("groups", None)
    return OperatingPointClassifierCV(model, **options).fit(scores[:, None], y, groups=groups)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def scores(rng):
    """Scores of 40 negative and 200 positive images, which overlap."""
    return np.r_[rng.normal(0, 1, 40), rng.normal(2, 1, 200)]


@pytest.fixture
def y():
    """Labels of `scores`."""
    return LABELS[np.repeat([0, 1], [40, 200])]


@pytest.fixture(scope="module")
def table():
    """300 rows, the negative ones first, and the patient of each."""
    X, y = make_classification(
        300, n_informative=4, weights=[0.3], flip_y=0.1, class_sep=1.0, random_state=0
    )
    order = np.argsort(y, kind="stable")
    groups = np.array([f"patient {i}" for i in np.random.default_rng(0).integers(0, 150, 300)])
    return X[order], LABELS[y[order]], groups
