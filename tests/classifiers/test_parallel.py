"""A search gives the same numbers in this process, in threads, and in other processes."""

import joblib
import numpy as np
import pytest
from joblib import parallel_config
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV

from skpneumo._utils.caching import RESULTS

# Equal fits but for the threshold: one network for each fold, wherever it was trained.
THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5]


def search(tiny, paths, y, n_jobs=None, memory=None):
    """Log loss of each candidate on each fold: equal numbers mean equal networks."""
    RESULTS.clear()
    scoring = make_scorer(log_loss, response_method="predict_proba", labels=np.unique(y))
    found = GridSearchCV(
        tiny(dropout=0.5, memory=memory),
        {"threshold": THRESHOLDS},
        scoring=scoring,
        cv=2,
        refit=False,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(paths, y)
    return np.array([found.cv_results_[f"split{i}_test_score"] for i in range(2)])


@pytest.fixture
def data(paths, xrays):
    return paths, xrays.y


@pytest.fixture
def expected(tiny, data):
    scores = search(tiny, *data)
    assert (scores == scores[:, :1]).all()
    assert scores[0, 0] != scores[1, 0]
    return scores


def test_threads(tiny, data, expected):
    with parallel_config("threading"):
        np.testing.assert_array_equal(search(tiny, *data, n_jobs=2), expected)


def test_processes_reuse_fits_in_memory(tiny, data, expected, tmp_path):
    np.testing.assert_array_equal(search(tiny, *data, n_jobs=2, memory=tmp_path), expected)
    # Two networks, and the predictions of each on its fold.
    assert len(joblib.Memory(tmp_path, verbose=0).store_backend.get_items()) == 2 + 2
