"""Killed trainings go on from their last finished epoch, to the same end."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from skpneumo import CNNPneumoniaClassifier, XRayAugmenter
from skpneumo._utils.caching import RESULTS
from skpneumo.classifiers import progress_callback
from skpneumo.classifiers._checkpoint import Checkpoint, load_checkpoint, remove_checkpoint
from skpneumo.classifiers._training import TrainingState
from skpneumo.exceptions import CacheWarning, ImageReadError

_FOLDER = "skpneumo-checkpoints"


def checkpoints(memory):
    folder = memory / _FOLDER
    return [*folder.iterdir()] if folder.exists() else []


def test_a_killed_fit_is_resumed_to_the_same_end(xrays, tiny, tmp_path, killed_after):
    def make(**params):
        return tiny(
            epochs=5,
            dropout=0.4,
            augmentation=XRayAugmenter(),
            validation=0.3,
            patience=5,
            class_weight={"PNEUMONIA": 3},
            **params,
        )

    unbroken = make().fit(xrays.X, xrays.y, groups=xrays.groups)
    expected = unbroken.predict_proba(xrays.X)
    for n_epochs in (1, 2, 4):
        RESULTS.clear()
        memory = tmp_path / str(n_epochs)
        clf = make(memory=memory)
        with killed_after(n_epochs):
            clf.fit(xrays.X, xrays.y, groups=xrays.groups)
        assert len(checkpoints(memory)) == 1
        done = []
        with progress_callback(done.append):
            clf.fit(xrays.X, xrays.y, groups=xrays.groups)
        assert max(done) == n_epochs  # in one step: what was done before
        assert np.sum(done) == pytest.approx(5)
        assert clf.history_ == unbroken.history_
        np.testing.assert_array_equal(clf.predict_proba(xrays.X), expected)
        assert not checkpoints(memory)


def test_a_file_that_was_lost_and_put_back_is_the_same(xrays, paths, tiny, tmp_path, killed_after):
    clf = tiny(epochs=4, memory=tmp_path)
    with killed_after(2):
        clf.fit(paths, xrays.y)
    data = Path(paths[3]).read_bytes()
    Path(paths[3]).unlink()
    with pytest.raises(ImageReadError, match=r"3\.png"):
        clf.fit(paths, xrays.y)
    Path(paths[3]).write_bytes(data)
    reported = []
    with progress_callback(reported.append):
        clf.fit(paths, xrays.y)
    assert reported[0] == 2
    assert not checkpoints(tmp_path)


def test_early_stopping_counts_on(xrays, tiny, tmp_path, killed_after):
    def make(**params):
        return tiny(epochs=9, validation=0.3, patience=1, learning_rate=0.3, **params)

    unbroken = make().fit(xrays.X, xrays.y)
    n_epochs = len(unbroken.history_["loss"])
    assert 1 < n_epochs < 9
    for n_done in {1, n_epochs - 1}:
        RESULTS.clear()
        clf = make(memory=tmp_path / str(n_done))
        with killed_after(n_done):
            clf.fit(xrays.X, xrays.y)
        clf.fit(xrays.X, xrays.y)
        assert clf.history_ == unbroken.history_
        np.testing.assert_array_equal(clf.predict_proba(xrays.X), unbroken.predict_proba(xrays.X))


def test_clones_of_other_parameters_or_data_do_not_collide(xrays, tiny, tmp_path, killed_after):
    for params, X in (({}, xrays.X), ({"dropout": 0.1}, xrays.X), ({}, xrays.X[::-1])):
        clf = tiny(epochs=3, memory=tmp_path, **params)
        with killed_after(1):
            clf.fit(X, xrays.y)
    assert len(checkpoints(tmp_path)) == 3


def flagged(data):
    """As if its last member were encrypted."""
    at = data.rindex(b"PK\1\2") + 8
    return data[:at] + b"\x60" + data[at + 1 :]


def test_a_damaged_checkpoint_is_none(xrays, tiny, tmp_path, killed_after):
    expected = tiny(epochs=3).fit(xrays.X, xrays.y).predict_proba(xrays.X)
    RESULTS.clear()
    with killed_after(2):
        tiny(epochs=3, memory=tmp_path / "killed").fit(xrays.X, xrays.y)
    damages = {
        "cut": lambda data: data[:-100],
        "empty": lambda data: b"",
        "other": lambda data: b"x",
        "flagged": flagged,
    }
    for name, damage in damages.items():
        memory = joblib.Memory(shutil.copytree(tmp_path / "killed", tmp_path / name), verbose=0)
        (file,) = checkpoints(tmp_path / name)
        file.write_bytes(damage(file.read_bytes()))
        done = []
        with progress_callback(done.append):
            clf = tiny(epochs=3, memory=memory).fit(xrays.X, xrays.y)
        assert max(done) < 1, name  # nothing was done before
        np.testing.assert_array_equal(clf.predict_proba(xrays.X), expected)
        RESULTS.clear()


@pytest.mark.parametrize("params", [{"random_state": None}, {"memory": None}])
def test_without_memory_or_seed_nothing_is_written(
    xrays, tiny, tmp_path, monkeypatch, params, killed_after
):
    monkeypatch.chdir(tmp_path)
    clf = tiny(epochs=2, **{"memory": str(tmp_path)} | params)
    with killed_after(1):
        clf.fit(xrays.X, xrays.y)
    assert not checkpoints(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_warned_of_once(xrays, tiny, tmp_path):
    (tmp_path / _FOLDER).touch()
    clf = tiny(epochs=3, memory=tmp_path)
    with pytest.warns(CacheWarning, match="cannot be resumed") as caught:
        clf.fit(xrays.X, xrays.y)
    assert len(caught) == 1


class Finishing:
    """Weights that are written while another process finishes the same fit."""

    def __init__(self, path):
        self.path = path

    def __array__(self, dtype=None, copy=None):
        remove_checkpoint(self.path)
        return np.zeros(3)


def test_another_process_that_finishes_the_same_fit(xrays, tiny, tmp_path):
    model = tiny(epochs=1).fit(xrays.X, xrays.y).model_
    path = tmp_path / "fit.npz"
    checkpoint = Checkpoint(path)
    state = TrainingState(model, 0, {"loss": [0.5]}, best_weights=[Finishing(path)])
    checkpoint.on_epoch_end(state)
    assert not any(tmp_path.iterdir())
    # No warning, and the next epoch is saved.
    state.best_weights = None
    checkpoint.on_epoch_end(state)
    assert load_checkpoint(path).history == {"loss": [0.5]}
    remove_checkpoint(path)
    assert not any(tmp_path.iterdir())


_KILLER = """
import os, signal, sys, time
import numpy as np
from skpneumo import CNNPneumoniaClassifier
from skpneumo.classifiers import progress_callback
X, y, memory, result = np.load(sys.argv[1]), np.load(sys.argv[2]), sys.argv[3], sys.argv[4]
clf = CNNPneumoniaClassifier(
    filters=(2, 4), epochs=20, batch_size=16, random_state=0, memory=memory
)
rng = np.random.default_rng(0)
for kill in [True] * 5 + [False]:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        with progress_callback(lambda done: os.write(writes, f"{done}{os.linesep}".encode())):
            clf.fit(X, y)
        np.save(result, clf.predict_proba(X))
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as lines:
        print(float(next(lines)), flush=True)
        if kill:
            for _ in range(rng.integers(2, 18)):
                next(lines)
            time.sleep(rng.uniform(0, 0.01))
            os.kill(child, signal.SIGKILL)
        lines.read()
    os.waitpid(child, 0)
"""


def test_kill_9_at_random_moments(xrays, tmp_path):
    np.save(tmp_path / "X.npy", xrays.X)
    np.save(tmp_path / "y.npy", xrays.y)
    files = [tmp_path / name for name in ("X.npy", "y.npy", "memory", "proba.npy")]
    done = subprocess.run(
        [sys.executable, "-c", _KILLER, *map(os.fspath, files)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    begun = [float(line) for line in done.stdout.splitlines()]
    # Each went on where the one before was.
    assert len(begun) == 6
    assert begun == sorted(begun)
    assert 2 < begun[-1] < 20
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=20, batch_size=16, random_state=0)
    clf.fit(xrays.X, xrays.y)
    np.testing.assert_array_equal(np.load(files[-1]), clf.predict_proba(xrays.X))
    assert not checkpoints(tmp_path / "memory")
