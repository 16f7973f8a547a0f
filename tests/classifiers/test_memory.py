"""With ``memory`` a fitted network outlives its process and is shared by workers."""

import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from skpneumo import InceptionPneumoniaClassifier
from skpneumo._utils.caching import RESULTS
from skpneumo.datasets import make_xrays

# What another process prints: epochs trained, images its networks predicted, probabilities.
OTHER_PROCESS = """
import sys
import numpy as np
from skpneumo import CNNPneumoniaClassifier
from skpneumo.classifiers import _prediction, progress_callback
data = np.load(sys.argv[1])
predict_batches, predicted = _prediction.predict_batches, []
_prediction.predict_batches = lambda *args, **options: (
    predicted.append(args[2]) or predict_batches(*args, **options)
)
clf = CNNPneumoniaClassifier(
    filters=(2, 4), epochs=1, batch_size=16, random_state=0, threshold=0.8, memory=sys.argv[2]
)
epochs = []
with progress_callback(epochs.append):
    clf.fit(data["X"], data["y"])
np.savez(sys.argv[3], proba=clf.predict_proba(data["X"]), n=[sum(epochs), sum(predicted)])
"""


def test_a_later_process_trains_and_predicts_nothing(xrays, tiny, tmp_path):
    tiny(memory=tmp_path / "another").fit(xrays.X, xrays.y)
    RESULTS.clear()
    clf = tiny(memory=tmp_path / "memory").fit(xrays.X, xrays.y)
    expected = clf.predict_proba(xrays.X)
    data, result = tmp_path / "data.npz", tmp_path / "result.npz"
    np.savez(data, X=xrays.X, y=xrays.y)
    command = [sys.executable, "-c", OTHER_PROCESS, data, tmp_path / "memory", result]
    subprocess.run(command, check=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    found = np.load(result)
    assert found["n"].tolist() == [0, 0]
    np.testing.assert_array_equal(found["proba"], expected)


@pytest.mark.parametrize("kind", ["text", "path", "Memory"])
def test_it_is_what_a_pipeline_takes(xrays, tiny, trained_epochs, tmp_path, kind):
    memory = {"text": str(tmp_path), "path": tmp_path, "Memory": joblib.Memory(tmp_path, verbose=0)}
    for threshold in (0.3, 0.7):
        RESULTS.clear()
        clone(tiny(memory=memory[kind], threshold=threshold)).fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(1)


def test_what_it_gives_is_what_training_gives(xrays, tiny, tmp_path):
    trained = tiny(validation=0.3, epochs=2).fit(xrays.X, xrays.y)
    expected = trained.predict_proba(xrays.X)
    RESULTS.clear()
    tiny(validation=0.3, epochs=2, memory=tmp_path).fit(xrays.X, xrays.y)
    RESULTS.clear()
    loaded = tiny(validation=0.3, epochs=2, memory=tmp_path).fit(xrays.X, list(xrays.y))
    assert set(vars(loaded)) == set(vars(trained))
    assert loaded.history_ == trained.history_
    assert loaded.classes_.tolist() == ["NORMAL", "PNEUMONIA"]
    for ours, theirs in zip(loaded.model_.get_weights(), trained.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(loaded.predict_proba(xrays.X), expected)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(loaded)).predict(xrays.X), trained.predict(xrays.X)
    )
    before = len(trained.history_["loss"])
    assert len(loaded.partial_fit(xrays.X, xrays.y).history_["loss"]) == before + 1


def test_nothing_is_reused_where_it_may_not(xrays, tiny, training_begins, tmp_path):
    for options in ({"random_state": None}, {}):
        tiny(memory=tmp_path, **options).fit(xrays.X, xrays.y)
    for options in ({"random_state": None}, {"learning_rate": 0.01}):
        RESULTS.clear()
        with training_begins(options):
            tiny(memory=tmp_path, **options).fit(xrays.X, xrays.y)


def test_a_damaged_entry_is_trained_again(xrays, tiny, trained_epochs, tmp_path):
    tiny(memory=tmp_path).fit(xrays.X, xrays.y)
    (file,) = tmp_path.rglob("output.pkl")
    file.write_bytes(file.read_bytes()[:100])
    RESULTS.clear()
    tiny(memory=tmp_path).fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(2)


def test_a_head_over_a_frozen_network_is_kept_alone(tmp_path):
    xrays = make_xrays(12, image_size=(75, 77), random_state=0)
    clf = InceptionPneumoniaClassifier(
        weights=None, trainable="head", epochs=1, random_state=0, memory=tmp_path
    )
    expected = clf.fit(xrays.images, xrays.target).predict_proba(xrays.images)
    kept = sum(file.stat().st_size for file in tmp_path.rglob("*.pkl"))
    assert kept < 50_000
    RESULTS.clear()
    again = clone(clf).fit(xrays.images, xrays.target)
    for ours, theirs in zip(again.model_.get_weights(), clf.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(again.predict_proba(xrays.images), expected)


def test_what_is_no_memory_is_refused(xrays, tiny):
    with pytest.raises(ValueError, match="'memory' parameter"):
        tiny(memory=3).fit(xrays.X, xrays.y)


def test_probabilities_handed_out_may_be_changed(xrays, tiny, tmp_path):
    clf = tiny(memory=tmp_path).fit(xrays.X, xrays.y)
    clf.predict_proba(xrays.X)[:] = -1
    RESULTS.clear()
    assert (clf.predict_proba(xrays.X) >= 0).all()
