import pickle
from collections import Counter

import numpy as np
import pytest
from imblearn.base import is_sampler
from imblearn.pipeline import make_pipeline
from PIL import Image
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skpneumo.images import XRaySequence
from skpneumo.preprocessing import XRayAugmenter, XRayLoader, XRayOverSampler, XRayResizer

Y = np.array(["NORMAL"] * 3 + ["PNEUMONIA"] * 8)
PATHS = [f"nowhere/{i}.jpeg" for i in range(len(Y))]


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(len(Y), 23, 37), dtype=np.uint8)


@pytest.fixture
def paths(images, tmp_path):
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return [str(tmp_path / f"{i}.png") for i in range(len(images))]


@pytest.mark.parametrize("augmentation", ["auto", None, XRayAugmenter(rotation=40)])
def test_originals_come_first_and_repeats_follow(images, augmentation):
    sampler = XRayOverSampler(augmentation=augmentation, random_state=0)
    X, y = sampler.fit_resample(images, Y)
    assert type(X) is np.ndarray
    assert X.dtype == np.uint8
    np.testing.assert_array_equal(X[:11], images)
    np.testing.assert_array_equal(y[:11], Y)
    assert y[11:].tolist() == ["NORMAL"] * 5
    source = sampler.sample_indices_
    assert source[:11].tolist() == list(range(11))
    np.testing.assert_array_equal(y, Y[source])
    same = (X[11:] == images[source[11:]]).all(axis=(1, 2))
    assert same.tolist() == [augmentation is None] * 5
    assert sampler.sampling_strategy_ == {"NORMAL": 5}


def test_sample_indices_name_the_image_of_a_repeat(images):
    """Slight changes: each repeat still resembles its own image and no other."""
    smooth = np.zeros_like(images)
    for i, image in enumerate(smooth):
        image[i * 2 : i * 2 + 3] = 200
    slight = XRayAugmenter(rotation=1, translation=0, zoom=0, crop=0, border=0)
    sampler = XRayOverSampler(augmentation=slight)
    X, _ = sampler.fit_resample(smooth, Y)
    for image, source in zip(X[11:], sampler.sample_indices_[11:], strict=True):
        distances = np.abs(smooth.astype(float) - image).mean(axis=(1, 2))
        assert distances.argmin() == source


@pytest.mark.parametrize("augmentation", ["auto", None])
def test_arrays_and_files_give_the_same(images, paths, augmentation):
    sampler = XRayOverSampler(augmentation=augmentation, random_state=3)
    expected, y = sampler.fit_resample(images, Y)
    for X in (paths, np.array(paths), XRaySequence(paths)):
        sequence, y_lazy = sampler.fit_resample(X, Y)
        assert isinstance(sequence, XRaySequence)
        assert sequence.paths.tolist() == [paths[i] for i in sampler.sample_indices_]
        np.testing.assert_array_equal(np.asarray(sequence), expected)
        np.testing.assert_array_equal(y_lazy, y)


def test_files_are_not_opened():
    X, y = XRayOverSampler(random_state=0).fit_resample(PATHS, Y)
    assert X.shape == y.shape == (16,)
    assert set(X.paths[11:]) == set(PATHS[:3])


def test_repeats_are_spread_evenly_and_all_different(images):
    y = np.array([0] * 2 + [1] * 9)
    sampler = XRayOverSampler(random_state=0)
    X, _ = sampler.fit_resample(images, y)
    assert sorted(Counter(sampler.sample_indices_[11:]).values()) == [3, 4]
    assert len({image.tobytes() for image in X}) == 18


def test_random_state(images):
    def repeats(random_state):
        return XRayOverSampler(random_state=random_state).fit_resample(images, Y)[0][11:]

    np.testing.assert_array_equal(repeats(0), repeats(0))
    assert not np.array_equal(repeats(0), repeats(1))
    assert not np.array_equal(repeats(None), repeats(None))
    state = np.random.RandomState(0)
    assert not np.array_equal(repeats(state), repeats(state))


def test_the_augmenters_own_random_state_is_not_used(images):
    first, second = (
        XRayOverSampler(augmentation=XRayAugmenter(random_state=seed), random_state=0)
        for seed in (1, 2)
    )
    np.testing.assert_array_equal(
        first.fit_resample(images, Y)[0], second.fit_resample(images, Y)[0]
    )


@pytest.mark.parametrize(
    ("strategy", "counts"),
    [
        ("auto", (8, 8)),
        ("minority", (8, 8)),
        (0.75, (6, 8)),
        ({"NORMAL": 4, "PNEUMONIA": 10}, (4, 10)),
        (lambda y: {"NORMAL": 3}, (3, 8)),
    ],
)
def test_sampling_strategies(images, strategy, counts):
    sampler = XRayOverSampler(sampling_strategy=strategy, random_state=0)
    y = sampler.fit_resample(images, Y)[1]
    assert Counter(y.tolist()) == {"NORMAL": counts[0], "PNEUMONIA": counts[1]}


def test_equal_classes_get_no_repeats(images):
    for X in (images[:6], PATHS[:6]):
        X_resampled, y = XRayOverSampler().fit_resample(X, [0, 0, 0, 1, 1, 1])
        assert len(X_resampled) == len(y) == 6


@pytest.mark.parametrize(
    "y",
    [
        Y.tolist(),
        Y.astype(object),
        (Y == "PNEUMONIA").astype(int),
        Y == "PNEUMONIA",
        np.array(["virus"] * 2 + ["NORMAL"] * 3 + ["bacteria"] * 6),
    ],
    ids=["list", "object", "0/1", "bool", "three classes"],
)
def test_targets(images, y):
    y_resampled = XRayOverSampler(random_state=0).fit_resample(images, y)[1]
    assert type(y_resampled) is type(y)
    counts = Counter(np.asarray(y).tolist())
    assert Counter(np.asarray(y_resampled).tolist()) == dict.fromkeys(counts, max(counts.values()))
    if isinstance(y, np.ndarray):
        assert y_resampled.dtype == y.dtype


def test_a_series_of_targets_stays_one(images):
    pd = pytest.importorskip("pandas")
    y = pd.Series(Y, index=range(100, 111), name="finding")
    for X in (images, PATHS, pd.Series(PATHS)):
        y_resampled = XRayOverSampler().fit_resample(X, y)[1]
        assert isinstance(y_resampled, pd.Series)
        assert y_resampled.name == "finding"
        assert len(y_resampled) == 16


def test_the_input_is_not_changed(images):
    before = images.copy()
    images.flags.writeable = False
    X, _ = XRayOverSampler(sampling_strategy=lambda y: {"NORMAL": 3}).fit_resample(images, Y)
    assert not np.shares_memory(X, images)
    np.testing.assert_array_equal(images, before)


def test_a_sequence_keeps_its_steps(images, paths):
    sequence = XRayResizer((12, 15)).fit_transform(paths)
    array = XRayResizer((12, 15)).fit_transform(images)
    X, _ = XRayOverSampler(random_state=0).fit_resample(sequence, Y)
    assert X.size == (12, 15)
    expected, _ = XRayOverSampler(random_state=0).fit_resample(array, Y)
    np.testing.assert_array_equal(np.asarray(X), expected)


class Remember(DummyClassifier):
    """Keeps the images that it was given."""

    def fit(self, X, y):
        self.fitted_on, self.y = X, y
        return super().fit(X, y)

    def predict(self, X):
        self.predicted_on = X
        return super().predict(X)


def test_a_pipeline_samples_while_training_only():
    pipe = make_pipeline(
        XRayLoader(), XRayResizer((9, 8)), XRayOverSampler(random_state=0), Remember()
    )
    pipe.fit(PATHS, Y).predict(PATHS)
    assert repr(pipe[-1].fitted_on) == "XRaySequence(16 images, size=(9, 8))"
    assert len(pipe[-1].y) == 16
    assert repr(pipe[-1].predicted_on) == "XRaySequence(11 images, size=(9, 8))"


def flatten(X):
    return np.asarray(X).reshape(len(X), -1) / 255


def test_cross_validation_of_a_pipeline(images, paths):
    pipe = make_pipeline(
        XRayLoader(),
        XRayResizer((9, 8)),
        XRayOverSampler(random_state=0),
        FunctionTransformer(flatten),
        LogisticRegression(),
    )
    from_files = cross_val_score(pipe, paths, Y, cv=3, error_score="raise")
    np.testing.assert_array_equal(from_files, cross_val_score(pipe, images, Y, cv=3))


def test_fit_checks_and_counts(images):
    sampler = XRayOverSampler()
    assert sampler.fit(images, Y) is sampler
    assert sampler.sampling_strategy_ == {"NORMAL": 5}
    assert sampler.fit(PATHS, Y).sampling_strategy_ == {"NORMAL": 5}


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"augmentation": "strong"}, "'augmentation' parameter of XRayOverSampler must be"),
        ({"augmentation": True}, "'augmentation' parameter of XRayOverSampler must be"),
        ({"random_state": "0"}, "'random_state' parameter of XRayOverSampler must be"),
        ({"sampling_strategy": "majority"}, "sampling_strategy"),
        ({"sampling_strategy": {"NORMAL": 1}}, "greater or equal to the original"),
    ],
)
def test_wrong_parameters(images, method, parameters, message):
    with pytest.raises(ValueError, match=message):
        getattr(XRayOverSampler(**parameters), method)(images, Y)


def test_wrong_parameters_of_the_augmenter(images):
    sampler = XRayOverSampler(augmentation=XRayAugmenter(zoom=-1))
    with pytest.raises(ValueError, match="'zoom' parameter of XRayAugmenter must be"):
        sampler.fit_resample(images, Y)


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (PATHS, Y[:-1], r"inconsistent numbers of samples: \[11, 10\]"),
        (PATHS, np.ones(11), "more than 1 class"),
        ("a.jpeg", Y, "Got one path"),
        (np.zeros((11, 4)), Y, "wrong shape"),
        (np.full((11, 4, 5), np.nan), Y, "NaN"),
    ],
)
def test_wrong_data(method, X, y, message):
    with pytest.raises(ValueError, match=message):
        getattr(XRayOverSampler(), method)(X, y)


def test_a_continuous_target_is_refused():
    with pytest.raises(ValueError, match="Unknown label type"):
        XRayOverSampler().fit_resample(PATHS, np.linspace(0, 1, 11))


def test_tags_declare_images():
    sampler = XRayOverSampler()
    tags = get_tags(sampler)
    assert is_sampler(sampler)
    assert tags.target_tags.required
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.sparse
    assert not tags.input_tags.dataframe
    assert tags.input_tags.three_d_array
    assert tags.input_tags.string
    assert tags.sampler_tags.sample_indices


def test_parameters_clones_and_pickles(images):
    sampler = XRayOverSampler(augmentation=XRayAugmenter(rotation=3), random_state=0)
    sampler.set_params(augmentation__rotation=4)
    expected = sampler.fit_resample(images, Y)[0]
    for copy in (clone(sampler), pickle.loads(pickle.dumps(sampler))):
        assert copy.augmentation.rotation == 4
        np.testing.assert_array_equal(copy.fit_resample(images, Y)[0], expected)
    assert sampler.get_params(deep=False).keys() == sampler._parameter_constraints.keys()


def test_html(estimator_html):
    assert "XRayOverSampler" in estimator_html(XRayOverSampler())


def test_images_are_no_data_frames(images):
    assert not hasattr(XRayOverSampler(), "set_output")
    with config_context(transform_output="pandas"):
        X, _ = XRayOverSampler(random_state=0).fit_resample(images, Y)
    assert type(X) is np.ndarray
