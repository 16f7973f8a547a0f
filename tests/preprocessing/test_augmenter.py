import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo.images import DEFAULT_AUGMENTATION, Augmentation, XRaySequence
from skpneumo.preprocessing import XRayAugmenter, XRayLoader, XRayResizer

NONE = dict.fromkeys(XRayAugmenter().get_params().keys() - {"horizontal_flip", "random_state"}, 0)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(6, 23, 37), dtype=np.uint8)


@pytest.fixture
def paths(images, tmp_path):
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return [tmp_path / f"{i}.png" for i in range(len(images))]


def n_changed(images, originals):
    return int((np.asarray(images) != originals).any(axis=(1, 2)).sum())


def test_training_images_are_changed_and_new_ones_are_not(images, paths):
    augmenter = XRayAugmenter(random_state=0)
    for X in (images, paths, XRaySequence(paths)):
        assert n_changed(augmenter.fit_transform(X), images) == 6
        assert n_changed(augmenter.transform(X), images) == 0
        assert n_changed(augmenter.fit(X).transform(X), images) == 0


@pytest.mark.parametrize("random_state", [0, 17, "instance"])
def test_arrays_and_files_give_the_same(images, paths, random_state):
    def augmented(X):
        state = np.random.RandomState(5) if random_state == "instance" else random_state
        return XRayAugmenter(random_state=state).fit_transform(X)

    changed = augmented(images)
    assert type(changed) is np.ndarray
    assert changed.dtype == np.uint8
    for X in (paths, XRaySequence(paths)):
        sequence = augmented(X)
        assert isinstance(sequence, XRaySequence)
        np.testing.assert_array_equal(np.asarray(sequence), changed)
    np.testing.assert_array_equal(augmented(images / 255), changed)


def test_the_order_of_steps_does_not_part_arrays_from_files(images, paths):
    for steps in (
        [XRayResizer((15, 12)), XRayAugmenter(random_state=0)],
        [XRayAugmenter(random_state=0), XRayResizer((15, 12))],
    ):
        pipe = make_pipeline(XRayLoader(), *steps)
        np.testing.assert_array_equal(
            np.asarray(pipe.fit_transform(paths)), pipe.fit_transform(images)
        )


def test_random_state(images):
    fixed, other = XRayAugmenter(random_state=0), XRayAugmenter(random_state=1)
    first = fixed.fit_transform(images)
    np.testing.assert_array_equal(fixed.fit_transform(images), first)
    assert n_changed(other.fit_transform(images), first) == 6
    free = XRayAugmenter()
    assert n_changed(free.fit_transform(images), free.fit_transform(images)) == 6
    running = XRayAugmenter(random_state=np.random.RandomState(0))
    assert n_changed(running.fit_transform(images), running.fit_transform(images)) == 6


def test_equal_images_are_changed_in_different_ways():
    images = np.random.default_rng(0).integers(0, 256, size=(1, 23, 37), dtype=np.uint8)
    changed = XRayAugmenter(random_state=0).fit_transform(images.repeat(10, axis=0))
    assert len({image.tobytes() for image in changed}) == 10


def test_files_are_not_opened():
    sequence = XRayAugmenter().fit_transform(["nowhere/0.jpeg", "nowhere/1.jpeg"])
    assert repr(sequence) == "XRaySequence(2 images, size=None)"


def test_the_defaults_are_moderate():
    augmentation = XRayAugmenter().to_augmentation()
    assert augmentation == DEFAULT_AUGMENTATION
    assert 0 < augmentation.rotation <= 10
    assert 0 < augmentation.translation <= 0.1
    assert not augmentation.horizontal_flip
    assert not augmentation.erasing


def test_all_ranges_at_zero_change_nothing(images):
    assert n_changed(XRayAugmenter(**NONE).fit_transform(images), images) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotation", 20),
        ("translation", 0.2),
        ("zoom", 0.3),
        ("crop", 0.5),
        ("border", 0.9),
        ("brightness", 0.2),
        ("contrast", 0.5),
        ("noise", 0.1),
        ("erasing", 1.0),
        ("horizontal_flip", True),
    ],
)
def test_each_parameter_reaches_the_images(images, name, value):
    augmenter = XRayAugmenter(**{**NONE, name: value}, random_state=0)
    augmentation = augmenter.to_augmentation()
    assert getattr(augmentation, name) == value
    assert augmentation == Augmentation(**{name: value})
    assert n_changed(augmenter.fit_transform(images), images) >= 1


def test_equal_parameters_make_equal_keys():
    one = XRayAugmenter(rotation=5, zoom=np.float64(0.25), horizontal_flip=np.bool_(True))
    other = XRayAugmenter(rotation=np.int64(5), zoom=0.25, horizontal_flip=True)
    assert one.to_augmentation() == other.to_augmentation()
    assert repr(one.to_augmentation()) == repr(other.to_augmentation())


@pytest.mark.parametrize(
    "call",
    [
        lambda augmenter, X: augmenter.fit(X),
        lambda augmenter, X: augmenter.fit_transform(X),
        lambda augmenter, X: augmenter.to_augmentation(),
    ],
    ids=["fit", "fit_transform", "to_augmentation"],
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotation", -1),
        ("rotation", 181),
        ("rotation", "5"),
        ("rotation", None),
        ("translation", 5),
        ("zoom", np.inf),
        ("brightness", np.nan),
        ("contrast", 1.5),
        ("noise", 2),
        ("erasing", -0.1),
        ("horizontal_flip", 2),
        ("random_state", "0"),
    ],
)
def test_wrong_parameters(images, call, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of XRayAugmenter must be"):
        call(XRayAugmenter(**{name: value}), images)


def test_parameters_go_by_name():
    with pytest.raises(TypeError, match="positional"):
        XRayAugmenter(7)


class Remember(DummyClassifier):
    """Keeps the images that it was given."""

    def fit(self, X, y):
        self.fitted_on = X
        return super().fit(X, y)

    def predict(self, X):
        self.predicted_on = X
        return super().predict(X)


def test_a_pipeline_predicts_on_unchanged_images(images):
    pipe = make_pipeline(XRayAugmenter(random_state=0), FunctionTransformer(np.copy), Remember())
    pipe.fit(images, [0, 0, 1, 1, 1, 1]).predict(images)
    assert n_changed(pipe[-1].fitted_on, images) == 6
    assert n_changed(pipe[-1].predicted_on, images) == 0
