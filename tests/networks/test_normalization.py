import keras
import numpy as np
import pytest

from skpneumo.networks import BatchNormalization


def run(kind, inputs, dtype, training, **options):
    """Outputs, running statistics and gradients of one step of plain descent."""
    policy = "float32" if dtype == "float32" else f"mixed_{dtype}"
    rng = np.random.default_rng(1)
    images = keras.Input(inputs.shape[1:])
    layer = kind(momentum=0.7, dtype=policy, **options)
    weighted = keras.layers.Conv2D(
        inputs.shape[-1],
        1,
        use_bias=False,
        kernel_initializer=keras.initializers.Orthogonal(seed=0),
        data_format="channels_last",
        dtype=policy,
    )
    model = keras.Model(images, keras.layers.Activation("tanh")(layer(weighted(images))))
    layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    outputs = keras.ops.convert_to_numpy(keras.ops.cast(model(inputs), "float32"))
    if training:
        model.train_on_batch(inputs, rng.normal(size=inputs.shape).astype("float32"))
    return [outputs, *(np.asarray(weight) for weight in model.weights)]


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(0).normal(2, 3, size=(5, 7, 4, 3)).astype("float32")


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(("dtype", "atol"), [("float32", 2e-5), ("bfloat16", 2e-2)])
def test_it_trains_as_that_of_keras(inputs, scale, dtype, atol):
    expected = run(keras.layers.BatchNormalization, inputs, dtype, True, scale=scale)
    found = run(BatchNormalization, inputs, dtype, True, scale=scale)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=atol)


def test_it_predicts_as_that_of_keras_to_the_last_bit(inputs):
    for dtype in ("float32", "bfloat16"):
        kinds = BatchNormalization, keras.layers.BatchNormalization
        found, expected = (run(kind, inputs, dtype, False) for kind in kinds)
        np.testing.assert_array_equal(found[0], expected[0])


def test_a_frozen_one_keeps_its_statistics(inputs):
    layer = BatchNormalization()
    layer.build(inputs.shape)
    layer.trainable = False
    layer(inputs, training=True)
    assert np.asarray(layer.moving_mean).tolist() == [0, 0, 0]
    layer.trainable = True
    layer(inputs, training=True)
    # The variance of the population, not of the sample.
    expected = 0.99 + 0.01 * inputs.var(axis=(0, 1, 2))
    np.testing.assert_allclose(np.asarray(layer.moving_variance), expected, rtol=1e-6)


def test_it_is_saved_and_loaded(tmp_path, inputs):
    model = keras.Sequential([keras.Input(inputs.shape[1:]), BatchNormalization()])
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    assert type(loaded.layers[-1]) is BatchNormalization
