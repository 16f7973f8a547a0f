"""Networks cut at their maps: the parts make the whole, and the whole stays as it was."""

import keras
import numpy as np
import pytest

from skpneumo.networks import MAPS, build_cnn, build_inception, split_at_maps, split_head

SIZES = {"cnn": (37, 52), "inception": (107, 76)}


@pytest.fixture(scope="module")
def networks():
    return {
        "cnn": build_cnn(SIZES["cnn"], filters=(2, 3, 4)),
        "inception": build_inception(SIZES["inception"], weights=None),
    }


def images_for(name, n=2, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *SIZES[name], 1), dtype=np.uint8)


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("which", MAPS)
@pytest.mark.parametrize("name", SIZES)
def test_the_parts_make_the_whole(networks, name, which):
    images = images_for(name)
    to_maps, to_logit, centres = split_at_maps(networks[name], which)
    maps = to_maps(images)
    assert maps.shape[1:3] == tuple(map(len, centres))
    logit = numpy_of(to_logit(maps))
    assert logit.shape == (2, 1)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-logit)), networks[name].predict_on_batch(images), rtol=1e-5
    )


def test_the_parts_leave_dropout_out(networks):
    to_maps, to_logit, _ = split_at_maps(networks["cnn"], "first")
    first, second = (numpy_of(to_logit(to_maps(images_for("cnn")))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def rows_looked_at(to_maps, name, axis):
    """Whether each row (or column) of the image changes each row (or column) of the maps."""
    images = images_for(name, n=6)
    before, found = numpy_of(to_maps(images)), []
    for row in range(SIZES[name][axis]):
        changed = images.copy()
        place = (slice(None),) * (1 + axis) + (row,)
        # Turned round, so that the histogram stays.
        changed[place] = images[place][:, ::-1]
        differs = numpy_of(to_maps(changed)) != before
        found.append(differs.any(axis=(0, 3, 2 - axis)))
    return np.array(found).T


def close_gates(model):
    """Let all channels weigh the same, whatever is seen elsewhere in the image."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.use_bias:
            layer.set_weights([np.zeros_like(weights) for weights in layer.get_weights()])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("name", "which"), [("cnn", "first"), ("cnn", "last"), ("inception", "first")]
)
def test_centres_are_the_middles_of_what_a_place_looks_at(networks, name, which, axis):
    close_gates(networks[name])
    to_maps, _, centres = split_at_maps(networks[name], which)
    n_whole = 0
    for looked_at, centre in zip(rows_looked_at(to_maps, name, axis), centres[axis], strict=True):
        rows = np.flatnonzero(looked_at)
        if rows[0] > 0 and rows[-1] < SIZES[name][axis] - 1:  # not cut off by the border
            assert (rows[0] + rows[-1]) / 2 == centre
            n_whole += 1
    assert n_whole


def test_last_maps_of_inception_lie_32_pixels_apart(networks):
    _, _, centres = split_at_maps(networks["inception"], "last")
    assert centres == ([37.0, 69.0], [37.0])


def test_nothing_of_the_network_changes():
    model = build_inception((75, 75), weights=None)
    inner = model.get_layer("inception_v3")
    layers = model.layers + inner.layers
    before = [len(layer._inbound_nodes) for layer in layers], model.get_config()
    weights = model.get_weights()
    to_maps, to_logit, _ = split_at_maps(model, "first")
    to_logit(to_maps(np.zeros((1, 75, 75, 1), dtype=np.uint8)))
    assert [len(layer._inbound_nodes) for layer in layers] == before[0]
    assert model.get_config() == before[1]
    assert all(map(np.array_equal, model.get_weights(), weights))
    # A network that was cut elsewhere can be cut here as well, and the other way round.
    split_head(model)
    split_at_maps(model, "last")
    assert inner.get_layer("mixed10").output is inner.layers[-1].input


def test_the_weights_are_those_of_the_network():
    model = build_cnn(SIZES["cnn"], filters=(2, 3))
    to_maps, to_logit, _ = split_at_maps(model)
    maps = to_maps(images_for("cnn"))
    model.get_layer("probability").bias.assign([3.0])
    before = numpy_of(to_logit(maps))
    model.get_layer("probability").bias.assign([5.0])
    np.testing.assert_allclose(numpy_of(to_logit(maps)), before + 2, rtol=1e-6)


def test_another_network_is_refused():
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)), name="flat")
    with pytest.raises(
        ValueError, match=r"'flat' has no maps to inspect. Wanted: one of build_cnn"
    ):
        split_at_maps(model)
