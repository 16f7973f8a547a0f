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
