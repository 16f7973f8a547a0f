"""The network as plain Keras: shapes, types, names."""

import keras
import numpy as np
import pytest

from skpneumo.networks import build_cnn


@pytest.mark.parametrize("size", [(33, 40), (64, 90), (112, 96)])
@pytest.mark.parametrize("filters", [(2, 3), (2, 3, 5), (2, 3, 5, 7)])
def test_any_size_and_depth(size, filters):
    model = build_cnn(size, filters=filters)
    assert model.input_shape == (None, *size, 1)
    assert model.output_shape == (None, 1)
    kinds = keras.layers.Conv2D, keras.layers.Add, keras.layers.GlobalAveragePooling2D
    convolutions, sums, averages = (
        [layer for layer in model.layers if isinstance(layer, kind)] for kind in kinds
    )
    wide = [layer.filters for layer in convolutions if layer.kernel_size != (1, 1)]
    assert wide == [filters[0], *(n for n in filters[1:] for _ in range(2))]
    assert [layer.output.shape[-1] for layer in sums] == list(filters[1:])
    first = 4 if min(size) >= 64 else 2
    assert averages[-1].input.shape[1] == -(-size[0] // (first * 2 ** (len(filters) - 2)))


def test_exposure_does_not_count():
    model = build_cnn((33, 40), filters=(2, 3))
    images = np.random.default_rng(0).integers(0, 64, (3, 33, 40, 1), dtype=np.uint8)
    found, expected = map(keras.ops.convert_to_numpy, (model(3 * images + 40), model(images)))
    np.testing.assert_array_equal(found, expected)


def test_it_takes_bytes_and_returns_probabilities():
    model = build_cnn((33, 40), filters=(2, 3))
    images = np.random.default_rng(0).integers(0, 256, (3, 33, 40, 1), dtype=np.uint8)
    probability = keras.ops.convert_to_numpy(model(images))
    assert probability.dtype == np.float32
    assert ((probability > 0) & (probability < 1)).all()
    assert not model.compiled


def test_bfloat16_computes_in_it_and_keeps_float32():
    model = build_cnn((33, 40), filters=(2, 3), precision="bfloat16")
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.layers[2].compute_dtype == "bfloat16"
    assert model.layers[-1].compute_dtype == "float32"
