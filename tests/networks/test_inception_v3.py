"""Our InceptionV3 is that of `keras.applications`, but for what that takes from global settings."""

import keras
import numpy as np
import pytest

from skpneumo.networks import build_backbone, seed_stream
from skpneumo.networks._inception_v3 import build_inception_v3

SIZE = (75, 77)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, *SIZE, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def theirs():
    options = {"include_top": False, "weights": None, "pooling": "avg"}
    return keras.applications.InceptionV3(input_shape=(*SIZE, 3), **options)


@pytest.fixture(scope="module")
def ours():
    policy = keras.DTypePolicy("float32")
    return build_inception_v3(SIZE, policy=policy, seeds=seed_stream(0), name="inception_v3")


def test_layers_and_weights_have_the_same_order(ours, theirs):
    kinds = [[type(layer).__name__ for layer in model.layers] for model in (ours, theirs)]
    assert kinds[0] == kinds[1]
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    named = [layer.name for layer in theirs.layers if layer.name.startswith("mixed")]
    assert named == [layer.name for layer in ours.layers if layer.name.startswith("mixed")]


def test_the_same_weights_give_the_same_features(ours, theirs):
    ours.set_weights(theirs.get_weights())
    expected = theirs.predict_on_batch(IMAGES)
    np.testing.assert_allclose(ours.predict_on_batch(IMAGES), expected, rtol=1e-5, atol=1e-6)


def test_files_of_either_can_be_loaded(theirs, tmp_path):
    file = tmp_path / "theirs.weights.h5"
    theirs.save_weights(file)
    loaded = build_backbone(SIZE, weights=file).get_layer("inception_v3")
    for one, other in zip(loaded.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_weights_are_drawn_as_theirs_are(ours, theirs):
    """Glorot's uniform distribution: the widths of each kernel are alike."""
    for one, other in zip(ours.layers, theirs.layers, strict=True):
        if isinstance(one, keras.layers.Conv2D):
            assert type(one.kernel_initializer) is type(other.kernel_initializer)
