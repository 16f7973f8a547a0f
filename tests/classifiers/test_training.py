"""The training loop does what plain Keras does."""

import gc
import os
from functools import partial

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss

from skpneumo.classifiers._data import (
    ImageReader,
    augment_until,
    load_if_fits_in_memory,
    padded_batches,
    prefetch,
    read_batches,
)
from skpneumo.classifiers._training import (
    compile_network,
    compute_loss,
    cosine_decay,
    predict_batches,
    train,
)
from skpneumo.images import DEFAULT_AUGMENTATION, XRaySequence
from skpneumo.networks import build_cnn


@pytest.fixture
def network():
    """Make a network without chance: the same weights at every call, no dropout."""

    def make():
        model = build_cnn((37, 41), filters=(2, 4), dropout=0.0, seed=0)
        compile_network(model, 0.01)
        return model

    return make


@pytest.fixture
def y(xrays):
    return (xrays.y == "PNEUMONIA").astype(np.float32)


def fit_plainly(model, X, y, *, epochs, seed, batch_size, weights=None):
    """Keras's own loop, over the same order of the images."""
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(y))
        weight = None if weights is None else weights[order]
        model.fit(
            X[order][..., None],
            y[order],
            sample_weight=weight,
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
        )
    return model


@pytest.mark.parametrize("weighted", [False, True])
def test_it_equals_keras(xrays, y, network, weighted):
    weights = np.linspace(0.5, 2, 50, dtype=np.float32) if weighted else None
    options = {"epochs": 3, "seed": 7, "batch_size": 10}
    expected = fit_plainly(network(), xrays.X, y, weights=weights, **options)
    model = network()
    train(model, ImageReader(xrays.X), y, weights, **options)
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-4)


def test_its_loss_is_the_mean_over_the_images(xrays, y, network):
    model = network()
    compile_network(model, 1e-9)  # so slow that the network stays what it is
    weights = np.linspace(0.5, 2, 50, dtype=np.float32)
    history = train(model, ImageReader(xrays.X), y, weights, epochs=1, seed=0, batch_size=50)
    probability = model(xrays.X[..., None], training=True).numpy()[:, 0].astype(float)
    each = -np.where(y == 1, np.log(probability), np.log(1 - probability))
    assert history["loss"] == [pytest.approx((each * weights).mean(), rel=1e-3)]


def test_the_filling_of_the_last_batch_weighs_nothing(xrays, y):
    def linear():
        keras.utils.set_random_seed(1)
        scale = keras.layers.Rescaling(1 / 255)
        layers = [keras.Input((37, 41, 1)), scale, keras.layers.Flatten()]
        model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
        compile_network(model, 0.01, "SGD")
        return model

    model, expected = linear(), linear()
    train(model, ImageReader(xrays.X), y, epochs=1, seed=0, batch_size=40)
    order = np.random.default_rng([0, 0]).permutation(50)
    for rows, weight in ((order[:40], 1.0), (order[40:], 10 / 40)):
        expected.train_on_batch(xrays.X[rows][..., None], y[rows], np.full(len(rows), weight))
    np.testing.assert_allclose(model.get_weights()[0], expected.get_weights()[0], atol=1e-6)


@pytest.mark.parametrize(("n", "size"), [(50, 16), (48, 16), (5, 16), (1, 16), (17, 1)])
def test_batches_hold_every_row_once_and_have_one_size(n, size):
    rows = np.random.default_rng(0).permutation(n)
    batches = list(padded_batches(rows, size))
    assert np.concatenate([batch[:own] for batch, own in batches]).tolist() == rows.tolist()
    assert {len(batch) for batch, _ in batches} == {min(n, size)}


def test_reading_ahead_keeps_the_order_and_passes_errors_on():
    assert list(prefetch(lambda x: x * x, range(5))) == [0, 1, 4, 9, 16]
    assert list(prefetch(str, [])) == []
    results = prefetch(lambda x: 1 // x, [1, 0])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("n_processors", [1, 2, 64])
def test_batches_are_equal_whether_or_not_they_are_read_ahead(n_processors, xrays, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: n_processors)
    augment = partial(augment_until, DEFAULT_AUGMENTATION, 7, 2)
    read = ImageReader(xrays.X, augment)
    batches = [np.array([3, 0, 9, 9, 4]), np.array([9]), np.array([], dtype=int)]
    for rows, images in zip(batches, read_batches(read, read, batches), strict=True):
        # Of its row and epoch alone, not of those in its batch.
        for row, image in zip(rows, images, strict=True):
            expected = DEFAULT_AUGMENTATION(xrays.X[row], [7, 0, row])
            np.testing.assert_array_equal(image[..., 0], expected)


def test_errors_of_an_augmentation_are_raised(xrays):
    def fail(image, row, epoch):
        raise OverflowError(row)

    with pytest.raises(OverflowError):
        ImageReader(xrays.X, fail)(np.arange(3))


def test_a_stream_trains_as_an_array_does(xrays, paths, y, network):
    model, streamed = network(), network()
    options = {"epochs": 2, "seed": 3, "batch_size": 16}
    train(model, ImageReader(xrays.X), y, **options)
    train(streamed, ImageReader(XRaySequence(paths)), y, **options)
    np.testing.assert_array_equal(model.get_weights()[0], streamed.get_weights()[0])
    np.testing.assert_array_equal(
        predict_batches(model, ImageReader(xrays.X), 50, 16),
        predict_batches(model, ImageReader(XRaySequence(paths)), 50, 16),
    )


def test_a_stream_too_large_is_not_decoded_at_once(paths, monkeypatch):
    sequence = XRaySequence(paths, size=(37, 41))
    assert isinstance(load_if_fits_in_memory(sequence, (37, 41)), np.ndarray)
    monkeypatch.setattr("skpneumo.classifiers._data.MAX_DECODED_BYTES", 1000)
    assert load_if_fits_in_memory(sequence, (37, 41)) is sequence
    with pytest.raises(ValueError, match=r"50 images .*37 x 41 pixels, do not fit.*image_size"):
        load_if_fits_in_memory(XRaySequence(paths), (37, 41))


def test_predictions_equal_those_of_keras(xrays, network):
    model = network()
    expected = model.predict(xrays.X[..., None], verbose=0)
    for batch_size in (7, 50, 64):
        np.testing.assert_allclose(
            predict_batches(model, ImageReader(xrays.X), 50, batch_size), expected, atol=1e-6
        )


def test_the_validation_loss_is_the_log_loss(xrays, y, network):
    model = network()
    read = ImageReader(xrays.X)
    probability = predict_batches(model, read, 50, 16)[:, 0].astype(float)
    assert compute_loss(model, read, y) == pytest.approx(log_loss(y, probability), rel=1e-6)
    weights = np.linspace(0, 2, 50)
    weights /= weights.mean()
    expected = log_loss(y, probability, sample_weight=weights)
    assert compute_loss(model, read, y, weights) == pytest.approx(expected, rel=1e-6)


def test_the_rate_falls_to_zero_along_a_cosine():
    rate = cosine_decay(0.1, 100)
    values = [float(rate(step)) for step in (0, 25, 50, 100)]
    expected = 0.05 * (1 + np.cos(np.pi * np.array([0, 0.25, 0.5, 1])))
    np.testing.assert_allclose(values, expected, atol=1e-7)


def test_augmentation_is_drawn_again_in_every_epoch(xrays, y, network):
    seen = []

    def spy(image, row, epoch):
        seen.append((epoch, row))
        return image

    train(network(), ImageReader(xrays.X, spy), y, epochs=2, seed=5, batch_size=25)
    assert sorted(seen) == [(epoch, row) for epoch in range(2) for row in range(50)]


def test_images_are_read_in_the_order_of_the_rows(xrays, paths):
    rows = np.array([7, 0, 7, 31])
    for X in (xrays.X, XRaySequence(paths)):
        np.testing.assert_array_equal(ImageReader(X)(rows)[..., 0], xrays.X[rows])


def test_no_traced_network_stays_in_memory(xrays, y, network):
    def n_graphs():
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    before = n_graphs()
    for _ in range(3):
        train(network(), ImageReader(xrays.X), y, epochs=1, seed=0, batch_size=50)
    # Fewer, where those of an earlier test are let go meanwhile.
    assert n_graphs() <= before


def test_adam_is_that_of_keras(xrays, y, network):
    ours, theirs = network(), network()
    theirs.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    for model in (ours, theirs):
        train(model, ImageReader(xrays.X), y, epochs=2, seed=0, batch_size=25)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
