"""A search gives the same numbers in this process, in threads, and in other processes."""

import os
import signal
import threading

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
    # Lists: Dask keeps a large array on one worker, and loses it with that.
    return paths.tolist(), xrays.y.tolist()


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


def test_workers_of_dask_also_after_one_was_killed(tiny, data, expected):
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(processes=True, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        pid = next(iter(client.run(os.getpid).values()))
        # Well before a worker has loaded TensorFlow, so that it has work that is lost.
        timer = threading.Timer(0.5, os.kill, (pid, signal.SIGTERM))
        with parallel_config("dask"):
            timer.start()
            found = search(tiny, *data, n_jobs=2)
        timer.join()
        assert pid not in client.run(os.getpid).values()
    np.testing.assert_array_equal(found, expected)
