"""Equal architectures are traced once, which changes speed and nothing else."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

from skpneumo import clear_cache
from skpneumo._utils.caching import NETWORKS, RESULTS
from skpneumo.classifiers._trace_cache import borrow_trainer, describe_architecture
from skpneumo.networks import build_cnn, build_inception, set_trainable

# Each decides the trained network, and is decided anew for each.
VARIANTS = [
    {"random_state": 1, "epochs": 3, "learning_rate": 0.01, "class_weight": {"PNEUMONIA": 3}},
    {"batch_size": 7},
    {"validation": 0.3, "epochs": 4, "patience": 2},
]


@pytest.fixture(autouse=True)
def _no_trainers():
    clear_cache(disk=False)
    yield
    clear_cache(disk=False)


def get_trainers():
    """What is kept for architectures that were trained: a network, or a note after one fit."""
    return [value for key, (value, _) in NETWORKS._values.items() if key[0] == "trainer"]


def make_trainer(tiny, xrays, **params):
    """Leave a trainer behind, with the moments of other trainings."""
    for seed in (7, 8, 9):
        others = {"random_state": seed, "learning_rate": 0.02, "epochs": 2}
        tiny(**params | others).fit(xrays.X, xrays.y)
    assert len(get_trainers()) == 1


@pytest.mark.parametrize("params", VARIANTS, ids=lambda params: next(iter(params)))
def test_a_trainer_trains_what_the_network_itself_would(xrays, tiny, params):
    alone = tiny(**params).fit(xrays.X, xrays.y)
    expected, history = alone.predict_proba(xrays.X), alone.history_
    clear_cache(disk=False)
    make_trainer(tiny, xrays, **params)
    found = tiny(**params).fit(xrays.X, xrays.y)
    assert found.history_ == history
    np.testing.assert_array_equal(found.predict_proba(xrays.X), expected)


def test_batches_of_another_size_are_traced_apart(xrays, tiny):
    make_trainer(tiny, xrays)
    tiny(batch_size=7).fit(xrays.X, xrays.y)
    tiny(validation=0.2).fit(xrays.X, xrays.y)
    assert len(get_trainers()) == 3


def test_a_training_that_was_stopped_leaves_a_trainer_that_trains(xrays, tiny, killed_after):
    expected = tiny().fit(xrays.X, xrays.y).predict_proba(xrays.X)
    make_trainer(tiny, xrays)
    with killed_after(0.5):
        tiny(random_state=4).fit(xrays.X, xrays.y)
    RESULTS.clear()
    assert len(get_trainers()) == 1
    np.testing.assert_array_equal(tiny().fit(xrays.X, xrays.y).predict_proba(xrays.X), expected)


def test_no_estimator_holds_the_trainer(xrays, tiny):
    clfs = [tiny(random_state=seed).fit(xrays.X, xrays.y) for seed in range(4)]
    before = [clf.predict_proba(xrays.X) for clf in clfs]
    (trainer,) = get_trainers()
    assert not any(clf._network is trainer for clf in clfs)
    trainer.set_weights([np.zeros_like(weights) for weights in trainer.get_weights()])
    RESULTS.clear()
    for clf, probability in zip(clfs, before, strict=True):
        np.testing.assert_array_equal(clf.predict_proba(xrays.X), probability)


def test_a_first_fit_leaves_no_network_behind(xrays, tiny):
    tiny().fit(xrays.X, xrays.y)
    assert not any(isinstance(value, keras.Model) for value in get_trainers())


def test_clearing_drops_the_trainers(xrays, tiny):
    make_trainer(tiny, xrays)
    clear_cache(disk=False)
    assert not get_trainers()


@pytest.mark.parametrize("build", [build_cnn, partial(build_inception, weights=None)])
def test_seeds_make_no_other_architecture(build):
    first, second = (build((75, 77), seed=seed) for seed in (0, 1))
    assert describe_architecture(first) == describe_architecture(second)


@pytest.mark.parametrize(
    "options", [{"filters": (4, 2)}, {"dropout": 0.1}, {"precision": "bfloat16"}]
)
def test_another_network_is_another_architecture(options):
    defaults = {"filters": (2, 4)}
    one, other = (build_cnn((37, 41), **params) for params in (defaults, defaults | options))
    assert describe_architecture(one) != describe_architecture(other)


def test_what_is_trained_is_part_of_the_architecture():
    model = build_inception((75, 77), weights=None)
    seen = set()
    for name in ("head", "upper", "all"):
        set_trainable(model, name)
        seen.add(describe_architecture(model))
    assert len(seen) == 3


class Doubled(layers.Layer):
    """A layer of a user's, of which Keras knows no more than its name."""

    def call(self, inputs):
        return 2 * inputs


@pytest.mark.parametrize("connect", ["input", "layers"])
def test_connections_are_part_of_the_architecture(connect):
    found = set()
    for swap in (False, True):
        images = keras.Input((5, 7, 1))
        first, second = (layers.Conv2D(1, 3, name=name) for name in ("first", "second"))
        a = first(images)
        b = second(images if connect == "input" and swap else a)
        last = layers.Subtract()([b, b] if connect == "input" or swap else [b, second(a)])
        found.add(describe_architecture(keras.Model(images, last)))
    assert len(found) == 2


def test_networks_with_layers_of_the_user_s_train_themselves():
    images = keras.Input((4,))
    model = keras.Model(images, layers.Dense(1, "sigmoid")(Doubled()(images)))
    assert describe_architecture(model) is None
    with borrow_trainer(model, (8,)) as trainer:
        assert trainer is model
    assert not get_trainers()
