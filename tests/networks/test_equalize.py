import keras
import numpy as np
import pytest
from scipy.stats import rankdata

from skpneumo.datasets import make_xrays
from skpneumo.networks._equalize import HistogramEqualization


@pytest.fixture(scope="module")
def images():
    return make_xrays(5, image_size=(57, 44), random_state=0).images


def equalised(images):
    found = HistogramEqualization()(np.asarray(images, dtype=np.uint8)[..., None])
    return keras.ops.convert_to_numpy(found)[..., 0]


def test_levels_become_ranks(images):
    ranks = np.stack([rankdata(image, method="max").reshape(image.shape) for image in images])
    least = ranks.min(axis=(1, 2), keepdims=True)
    expected = 2 * (ranks - least) / (images[0].size - least) - 1
    np.testing.assert_allclose(equalised(images), expected, atol=1e-6)


def test_the_darkest_is_least_and_the_brightest_most(images):
    found = equalised(images)
    assert found.min(axis=(1, 2)).tolist() == [-1] * 5
    # The compiler of JAX multiplies by a reciprocal.
    np.testing.assert_allclose(found.max(axis=(1, 2)), 1, atol=1e-6)
    assert found.std() == pytest.approx(2 / np.sqrt(12), rel=0.15)


def test_exposure_does_not_count(images):
    few = images // 4
    expected = equalised(few)
    levels = np.arange(64)
    for curve in (levels * 4 + 3, 200 - levels[::-1] * 2, 255 * (levels / 63) ** 0.7):
        curve = np.rint(curve).astype(np.uint8)
        assert (np.diff(curve.astype(int)) > 0).all()
        np.testing.assert_array_equal(equalised(curve[few]), expected)


def test_each_image_counts_alone(images):
    np.testing.assert_array_equal(equalised(images[2:3]), equalised(images)[2:3])


@pytest.mark.parametrize("level", [0, 7, 255])
def test_one_level(level):
    assert set(equalised(np.full((2, 5, 3), level)).ravel()) == {-1}
