"""Over a frozen network each image is computed once, and the results are those of the plain way."""

import pickle

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skpneumo import InceptionPneumoniaClassifier, XRayAugmenter, clear_cache
from skpneumo._utils.caching import RESULTS
from skpneumo.classifiers import _feature_cache
from skpneumo.classifiers._data import ImageReader
from skpneumo.classifiers._feature_cache import FeatureReader
from skpneumo.classifiers._network import FittedNetwork
from skpneumo.classifiers._training import compile_network, cosine_decay, train
from skpneumo.datasets import make_xrays
from skpneumo.images import XRaySequence
from skpneumo.networks import build_inception, set_trainable

AUGMENTER = XRayAugmenter(rotation=10)


@pytest.fixture(scope="module")
def data():
    xrays = make_xrays(24, image_size=(75, 77), random_state=0)
    order = np.argsort(xrays.target, kind="stable")
    return xrays.images[order], xrays.target[order]


@pytest.fixture(autouse=True)
def _no_earlier_results():
    """In the place of the fixture of that name for all tests of classifiers."""
    clear_cache()
    RESULTS.clear()


@pytest.fixture
def computed(count_predicted):
    """Count the images that are pushed through the frozen network."""
    return count_predicted(_feature_cache)


def head_only(**options):
    defaults = {"weights": None, "trainable": "head", "epochs": 2, "batch_size": 8}
    return InceptionPneumoniaClassifier(**defaults | {"random_state": 0} | options)


@pytest.fixture(scope="module")
def network():
    model = build_inception((75, 77), weights=None, seed=0)
    set_trainable(model, "head")
    return FittedNetwork(model)


def test_results_are_those_of_the_plain_way(data):
    X, labels = data
    y = (labels == "PNEUMONIA").astype(np.float32)
    clf = head_only().fit(X, labels)
    # The same start, trained on images.
    start, seeds = head_only(), head_only()._draw_seeds()
    plain = start.initialize(X, labels).model_
    set_trainable(plain, "head")
    compile_network(plain, cosine_decay(1e-3, 6))
    train(plain, ImageReader(X), y, epochs=2, batch_size=8, seed=seeds.order)
    for ours, theirs in zip(clf.model_.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    expected = plain.predict(X[..., None], verbose=0)[:, 0]
    np.testing.assert_allclose(clf.predict_proba(X)[:, 1], expected, atol=1e-5)


def test_a_search_computes_each_image_once(data, computed):
    X, y = data
    grid = {"learning_rate": [1e-2, 1e-3], "class_weight": [None, {"PNEUMONIA": 2}]}
    search = GridSearchCV(head_only(), grid, cv=StratifiedKFold(3), scoring="roc_auc")
    search.fit(X, y).predict(X)
    assert sum(computed) == len(X)
    assert search.best_estimator_._fitted_network.backbone is not None


def test_a_later_process_computes_nothing(data, computed):
    X, y = data
    first = head_only().fit(X, y).predict_proba(X)
    RESULTS.clear()  # as another process would have
    again = head_only().fit(X, y).predict_proba(X)
    assert sum(computed) == len(X)
    np.testing.assert_allclose(again, first, atol=1e-6)


def test_copies_and_files_are_the_same_image(data, computed, tmp_path, network):
    X, _ = data
    first = FeatureReader(network, X[[0, 1, 0]], 2)(np.arange(3))
    assert sum(computed) == 2
    np.testing.assert_array_equal(first[0], first[2])
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, image in zip(paths, X, strict=False):
        Image.fromarray(image).save(path)
    files = FeatureReader(network, XRaySequence(paths, size=(75, 77)), 2)(np.arange(2))
    assert sum(computed) == 2
    np.testing.assert_array_equal(files, first[:2])


def test_features_that_do_not_fit_in_memory_are_read_by_batch(data, network, monkeypatch):
    rows = np.array([5, 2, 7])
    expected = FeatureReader(network, data[0], 8)(rows)
    monkeypatch.setattr(_feature_cache, "MAX_DECODED_BYTES", 10)
    np.testing.assert_array_equal(FeatureReader(network, data[0], 8)(rows), expected)


def test_views_are_computed_once_and_taken_in_turn(data, computed, network):
    X = data[0][:4]
    augmentation = AUGMENTER.to_augmentation()
    read = FeatureReader(network, X, 4, augmentation, n_views=2)
    assert sum(computed) == 2 * len(X)
    rows = np.arange(4)
    assert not np.allclose(read(rows, 0), read(rows, 1))
    np.testing.assert_array_equal(read(rows, 0), read(rows, 2))
    shuffled = FeatureReader(network, X[::-1], 4, augmentation, n_views=2)
    np.testing.assert_array_equal(shuffled(rows, 1), read(rows[::-1], 1))
    assert sum(computed) == 2 * len(X)
    digest = [int(key, 16) for key in _feature_cache.hash_each_image(X)]
    changed = np.stack([augmentation(X[i], [digest[i], 1]) for i in rows])
    np.testing.assert_allclose(
        read(rows, 1), network.backbone.predict(changed[..., None]), atol=1e-5
    )


def test_augmentation_in_a_fit_changes_training_alone(data, computed):
    X, y = data
    clf = head_only(augmentation=AUGMENTER, n_views=2, validation=0.3).fit(X, y)
    clf.predict(X)
    n_held_back = round(0.3 * len(X))
    assert sum(computed) == pytest.approx(2 * (len(X) - n_held_back) + len(X), abs=3)
    assert not np.array_equal(
        clf.model_.get_layer("probability").get_weights()[0],
        head_only(validation=0.3).fit(X, y).model_.get_layer("probability").get_weights()[0],
    )


def test_without_a_store_this_process_remembers(data, computed, monkeypatch):
    monkeypatch.setenv("SKPNEUMO_CACHE", "off")
    X, y = data
    for rate in (1e-2, 1e-3):
        head_only(learning_rate=rate).fit(X, y)
    assert sum(computed) == len(X)


def test_a_changed_network_has_another_key(network):
    changed = network.copy()
    before = changed.backbone_key()
    assert before == network.backbone_key()
    weights = changed.model.get_layer("inception_v3").weights[200]
    weights.assign_add(np.full(weights.shape, 1e-3))
    set_trainable(changed.model, "all")
    changed.forget_keys()
    set_trainable(changed.model, "head")
    assert changed.backbone_key() != before
    changed.model.set_weights(network.model.get_weights())
    changed = changed.copy()
    assert changed.backbone_key() == before


def test_the_key_of_a_network_that_was_handed_out_is_never_kept(network):
    network = network.copy()
    before = network.backbone_key()
    network.is_handed_out = True
    weights = network.model.get_layer("inception_v3").weights[200]
    weights.assign_add(np.full(weights.shape, 1e-3))
    assert network.backbone_key() != before


def test_training_more_of_a_shared_network_trains_a_copy(data):
    X, y = data
    one, two = head_only().fit(X, y), head_only(learning_rate=0.01).fit(X, y)
    shared = one._network.get_layer("inception_v3")
    assert shared is two._network.get_layer("inception_v3")
    one._set_trainable("all")  # as partial_fit does after set_params(trainable="all")
    own = one._network.get_layer("inception_v3")
    assert own is not shared
    assert (own.trainable, shared.trainable) == (True, False)
    for mine, theirs in zip(own.get_weights(), shared.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_network_handed_out_shares_no_frozen_part(data):
    X, y = data
    one, two = head_only().fit(X, y), head_only(learning_rate=0.01).fit(X, y)
    before = two.predict_proba(X), one.predict_proba(X)
    kernel = one.model_.get_layer("inception_v3").weights[0]
    kernel.assign(-keras.ops.convert_to_numpy(kernel))
    np.testing.assert_array_equal(two.predict_proba(X), before[0])
    assert not np.array_equal(one.predict_proba(X), before[1])


def test_partial_fit_trains_the_head(data):
    X, y = data
    clf = pickle.loads(pickle.dumps(head_only().fit(X, y)))
    for _ in range(2):
        before = clf.model_.get_layer("probability").get_weights()[0]
        clf.partial_fit(X, y)
        assert not np.array_equal(before, clf.model_.get_layer("probability").get_weights()[0])
    assert len(clf.history_["loss"]) == 4


def test_a_pickle_predicts_the_same_from_the_same_features(data, computed):
    X, y = data
    clf = head_only().fit(X, y)
    expected = clf.predict_proba(X)
    other = pickle.loads(pickle.dumps(clf))
    np.testing.assert_allclose(other.predict_proba(X), expected, atol=1e-6)
    assert sum(computed) == len(X)
