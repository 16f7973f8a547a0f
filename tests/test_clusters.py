"""What the guide page on clusters tells people to type works, and survives the loss of a worker."""

import os
import re
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from skpneumo import clear_cache, load_model

GUIDE = (Path(__file__).parents[1] / "docs/user_guide/clusters.rst").read_text("utf-8")
DASK = re.search(
    r"Dask\n----\n\n.. code-block:: python\n\n(.*?)\n\n(?=\S)", GUIDE, re.DOTALL
).group(1)
SMALLER = {
    "(96, 96)": "(40, 36)",
    "CNNPneumoniaClassifier(image": "CNNPneumoniaClassifier(filters=(2, 4), epochs=1, image",
    "StratifiedGroupKFold(5": "StratifiedGroupKFold(2",
    "0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9": "0.3, 0.6",
    "n_workers=2": "n_workers=2, dashboard_address=None",
}


@pytest.fixture
def code(make_collection, tmp_path, monkeypatch):
    """The block of the guide, on a small collection, and a small network."""
    make_collection(tmp_path / "chest_xray", {"train": 30})
    monkeypatch.chdir(tmp_path)
    code = re.sub("^   ", "", DASK, flags=re.MULTILINE)
    for of_guide, here in (SMALLER | {"/shared": str(tmp_path)}).items():
        assert of_guide in code
        code = code.replace(of_guide, here)
    return code


def kill_a_busy_worker(killed):
    """Kill a worker of the cluster, once some of its work is done and there is more."""
    from distributed import default_client

    seen, client = set(), None
    while not killed.is_set():
        try:
            client = client or default_client()
            processing = client.processing()
        except ValueError:  # there is no cluster yet
            killed.wait(0.1)
            continue
        tasks = {task for found in processing.values() for task in found}
        busy = [worker for worker, found in processing.items() if found]
        if busy and seen - tasks:
            (pid,) = client.run(os.getpid, workers=busy[:1]).values()
            os.kill(pid, signal.SIGKILL)
            killed.set()
        seen |= tasks
        killed.wait(0.05)


def test_dask_as_in_the_guide_also_if_a_worker_is_killed(code):
    pytest.importorskip("distributed")
    names, killed = {}, threading.Event()
    killer = threading.Thread(target=kill_a_busy_worker, args=[killed])
    killer.start()
    try:
        exec(code, names)
        assert killed.is_set()
    finally:
        killed.set()
        killer.join()
    found, paths = names["search"], names["paths"]
    clear_cache()
    local = clone(found).set_params(estimator__memory=None)
    local.fit(paths, names["target"], groups=names["groups"])
    assert found.best_params_ == local.best_params_
    for name, values in local.cv_results_.items():
        if not name.endswith("_time"):
            np.testing.assert_array_equal(found.cv_results_[name], values)
    probability = local.predict_proba(paths)[:, 1]
    np.testing.assert_array_equal(found.predict_proba(paths)[:, 1], probability)
    np.testing.assert_array_equal([row.probability for row in names["rows"]], probability)
    model = load_model("model.skpneumo")
    assert [row.label for row in names["rows"]] == model.predict(paths).tolist()
