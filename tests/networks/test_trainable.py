"""What of a network is trained, and its split at the features."""

import keras
import numpy as np
import pytest

from skpneumo.networks import (
    build_cnn,
    build_inception,
    is_frozen,
    set_trainable,
    split_head,
)

BUILDERS = {
    "cnn": lambda: build_cnn((37, 41), filters=(2, 3), seed=0),
    "inception": lambda: build_inception((75, 77), weights=None, seed=0),
}
HEAD = ["probability/kernel", "probability/bias"]


@pytest.mark.parametrize("name", BUILDERS)
def test_the_head_alone_and_everything_again(name):
    model = BUILDERS[name]()
    n_all = len(model.trainable_variables)
    assert not is_frozen(model)
    set_trainable(model, "head")
    assert is_frozen(model)
    assert [variable.path for variable in model.trainable_variables] == HEAD
    set_trainable(model, "all")
    assert not is_frozen(model)
    assert len(model.trainable_variables) == n_all > 2


@pytest.mark.parametrize("name", BUILDERS)
def test_both_parts_compute_what_the_network_computes(name):
    model = BUILDERS[name]()
    set_trainable(model, "head")
    backbone, head = split_head(model)
    images = np.random.default_rng(0).integers(0, 256, (3, *model.input_shape[1:]), dtype=np.uint8)
    features = backbone.predict(images, verbose=0)
    assert features.ndim == 2
    np.testing.assert_allclose(
        head.predict(features, verbose=0), model.predict(images, verbose=0), rtol=1e-5
    )
    # Splitting does not change what is trained.
    assert is_frozen(model)


def test_a_cnn_that_is_frozen_in_part_is_not_frozen():
    model = BUILDERS["cnn"]()
    set_trainable(model, "head")
    model.layers[2].trainable = True
    assert model.layers[2].weights
    assert not is_frozen(model)


@pytest.mark.parametrize("trainable", ["upper", "blocks"])
def test_blocks_are_those_of_inception(trainable):
    message = f"trainable='{trainable}' is for networks of build_inception"
    with pytest.raises(ValueError, match=message):
        set_trainable(BUILDERS["cnn"](), trainable)


@pytest.mark.parametrize("name", BUILDERS)
def test_an_unknown_part_is_refused(name):
    with pytest.raises(ValueError, match=r"trainable must be one of head, .* got 'foot'"):
        set_trainable(BUILDERS[name](), "foot")


def test_blocks_are_all_but_the_five_first_convolutions():
    model = BUILDERS["inception"]()
    everything = [variable.path for variable in model.trainable_variables]
    set_trainable(model, "blocks")
    blocks = [variable.path for variable in model.trainable_variables]
    # A kernel and the offset of the normalization of each convolution.
    assert blocks == everything[10:]
    assert everything[8].endswith("convolution_5/kernel")


def test_networks_without_such_a_head():
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Dense(1, name="probability")(inputs), name="other")
    model.get_layer("probability").trainable = False
    assert not is_frozen(model)
    with pytest.raises(ValueError, match=r"'other' has no head .* dropout and probability"):
        set_trainable(model, "head")
