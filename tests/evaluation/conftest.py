"""Data on which a linear classifier errs, sorted by class, with patients of several images."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skpneumo.evaluation import evaluate

LABELS = np.array(["NORMAL", "PNEUMONIA"])


def draw(n, seed):
    """Rows of three numbers, more ill than healthy."""
    rng = np.random.default_rng(seed)
    ill = np.arange(n) >= n // 3
    X = rng.normal(0.6 * ill[:, None], 1, (n, 3))
    subtype = np.where(ill, np.where(np.arange(n) % 3, "bacteria", "virus"), "")
    return SimpleNamespace(
        X=X, y=LABELS[ill.astype(int)], groups=np.arange(n) // 2, subtype=subtype
    )


@pytest.fixture(scope="session")
def learnt():
    return draw(90, 0)


@pytest.fixture(scope="session")
def new():
    return draw(120, 2)


@pytest.fixture(scope="session")
def linear(learnt):
    return LogisticRegression().fit(learnt.X, learnt.y)


@pytest.fixture(scope="session")
def report(linear, new):
    """An evaluation that tests must not change."""
    return evaluate(linear, new.X, new.y, groups=new.groups, subtype=new.subtype)
