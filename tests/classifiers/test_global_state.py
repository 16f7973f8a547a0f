"""A seed gives one network, whatever other threads and Keras's global settings do."""

import pickle
import random
import threading
from contextlib import contextmanager

import keras
import numpy as np
import pytest

from skpneumo import InceptionPneumoniaClassifier, clear_cache, load_pretrained
from skpneumo._utils.caching import RESULTS
from skpneumo.datasets import make_xrays
from skpneumo.networks import LeakFreeAdam, build_cnn, build_inception, seed_stream

# Image data format, dtype policy, floatx.
SETTINGS = [
    ("channels_first", "mixed_float16", "float16"),
    ("channels_first", "float64", "float64"),
    ("channels_last", "mixed_bfloat16", "float32"),
]


@contextmanager
def global_settings(data_format, policy, floatx):
    config = keras.config
    before = config.image_data_format(), config.dtype_policy(), config.floatx()
    config.set_image_data_format(data_format)
    config.set_dtype_policy(policy)
    config.set_floatx(floatx)
    try:
        yield
    finally:
        config.set_image_data_format(before[0])
        config.set_dtype_policy(before[1])
        config.set_floatx(before[2])


@contextmanager
def drawing_thread():
    """Draw from all process-wide generators for as long as the context lasts."""
    done = threading.Event()

    def draw():
        while not done.is_set():
            random.random()
            np.random.random()  # noqa: NPY002
            keras.random.uniform((1,))

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def fit(clf, xrays):
    """Weights, history and probabilities of a fit that nothing is reused for."""
    RESULTS.clear()
    clf.fit(xrays.X, xrays.y)
    return [*clf.model_.get_weights(), clf.history_["loss"], clf.predict_proba(xrays.X)]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def clf(tiny, monkeypatch):
    # On disk an equal fit would be found.
    monkeypatch.setenv("SKPNEUMO_CACHE", "off")
    return tiny(epochs=2, dropout=0.5, validation=0.3)


def test_a_thread_that_draws_changes_no_fit(clf, xrays):
    expected = fit(clf, xrays)
    with drawing_thread():
        assert_same(fit(clf, xrays), expected)


def test_a_fit_reads_and_seeds_no_generator_of_the_process(clf, xrays):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    keras.utils.set_random_seed(1)
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    fit(clf, xrays)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_the_seed_of_keras_changes_no_fit(clf, xrays):
    found = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        found.append(fit(clf, xrays))
    assert_same(*found)


@pytest.mark.parametrize("settings", SETTINGS)
def test_global_settings_of_keras_change_no_fit(clf, xrays, settings):
    expected = fit(clf, xrays)
    clear_cache(disk=False)  # trainers too: one is made here
    with global_settings(*settings):
        for _ in range(2):
            assert_same(fit(clf, xrays), expected)
        assert LeakFreeAdam(1e-4 / 3).learning_rate.dtype == "float32"


def test_global_settings_of_keras_change_no_pickle(clf, xrays):
    clf.fit(xrays.X, xrays.y).partial_fit(xrays.X, xrays.y)
    with global_settings("channels_first", "mixed_float16", "float32"):
        loaded = pickle.loads(pickle.dumps(clf))
        np.testing.assert_array_equal(loaded.predict_proba(xrays.X), clf.predict_proba(xrays.X))
        loaded.partial_fit(xrays.X, xrays.y)
    clf.partial_fit(xrays.X, xrays.y)
    np.testing.assert_array_equal(loaded.predict_proba(xrays.X), clf.predict_proba(xrays.X))


@pytest.mark.parametrize("settings", SETTINGS)
def test_global_settings_of_keras_change_no_packaged_network(xrays, settings):
    expected = load_pretrained("cnn").predict_proba(xrays.X[:3])
    with global_settings(*settings):
        np.testing.assert_array_equal(load_pretrained("cnn").predict_proba(xrays.X[:3]), expected)


@pytest.mark.parametrize("settings", SETTINGS[:1])
def test_global_settings_of_keras_change_no_inception(monkeypatch, settings):
    monkeypatch.setenv("SKPNEUMO_CACHE", "off")
    data = make_xrays(8, image_size=(75, 77), random_state=0)
    clf = InceptionPneumoniaClassifier(weights=None, trainable="head", epochs=1, random_state=0)
    clear_cache(disk=False)
    expected = clf.fit(data.images, data.target).predict_proba(data.images)
    clear_cache(disk=False)
    with global_settings(*settings):
        found = clf.fit(data.images, data.target).predict_proba(data.images)
    np.testing.assert_array_equal(found, expected)


def test_every_layer_has_a_seed_of_its_own():
    def seeds(layers):
        for layer in layers:
            if isinstance(layer, keras.Model):
                yield from seeds(layer.layers)
            elif isinstance(layer, keras.layers.Dropout):
                yield layer.seed
            elif getattr(layer, "kernel_initializer", None) is not None:
                yield layer.kernel_initializer.seed

    for build, size, n in ((build_cnn, (48, 40), 18), (build_inception, (75, 77), 96)):
        options = {} if build is build_cnn else {"weights": None}
        found = list(seeds(build(size, seed=3, **options).layers))
        assert len(found) == len(set(found)) == n
        assert found == list(seeds(build(size, seed=3, **options).layers))
        assert not set(found) & set(seeds(build(size, seed=4, **options).layers))


def test_without_a_seed_networks_differ_and_no_generator_is_read():
    random.seed(1)
    before = random.getstate()
    one, two = build_cnn((24, 20)), build_cnn((24, 20))
    assert random.getstate() == before
    assert not np.array_equal(one.get_weights()[0], two.get_weights()[0])


def test_a_stream_of_seeds_is_that_of_its_seed():
    one, same, other = seed_stream(5), seed_stream(5), seed_stream(6)
    first = [next(one) for _ in range(50)]
    assert first == [next(same) for _ in range(50)]
    assert not set(first) & {next(other) for _ in range(50)}
    assert all(type(seed) is int and 0 <= seed < 2**31 for seed in first)
