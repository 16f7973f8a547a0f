"""What a fit learns, and that chance has no part in it when it should not."""

import copy
import pickle
import random

import joblib
import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state

from skpneumo import XRayAugmenter, XRayLoader, XRayResizer
from skpneumo._utils.caching import RESULTS
from skpneumo.images import Augmentation, XRaySequence, _sequence, resize_xrays


def weights_of(classifier):
    return classifier.model_.get_weights()


def same_weights(*classifiers):
    first, *others = map(weights_of, classifiers)
    return all(
        all(np.array_equal(a, b) for a, b in zip(first, other, strict=True)) for other in others
    )


def test_a_fit_distinguishes_opacities_from_clear_lungs(xrays, tiny):
    clf = tiny(filters=(8, 16, 32), epochs=30, augmentation=None, learning_rate=3e-3)
    clf.fit(xrays.X, xrays.y)
    assert clf.score(xrays.X, xrays.y) > 0.9
    assert clf.history_["loss"][-1] < clf.history_["loss"][0]
    assert len(clf.history_["loss"]) == 30
    assert clf.image_size_ == (37, 41)
    assert clf.classes_.tolist() == ["NORMAL", "PNEUMONIA"]


@pytest.mark.parametrize(
    ("shape", "seen"), [((96, 50), (96, 50)), ((97, 96), (96, 95)), ((30, 240), (12, 96))]
)
def test_large_images_are_scaled_down_where_no_size_is_given(tiny, shape, seen):
    images = np.random.default_rng(0).integers(0, 256, (8, *shape), dtype=np.uint8)
    clf = tiny(epochs=1).fit(images, [0, 1] * 4)
    assert clf.image_size_ == seen
    given = tiny(epochs=1, image_size=seen).fit(resize_xrays(images, seen), [0, 1] * 4)
    np.testing.assert_array_equal(clf.predict_proba(images), given.predict_proba(images))
    assert tiny(epochs=1, image_size=shape).fit(images, [0, 1] * 4).image_size_ == shape


def test_large_files_are_scaled_down_too(tiny, tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(8)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (40, 192), dtype=np.uint8)).save(path)
    clf = tiny(epochs=1).fit(paths, [0, 1] * 4)
    assert clf.image_size_ == (20, 96)
    Image.fromarray(np.zeros((40, 190), np.uint8)).save(paths[3])
    with pytest.raises(ValueError, match="different sizes"):
        tiny(epochs=1).fit(paths, [0, 1] * 4)


def test_two_fits_with_one_seed_are_identical(xrays, tiny):
    options = {"augmentation": XRayAugmenter(), "validation": 0.2, "epochs": 2}
    first = tiny(**options).fit(xrays.X, xrays.y)
    RESULTS.clear()
    second = tiny(**options).fit(xrays.X, xrays.y)
    assert first.model_ is not second.model_
    assert same_weights(first, second)
    assert first.history_ == second.history_
    assert not same_weights(first, tiny(random_state=1, **options).fit(xrays.X, xrays.y))


def test_a_random_state_instance_decides_too(xrays, tiny):
    one, two = (tiny(random_state=np.random.RandomState(5)).fit(xrays.X, xrays.y) for _ in range(2))
    assert same_weights(one, two)


def test_without_a_seed_two_fits_differ(xrays, tiny):
    one, two = (tiny(random_state=None).fit(xrays.X, xrays.y) for _ in range(2))
    assert not same_weights(one, two)


def test_the_global_generators_are_left_alone(xrays, tiny):
    rng = check_random_state(None)
    before = rng.get_state(), random.getstate()
    tiny(augmentation=XRayAugmenter(), validation=0.3).fit(xrays.X, xrays.y)
    assert repr((rng.get_state(), random.getstate())) == repr(before)


def test_every_form_of_the_same_images_gives_the_same_network(
    xrays, paths, tiny, fitted, trained_epochs
):
    X, y = xrays.X, xrays.y
    arrays = [
        X,
        X[..., None],
        np.repeat(X[..., None], 3, axis=-1),
        X / 255,
        (X / 255).astype(np.float32),
    ]
    files = [paths, paths.tolist(), XRaySequence(paths)]
    probability = fitted.predict_proba(X)
    for forms in (arrays, files):
        del trained_epochs[:]
        networks = [tiny().fit(form, y) for form in forms]
        # What is the same once it is converted is trained on once.
        assert sum(trained_epochs) == pytest.approx(1)
        assert same_weights(fitted, *networks)
        for clf, form in zip(networks, forms, strict=True):
            RESULTS.clear()
            np.testing.assert_array_equal(clf.predict_proba(form), probability)


def test_images_are_brought_to_image_size(xrays, paths, tiny):
    resized = XRayResizer((33, 36)).transform(xrays.X)
    expected = tiny().fit(resized, xrays.y)
    for X in (xrays.X, paths):
        RESULTS.clear()
        inside = tiny(image_size=(33, 36)).fit(X, xrays.y)
        outside = make_pipeline(XRayLoader(), XRayResizer((33, 36)), tiny()).fit(X, xrays.y)[-1]
        assert same_weights(expected, inside, outside)
        assert inside.image_size_ == outside.image_size_ == (33, 36)


def test_new_images_of_another_size_are_resized(xrays, fitted):
    larger = XRayResizer((74, 82)).transform(xrays.X)
    expected = fitted.predict_proba(XRayResizer((37, 41)).transform(larger))
    np.testing.assert_array_equal(fitted.predict_proba(larger), expected)


@pytest.mark.filterwarnings("ignore:Of the sorted labels .'a', 'b'.")
@pytest.mark.parametrize(
    "labels", [(0, 1), (False, True), (-1, 1), ("a", "b"), (np.str_("no"), np.str_("yes"))]
)
def test_labels_may_be_anything_that_sorts(xrays, tiny, fitted, labels):
    y = np.array(labels)[(xrays.y == "PNEUMONIA").astype(int)]
    clf = tiny().fit(xrays.X, y)
    assert clf.classes_.tolist() == list(labels)
    assert clf.predict(xrays.X).dtype == y.dtype
    assert same_weights(fitted, clf)
    if y.dtype.kind == "U":
        of_objects = tiny().fit(xrays.X, y.astype(object)).predict(xrays.X)
        assert of_objects.dtype == object
        assert of_objects.tolist() == clf.predict(xrays.X).tolist()


def test_a_class_weight_is_a_weight_of_its_images(xrays, tiny, fitted):
    positive = xrays.y == "PNEUMONIA"
    by_class = tiny(class_weight={"PNEUMONIA": 3}).fit(xrays.X, xrays.y)
    given = np.where(positive, 3.0, 1.0)
    by_image = tiny().fit(xrays.X, xrays.y, sample_weight=given)
    assert given.tolist() == np.where(positive, 3.0, 1.0).tolist()  # not multiplied in place
    assert same_weights(by_class, by_image)
    both = tiny(class_weight={"NORMAL": 2}).fit(xrays.X, xrays.y, sample_weight=given)
    product = tiny().fit(xrays.X, xrays.y, sample_weight=np.where(positive, 3.0, 2.0))
    assert same_weights(both, product)
    assert not same_weights(by_class, fitted)


def test_balanced_weighs_by_inverse_frequency(xrays, tiny):
    n, positive = len(xrays.y), xrays.y == "PNEUMONIA"
    weights = np.where(positive, n / (2 * positive.sum()), n / (2 * (~positive).sum()))
    balanced = tiny(class_weight="balanced").fit(xrays.X, xrays.y)
    assert same_weights(balanced, tiny().fit(xrays.X, xrays.y, sample_weight=weights))


def test_images_without_weight_take_no_part(xrays, tiny, fitted):
    n = len(xrays.y)
    noise = np.random.default_rng(0).integers(0, 256, (7, 37, 41), dtype=np.uint8)
    X = np.concatenate([xrays.X, noise])
    y = np.concatenate([xrays.y, ["PNEUMONIA"] * 7])
    weights = np.r_[np.ones(n), np.zeros(7)]
    assert same_weights(fitted, tiny().fit(X, y, sample_weight=weights))


def test_the_threshold_decides_with_greater_or_equal(xrays, fitted):
    clf = copy.copy(fitted)
    pneumonia = clf.predict_proba(xrays.X)[:, 1]
    for threshold in (0.0, float(pneumonia[3]), 0.5, 1.0):
        called = clf.set_params(threshold=threshold).predict(xrays.X) == "PNEUMONIA"
        np.testing.assert_array_equal(called, pneumonia >= threshold)


def test_probabilities_are_float32_and_add_up_to_one(xrays, tiny):
    for precision in ("float32", "bfloat16"):
        clf = tiny(precision=precision).fit(xrays.X, xrays.y)
        probability = clf.predict_proba(xrays.X)
        assert probability.shape == (50, 2)
        assert probability.dtype == np.float32
        np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-6)
        assert {layer.compute_dtype for layer in clf.model_.layers} >= {precision}


def test_one_image_is_judged_as_among_others(xrays, fitted):
    together = fitted.predict_proba(xrays.X[:5])
    alone = np.concatenate([fitted.predict_proba(xrays.X[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_the_last_epochs_see_the_images_as_they_are(xrays, tiny, monkeypatch):
    changed, change = [], Augmentation.__call__

    def counting(self, image, seed):
        changed.append(seed)
        return change(self, image, seed)

    monkeypatch.setattr(Augmentation, "__call__", counting)
    clf = tiny(epochs=16).fit(xrays.X[5:], xrays.y[5:])
    # Batches of 16: the third is filled up.
    assert {epoch for _, epoch, _ in changed} == set(range(14))
    assert len(changed) == 14 * 48
    changed.clear()
    clf.partial_fit(xrays.X[5:], xrays.y[5:])
    assert {epoch for _, epoch, _ in changed} == {16}


def test_augmentation_changes_training_and_not_prediction(xrays, paths, tiny):
    plain = tiny(epochs=2, augmentation=None).fit(xrays.X, xrays.y)
    augmented = tiny(epochs=2, augmentation=XRayAugmenter(rotation=20)).fit(xrays.X, xrays.y)
    assert not same_weights(plain, augmented)
    parameters = XRayAugmenter().get_params()
    nothing = XRayAugmenter(**{**dict.fromkeys(parameters, 0), "horizontal_flip": False})
    unchanged = tiny(epochs=2, augmentation=nothing).fit(xrays.X, xrays.y)
    assert same_weights(plain, unchanged)
    RESULTS.clear()
    one = augmented.predict_proba(xrays.X)
    RESULTS.clear()
    np.testing.assert_array_equal(augmented.predict_proba(xrays.X), one)
    lazily = tiny(epochs=2, augmentation=XRayAugmenter(rotation=20)).fit(paths, xrays.y)
    assert same_weights(augmented, lazily)


def test_early_stopping_keeps_the_best_epoch(xrays, tiny):
    held_back = np.full(50, -1)
    held_back[::4] = 0
    splitter = PredefinedSplit(held_back)
    clf = tiny(validation=splitter, epochs=40, patience=2, learning_rate=0.3)
    clf.fit(xrays.X, xrays.y)
    losses = clf.history_["val_loss"]
    assert len(losses) < 40
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    rows = np.flatnonzero(held_back == 0)
    probability = clf.predict_proba(xrays.X[rows]).astype(float)
    right = np.where(xrays.y[rows] == "PNEUMONIA", probability[:, 1], probability[:, 0])
    assert -np.log(right.clip(1e-7)).mean() == pytest.approx(min(losses), rel=1e-3)


def test_files_are_decoded_once_for_all_epochs(xrays, paths, tiny, monkeypatch):
    read, decoded = _sequence.read_files, []

    def counting(files, resizing):
        decoded.extend(files)
        return read(files, resizing)

    monkeypatch.setattr(_sequence, "read_files", counting)
    tiny(image_size=(37, 41), validation=0.3, epochs=3).fit(paths, xrays.y)
    assert sorted(decoded) == sorted(paths)


def test_groups_are_kept_on_one_side(xrays, tiny):
    without = tiny(validation=0.2).fit(xrays.X, xrays.y)
    whole = tiny(validation=0.2).fit(xrays.X, xrays.y, groups=xrays.groups)
    assert not same_weights(without, whole)


def test_warm_start_reuses_the_solution_of_the_previous_fit(xrays, tiny):
    clf, equal = (tiny(warm_start=True).fit(xrays.X, xrays.y) for _ in range(2))
    before = weights_of(clf)
    clf.fit(xrays.X, xrays.y)
    assert not all(np.array_equal(a, b) for a, b in zip(before, weights_of(clf), strict=True))
    np.testing.assert_array_equal(before[0], weights_of(equal)[0])


def test_partial_fit_is_one_more_epoch(xrays, tiny):
    clf = tiny()
    for n in (1, 2, 3):
        clf.partial_fit(xrays.X, xrays.y)
        assert len(clf.history_["loss"]) == n
    again = tiny()
    for _ in range(3):
        again.partial_fit(xrays.X, xrays.y)
    assert same_weights(clf, again)


def test_partial_fit_takes_the_rate_it_is_given(xrays, tiny):
    clf = tiny(learning_rate=0.01)
    for rate in (0.01, 1e-6):
        clf.set_params(learning_rate=rate).partial_fit(xrays.X, xrays.y)
        assert float(clf.model_.optimizer.learning_rate) == pytest.approx(rate)


def test_partial_fit_after_a_fit_that_failed(xrays, tiny, monkeypatch):
    clf = tiny(warm_start=True).partial_fit(xrays.X, xrays.y)
    with monkeypatch.context() as patch:
        patch.setattr("skpneumo.classifiers._base.train", lambda *args, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clf.fit(xrays.X, xrays.y)
    clf.partial_fit(xrays.X, xrays.y)
    assert isinstance(float(clf.model_.optimizer.learning_rate), float)
    assert float(clf.model_.optimizer.learning_rate) == pytest.approx(clf.learning_rate)
    before = clf.model_.get_weights()[0]
    clf.partial_fit(xrays.X, xrays.y)
    assert not np.array_equal(before, clf.model_.get_weights()[0])


def test_partial_fit_takes_the_classes_where_a_part_has_one(xrays, tiny):
    positive = xrays.y == "PNEUMONIA"
    clf = tiny().partial_fit(xrays.X[positive], xrays.y[positive], classes=["NORMAL", "PNEUMONIA"])
    clf.partial_fit(xrays.X[~positive], xrays.y[~positive])
    assert clf.classes_.tolist() == ["NORMAL", "PNEUMONIA"]
    assert clf.predict_proba(xrays.X).shape == (50, 2)


@pytest.mark.parametrize("copy_of", [pickle.dumps, "joblib", copy.deepcopy])
def test_copies_predict_the_same(xrays, fitted, tmp_path, copy_of):
    expected = fitted.predict_proba(xrays.X)
    if copy_of == "joblib":
        joblib.dump(fitted, tmp_path / "clf.joblib")
        twin = joblib.load(tmp_path / "clf.joblib")
    else:
        twin = copy_of(fitted)
        twin = pickle.loads(twin) if isinstance(twin, bytes) else twin
    RESULTS.clear()
    np.testing.assert_array_equal(twin.predict_proba(xrays.X), expected)
    assert twin.get_params() == fitted.get_params()
    twin.partial_fit(xrays.X, xrays.y)
    np.testing.assert_array_equal(fitted.predict_proba(xrays.X), expected)
    assert not hasattr(clone(fitted), "model_")


def test_a_pickle_holds_weights_and_no_images(xrays, tiny):
    X, y = xrays.X.repeat(2, axis=0), xrays.y.repeat(2)
    clf = tiny().fit(X, y)
    clf.predict_proba(X)
    assert len(pickle.dumps(clf)) < 100_000 < X.nbytes


def test_progress_is_shown_or_not(xrays, tiny, capfd):
    tiny(verbose=0, epochs=2).fit(xrays.X, xrays.y)
    silent = capfd.readouterr()
    assert (silent.out, silent.err) == ("", "")
    RESULTS.clear()
    tiny(verbose=1, epochs=2).fit(xrays.X, xrays.y)
    assert "Epoch 2/2: loss" in capfd.readouterr().err
    RESULTS.clear()
    tiny(verbose=2, epochs=2).fit(xrays.X, xrays.y)
    assert capfd.readouterr().out.count("loss") == 2


def test_the_backend_of_keras_is_left_as_it_was(xrays, tiny):
    policy = keras.config.dtype_policy()
    tiny(precision="bfloat16").fit(xrays.X, xrays.y)
    assert keras.config.dtype_policy() == policy


def test_logarithms_of_probabilities(xrays, tiny):
    clf = tiny().fit(xrays.X, xrays.y)
    clf.model_.get_layer("probability").bias.assign([-200.0])
    found = clf.predict_log_proba(xrays.X)
    np.testing.assert_array_equal(found[:, 1], -np.inf)
    np.testing.assert_array_equal(np.exp(found), clf.predict_proba(xrays.X))
