import io
import os
from collections import deque
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image
from scipy.sparse import csr_array

from skpneumo.exceptions import ImageReadError
from skpneumo.images import XRaySequence, check_xrays, read_xray


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(4, 7, 5), dtype=np.uint8)


def test_what_is_right_is_returned_as_it_is(images):
    assert check_xrays(images) is images
    sequence = XRaySequence(["a.png", "b.png"])
    assert check_xrays(sequence) is sequence


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_accepted_shapes_and_dtypes(images, n_channels, dtype):
    given = np.repeat(images[..., None], n_channels, axis=-1)
    if dtype != np.uint8:
        given = (given / 255).astype(dtype)
    for X in (given, given[..., 0]):
        xrays = check_xrays(X)
        assert xrays.dtype == np.uint8
        np.testing.assert_array_equal(xrays, images)


def test_floats_are_rounded_to_the_nearest():
    levels = np.linspace(0, 1, 1001)
    xrays = check_xrays(levels.reshape(1, 7, 143))
    np.testing.assert_allclose(xrays.ravel() / 255, levels, atol=0.5001 / 255)


def test_lists_of_images(images):
    np.testing.assert_array_equal(check_xrays(list(images)), images)
    np.testing.assert_array_equal(check_xrays((images / 255).tolist()), images)


@pytest.mark.parametrize("value", [0, 1])
def test_integers_0_and_1_are_not_taken_for_floats(value):
    with pytest.raises(ValueError, match=r"wrong dtype.*must be uint8"):
        check_xrays(np.full((2, 3, 4), value))


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
        np.array([b"a.png", b"b.png"]),
        [b"a.png", PurePosixPath("b.png")],
        np.array([["a.png"], ["b.png"]]),
        [["a.png"], ["b.png"]],
        deque(["a.png", "b.png"]),
    ],
)
def test_paths_become_a_sequence(paths):
    sequence = check_xrays(paths)
    assert isinstance(sequence, XRaySequence)
    assert sequence.paths.tolist() == ["a.png", "b.png"]


def test_a_series_of_paths():
    pd = pytest.importorskip("pandas")
    assert check_xrays(pd.Series(["a.png", "b.png"], index=[5, 9])).paths.tolist() == [
        "a.png",
        "b.png",
    ]


def test_one_column_of_a_table_of_paths():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"path": ["a.png", "b.png"], "age": [3, 4]}, index=[5, 9])
    for X in (table["path"], table[["path"]], table["path"].astype("category"), table.path.array):
        assert check_xrays(X).paths.tolist() == ["a.png", "b.png"]
    with pytest.raises(ValueError, match="It has 2 columns: give the one that holds the paths"):
        check_xrays(table)
    with pytest.raises(ValueError, match=r"does not hold images|wrong shape"):
        check_xrays(table[["age"]])


@pytest.mark.parametrize("missing", [None, float("nan"), "", np.nan, 7, np.zeros((3, 4))])
@pytest.mark.parametrize("container", [list, tuple, lambda items: np.array(items, dtype=object)])
def test_what_is_no_path_among_paths_is_named(missing, container):
    items = container(["a.png", "b.png", missing, missing])
    with pytest.raises(ValueError, match=r"Row 2 of X holds .*not the path of a file.*such as y"):
        check_xrays(items)
    with pytest.raises(ValueError, match="Row 2 of X"):
        XRaySequence(items)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_path_in_a_table_is_named(missing):
    pd = pytest.importorskip("pandas")
    column = pd.Series(["a.png", missing, "b.png"], index=[4, 5, 6])
    for X in (column, column.to_frame(), column.astype("string"), column.astype(str)):
        with pytest.raises(ValueError, match=r"Row 1 of X holds .*not the path of a file"):
            check_xrays(X)
    assert check_xrays(column.dropna()).paths.tolist() == ["a.png", "b.png"]


def test_entries_of_a_folder(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    with os.scandir(tmp_path) as entries:
        entries = sorted(entries, key=lambda entry: entry.name)
    assert check_xrays(entries).paths.tolist() == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    with pytest.raises(ValueError, match="Got one path"):
        check_xrays(entries[0])


def test_bytes_that_are_no_text_are_paths_too():
    name = os.fsencode("radiografía.png")
    assert check_xrays([name]).paths.tolist() == ["radiografía.png"]


@pytest.mark.parametrize(
    "path",
    ["a.png", b"a.png", Path("a.png"), np.str_("a.png"), np.array("a.png"), PurePosixPath("a.png")],
)
def test_one_path_alone(path):
    with pytest.raises(ValueError, match=r"Got one path, 'a\.png'.*list of paths.*: \[X\]"):
        check_xrays(path)


@pytest.mark.parametrize(
    ("X", "advice"),
    [
        ({"images": [1], "target": [0]}, "one of its values: X.key., .*'images', 'target'"),
        ({"a.png", "b.png"}, "A set has no order"),
        ((path for path in ["a.png"]), r"only be iterated over: .*list\(X\)"),
        (map(str, [1]), r"list\(X\)"),
        ({"a.png": 1}.keys(), r"list\(X\)"),
    ],
    ids=lambda X: type(X).__name__,
)
def test_containers_that_are_no_arrays(X, advice):
    with pytest.raises(ValueError, match=f"does not hold images: got shape .*Wanted: .*{advice}"):
        check_xrays(X)


@pytest.mark.parametrize("dtype", [np.uint8, float])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
def test_one_image_without_its_batch_axis(dtype, n_channels):
    image = np.zeros((24, 20, n_channels), dtype)
    message = rf"wrong shape: got shape \(24, 20, {n_channels}\).* one image with {n_channels} chan"
    with pytest.raises(ValueError, match=rf"{message}.*even for one image: X\[None\]"):
        check_xrays(image)
    for other in (image.tolist(), list(image)):
        with pytest.raises(ValueError, match=r"X\[None\]"):
            check_xrays(other if dtype is float else np.asarray(other, dtype))


def test_one_image_without_any_other_axis(images):
    with pytest.raises(ValueError, match=r"wrong shape: .*For one image write X\[None\]"):
        check_xrays(images[0])
    np.testing.assert_array_equal(check_xrays(images[0][None]), images[:1])


@pytest.mark.parametrize(
    "shape", [(1, 24, 20), (3, 24, 20), (4, 24, 20), (2, 5, 5), (3, 224, 5), (24, 1, 1)]
)
def test_few_images_are_a_batch(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert check_xrays(images) is images


def test_three_equal_images_may_be_channels(images):
    channels = np.stack([images[0]] * 3)
    with pytest.warns(UserWarning, match=r"three equal images. .* channels of one, give X\[:1\]"):
        assert check_xrays(channels) is channels
    check_xrays(np.stack([images[0]] * 4))
    check_xrays(np.full((3, 7, 9), 5, np.uint8))


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((2, 1, 7, 9), r"Channels come last: numpy.moveaxis\(X, 1, -1\)"),
        ((2, 3, 7, 9), r"Channels come last: numpy.moveaxis\(X, 1, -1\)"),
        ((2, 7, 9, 4), r"Leave out the alpha channel: X\[..., :3\]"),
        ((2, 7, 9, 2), r"Leave out the alpha channel: X\[..., :1\]"),
        ((2, 8, 7, 9), r"For several batches write numpy.concatenate\(X\)"),
    ],
)
def test_the_advice_on_four_axes(shape, advice):
    X = np.random.default_rng(0).random(shape)
    with pytest.raises(ValueError, match=rf"wrong shape: got shape .*Wanted: .*{advice}"):
        check_xrays(X)
    if shape[1] == 1:
        assert check_xrays(np.moveaxis(X, 1, -1)).shape == (2, 7, 9)
    if shape[3] == 2:
        assert check_xrays(X[..., :1]).shape == (2, 7, 9)


def test_masked_arrays(images):
    masked = np.ma.masked_greater(images, 200)
    with pytest.raises(ValueError, match=r"masked array, with [\d,]+ of 140 .*X.filled\(0\)"):
        check_xrays(masked)
    with pytest.raises(ValueError, match=r"Row 0 of X: .*masked"):
        check_xrays(list(masked))
    assert check_xrays(masked.filled(0)).max() <= 200
    np.testing.assert_array_equal(check_xrays(np.ma.array(images)), images)


class Tensor:
    """What other libraries hold arrays in."""

    def __init__(self, values, error=None):
        self.values, self.error = values, error

    def __array__(self, dtype=None, copy=None):
        if self.error is not None:
            raise self.error
        return self.values


def test_tensors(images):
    np.testing.assert_array_equal(check_xrays(Tensor(images)), images)
    np.testing.assert_array_equal(check_xrays([Tensor(image) for image in images]), images)
    on_a_device = Tensor(images, TypeError("copy the tensor to host memory first"))
    with pytest.raises(ValueError, match="cannot be made one array: copy the tensor to host"):
        check_xrays(on_a_device)


@pytest.mark.parametrize(
    "empty", [[], np.empty((0, 5, 4)), np.array([], dtype=str), XRaySequence([]), ()]
)
def test_nothing(empty):
    with pytest.raises(ValueError, match=r"0 sample\(s\) .* minimum of 1 is required"):
        check_xrays(empty)


@pytest.mark.parametrize(
    "shape", [(5,), (5, 4), (2, 5, 4, 2), (2, 5, 4, 4), (2, 3, 5, 4), (2, 5, 4, 3, 1)]
)
@pytest.mark.parametrize("dtype", [np.uint8, float])
def test_wrong_shapes(shape, dtype):
    with pytest.raises(ValueError, match="wrong shape: got shape") as caught:
        check_xrays(np.zeros(shape, dtype))
    for part in (str(shape), np.dtype(dtype).name, "range [0, 0]", "Wanted: ", "(n, H, W)"):
        assert part in str(caught.value)


@pytest.mark.parametrize("shape", [(2, 0, 4), (2, 5, 0), (2, 5, 0, 1)])
def test_images_without_pixels(shape):
    with pytest.raises(ValueError, match="without pixels: got shape"):
        check_xrays(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("channel", [1, 2])
def test_channels_that_differ(images, channel):
    colours = np.repeat(images[..., None], 3, axis=-1)
    colours[-1, -1, -1, channel] ^= 1
    with pytest.raises(ValueError, match=r"three channels that differ: got shape \(4, 7, 5, 3\)"):
        check_xrays(colours)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(images, value):
    floats = images / 255
    floats[-1, 0, 0] = value
    with pytest.raises(ValueError, match="contains NaN or infinity: got shape"):
        check_xrays(floats)


@pytest.mark.parametrize(
    ("low", "high", "advice"),
    [
        (0, 1.01, r"Resizing may overshoot: write numpy.clip\(X, 0, 1\)"),
        (-0.003, 1.004, r"numpy.clip\(X, 0, 1\)"),
        (-0.2, 1.2, r"numpy.clip\(X, 0, 1\)"),
        (-1, 1, r"write \(X \+ 1\) / 2"),
        (-0.9, 0.4, r"write \(X \+ 1\) / 2"),
        (-0.5, 0.5, r"Undo the shift: X \+ 0\.5"),
        (-2.1, 2.6, "Undo the standardization"),
        (-0.8, 3.4, "Undo the standardization"),
        (-123.7, 151.1, r"Undo what was subtracted, .*\(X \+ mean\) / 255"),
        (0, 254.0, "largest value of the format: X / 255 for 8 bits; or give uint8"),
        (0, 3.0, "X / 255 for 8 bits"),
        (12, 1000, "X / 1023 for 10 bits"),
        (0, 4095, "X / 4095 for 12 bits"),
        (0, 9000, "X / 16383 for 14 bits"),
        (0, 65535, "X / 65535 for 16 bits"),
        (0, 1e6, r"X / X.max\(\)"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, float])
def test_floats_outside(low, high, advice, dtype):
    floats = np.linspace(low, high, 2 * 7 * 9).reshape(2, 7, 9).astype(dtype)
    message = rf"floats outside \[0, 1\]: got shape \(2, 7, 9\), .*range \[.*{advice}"
    with pytest.raises(ValueError, match=message):
        check_xrays(floats)


def test_less_than_half_a_grey_level_beyond_is_rounding():
    floats = np.array([[[-0.0019, 0.2, 0.8, 0.9, 1.0019]]])
    assert check_xrays(floats).tolist() == [[[0, 51, 204, 230, 255]]]
    for beyond in (-0.002, 1.002):
        with pytest.raises(ValueError, match="outside"):
            check_xrays(np.append(floats, beyond).reshape(1, 2, 3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, float])
def test_floats_that_are_divided_twice(images, dtype):
    twice = (images / 255 / 255).astype(dtype)
    with pytest.raises(ValueError, match=r"at most 1/255: got shape .*once, not twice: X \* 255"):
        check_xrays(twice)
    np.testing.assert_array_equal(check_xrays(twice.astype(float) * 255), images)


def test_black_images():
    for dtype in (np.uint8, float):
        assert not check_xrays(np.zeros((2, 7, 9), dtype)).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, float])
def test_masks(images, dtype):
    mask = (images > 127).astype(dtype)
    with pytest.raises(ValueError, match=r"holds only 0 and 1: got shape .*mask.*\* .*255"):
        check_xrays(mask)
    assert set(np.unique(check_xrays((mask * 255).astype(np.uint8)))) == {0, 255}
    with pytest.raises(ValueError, match=r"does not hold images: .*mask.*X \* numpy.uint8\(255\)"):
        check_xrays(mask.astype(bool))
    check_xrays(mask.astype(bool) * np.uint8(255))


def test_quotients_that_are_cut_to_integers(images):
    images[1, 2, 3] = 255
    with pytest.raises(ValueError, match=r"must stay floats: X / 255, not \(X / 255\).astype"):
        check_xrays((images / 255).astype(np.uint8))
    with pytest.raises(ValueError, match=r"wrong dtype: .*only 0 and 1 here: is it a mask"):
        check_xrays(images.astype(int) // 255)


@pytest.mark.parametrize(
    "convert",
    [
        lambda samples: samples / 65535,
        lambda samples: (samples >> 8).astype(np.uint8),
        lambda samples: Image.fromarray((samples >> 8).astype(np.uint8)[0]),
    ],
)
def test_twelve_bits_that_are_scaled_as_sixteen(convert):
    samples = np.linspace(0, 4095, 2 * 70 * 90).reshape(2, 70, 90).astype(np.uint16)
    X = convert(samples)
    with pytest.warns(UserWarning, match=r"darkest \d+ of 256 .*X / 4095 for 12 bits"):
        check_xrays([X] if isinstance(X, Image.Image) else X)
    check_xrays(samples / 4095)


def test_one_dark_image_among_others(images):
    images[0, :, :3] = 1
    images[0, :, 3:] = 7
    assert check_xrays(images) is images


@pytest.mark.parametrize(
    ("high", "advice"),
    [
        (255, r"X.astype\(numpy.uint8\) once"),
        (256, "X / 1023 for 10 bits"),
        (1023, "X / 1023 for 10 bits"),
        (4000, "X / 4095 for 12 bits"),
        (16383, "X / 16383 for 14 bits"),
        (30000, "X / 65535 for 16 bits"),
        (70000, r"X / X.max\(\)"),
    ],
)
def test_integers_of_more_bits(high, advice):
    samples = np.linspace(0, high, 2 * 7 * 9).reshape(2, 7, 9).astype(np.uint32)
    with pytest.raises(ValueError, match=f"wrong dtype: got shape .*uint32, .*{advice}"):
        check_xrays(samples)


def test_the_advice_for_integers_keeps_their_grey_levels():
    samples = np.linspace(0, 4095, 2 * 70 * 90).reshape(2, 70, 90).astype(np.uint16)
    assert len(np.unique(check_xrays(samples / 4095))) == 256


def test_negative_integers():
    with pytest.raises(ValueError, match=r"wrong dtype: .*range \[-1000, 400\]. .*not negative"):
        check_xrays(np.linspace(-1000, 400, 126).reshape(2, 7, 9).astype(np.int16))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.int64])
def test_other_integers(dtype):
    message = rf"wrong dtype: got shape \(2, 3, 4\), dtype {np.dtype(dtype)}, range \[7, 7\]"
    with pytest.raises(ValueError, match=message):
        check_xrays(np.full((2, 3, 4), 7, dtype))


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((2, 3, 4), bool),
        np.zeros((2, 3, 4), complex),
        np.zeros((2, 3, 4), object),
        [["a.png", "b.png"], ["c.png", "d.png"]],
        [None, None],
        None,
        {"paths": ["a.png"]},
        csr_array(np.eye(3)),
    ],
    ids=lambda X: type(X).__name__,
)
def test_other_things(X):
    with pytest.raises(ValueError, match=r"does not hold images: got shape .*Wanted: grey X-rays"):
        check_xrays(X)


@pytest.mark.parametrize("scalar", [5, 0.5])
def test_scalars(scalar):
    with pytest.raises(ValueError, match=r"wrong shape: got shape \(\)"):
        check_xrays(scalar)


def test_images_of_different_sizes(images):
    pictures = [images[0], images[1][:5]]
    message = r"cannot be made one array: .*\(7, 5\) in row 0 and \(5, 5\) in row 1. .*XRayResizer"
    objects = np.empty(2, dtype=object)
    objects[:] = pictures
    for X in (pictures, tuple(pictures), [Image.fromarray(one) for one in pictures], objects):
        with pytest.raises(ValueError, match=message):
            check_xrays(X)
        for image, expected in zip(check_xrays(X, same_size=False), pictures, strict=True):
            assert image.dtype == np.uint8
            np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("as_list", [list, tuple, lambda X: np.fromiter(X, dtype=object)])
def test_images_of_several_kinds(images, as_list):
    X = [images[0], images[1] / 255, images[2][..., None], np.dstack([images[3]] * 3)]
    np.testing.assert_array_equal(check_xrays(as_list(X)), images)
    X[1] = Image.fromarray(images[1])
    np.testing.assert_array_equal(check_xrays(as_list(X)), images)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((6, 5, 3, 2), np.uint8), "wrong shape"),
        (np.full((9, 8), 300), "wrong dtype"),
        (np.full((9, 8), 3.0), "floats outside"),
        (np.full((9, 8), np.nan), "NaN"),
        (np.zeros((0, 8), np.uint8), "without pixels"),
        (np.zeros((9, 8), bool), "mask"),
        (np.arange(9 * 8 * 3, dtype=np.uint8).reshape(9, 8, 3), "channels that differ"),
        (np.zeros((5, 9, 8), np.uint8), r"numpy.concatenate\(X\)"),
        (None, "None, among images. Leave such rows out"),
        ({"image": 1}, "among images"),
    ],
)
@pytest.mark.parametrize("same_size", [True, False])
def test_each_of_a_list_is_checked(images, wrong, message, same_size):
    with pytest.raises(ValueError, match=f"[Rr]ow 2 (of X|is).*{message}"):
        check_xrays([images[0], images[1, 1:], wrong], same_size=same_size)


MODES = ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16"]


@pytest.mark.parametrize("mode", MODES)
def test_pillow_images_are_read_as_their_files_are(tmp_path, mode):
    rows, columns = np.mgrid[0:40, 0:50]
    grey = (rows * 3 + columns * 2).astype(np.uint8)
    image = Image.fromarray(grey.astype(np.uint16) * 16 if mode == "I;16" else grey).convert(mode)
    path = tmp_path / ("a.jpeg" if mode in ("CMYK", "YCbCr") else "a.png")
    image.save(path, quality=95)
    for given in ([image], [Image.open(path)], (image,)):
        xrays = check_xrays(given)
        assert xrays.shape == (1, 40, 50)
        assert abs(xrays[0].astype(float) - read_xray(path)).mean() < (2 if mode != "1" else 1e-9)


def test_pillow_images_are_turned_upright_like_their_files(tmp_path, images):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(images[0]).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(check_xrays([image])[0], read_xray(tmp_path / "a.png"))


def test_pillow_images_of_floats(images):
    floats = [Image.fromarray((image / 255).astype(np.float32)) for image in images]
    np.testing.assert_array_equal(check_xrays(floats), images)
    with pytest.raises(ValueError, match="floats outside"):
        check_xrays([Image.fromarray(image.astype(np.float32)) for image in images])


def content_of(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file


def test_contents_of_files(images):
    files = [content_of(image) for image in images]
    for X in (files, [file.getvalue() for file in files], [bytearray(f.getvalue()) for f in files]):
        np.testing.assert_array_equal(check_xrays(X), images)
    with pytest.raises(ImageReadError, match=r"Row 1 of X: .*not a JPEG, PNG, TIFF"):
        check_xrays([files[0], b"\0\0no image"])


def test_a_pillow_image_that_cannot_be_decoded(images):
    data = content_of(np.random.default_rng(0).integers(0, 256, (90, 80), np.uint8)).getvalue()
    cut = Image.open(io.BytesIO(data[:3000]))
    with pytest.raises(
        ImageReadError, match=r"Row 1 of X: This image cannot be decoded .*truncated"
    ):
        check_xrays([Image.fromarray(images[0]), cut])


def test_one_picture_alone(images):
    for X in (Image.fromarray(images[0]), content_of(images[0]), content_of(images[0]).getvalue()):
        with pytest.raises(ValueError, match=r"Got one image, a.* list, even for one image: \[X\]"):
            check_xrays(X)
        np.testing.assert_array_equal(check_xrays([X]), images[:1])
