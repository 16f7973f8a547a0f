"""scikeras, imported here and nowhere else, with its scikit-learn contract repaired."""

import pickle

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags

from skpneumo._utils.fork import check_process
from skpneumo.networks import float32_policy, quiet_start_up

# After skpneumo.networks, which loads Keras without noise.
with quiet_start_up():
    from scikeras.wrappers import KerasClassifier


def pack_network(network):
    """A network as bytes, and the states of its generators of random numbers, which Keras omits."""
    states = [np.asarray(state).copy() for state in _generator_states(network)]
    return pickle.dumps(network), states


def unpack_network(packed, states):
    """A network out of what `pack_network` returned."""
    with float32_policy():
        network = pickle.loads(packed)
    for variable, state in zip(_generator_states(network), states, strict=True):
        variable.assign(state)
    return network


def _generator_states(network):
    weights = {id(variable) for variable in network.weights}
    return [variable for variable in network.variables if id(variable) not in weights]


class RepairedKerasClassifier(KerasClassifier):
    """`KerasClassifier` that scikit-learn takes for a classifier, with a network of its own.

    A subclass keeps its network in ``_network``, and the public ``model_`` is its own property.
    """

    # scikeras reads these; a network here is never given from outside.
    model = build_fn = None
    loss = "binary_crossentropy"

    # scikeras reads parameters out of __dict__ and accepts any name: take scikit-learn's back.
    _get_param_names = classmethod(BaseEstimator._get_param_names.__func__)
    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__

    def __sklearn_tags__(self):
        # scikeras has ClassifierMixin behind the base class, where its tags are never read.
        tags = BaseEstimator.__sklearn_tags__(self)
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags(multi_class=False)
        tags.target_tags.required = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.input_tags.positive_only = True
        return tags

    @property
    def initialized_(self):
        """Whether there is a network, which `partial_fit` and ``warm_start`` resume."""
        return "_network" in vars(self)

    def _get_fitted_attr_html(self, doc_link=""):
        # scikit-learn's HTML page reads all attributes, and reading model_ hands the network out:
        # it is shown an estimator without one.
        shown = type(self).__new__(type(self))
        vars(shown).update({k: v for k, v in vars(self).items() if k != "_network"})
        return BaseEstimator._get_fitted_attr_html(shown, doc_link)

    def __getstate__(self):
        state = super().__getstate__()
        if self.initialized_:
            state = state | {"_network": pack_network(self._network)}
        return state

    def __setstate__(self, state):
        # Before the network is built, which would hang in a forked process.
        if "_network" in state:
            check_process()
            state = state | {"_network": unpack_network(*state["_network"])}
        super().__setstate__(state)
