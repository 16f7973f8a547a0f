from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from skpneumo.images import XRaySequence, as_xrays


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(4, 7, 5), dtype=np.uint8)


def test_what_is_right_is_returned_as_it_is(images):
    assert as_xrays(images) is images
    sequence = XRaySequence(["a.png", "b.png"])
    assert as_xrays(sequence) is sequence


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_accepted_shapes_and_dtypes(images, n_channels, dtype):
    given = np.repeat(images[..., None], n_channels, axis=-1)
    if dtype != np.uint8:
        given = (given / 255).astype(dtype)
    for X in (given, given[..., 0]):
        xrays = as_xrays(X)
        assert xrays.dtype == np.uint8
        np.testing.assert_array_equal(xrays, images)


def test_floats_are_rounded_to_the_nearest():
    levels = np.linspace(0, 1, 1001)
    xrays = as_xrays(levels.reshape(1, 7, 143))
    np.testing.assert_allclose(xrays.ravel() / 255, levels, atol=0.5001 / 255)


def test_lists_of_images(images):
    np.testing.assert_array_equal(as_xrays(list(images)), images)
    np.testing.assert_array_equal(as_xrays((images / 255).tolist()), images)


@pytest.mark.parametrize("value", [0, 1])
def test_integers_0_and_1_are_not_taken_for_floats(value):
    with pytest.raises(ValueError, match=r"wrong dtype.*must be uint8"):
        as_xrays(np.full((2, 3, 4), value))


@pytest.mark.parametrize(
    "paths",
    [
        ["a.png", "b.png"],
        ("a.png", "b.png"),
        [Path("a.png"), Path("b.png")],
        ["a.png", Path("b.png")],
        np.array(["a.png", "b.png"]),
        np.array(["a.png", "b.png"], dtype=object),
        np.array(["a.png", "b.png"], dtype=np.dtypes.StringDType()),
    ],
)
def test_paths_become_a_sequence(paths):
    sequence = as_xrays(paths)
    assert isinstance(sequence, XRaySequence)
    assert sequence.paths.tolist() == ["a.png", "b.png"]


def test_a_series_of_paths():
    pd = pytest.importorskip("pandas")
    assert as_xrays(pd.Series(["a.png", "b.png"], index=[5, 9])).paths.tolist() == [
        "a.png",
        "b.png",
    ]


@pytest.mark.parametrize("path", ["a.png", Path("a.png"), np.str_("a.png")])
def test_one_path_alone(path):
    with pytest.raises(ValueError, match=r"Got one path, 'a\.png'.*list of paths"):
        as_xrays(path)


@pytest.mark.parametrize(
    "empty", [[], np.empty((0, 5, 4)), np.array([], dtype=str), XRaySequence([]), ()]
)
def test_nothing(empty):
    with pytest.raises(ValueError, match=r"0 sample\(s\) .* minimum of 1 is required"):
        as_xrays(empty)


@pytest.mark.parametrize(
    "shape", [(5,), (5, 4), (2, 5, 4, 2), (2, 5, 4, 4), (2, 3, 5, 4), (2, 5, 4, 3, 1)]
)
@pytest.mark.parametrize("dtype", [np.uint8, float])
def test_wrong_shapes(shape, dtype):
    with pytest.raises(ValueError, match="wrong shape: got shape") as caught:
        as_xrays(np.zeros(shape, dtype))
    for part in (str(shape), np.dtype(dtype).name, "range [0, 0]", "Wanted: ", "(n, H, W)"):
        assert part in str(caught.value)


@pytest.mark.parametrize("shape", [(2, 0, 4), (2, 5, 0), (2, 5, 0, 1)])
def test_images_without_pixels(shape):
    with pytest.raises(ValueError, match="without pixels: got shape"):
        as_xrays(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("channel", [1, 2])
def test_channels_that_differ(images, channel):
    colours = np.repeat(images[..., None], 3, axis=-1)
    colours[-1, -1, -1, channel] ^= 1
    with pytest.raises(ValueError, match=r"three channels that differ: got shape \(4, 7, 5, 3\)"):
        as_xrays(colours)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(images, value):
    floats = images / 255
    floats[-1, 0, 0] = value
    with pytest.raises(ValueError, match="contains NaN or infinity: got shape"):
        as_xrays(floats)


@pytest.mark.parametrize(("value", "bounds"), [(1.01, r"0, 1\.01"), (-0.01, r"-0\.01, 0\.5")])
def test_floats_outside(value, bounds):
    floats = np.full((2, 3, 4), 0.0 if value > 1 else 0.5)
    floats[1, 2, 3] = value
    message = rf"floats outside \[0, 1\]: .*dtype float64, range \[{bounds}\]\. Divide by"
    with pytest.raises(ValueError, match=message):
        as_xrays(floats)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.int64])
def test_other_integers(dtype):
    message = rf"wrong dtype: got shape \(2, 3, 4\), dtype {np.dtype(dtype)}, range \[7, 7\]"
    with pytest.raises(ValueError, match=message):
        as_xrays(np.full((2, 3, 4), 7, dtype))


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((2, 3, 4), bool),
        np.zeros((2, 3, 4), complex),
        np.zeros((2, 3, 4), object),
        [["a.png"], ["b.png"]],
        ["a.png", None],
        [b"a.png"],
        None,
        {"paths": ["a.png"]},
        csr_array(np.eye(3)),
    ],
    ids=lambda X: type(X).__name__,
)
def test_other_things(X):
    with pytest.raises(ValueError, match=r"does not hold images: got shape .*Wanted: grey X-rays"):
        as_xrays(X)


@pytest.mark.parametrize("scalar", [5, 0.5])
def test_scalars(scalar):
    with pytest.raises(ValueError, match=r"wrong shape: got shape \(\)"):
        as_xrays(scalar)


def test_images_of_different_sizes():
    with pytest.raises(ValueError, match=r"cannot be made one array: .*Wanted"):
        as_xrays([np.zeros((3, 4), np.uint8), np.zeros((4, 4), np.uint8)])
