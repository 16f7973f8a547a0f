"""Training that starts from a trained network of ours: the packaged one, or a model file."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayResizer,
    load_model,
    load_pretrained,
    save_model,
)
from skpneumo._utils.caching import NETWORKS, RESULTS
from skpneumo._utils.model_file import read_model_file, write_model_file
from skpneumo._utils.unwrap import unwrap
from skpneumo.classifiers import _feature_cache
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import ModelFileError, WeightsError
from skpneumo.model_selection import LogOddsMeanClassifier
from skpneumo.networks import is_frozen
from skpneumo.persistence import pretrained_path

NOTES = {"data": "synthetic X-rays", "licence": "BSD-3-Clause", "class": "Pipeline"}


@pytest.fixture
def start(fitted, tmp_path):
    """A file of `fitted`, with notes."""
    path = tmp_path / "start.skpneumo"
    save_model(fitted, path, notes=NOTES)
    return path


@pytest.fixture
def change(start):
    """Write the file again with another manifest, or other arrays."""

    def write(change_manifest=None, arrays=None):
        manifest, own = read_model_file(start)
        if change_manifest is not None:
            change_manifest(manifest)
        write_model_file(start, manifest, own | (arrays or {}))
        return start

    return write


@pytest.fixture
def tuned(start):
    """Make a classifier that starts from the file."""

    def make(**options):
        defaults = {"weights": start, "epochs": 1, "batch_size": 16, "random_state": 5}
        return CNNPneumoniaClassifier(**defaults | options)

    return make


def changed_weights(classifier, before):
    after = classifier._network.get_weights()
    return [
        i for i, pair in enumerate(zip(after, before, strict=True)) if not np.array_equal(*pair)
    ]


def test_all_weights_are_taken(xrays, fitted, tuned):
    clf = tuned(precision=fitted.precision_).initialize(xrays.X, xrays.y)
    assert changed_weights(clf, fitted._network.get_weights()) == []
    np.testing.assert_array_equal(clf.predict_proba(xrays.X), fitted.predict_proba(xrays.X))
    assert clf.filters_ == (2, 4)


@pytest.mark.parametrize("image_size", [(64, 75), (30, 24)])
def test_images_of_another_size(xrays, fitted, tuned, image_size):
    clf = tuned(image_size=image_size).initialize(xrays.X, xrays.y)
    assert clf.image_size_ == image_size
    assert changed_weights(clf, fitted._network.get_weights()) == []


def test_the_packaged_network(xrays):
    clf = CNNPneumoniaClassifier((96, 96), weights="pretrained", precision="float32")
    clf.initialize(xrays.X, xrays.y)
    packaged = unwrap(load_pretrained("cnn")).classifier
    np.testing.assert_array_equal(clf.predict_proba(xrays.X), packaged.predict_proba(xrays.X))
    assert clf.filters_ == (48, 56, 112, 224)
    assert clf.initial_network_["notes"]["Licence of the data"].startswith("CC BY 4.0")


def test_the_packaged_inception(large):
    clf = InceptionPneumoniaClassifier((75, 77), weights="pretrained", precision="float32")
    clf.initialize(large.images, large.target)
    packaged = unwrap(load_pretrained("inception")).classifier
    pairs = zip(clf._network.get_weights(), packaged._network.get_weights(), strict=True)
    for own, theirs in pairs:
        np.testing.assert_array_equal(own, theirs)
    assert "MIT licence" in clf.initial_network_["notes"]["Initial weights"]


def test_filters_are_those_of_the_start(xrays, tuned, tiny):
    assert tuned(filters=[2, np.int64(4)]).initialize(xrays.X, xrays.y).filters_ == (2, 4)
    clf = tuned(filters=(2, 4, 8))
    with pytest.raises(ValueError, match=r"\(2, 4, 8\) are not those .*start\.skpneumo.*\(2, 4\)"):
        clf.fit(xrays.X, xrays.y)
    assert not clf.initialized_
    default = tiny(filters=None).initialize(xrays.X, xrays.y)
    assert default.filters_ == (32, 40, 80, 160)
    assert default.initial_network_ is None


def test_a_file_of_an_earlier_version_holds_filters_as_a_parameter(xrays, tuned, change):
    for stored in ([2, 4], {"tuple": [2, 4]}, {"array": "arrays/99"}):

        def as_parameter(manifest, stored=stored):
            estimator = manifest["estimator"]
            estimator["fitted"].pop("filters", None)
            estimator["params"] = {"filters": stored}

        path = change(as_parameter, arrays={"arrays/99": np.array([2, 4])})
        assert tuned().initialize(xrays.X, xrays.y).filters_ == (2, 4)
        assert load_model(path).filters_ == (2, 4)


def test_the_head_alone(xrays, fitted, tuned, count_predicted):
    numbers = count_predicted(_feature_cache)
    clf = tuned(trainable="head", epochs=3).fit(xrays.X, xrays.y)
    assert clf.get_stages() == [(3, 1e-3, "head")]
    assert tuned(epochs=3).get_stages() == [(3, 1e-4, "all")]
    before = fitted._network.get_weights()
    assert changed_weights(clf, before) == [len(before) - 2, len(before) - 1]
    # Each image goes through the convolutions once: in another fit and size of the head not again.
    clone(clf).set_params(class_weight={"PNEUMONIA": 3}, random_state=8).fit(xrays.X, xrays.y)
    clf.predict_proba(xrays.X)
    assert sum(numbers) == len(xrays.X)


def test_the_head_of_a_random_network(xrays, tiny):
    clf = tiny(trainable="head", random_state=3).fit(xrays.X, xrays.y)
    before = tiny(random_state=3).initialize(xrays.X, xrays.y)._network.get_weights()
    assert changed_weights(clf, before) == [len(before) - 2, len(before) - 1]


def test_the_head_first_and_then_everything(xrays, fitted, tuned):
    clf = tuned(trainable="head", warm_start=True).fit(xrays.X, xrays.y)
    clf.set_params(trainable="all").fit(xrays.X, xrays.y)
    assert 0 in changed_weights(clf, fitted._network.get_weights())
    assert clf._fitted_network.backbone is None


def test_an_equal_fit_is_reused(xrays, tuned, trained_epochs):
    first = tuned().fit(xrays.X, xrays.y)
    again = tuned(threshold=0.3).fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(1)
    assert again.initial_network_ == first.initial_network_
    assert again.filters_ == first.filters_


def test_a_reused_fit_forgets_an_earlier_start(xrays, tuned, tiny):
    tiny().fit(xrays.X, xrays.y)
    clf = tuned().fit(xrays.X, xrays.y)
    clf.set_params(**tiny().get_params()).fit(xrays.X, xrays.y)
    assert clf.initial_network_ is None


@pytest.mark.parametrize("trainable", ["head", "all"])
def test_fits_from_two_files_of_one_name_differ(xrays, tuned, tiny, start, trainable):
    first = tuned(trainable=trainable).fit(xrays.X, xrays.y)
    save_model(tiny(random_state=7).fit(xrays.X, xrays.y), start)
    other = tuned(trainable=trainable).fit(xrays.X, xrays.y)
    assert 0 in changed_weights(other, first._network.get_weights())
    assert other.initial_network_["fingerprint"] != first.initial_network_["fingerprint"]
    assert first.initial_network_["notes"] == NOTES


def test_another_process_reuses_a_fit_from_a_file_that_was_put_back(
    xrays, tuned, start, tmp_path, trained_epochs
):
    first = tuned(trainable="head", memory=tmp_path / "memory").fit(xrays.X, xrays.y)
    data = start.read_bytes()
    start.unlink()
    start.write_bytes(data)
    for cache in (RESULTS, NETWORKS):
        cache.clear()
    again = clone(first).fit(xrays.X, xrays.y)
    assert sum(trained_epochs) == pytest.approx(1)
    assert changed_weights(again, first._network.get_weights()) == []
    assert again.initial_network_ == first.initial_network_


def test_the_file_is_not_needed_after_the_fit(xrays, tuned, start, tmp_path):
    clf = tuned(trainable="head").fit(xrays.X, xrays.y)
    start.unlink()
    path = tmp_path / "tuned.skpneumo"
    save_model(clf, path)
    copies = [copy.deepcopy(clf), pickle.loads(pickle.dumps(clf)), load_model(path)]
    for same in copies:
        assert changed_weights(same, clf._network.get_weights()) == []
        assert same.initial_network_ == clf.initial_network_
        same.partial_fit(xrays.X, xrays.y)
        same.set_params(warm_start=True).fit(xrays.X, xrays.y)
        assert changed_weights(same, clf._network.get_weights()) == [24, 25]
    assert load_model(path).weights == "start.skpneumo"
    with pytest.raises(ModelFileError, match=r"start\.skpneumo: there is no such file"):
        clone(clf).fit(xrays.X, xrays.y)


def test_a_loaded_model_reads_no_packaged_network(xrays, tmp_path, monkeypatch):
    clf = CNNPneumoniaClassifier(weights="pretrained").initialize(xrays.X, xrays.y)
    clf.history_ = {"loss": [0.5]}
    path = tmp_path / "model.skpneumo"
    save_model(clf, path)
    monkeypatch.setattr("skpneumo.classifiers._initial_network.pretrained_path", None)
    loaded = load_model(path).partial_fit(xrays.X, xrays.y)
    assert loaded.weights == "pretrained"
    assert loaded.initial_network_ == clf.initial_network_


def test_partial_fit_starts_from_the_file(xrays, fitted, tuned):
    clf = tuned(trainable="head").partial_fit(xrays.X, xrays.y)
    before = fitted._network.get_weights()
    assert changed_weights(clf, before) == [len(before) - 2, len(before) - 1]


def test_provenance_is_nested(xrays, tuned, start, tmp_path):
    first = tuned().fit(xrays.X, xrays.y)
    path = tmp_path / "second.skpneumo"
    save_model(first, path, notes={"data": "ward 7"})
    clf = tuned(weights=path).initialize(xrays.X, xrays.y)
    expected = read_model_file(path)[0]["model"]["fingerprint"]
    assert clf.initial_network_ == {
        "name": "CNNPneumoniaClassifier",
        "fingerprint": expected,
        "notes": {"data": "ward 7"},
        "initial_network": {
            "name": "CNNPneumoniaClassifier",
            "fingerprint": read_model_file(start)[0]["model"]["fingerprint"],
            "notes": NOTES,
            "initial_network": None,
        },
    }


def test_the_first_of_several_networks(xrays, tuned, tiny, tmp_path):
    point = OperatingPointClassifierCV(
        make_pipeline(XRayResizer((37, 41)), tiny()), min_recall=0.6, cv=2, refit=False
    )
    path = tmp_path / "folds.skpneumo"
    save_model(point.fit(xrays.X, xrays.y), path)
    clf = tuned(weights=path).initialize(xrays.X, xrays.y)
    first = unwrap(point).classifiers[0]
    assert changed_weights(clf, first._network.get_weights()) == []


def test_a_network_inside_wrappers(xrays, fitted, tuned, tmp_path):
    point = OperatingPointClassifierCV(FrozenEstimator(fitted), min_recall=0.6)
    save_model(point.fit(xrays.X, xrays.y), tmp_path / "point.skpneumo")
    clf = tuned(weights=tmp_path / "point.skpneumo").initialize(xrays.X, xrays.y)
    assert changed_weights(clf, fitted._network.get_weights()) == []


@pytest.mark.parametrize("name", ["nowhere", "weights.h5", "imagenet"])
def test_what_is_no_model_file(xrays, tuned, tmp_path, name):
    weights = name if name == "imagenet" else tmp_path / name
    if name == "weights.h5":
        weights.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    with pytest.raises(WeightsError, match=rf"{name}' is no model file\. Wanted: 'pretrained'"):
        tuned(weights=weights).fit(xrays.X, xrays.y)


def test_a_damaged_file(xrays, tuned, start):
    data = bytearray(start.read_bytes())
    data[-5] ^= 1
    start.write_bytes(data)
    clf = tuned()
    with pytest.raises(ModelFileError, match=r"start\.skpneumo is refused: .* changed since"):
        clf.fit(xrays.X, xrays.y)
    assert not clf.initialized_


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("filters", [2, 5], "its weights are not those of its network"),
        ("filters", [2], "its filters are not valid"),
        ("filters", [0, 4], "its filters are not valid"),
        ("filters", [2.0, 4.0], "its filters are not valid"),
        ("filters", "24", "its filters are not valid"),
        ("filters", {"lambda": "x"}, "its filters are not valid"),
        ("filters", [1] * 13, "filters holds 13 numbers, more than 12"),
        ("filters", [10**9, 10**9], "its filters describe a network of more weights"),
        ("filters", [10**400, 10**400], "its filters describe a network of more weights"),
        ("weights", ["nowhere"], "no array 'nowhere'"),
        ("weights", ["weights/0"] * 2, "no array 'weights/0', or uses it twice"),
        ("weights", ["weights/0"], "its filters describe a network of more weights"),
        ("weights", [["weights/0"]], "describes no valid model"),
        ("weights", 7, "describes no valid model"),
        ("initial_networks", {"class": 7}, "has other entries than name, fingerprint, notes"),
        ("initial_networks", [7] * 101, "are not a list of at most 100"),
        ("initial_networks", [7], "has other entries than name, fingerprint, notes"),
    ],
)
def test_hostile_descriptions(xrays, tuned, change, name, value, cause):
    def claim(manifest):
        manifest["estimator"]["fitted"][name] = value

    change(claim)
    with pytest.raises(ModelFileError, match=rf"start\.skpneumo is refused: .*{cause}"):
        tuned().fit(xrays.X, xrays.y)


@pytest.mark.parametrize(
    ("part", "value", "cause"),
    [
        ("estimator", {"class": "passthrough"}, "it holds no network"),
        ("estimator", 7, "it holds no network"),
        ("model", {"name": "x", "fingerprint": 7}, "of an initial network is no short"),
        (
            "model",
            {"name": "x" * 201, "fingerprint": "a"},
            "of an initial network is no short",
        ),
        ("model", None, "describes no valid model"),
        ("notes", {"data": 7}, "are not pairs of texts"),
        ("notes", {"data": "x" * 2**20}, "take more than 1,048,576 characters"),
        ("notes", 7, "describes no valid model"),
    ],
)
def test_hostile_manifests(xrays, tuned, change, part, value, cause):
    def claim(manifest):
        manifest[part] = value

    change(claim)
    with pytest.raises(ModelFileError, match=rf"start\.skpneumo is refused: .*{cause}"):
        tuned().fit(xrays.X, xrays.y)


@pytest.mark.parametrize("value", [np.float32("nan"), np.float64(1e300)])
def test_weights_that_are_not_finite(xrays, tuned, change, value):
    change(arrays={"weights/0": np.full((5, 5, 1, 2), value)})
    with pytest.raises(ModelFileError, match="weights are NaN or infinite"):
        tuned().fit(xrays.X, xrays.y)


# -- InceptionV3 ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large():
    return make_xrays(12, image_size=(75, 77), random_state=0)


@pytest.fixture(scope="module")
def inception_file(large, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "inception.skpneumo"
    clf = InceptionPneumoniaClassifier(weights=None, random_state=9)
    clf.initialize(large.images, large.target)
    clf.history_ = {}
    save_model(clf, path)
    return path, clf._network.get_weights()


def test_inception_has_one_stage(large, inception_file):
    clf = InceptionPneumoniaClassifier(weights=inception_file[0], epochs=7)
    assert clf.get_stages() == [(7, 2e-4, "all")]
    assert clf.set_params(trainable="upper").get_stages() == [(7, 2e-4, "upper")]
    clf.initialize(large.images, large.target)
    assert changed_weights(clf, inception_file[1]) == []


def test_stages_are_known_when_the_file_is_gone(large, inception_file, tmp_path):
    path, saved = tmp_path / "no-suffix", tmp_path / "model.skpneumo"
    path.write_bytes(inception_file[0].read_bytes())
    clf = InceptionPneumoniaClassifier(weights=path).initialize(large.images, large.target)
    clf.history_ = {}
    save_model(clf, saved)
    path.unlink()
    for same in (clf, load_model(saved)):
        assert same.get_stages() == [(5, 2e-4, "all")]
        assert not is_frozen(same._network)


def test_heads_over_one_inception(large, inception_file, count_predicted):
    numbers = count_predicted(_feature_cache)
    clf = InceptionPneumoniaClassifier(
        weights=inception_file[0], trainable="head", epochs=1, batch_size=6, random_state=0
    )
    assert clf.get_stages() == [(1, 1e-3, "head")]
    clf.fit(large.images, large.target)
    n_weights = len(inception_file[1])
    assert changed_weights(clf, inception_file[1]) == [n_weights - 2, n_weights - 1]
    other = clone(clf).set_params(random_state=1).fit(large.images, large.target)
    backbones = [one._network.get_layer("inception_v3") for one in (clf, other)]
    assert backbones[0] is backbones[1]
    assert sum(numbers) == len(large.images)


def test_networks_of_the_other_class(xrays, large, start, inception_file, tuned):
    with pytest.raises(ModelFileError, match=r"InceptionPneumoniaClassifier\. Wanted: .*CNN"):
        tuned(weights=inception_file[0]).fit(xrays.X, xrays.y)
    clf = InceptionPneumoniaClassifier(weights=start)
    with pytest.raises(ModelFileError, match=r"of CNNPneumoniaClassifier\. Wanted: .*Inception"):
        clf.fit(large.images, large.target)


def test_the_first_network_of_the_class_in_a_mean(
    xrays, fitted, large, inception_file, tuned, tmp_path
):
    members = [("inception", load_model(inception_file[0])), ("cnn", fitted)]
    mean = LogOddsMeanClassifier([(name, FrozenEstimator(one)) for name, one in members])
    save_model(mean.fit(xrays.X, xrays.y), tmp_path / "mean.skpneumo")
    clf = tuned(weights=tmp_path / "mean.skpneumo").initialize(xrays.X, xrays.y)
    assert changed_weights(clf, fitted._network.get_weights()) == []
    other = InceptionPneumoniaClassifier(weights=tmp_path / "mean.skpneumo")
    other.initialize(large.images, large.target)
    assert changed_weights(other, inception_file[1]) == []


def test_a_file_that_names_packaged_networks(xrays, tuned):
    with pytest.raises(
        ModelFileError, match=r"no network of its own\. Wanted: .*weights='pretrained'"
    ):
        tuned(weights=pretrained_path("mean")).fit(xrays.X, xrays.y)
