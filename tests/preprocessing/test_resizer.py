import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo.images import XRaySequence, resize_xray
from skpneumo.preprocessing import XRayLoader, XRayResizer


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(6, 23, 37), dtype=np.uint8)


@pytest.fixture
def paths(images, tmp_path):
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return [tmp_path / f"{i}.png" for i in range(len(images))]


@pytest.mark.parametrize("aspect", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(10, 14), (40, 31), [11, 12]])
def test_arrays_and_files_give_the_same(images, paths, size, aspect):
    resizer = XRayResizer(size, aspect=aspect)
    expected = np.stack([resize_xray(image, size, aspect) for image in images])
    resized = resizer.fit_transform(images)
    assert type(resized) is np.ndarray
    assert resized.dtype == np.uint8
    np.testing.assert_array_equal(resized, expected)
    for lazy in (paths, XRaySequence(paths)):
        sequence = resizer.fit_transform(lazy)
        assert isinstance(sequence, XRaySequence)
        assert sequence.size == tuple(size)
        np.testing.assert_array_equal(np.asarray(sequence), expected)


@pytest.fixture
def of_all_sizes(images):
    """The same images, each cut to another size."""
    return [image[: 23 - i, : 37 - 2 * i] for i, image in enumerate(images)]


@pytest.mark.parametrize("aspect", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        Image.fromarray,
        lambda image: image[..., None] / 255,
        lambda image: Image.fromarray(np.dstack([image] * 3)),
    ],
)
def test_lists_of_images_of_different_sizes(of_all_sizes, aspect, convert):
    given = [convert(image) for image in of_all_sizes]
    resizer = XRayResizer((10, 14), aspect=aspect)
    resized = resizer.fit(given).transform(given)
    assert type(resized) is np.ndarray
    expected = np.stack([resize_xray(image, (10, 14), aspect) for image in of_all_sizes])
    np.testing.assert_array_equal(resized, expected)
    np.testing.assert_array_equal(resizer.fit_transform(tuple(given)), expected)
    np.testing.assert_array_equal(make_pipeline(XRayLoader(), resizer).transform(given), expected)


def test_each_of_a_list_is_checked(of_all_sizes):
    of_all_sizes[3] = of_all_sizes[3] / 100
    for transformer in (XRayResizer((10, 14)), XRayLoader()):
        for method in ("fit", "transform", "fit_transform"):
            with pytest.raises(ValueError, match=r"Row 3 of X.*floats outside"):
                getattr(transformer, method)(of_all_sizes)


def test_lists_of_images_can_be_cross_validated(of_all_sizes):
    pipe = make_pipeline(XRayResizer((6, 5)), FunctionTransformer(flatten), LogisticRegression())
    y = np.array([0, 0, 1, 1, 1, 1])
    for X in (of_all_sizes, [Image.fromarray(image) for image in of_all_sizes]):
        search = GridSearchCV(pipe, {"xrayresizer__size": [(6, 5), (9, 8)]}, cv=2).fit(X, y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert search.predict(X).shape == (6,)


def test_floats_are_resized_as_uint8(images):
    resizer = XRayResizer((10, 14))
    np.testing.assert_array_equal(
        resizer.fit_transform(images / 255), resizer.fit_transform(images)
    )


def test_the_right_size_is_left(images):
    assert XRayResizer((23, 37)).fit_transform(images) is images


def test_files_are_not_opened():
    sequence = XRayResizer((128, 112)).fit_transform(["nowhere.jpeg"])
    assert repr(sequence) == "XRaySequence(1 images, size=(128, 112))"


def test_size_is_positional_and_aspect_is_not():
    assert XRayResizer().size == (224, 224)
    assert XRayResizer((128, 96)).size == (128, 96)
    with pytest.raises(TypeError, match="positional"):
        XRayResizer((128, 96), "pad")


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": 128}, r"two positive integers, \(rows, columns\); got 128"),
        ({"size": (0, 5)}, r"two positive integers, \(rows, columns\); got \(0, 5\)"),
        ({"size": "big"}, "two positive integers"),
        ({"aspect": "zoom"}, "aspect.*zoom"),
        ({"aspect": None}, "aspect.*None"),
    ],
)
def test_wrong_parameters_are_noticed_when_used(images, method, lazy, parameters, message):
    resizer = XRayResizer(**parameters)
    with pytest.raises(ValueError, match=message):
        getattr(resizer, method)(["nowhere.png"] if lazy else images)


def flatten(X):
    return np.asarray(X).reshape(len(X), -1) / 255


def test_its_parameters_can_be_searched(paths):
    y = np.array([0, 0, 1, 1, 1, 1])
    pipe = make_pipeline(
        XRayLoader(), XRayResizer(), FunctionTransformer(flatten), LogisticRegression()
    )
    grid = {"xrayresizer__size": [(6, 5), (9, 8)], "xrayresizer__aspect": ["stretch", "crop"]}
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(paths, y)
    assert len(search.cv_results_["params"]) == 4
    n_pixels = np.prod(search.best_params_["xrayresizer__size"])
    assert search.best_estimator_[-1].n_features_in_ == n_pixels
