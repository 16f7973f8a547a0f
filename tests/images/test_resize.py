import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from skpneumo.images import ASPECTS, Resizing, check_image_size, resize_xray, resize_xrays


@pytest.fixture
def image():
    noise = np.random.default_rng(0).uniform(0, 255, size=(46, 71))
    smooth = gaussian_filter(noise, 3)
    smooth -= smooth.min()
    return np.uint8(255 * smooth / smooth.max())


def bilinear(image, size):
    """Bilinear enlargement with pixel centres at halves, by SciPy."""
    rows, columns = (
        (np.arange(new) + 0.5) * old / new - 0.5 for new, old in zip(size, image.shape, strict=True)
    )
    grid = np.meshgrid(rows, columns, indexing="ij")
    return map_coordinates(image.astype(float), grid, order=1, mode="nearest")


@pytest.mark.parametrize("size", [(46, 150), (97, 71), (133, 200)])
def test_enlarging_is_bilinear(image, size):
    np.testing.assert_allclose(resize_xray(image, size), bilinear(image, size), atol=1)


@pytest.mark.parametrize("size", [(23, 10), (11, 70), (5, 3), (90, 20), (46, 20), (90, 71)])
def test_stretch_is_pillow(image, size):
    expected = Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR)
    resized = resize_xray(image, size)
    if 46 in size or 71 in size:
        np.testing.assert_array_equal(resized, expected)
    # From version 13 on, Pillow resizes columns before rows if that is faster.
    np.testing.assert_allclose(resized, np.asarray(expected, float), atol=1)
    rows_first = resize_xray(resize_xray(image, (46, size[1])), size)
    np.testing.assert_array_equal(resized, rows_first)


def test_making_smaller_is_antialiased():
    stripes = np.zeros((40, 60), np.uint8)
    stripes[:, ::2] = 200
    np.testing.assert_allclose(resize_xray(stripes, (10, 15))[:, 1:-1], 100, atol=12)


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("size", [(20, 20), (60, 15), (15, 60), (1, 1), (1, 90), (100, 3)])
def test_size_and_range(image, aspect, size):
    bright = image // 2 + 100
    resized = resize_xray(bright, size, aspect)
    assert resized.shape == size
    assert resized.dtype == np.uint8
    assert resized[resized > 0].min() >= bright.min()
    assert resized.max() <= bright.max()


@pytest.mark.parametrize("aspect", ASPECTS)
def test_own_size_changes_nothing(image, aspect):
    np.testing.assert_array_equal(resize_xray(image, image.shape, aspect), image)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_one_aspect_ratio_is_one_result(image, aspect):
    size = (23, 36)  # close enough to 46 x 71
    same = resize_xray(image[:, :71], size, "stretch").astype(float)
    np.testing.assert_allclose(resize_xray(image, size, aspect), same, atol=20)


@pytest.mark.parametrize("aspect", ["crop", "pad"])
@pytest.mark.parametrize("shape", [(64, 128), (128, 64)])
def test_crop_and_pad_keep_circles_round(aspect, shape):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    distance = np.hypot(rows - shape[0] / 2 + 0.5, columns - shape[1] / 2 + 0.5)
    disc = np.where(distance < 20, 250, 50).astype(np.uint8)
    rows, columns = np.nonzero(resize_xray(disc, (48, 40), aspect) > 150)
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 1
    stretched = np.nonzero(resize_xray(disc, (48, 40)) > 150)
    assert abs(np.ptp(stretched[0]) - np.ptp(stretched[1])) > 4


def test_pad_fills_up_with_black_on_both_sides():
    wide = np.full((30, 60), 200, np.uint8)
    padded = resize_xray(wide, (40, 40), "pad")
    np.testing.assert_array_equal(padded, np.repeat([0, 200, 0], [10, 20, 10])[:, None] + [0] * 40)
    np.testing.assert_array_equal(resize_xray(wide.T, (40, 40), "pad"), padded.T)


def test_crop_keeps_the_middle():
    image = np.repeat([10, 100, 250], [20, 40, 20])[None].repeat(40, axis=0).astype(np.uint8)
    middle = resize_xray(image[:, 20:60], (20, 20))
    cropped = resize_xray(image, (20, 20), "crop")
    np.testing.assert_array_equal(cropped[:, 1:-1], middle[:, 1:-1])  # antialiasing looks beyond
    np.testing.assert_array_equal(resize_xray(image.T, (20, 20), "crop"), cropped.T)


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("layout", ["contiguous", "strided", "fortran", "read-only"])
def test_a_batch_is_its_images_one_by_one(image, aspect, layout):
    images = np.stack([np.roll(image, shift, axis=1) for shift in range(9)])
    if layout == "strided":
        images = np.repeat(images[..., None], 3, axis=-1)[:, ::-1, ::2, 0]
    elif layout == "fortran":
        images = np.asfortranarray(images)
    elif layout == "read-only":
        images.flags.writeable = False
    expected = np.stack([resize_xray(one, (21, 34), aspect) for one in images.copy()])
    resized = resize_xrays(images, (21, 34), aspect)
    assert resized.dtype == np.uint8
    np.testing.assert_array_equal(resized, expected)


def test_a_batch_of_that_size_is_not_copied():
    images = np.zeros((3, 5, 4), np.uint8)
    assert resize_xrays(images, [5, 4]) is images


def test_a_step_of_a_sequence_is_the_function(image):
    step = Resizing((20, 30), "pad")
    np.testing.assert_array_equal(step(image, 7), resize_xray(image, (20, 30), "pad"))
    assert step == Resizing((20, 30), "pad") != Resizing((20, 30))


def test_sizes_become_plain_ints():
    size = check_image_size(np.array([224, 192]))
    assert size == (224, 192)
    assert [type(side) for side in size] == [int, int]


@pytest.mark.parametrize(
    "size", [224, (224,), (224, 224, 3), (224.0, 224), (0, 5), (5, -1), (True, 5), "ab", None, ()]
)
def test_wrong_sizes(image, size):
    message = r"must be two positive integers, \(rows, columns\); got"
    for call in (
        lambda: check_image_size(size),
        lambda: resize_xray(image, size),
        lambda: resize_xrays(image[None], size),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("aspect", ["zoom", None, "Pad"])
def test_wrong_aspects(image, aspect):
    with pytest.raises(ValueError, match="must be one of 'stretch', 'crop', 'pad'; got"):
        resize_xray(image, (5, 5), aspect)
    with pytest.raises(ValueError, match="must be one of 'stretch', 'crop', 'pad'; got"):
        resize_xrays(image[None], (5, 5), aspect)
