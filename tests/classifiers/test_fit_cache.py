"""Fits that differ only in threshold train and predict once; nothing else is mixed up."""

import os
import shutil
import sys
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pytest
from joblib import parallel_backend
from sklearn import config_context
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    StratifiedShuffleSplit,
    cross_val_score,
)

from skpneumo import XRayAugmenter, clear_cache
from skpneumo._utils.caching import NETWORKS, RESULTS
from skpneumo._utils.lru_cache import LRUCache, get_n_bytes
from skpneumo.classifiers import _prediction
from skpneumo.classifiers._fit_cache import _BYTES_PER_NETWORK
from skpneumo.metrics import SCORERS, roc_auc_scorer
from skpneumo.networks import build_cnn


@pytest.fixture
def n_predicted(count_predicted):
    """Count the images that networks predict, call by call."""
    return count_predicted(_prediction)


def test_thresholds_train_once_and_predict_once(xrays, tiny, trained_epochs, n_predicted):
    grid = {"threshold": np.linspace(0.05, 0.95, 19), "class_weight": [None, {"PNEUMONIA": 2}]}
    cv = StratifiedGroupKFold(2)
    search = GridSearchCV(tiny(), grid, scoring=SCORERS, refit=False, cv=cv)
    search.fit(xrays.X, xrays.y, groups=xrays.groups)
    assert sum(trained_epochs) == pytest.approx(2 * 2)
    assert len(n_predicted) == 2 * 2


def test_parameters_that_affect_training_train_again(xrays, tiny, trained_epochs, training_begins):
    def make(**params):
        return tiny(**{"precision": "float32"} | params)

    changes = [
        {"learning_rate": 0.01},
        {"epochs": 2},
        {"batch_size": 8},
        {"dropout": 0.1},
        {"filters": (4, 4)},
        {"random_state": 1},
        {"augmentation": XRayAugmenter()},
        {"image_size": (33, 36)},
        {"validation": 0.3},
        {"precision": "bfloat16"},
        {"class_weight": {"PNEUMONIA": 2}},
    ]
    make().fit(xrays.X, xrays.y)
    for change in changes:
        with training_begins(change):
            make(**change).fit(xrays.X, xrays.y)
    make().fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(1)


def test_patients_count_only_with_validation_data(xrays, tiny, trained_epochs):
    for groups in (None, xrays.groups, xrays.groups[::-1]):
        tiny().fit(xrays.X, xrays.y, groups=groups)
    assert sum(trained_epochs) == pytest.approx(1)


def test_other_data_trains_again(xrays, tiny, training_begins):
    X, y = xrays.X, xrays.y
    changed, swapped = X.copy(), y.copy()
    changed[7, 3, 5] ^= 1
    swapped[[0, -1]] = swapped[[-1, 0]]
    weights = np.linspace(1, 2, len(y))
    others = {
        "a pixel": (changed, y, None),
        "the order": (X[::-1], y[::-1], None),
        "labels": (X, swapped, None),
        "weights": (X, y, weights),
    }
    tiny().fit(X, y)
    for what, (images, labels, sample_weight) in others.items():
        with training_begins(what):
            tiny().fit(images, labels, sample_weight=sample_weight)
    tiny(validation=0.3).fit(X, y)
    with training_begins("groups"):
        tiny(validation=0.3).fit(X, y, groups=xrays.groups)


def test_equal_fits_in_other_words_are_reused(xrays, paths, tiny, trained_epochs):
    tiny(class_weight={"PNEUMONIA": 3}).fit(xrays.X, xrays.y)
    weight = np.where(xrays.y == "PNEUMONIA", 3, 1)
    tiny(threshold=0.9, verbose=0).fit(xrays.X, xrays.y, sample_weight=weight)
    tiny(class_weight={"NORMAL": 1, "PNEUMONIA": 3}).fit(xrays.X.copy(), list(xrays.y))
    assert sum(trained_epochs) == pytest.approx(1)


def test_a_changed_file_is_another_image(xrays, paths, tiny, trained_epochs, tmp_path):
    copies = [Path(shutil.copy(path, tmp_path)) for path in paths]
    clf = tiny().fit(copies, xrays.y)
    before = clf.predict_proba(copies)
    copies[0].write_bytes(copies[-1].read_bytes())
    os.utime(copies[0], ns=(1, 1))
    after = clf.predict_proba(copies)
    np.testing.assert_array_equal(after[0], before[-1])
    tiny().fit(copies, xrays.y)
    assert sum(trained_epochs) == pytest.approx(2)


def test_nothing_is_reused_without_an_integer_seed(xrays, tiny, training_begins):
    for random_state in (None, np.random.RandomState(0)):
        tiny(random_state=random_state).fit(xrays.X, xrays.y)
        with training_begins(random_state):
            tiny(random_state=random_state).fit(xrays.X, xrays.y)


@pytest.mark.parametrize("seed", [None, 0])
def test_a_splitter_without_a_seed_is_drawn_again(xrays, tiny, trained_epochs, seed):
    for _ in range(2):
        validation = StratifiedShuffleSplit(1, test_size=0.3, random_state=seed)
        tiny(validation=validation).fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(2 if seed is None else 1)


def test_a_class_defined_again_is_another(xrays, tiny, training_begins):
    def define(dropout):
        class Mine(type(tiny())):
            def _build_network(self, image_size, seed, *, dropout=dropout, **options):
                return build_cnn(image_size, filters=(2, 4), dropout=dropout, seed=seed)

        return Mine(epochs=1, random_state=0)

    define(dropout=0.1).fit(xrays.X, xrays.y)
    with training_begins("a class of the same name"):
        define(dropout=0.2).fit(xrays.X, xrays.y)


def test_a_network_of_another_type_predicts_itself(xrays, tiny):
    one, other = (
        tiny(precision=precision).fit(xrays.X, xrays.y) for precision in ("float32", "bfloat16")
    )
    other._network.set_weights(one._network.get_weights())
    other._fitted_network.forget_keys()
    expected = other._network.predict_on_batch(xrays.X[..., None])[:, 0]
    one.predict_proba(xrays.X)
    np.testing.assert_allclose(other.predict_proba(xrays.X)[:, 1], expected, atol=1e-2)
    assert not np.array_equal(other.predict_proba(xrays.X), one.predict_proba(xrays.X))


def test_fits_in_threads_are_those_of_one_thread(xrays, tiny):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with parallel_backend("threading"):
        found = cross_val_score(tiny(), xrays.X, xrays.y, cv=3, n_jobs=2, scoring="roc_auc")
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    RESULTS.clear()
    expected = cross_val_score(tiny(), xrays.X, xrays.y, cv=3, scoring="roc_auc")
    np.testing.assert_array_equal(found, expected)


def test_reuse_gives_what_training_gives(xrays, tiny):
    reused = [
        tiny(threshold=threshold).fit(xrays.X, xrays.y).predict(xrays.X) for threshold in (0.4, 0.6)
    ]
    RESULTS.clear()
    trained = tiny(threshold=0.6).fit(xrays.X, xrays.y)
    np.testing.assert_array_equal(trained.predict(xrays.X), reused[1])
    trained.set_params(threshold=0.4)
    np.testing.assert_array_equal(trained.predict(xrays.X), reused[0])


def test_a_network_changed_by_hand_predicts_again_and_is_not_reused(xrays, tiny, trained_epochs):
    clf = tiny().fit(xrays.X, xrays.y)
    before = clf.predict_proba(xrays.X)
    clf.model_.set_weights([2 * weights for weights in clf.model_.get_weights()])
    doubled = clf.predict_proba(xrays.X)
    again = tiny().fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(1)
    assert not np.array_equal(before, doubled)
    np.testing.assert_array_equal(again.predict_proba(xrays.X), before)


def test_more_networks_than_are_kept_are_made_again_from_their_weights(
    xrays, tiny, trained_epochs, monkeypatch
):
    monkeypatch.setattr(NETWORKS, "max_bytes", 2.5 * _BYTES_PER_NETWORK)
    fitted = [tiny(random_state=seed).fit(xrays.X, xrays.y) for seed in range(3)]
    expected = [clf.predict_proba(xrays.X) for clf in fitted]
    again = [tiny(random_state=seed, threshold=0.3).fit(xrays.X, xrays.y) for seed in range(3)]
    assert sum(trained_epochs) == pytest.approx(3)
    assert again[0].model_ is not fitted[0].model_
    RESULTS.clear()
    for clf, proba in zip(again, expected, strict=True):
        np.testing.assert_array_equal(clf.predict_proba(xrays.X), proba)


@pytest.mark.parametrize("cache", ["kept", "cleared", "off"])
def test_weights_of_other_networks_are_on_disk_or_in_memory_where_there_is_no_disk(
    xrays, tiny, trained_epochs, monkeypatch, tmp_path, cache
):
    monkeypatch.setenv("SKPNEUMO_CACHE", "off" if cache == "off" else str(tmp_path))
    expected = tiny().fit(xrays.X, xrays.y).predict_proba(xrays.X)
    NETWORKS.clear()
    ((_, weights, _),) = [kept[0] for key, kept in RESULTS._values.items() if key[0] == "network"]
    assert isinstance(weights, list) == (cache == "off")
    if cache == "cleared":
        clear_cache()
    again = tiny(threshold=0.3).fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(2 if cache == "cleared" else 1)
    np.testing.assert_array_equal(again.predict_proba(xrays.X), expected)


def test_results_handed_out_may_be_changed(xrays, tiny):
    clf = tiny().fit(xrays.X, xrays.y)
    first = clf.predict_proba(xrays.X)
    expected = first.copy()
    first[:] = -1
    clf.history_["loss"].append("mine")
    np.testing.assert_array_equal(clf.predict_proba(xrays.X), expected)
    assert len(tiny(threshold=0.1).fit(xrays.X, xrays.y).history_["loss"]) == 1


def test_training_on_leaves_equal_fits_alone(xrays, tiny):
    one, two = tiny().fit(xrays.X, xrays.y), tiny(threshold=0.2).fit(xrays.X, xrays.y)
    before = two.predict_proba(xrays.X)
    one.partial_fit(xrays.X, xrays.y)
    RESULTS.clear()
    np.testing.assert_array_equal(two.predict_proba(xrays.X), before)


def test_changing_a_network_changes_no_equal_fit(xrays, tiny):
    one, two = tiny().fit(xrays.X, xrays.y), tiny(threshold=0.3).fit(xrays.X, xrays.y)
    before = two.predict_proba(xrays.X)
    one.model_.set_weights([2 * weights for weights in one.model_.get_weights()])
    assert one.model_ is one.model_ is not two.model_
    assert not np.array_equal(one.predict_proba(xrays.X), before)
    RESULTS.clear()
    np.testing.assert_array_equal(two.predict_proba(xrays.X), before)
    np.testing.assert_array_equal(tiny().fit(xrays.X, xrays.y).predict_proba(xrays.X), before)


def test_looking_at_a_network_changes_no_prediction(xrays, tiny):
    clf, copy = tiny().fit(xrays.X, xrays.y), tiny().fit(xrays.X, xrays.y)
    before = clf.predict_proba(xrays.X)
    assert clf.model_.count_params() == copy._network.count_params()
    np.testing.assert_array_equal(clf.predict_proba(xrays.X), before)
    assert clf.model_.compiled


def test_a_page_about_an_estimator_hands_nothing_out(xrays, tiny):
    clf = tiny().fit(xrays.X, xrays.y)
    assert "history_" in clf._repr_html_()
    assert not clf._fitted_network.is_handed_out


def test_a_network_replaces_one_that_is_there(xrays, tiny):
    network = build_cnn((37, 41), filters=(2, 4), seed=1)
    with pytest.raises(AttributeError, match="not fitted: there is no network to replace"):
        tiny().model_ = network
    clf = tiny().fit(xrays.X, xrays.y)
    clf.model_ = network
    expected = network.predict_on_batch(xrays.X[..., None])[:, 0]
    np.testing.assert_allclose(clf.predict_proba(xrays.X)[:, 1], expected, atol=1e-2)


def test_predictions_of_a_network_handed_out_are_not_kept(xrays, tiny, n_predicted):
    clf = tiny().fit(xrays.X, xrays.y)
    for _ in range(2):
        clf.predict_proba(xrays.X)
    assert len(n_predicted) == 1
    for weight in (clf.model_.weights[0], clf.model_.weights[-3]):
        before = clf.predict_proba(xrays.X)
        weight.assign(3 * weight.numpy() + 1)
        assert not np.array_equal(clf.predict_proba(xrays.X), before)
    assert len(n_predicted) == 5


def test_a_network_predicts_again_after_partial_fit(xrays, tiny):
    clf = tiny().fit(xrays.X, xrays.y)
    for _ in range(3):
        before = clf.predict_proba(xrays.X)
        clf.partial_fit(xrays.X, xrays.y)
        assert not np.array_equal(clf.predict_proba(xrays.X), before)


def test_a_restored_fit_is_trained_further_as_the_original_would_be(xrays, tiny):
    """Dropout too: the state of its generator is a part of the fit."""
    trained = tiny(dropout=0.5).fit(xrays.X, xrays.y)
    NETWORKS.clear()
    restored = tiny(dropout=0.5, threshold=0.3).fit(xrays.X, xrays.y)
    for clf in (trained, restored):
        clf.partial_fit(xrays.X, xrays.y)
    for one, other in zip(trained.model_.weights, restored.model_.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_the_bytes_of_entries_are_what_they_take():
    def make(i):
        return (
            ("prediction", ("0.1.0", "3.15.1", "tensorflow"), f"{i:032x}", f"{i + 1:032x}"),
            np.full((1, 1), i, dtype=np.float32),
        )

    memo = LRUCache(max_bytes=2**30)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for i in range(5_000):
            memo.put(*make(i))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # Texts that all keys share are counted in each: too many, never too few.
    assert 1 <= memo._n_bytes / taken < 2


def test_the_bytes_of_a_view_are_those_that_it_keeps_alive():
    whole = np.zeros((100, 1000), dtype=np.uint8)
    assert get_n_bytes(whole[3]) > get_n_bytes(whole[3].copy()) + 90_000
    assert get_n_bytes(np.frombuffer(bytes(5_000), dtype=np.uint8)) > 5_000
    assert get_n_bytes({"a": [whole, whole.copy()]}) > 200_000


def test_memory_is_bounded_and_the_oldest_goes_first():
    memo = LRUCache(max_bytes=100)
    for key in "abc":
        memo.put(key, key.upper(), 40)
    assert [memo.get(key) for key in "abc"] == [None, "B", "C"]
    memo.get("b")
    memo.put("d", "D", 40)
    assert [memo.get(key) for key in "bcd"] == ["B", None, "D"]
    memo.put("e", "too large", 101)
    assert [memo.get(key) for key in "bde"] == ["B", "D", None]
    memo.put("b", "smaller", 10)
    memo.put("f", "F", 50)
    assert [memo.get(key) for key in "bdf"] == ["smaller", "D", "F"]
    memo.clear()
    memo.put("g", "G", 100)
    assert [memo.get(key) for key in "bg"] == [None, "G"]


def test_clearing_forgets_everything(xrays, tiny, training_begins):
    tiny().fit(xrays.X, xrays.y).predict(xrays.X)
    RESULTS.clear()
    assert not RESULTS._values
    with training_begins("all is forgotten"):
        tiny().fit(xrays.X, xrays.y)


def test_cross_validation_copies_and_still_reuses(xrays, tiny, trained_epochs):
    for threshold in (0.3, 0.7):
        cross_val_score(tiny(threshold=threshold), xrays.X, xrays.y, cv=2, scoring=roc_auc_scorer)
    assert sum(trained_epochs) == pytest.approx(2)


def test_a_splitter_defined_again_trains_again(xrays, tiny, training_begins):
    def splitter(test):
        class Split:
            def split(self, X, y, groups=None):
                rows = np.arange(len(y))
                yield np.setdiff1d(rows, test), np.array(test)

            def get_n_splits(self, X=None, y=None, groups=None):
                return 1

        Split.__qualname__, Split.__module__ = "Split", "__main__"
        main = sys.modules["__main__"]
        main.Split = Split
        return Split()

    n = len(xrays.y)
    try:
        tiny(validation=splitter([0, n - 1])).fit(xrays.X, xrays.y)
        with training_begins("a splitter of the same name"):
            tiny(validation=splitter([1, n - 2])).fit(xrays.X, xrays.y)
    finally:
        del sys.modules["__main__"].Split


def test_parameters_that_cannot_be_pickled_are_not_reused(xrays, tiny, training_begins):
    class Inside(StratifiedShuffleSplit):
        pass

    def make():
        return tiny(validation=Inside(1, test_size=0.3, random_state=0))

    make().fit(xrays.X, xrays.y)
    with training_begins("an equal splitter"):
        make().fit(xrays.X, xrays.y)


def test_requests_for_metadata_and_notes_do_not_travel(xrays, tiny):
    with config_context(enable_metadata_routing=True):
        one = tiny().set_fit_request(sample_weight=True)
        one.note = "mine"
        one.fit(xrays.X, xrays.y)
        two = tiny(threshold=0.2).set_fit_request(groups=True).fit(xrays.X, xrays.y)
        requests = two.get_metadata_routing().fit.requests
    assert requests["groups"] is True
    assert not requests["sample_weight"]
    assert not hasattr(two, "note")


def test_a_network_with_other_layers_predicts_again(xrays, tiny):
    clf = tiny().fit(xrays.X, xrays.y)
    before = clf.predict_proba(xrays.X)

    def other(layer):
        config = layer.get_config()
        if layer.name == "probability":
            config["activation"] = "tanh"
        return type(layer).from_config(config)

    changed = keras.models.clone_model(clf.model_, clone_function=other)
    changed.set_weights(clf.model_.get_weights())
    clf.model_ = changed
    assert np.abs(clf.predict_proba(xrays.X) - before).max() > 0.1


def test_only_an_augmentation_augments(xrays, tiny):
    class Mine:
        def to_augmentation(self):
            return lambda image, seed: image

    with pytest.raises(TypeError, match="An Augmentation is wanted"):
        tiny(augmentation=Mine()).fit(xrays.X, xrays.y)
