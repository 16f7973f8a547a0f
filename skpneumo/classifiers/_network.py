"""The network of a fitted estimator: shared until it is changed, copied before."""

import pickle
from contextlib import contextmanager

import numpy as np

from skpneumo._utils.fork import check_process
from skpneumo.classifiers._hashing import hash_network
from skpneumo.networks import float32_policy, is_frozen, split_head


class FittedNetwork:
    """A network, and what the reuse of its results depends on.

    Estimators of equal fits hold the same one, until one of them trains it or hands it out.

    Parameters
    ----------
    model : keras.Model
        The network.
    shares_backbone : bool, default=False
        Whether other networks hold its frozen part.

    Attributes
    ----------
    is_shared : bool
        Whether other estimators may hold it.
    is_handed_out : bool
        Whether a user holds it, who may change it at any time.
    compiled_for : tuple or None
        Stage that `partial_fit` has compiled it for, so that the moments of Adam are kept.
    """

    def __init__(self, model, *, shares_backbone=False):
        self.model = model
        self.shares_backbone = shares_backbone
        self.is_shared = self.is_handed_out = False
        self.compiled_for = None
        self._parts = None
        self._keys = {}
        self._n_changes = 0

    @property
    def backbone(self):
        """Part from images to features, if it is frozen; else None."""
        return self._split()[0]

    @property
    def head(self):
        """Part over the frozen one, which training changes; else all of the network."""
        return self._split()[1]

    def _split(self):
        if not is_frozen(self.model):
            return None, self.model
        if self._parts is None:
            self._parts = split_head(self.model)
        return self._parts

    def copy(self):
        """Copy the network with its optimizer; the copy is shared with nobody."""
        return _unpack(*_pack(self.model))

    def backbone_key(self):
        """Hash of the frozen part, which training leaves as it is; None without one."""
        return self._key("backbone", self.backbone)

    def head_key(self):
        """Hash of the part that training changes."""
        return self._key("head", self.head)

    def _key(self, part, model):
        if model is None:
            return None
        # A user may have changed it since the last call.
        if self.is_handed_out:
            return hash_network(model)
        if part not in self._keys:
            n_changes = self._n_changes
            key = hash_network(model)
            if n_changes != self._n_changes:  # another thread has trained it meanwhile
                return key
            self._keys[part] = key
        return self._keys[part]

    def forget_keys(self):
        """Forget the hashes of weights that have changed."""
        self._n_changes += 1
        frozen = {"backbone"} if is_frozen(self.model) else set()
        self._keys = {part: key for part, key in self._keys.items() if part in frozen}

    @contextmanager
    def changing(self):
        """Context in which weights change."""
        # Before too: what another thread predicts meanwhile must not be kept for the old weights.
        self.forget_keys()
        try:
            yield
        finally:
            self.forget_keys()

    def __reduce__(self):
        return _unpack, (*_pack(self.model), self.compiled_for)


def _pack(model):
    """A network as bytes, and the states of its generators of random numbers, which Keras omits."""
    return pickle.dumps(model), [np.asarray(state).copy() for state in _generator_states(model)]


def _unpack(packed, states, compiled_for=None):
    # Before the network is built, which would hang in a forked process.
    check_process()
    with float32_policy():
        model = pickle.loads(packed)
    for variable, state in zip(_generator_states(model), states, strict=True):
        variable.assign(state)
    network = FittedNetwork(model)
    network.compiled_for = compiled_for
    return network


def _generator_states(model):
    weights = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def get_state(model):
    """Weights of a network, and the states of its generators of random numbers, as arrays."""
    return [np.asarray(variable).copy() for variable in model.variables]


def set_state(model, state):
    """Restore what `get_state` returned for an equal network."""
    for variable, value in zip(model.variables, state, strict=True):
        variable.assign(value)


@contextmanager
def unchanged_on_error(estimator, resume):
    """Leave an estimator as it was if training fails.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        What is trained inside the context.
    resume : bool
        Whether training resumes from the network at hand: if other estimators may share it, it is
        copied first.
    """
    before, state = dict(vars(estimator)), None
    try:
        # Equal fits keep the shared network; one that is not shared is trained in place, and
        # restored on an error.
        if resume and estimator._fitted_network.is_shared:
            estimator._take_own_network()
        elif resume:
            state = get_state(estimator._network)
        yield
    # KeyboardInterrupt too must leave the estimator as it was.
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        if resume:
            # Its optimizer may be another by now.
            estimator._fitted_network.compiled_for = None
        if state is not None:
            set_state(estimator._network, state)
            estimator._fitted_network.forget_keys()
        raise
