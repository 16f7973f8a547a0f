"""Transfer learning: weights from a file, two stages, and what each of them changes."""

import keras
import numpy as np
import pytest
from sklearn.base import clone

from skpneumo import InceptionPneumoniaClassifier
from skpneumo._utils.caching import RESULTS
from skpneumo.datasets import make_xrays
from skpneumo.networks import build_inception, set_trainable


@pytest.fixture(scope="module")
def data():
    return make_xrays(12, image_size=(75, 77), random_state=0)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A file of weights as Keras saves them."""
    file = tmp_path_factory.mktemp("weights") / "backbone.weights.h5"
    backbone = build_inception((75, 77), weights=None, seed=9).get_layer("inception_v3")
    backbone.save_weights(file)
    return file, backbone.get_weights()


@pytest.fixture(scope="module")
def two_stages(data, pretrained):
    clf = InceptionPneumoniaClassifier(
        weights=pretrained[0], head_epochs=1, epochs=2, batch_size=4, random_state=0
    )
    return clf.fit(data.images, data.target)


def backbone_of(classifier):
    return classifier.model_.get_layer("inception_v3")


def test_the_head_alone_is_trained_over_weights_from_a_file(data, pretrained):
    file, expected = pretrained
    clf = InceptionPneumoniaClassifier(
        weights=file, trainable="head", epochs=2, batch_size=4, random_state=0
    )
    clf.fit(data.images, data.target)
    for ours, theirs in zip(backbone_of(clf).get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(clf.history_["loss"]) == 2
    head = clf.model_.get_layer("probability").get_weights()
    RESULTS.clear()
    clf.set_params(epochs=1).fit(data.images, data.target)
    assert not np.array_equal(head[0], clf.model_.get_layer("probability").get_weights()[0])
    assert clf.predict_proba(data.images).shape == (12, 2)


def test_a_second_stage_leaves_the_first_convolutions_as_they_are(pretrained, two_stages):
    before = build_inception((75, 77), weights=pretrained[0]).get_layer("inception_v3")
    assert two_stages.get_stages() == [(1, 1e-3, "head"), (2, 2e-4, "blocks")]
    assert len(two_stages.history_["loss"]) == 3
    after = backbone_of(two_stages)
    names = [layer.name for layer in after.layers]
    boundary = names.index("maximum_2")
    changed = {
        i
        for i, (old, new) in enumerate(zip(before.layers, after.layers, strict=True))
        if any(
            not np.array_equal(a, b)
            for a, b in zip(old.get_weights(), new.get_weights(), strict=True)
        )
    }
    # The statistics of the normalization too.
    kinds = keras.layers.Conv2D, keras.layers.BatchNormalization
    with_weights = [i for i, layer in enumerate(after.layers) if isinstance(layer, kinds)]
    assert changed == {i for i in with_weights if i > boundary}
    assert sum(i < boundary for i in with_weights) == 10


def test_from_scratch_there_is_one_stage():
    assert InceptionPneumoniaClassifier(weights=None, epochs=7).get_stages() == [(7, 1e-3, "all")]
    head = InceptionPneumoniaClassifier(weights="x.h5", trainable="head", epochs=7)
    assert head.get_stages() == [(7, 1e-3, "head")]
    everything = InceptionPneumoniaClassifier(weights="x.h5", trainable="all", epochs=7)
    assert everything.get_stages() == [(1, 1e-3, "head"), (7, 2e-4, "all")]
    default = InceptionPneumoniaClassifier(weights="x.h5", epochs=7)
    assert default.get_stages() == [(1, 1e-3, "head"), (7, 2e-4, "blocks")]


def test_what_may_be_trained():
    model = build_inception((75, 77), weights=None)
    n_all = len(model.trainable_variables)
    set_trainable(model, "head")
    assert [v.path for v in model.trainable_variables] == ["probability/kernel", "probability/bias"]
    set_trainable(model, "upper")
    upper = model.trainable_variables
    assert 2 < len(upper) < n_all
    assert not any("normalization" in v.path for v in upper)
    set_trainable(model, "blocks")
    assert len(model.trainable_variables) == n_all - 10
    set_trainable(model, "all")
    assert len(model.trainable_variables) == n_all


def test_statistics_keep_up_in_short_trainings(pretrained):
    # Over pretrained weights as well: with 0.99 those of other images remain.
    for weights in (None, pretrained[0]):
        backbone = build_inception((75, 77), weights=weights).get_layer("inception_v3")
        momenta = [layer.momentum for layer in backbone.layers if hasattr(layer, "momentum")]
        assert len(momenta) == 94
        assert set(momenta) == {0.9}


def test_grey_becomes_what_the_network_was_trained_on():
    model = build_inception((75, 77), weights=None)
    white = np.full((1, 75, 77, 1), 255, np.uint8)
    inputs = keras.Model(model.inputs[0], model.get_layer("grey_to_rgb").output)(white)
    assert inputs.shape == (1, 75, 77, 3)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(inputs), 1.0)


def test_a_changed_weights_file_is_another_start(tmp_path):
    file = tmp_path / "w.h5"
    keys = set()
    for text in ("one", "another"):
        file.write_text(text)
        keys.add(InceptionPneumoniaClassifier(weights=file)._get_weights_key())
    assert len(keys) == 2


def test_a_killed_fit_is_resumed_in_the_second_stage(data, two_stages, tmp_path, killed_after):
    # More layers than the upper ones differ from one training to the next.
    expected = clone(two_stages).set_params(trainable="upper").fit(data.images, data.target)
    clf = clone(expected).set_params(memory=tmp_path)
    RESULTS.clear()
    with killed_after(2):
        clf.fit(data.images, data.target)
    clf.fit(data.images, data.target)
    assert clf.history_ == expected.history_
    np.testing.assert_array_equal(
        clf.predict_proba(data.images), expected.predict_proba(data.images)
    )
