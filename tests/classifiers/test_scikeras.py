"""What scikeras supplies, what is taken back from it, and what never runs."""

import pytest
from scikeras.wrappers import BaseWrapper, KerasClassifier
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skpneumo import CNNPneumoniaClassifier
from skpneumo.classifiers._base import BasePneumoniaClassifier
from skpneumo.classifiers._scikeras import RepairedKerasClassifier

# What is scikeras's own, and does not lead into its fit and predict.
KEPT = {"build_fn", "current_epoch", "feature_encoder", "loss", "model", "scorer", "target_encoder"}


def test_nothing_public_leads_into_the_fit_of_scikeras():
    """Its fit encodes and validates once more, and seeds the whole process."""
    theirs = {
        name
        for kind in (KerasClassifier, BaseWrapper)
        for name in vars(kind)
        if not name.startswith("_")
    }
    # Up to the file that imports scikeras.
    kinds = BasePneumoniaClassifier.__mro__
    kinds = kinds[: kinds.index(RepairedKerasClassifier) + 1]
    ours = {name for kind in kinds for name in vars(kind)}
    # Requests of metadata are made by scikit-learn for each class.
    requests = {name for name in theirs if name.endswith("_request")}
    assert theirs - requests - KEPT <= ours


def test_the_network_is_initialized_by_a_fit_or_by_hand(tiny, xrays):
    clf = tiny()
    assert not clf.initialized_
    assert clf.initialize(xrays.X, xrays.y).initialized_
    assert clf.current_epoch == 0
    assert clf.predict_proba(xrays.X).shape == (len(xrays.y), 2)
    assert clf.partial_fit(xrays.X, xrays.y).current_epoch == 1


@pytest.mark.parametrize("name", ["get_params", "set_params", "__repr__"])
def test_parameters_are_scikit_learn_s(name):
    assert getattr(BasePneumoniaClassifier, name) is getattr(BaseEstimator, name)


def test_tags_that_scikeras_lacks(tiny):
    tags = get_tags(tiny())
    assert tags.estimator_type == "classifier"
    assert tags.target_tags.required
    assert not tags.classifier_tags.multi_class
    assert not tags.input_tags.two_d_array


def test_completion_offers_public_names_only(fitted):
    names = {name for name in dir(fitted) if not name.startswith("_")}
    assert {"fit", "predict_proba", "threshold", "history_", "model_", "initialized_"} <= names
    assert not names & KEPT
    assert "model_" not in dir(type(fitted)())


def test_completion_does_not_hand_out_the_network(tiny, xrays):
    clf = tiny().fit(xrays.X, xrays.y)
    dir(clf)
    assert not clf._fitted_network.is_handed_out


def test_a_subclass_shows_its_own_names():
    class OwnLoss(CNNPneumoniaClassifier):
        loss = "focal"

    assert "loss" in dir(OwnLoss())
