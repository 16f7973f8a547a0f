"""What is overridden of scikeras is there, with the arguments that it is called with."""

import inspect

import pytest
from scikeras.wrappers import BaseWrapper, KerasClassifier
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skpneumo.classifiers._base import BasePneumoniaClassifier

OVERRIDDEN = {
    "_validate_data": ["self", "X", "y", "reset", "y_numeric"],
    "_validate_sample_weight": ["X", "y", "sample_weight"],
    "_fit_keras_model": [
        "self", "X", "y", "sample_weight", "warm_start", "epochs", "initial_epoch", "kwargs",
    ],
    "_predict_raw": ["self", "X", "kwargs"],
    "_get_param_names": ["self"],
}  # fmt: skip


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_scikeras_has_the_method(name):
    assert name in vars(BasePneumoniaClassifier)
    theirs = inspect.signature(getattr(KerasClassifier, name))
    assert list(theirs.parameters) == OVERRIDDEN[name]


@pytest.mark.parametrize("name", ["_fit", "_initialize", "partial_fit", "fit"])
def test_scikeras_calls_the_methods(name):
    """Renamed, they would be overridden in vain."""
    source = inspect.getsource(getattr(BaseWrapper, name))
    calls = {
        "_fit": ["_validate_data", "_validate_sample_weight", "_fit_keras_model", "_initialize"],
        "_initialize": ["_validate_data(X, y, reset=True)", "_build_keras_model"],
        "partial_fit": ["warm_start=True", "epochs=1", "initial_epoch=self.current_epoch"],
        "fit": ["warm_start=self.warm_start"],
    }[name]
    assert all(call in source for call in calls)


def test_scikeras_builds_by_the_method_of_the_class():
    assert "_keras_build_fn" in inspect.getsource(BaseWrapper._check_model_param)


@pytest.mark.parametrize("name", ["get_params", "set_params", "__repr__"])
def test_parameters_are_scikit_learn_s(name):
    assert getattr(BasePneumoniaClassifier, name) is getattr(BaseEstimator, name)


def test_tags_say_what_scikeras_does_not(tiny):
    tags = get_tags(tiny())
    assert tags.estimator_type == "classifier"
    assert tags.target_tags.required
    assert not tags.classifier_tags.multi_class
    assert not tags.input_tags.two_d_array
