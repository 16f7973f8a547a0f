"""``callbacks=``: Keras's callbacks are called as in `keras.Model.fit`, and change nothing."""

import copy
import csv
import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skpneumo import CNNPneumoniaClassifier, load_model, save_model
from skpneumo.classifiers._callbacks import KerasCallbacks
from skpneumo.classifiers._training import Stage, compile_network, train
from skpneumo.networks import build_cnn


class Recorder(keras.callbacks.Callback):
    """Record which method is called with what."""

    def __init__(self, events):
        super().__init__()
        self.events = events

    def on_train_begin(self, logs=None):
        self.events.append(("train begins", dict(self.params), type(self.model).__name__))

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(("epoch begins", epoch))

    def on_train_batch_begin(self, batch, logs=None):
        self.events.append(("batch begins", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(("batch ends", batch, {*logs}))

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(("epoch ends", epoch, dict(logs)))

    def on_train_end(self, logs=None):
        self.events.append(("train ends",))


class Stopper(keras.callbacks.Callback):
    """End the training after so many epochs."""

    def __init__(self, n_epochs):
        super().__init__()
        self.n_epochs = n_epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 >= self.n_epochs


def names(events):
    return [event[0] for event in events]


def test_they_are_called_when_keras_calls_them(xrays):
    """In the same order and with the same parameters as by `keras.Model.fit`."""
    model = build_cnn((37, 41), filters=(2, 4), seed=0)
    compile_network(model, 0.01)
    y = (xrays.y == "PNEUMONIA").astype(np.float32)
    expected, events = [], []
    keras_model = keras.models.clone_model(model)
    keras_model.compile("sgd", "binary_crossentropy")
    options = {"batch_size": 20, "epochs": 2, "verbose": 0}
    keras_model.fit(xrays.X[..., None], y, callbacks=[Recorder(expected)], **options)
    callbacks = KerasCallbacks([Recorder(events)], [Stage(2, 0.01)], 3)
    train(
        model,
        lambda rows, epoch: xrays.X[rows][..., None],
        y,
        epochs=2,
        batch_size=20,
        seed=0,
        callbacks=[callbacks],
    )
    assert [event[:2] for event in events] == [event[:2] for event in expected]


@pytest.fixture(scope="module")
def logged(xrays, tmp_path_factory):
    """A fit with early stopping and every kind of callback, the same without, and the folder."""
    folder = tmp_path_factory.mktemp("logs")
    epochs, events = [], []
    clf = CNNPneumoniaClassifier(
        filters=(2, 4), epochs=3, validation=0.3, batch_size=16, random_state=0
    )
    plain = clone(clf).fit(xrays.X, xrays.y)
    clf.set_params(
        callbacks=[
            keras.callbacks.CSVLogger(folder / "log.csv"),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch)),
            Recorder(events),
        ]
    )
    return clf.fit(xrays.X, xrays.y), plain, folder, epochs, events


def test_they_do_not_change_the_network(logged, xrays):
    clf, plain, *_ = logged
    assert clf.history_ == plain.history_
    np.testing.assert_array_equal(clf.predict_proba(xrays.X), plain.predict_proba(xrays.X))


def test_tensorboard_logs_without_changing_the_network(logged, xrays, tmp_path):
    pytest.importorskip("tensorboard")
    _, plain, *_ = logged
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1)
    clf = clone(plain).set_params(callbacks=[board]).fit(xrays.X, xrays.y)
    np.testing.assert_array_equal(clf.predict_proba(xrays.X), plain.predict_proba(xrays.X))
    for part in ("train", "validation"):
        assert any(file.stat().st_size for file in (tmp_path / part).iterdir())


def test_csv_logger_and_lambda_callback_log_the_losses(logged):
    clf, _, folder, epochs, _ = logged
    with open(folder / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == epochs == [0, 1, 2]
    for name in ("loss", "val_loss"):
        assert [float(row[name]) for row in rows] == pytest.approx(clf.history_[name])


def test_one_training_is_reported(logged):
    events = logged[-1]
    assert names(events).count("train begins") == names(events).count("train ends") == 1
    assert events[0][1:] == ({"epochs": 3, "steps": 3, "verbose": 0}, "Functional")
    assert {*events[-2][2]} == {"loss", "val_loss"}


def test_a_fitted_classifier_is_copied_and_saved_without_those_called(logged, xrays, tmp_path):
    clf, *_ = logged
    assert len(clf.callbacks_) == len(clf.callbacks) == 3
    assert all(callback.model is None for callback in (*clf.callbacks, *clf.callbacks_))
    for other in (copy.deepcopy(clf), copy.copy(clf)):
        assert not hasattr(other, "callbacks_")
        assert len(other.callbacks) == 3
    assert len(clone(clf).get_params()["callbacks"]) == 3
    # A LambdaCallback over a function of a test cannot be pickled, whatever it is in.
    clf = copy.copy(clf).set_params(callbacks=[keras.callbacks.CSVLogger("log.csv")])
    assert pickle.loads(pickle.dumps(clf)).callbacks[0].filename == "log.csv"
    save_model(clf, tmp_path / "model.skpneumo")
    loaded = load_model(tmp_path / "model.skpneumo")
    assert loaded.callbacks is None
    np.testing.assert_array_equal(loaded.predict(xrays.X), clf.predict(xrays.X))


def test_a_fit_with_callbacks_is_neither_reused_nor_kept(tiny, xrays, tmp_path, training_begins):
    options = {"random_state": 3, "memory": tmp_path}
    events = []
    with_callbacks = tiny(callbacks=[Recorder(events)], **options)
    with_callbacks.fit(xrays.X, xrays.y)
    with training_begins("a fit without callbacks found one with them"):
        tiny(**options).fit(xrays.X, xrays.y)
    with training_begins("a fit with callbacks found an equal one"):
        with_callbacks.fit(xrays.X, xrays.y)
    before = len(events)
    with_callbacks.set_params(threshold=0.2).fit(xrays.X, xrays.y)
    assert len(events) > before
    # An estimator without callbacks does not keep those of an earlier fit.
    without = with_callbacks.set_params(callbacks=None).fit(xrays.X, xrays.y)
    assert not hasattr(without, "callbacks_")


def test_a_search_calls_a_copy_in_each_fit(tiny, xrays):
    events = []
    clf = tiny(callbacks=[Recorder(events)], epochs=1)
    GridSearchCV(clf, {"threshold": [0.3]}, cv=2).fit(xrays.X, xrays.y)
    # `clone` copies the list too.
    assert events == []
    clf.fit(xrays.X, xrays.y)
    assert names(events).count("train ends") == 1


def test_partial_fit_counts_on(tiny, xrays):
    events = []
    clf = tiny(callbacks=[Recorder(events)]).fit(xrays.X, xrays.y)
    clf.partial_fit(xrays.X, xrays.y)
    begun = [event[1] for event in events if event[0] == "epoch begins"]
    assert begun == [0, 1]


@pytest.mark.parametrize(("n_epochs", "expected"), [(1, [0]), (2, [0, 1]), (9, [0, 1, 2])])
def test_stages_are_one_training_that_a_callback_may_end(xrays, n_epochs, expected):
    model = build_cnn((37, 41), filters=(2, 4), seed=0)
    compile_network(model, 0.01)
    events, stages = [], [Stage(1, 0.01), Stage(2, 0.01)]
    callbacks = KerasCallbacks([Recorder(events), Stopper(n_epochs)], stages, 3)
    n_done = 0
    for stage in stages:
        history = train(
            model,
            lambda rows, epoch: xrays.X[rows][..., None],
            (xrays.y == "PNEUMONIA").astype(np.float32),
            epochs=stage.epochs,
            batch_size=20,
            seed=0,
            first_epoch=n_done,
            callbacks=[callbacks],
        )
        n_done += len(history["loss"])
    assert [event[1] for event in events if event[0] == "epoch ends"] == expected
    assert events[-1] == ("train ends",)
    assert names(events).count("train begins") == names(events).count("train ends") == 1
    assert events[0][1]["epochs"] == 3


@pytest.mark.parametrize("wrong", [[print], [keras.callbacks.CSVLogger], ["csv"]])
def test_anything_else_is_refused(tiny, xrays, wrong):
    with pytest.raises(TypeError, match=r"keras\.callbacks\.Callback.*got"):
        tiny(callbacks=wrong).fit(xrays.X, xrays.y)
