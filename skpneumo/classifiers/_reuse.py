"""Taking the network of an equal fit, and leaving nothing half-fitted behind."""

import copy
import os
from contextlib import contextmanager
from itertools import count
from numbers import Integral
from pickle import PicklingError
from weakref import WeakKeyDictionary

import joblib
import numpy as np
import psutil
from sklearn.utils.validation import check_memory

from skpneumo._utils.array_store import default_store
from skpneumo.classifiers._identity import data_key, versions
from skpneumo.classifiers._memo import MEMO, NETWORKS
from skpneumo.classifiers._network_key import forget_key, network_key
from skpneumo.networks import resolve_precision

# Part of every key of a fit: to be raised when an equal fit ends with another network than before.
_RECIPE = 2
# Parameters that change nothing in the network that a fit ends with; class weights are part of
# the row weights, which are in the key.
_NOT_IN_KEY = ("threshold", "class_weight", "memory", "verbose")

# What `fit_once` and the estimator set themselves.
_NOT_IN_STATE = ("_network", "_shared", "classes_", "_metadata_request")
_KNOWN_PACKAGES = {"builtins", "joblib", "numpy", "pathlib", "skpneumo", "sklearn"}
_CLASS_NUMBERS = WeakKeyDictionary()
_NUMBERS = count()


def fit_key(estimator, X, codes, weights, groups):
    """Key of all that decides the network of a fit, or None where chance does too.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        Its parameters count, and what it starts from.
    X, codes, weights, groups : array-like
        What it is fitted on; codes are 1 for pneumonia and 0 for normal.

    Returns
    -------
    tuple or None
    """
    if not isinstance(estimator.random_state, Integral) or _is_random(estimator.validation):
        return None
    params = {k: v for k, v in estimator.get_params().items() if k not in _NOT_IN_KEY}
    params["precision"] = resolve_precision(params["precision"])
    classes = [_class_key(type(value)) for value in (estimator, *params.values())]
    start = _RECIPE, versions(), classes, params, estimator._start_key()
    # Later processes meet files that were copied or put back.
    data = data_key(X, by_content=estimator.memory is not None)
    try:
        return "network", joblib.hash((start, data, codes, weights, groups))
    except (PicklingError, TypeError, AttributeError):
        return None  # a parameter that cannot be pickled, such as of a class inside a function


def _class_key(kind):
    if kind.__module__.split(".")[0] in _KNOWN_PACKAGES:
        return kind.__qualname__
    # A class of the user's may be defined anew, under its name, in the next cell of a notebook or
    # the next process.
    number = _CLASS_NUMBERS.setdefault(kind, next(_NUMBERS))
    return number, os.getpid(), psutil.Process().create_time()


def _is_random(splitter):
    seed = getattr(splitter, "random_state", 0)
    return getattr(splitter, "shuffle", True) and not isinstance(seed, Integral)


def fit_once(estimator, key, learn):
    """Fit an estimator: from what an equal fit left in this process or in ``memory``, or anew.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        Changed in place.
    key : tuple or None
        Of `fit_key`; None where no fit is equal.
    learn : callable
        Fits the estimator anew.
    """
    if key is None:
        learn()
        return

    learnt = []

    def compute():
        learn()
        learnt.append(key)
        NETWORKS.put(key, estimator._network, 1)
        return _state(estimator)

    kept = MEMO.get(key)
    if kept is None or not _restore(estimator, key, *kept):
        state = _through_memory(estimator.memory, key, compute)
        _keep(key, *state)
        if not learnt:
            _restore(estimator, key, *state)
    estimator._shared = True


def _keep(key, attributes, weights):
    """Remember a fit in this process; on disk its weights, which are most of it, if they can be."""
    store = default_store()
    if store is not None and store.put(_keys_of(key, len(weights)), weights):
        MEMO.put(key, (attributes, len(weights)))
    else:
        MEMO.put(key, (attributes, weights))


def _kept_weights(key, weights):
    """What `_keep` kept, or None if the store on disk has it no more."""
    if not isinstance(weights, int):
        return weights
    store = default_store()
    found = [None] if store is None else store.get(_keys_of(key, weights))
    return None if any(part is None for part in found) else found


def _keys_of(key, n):
    return [(*key, i) for i in range(n)]


def _state(estimator):
    """What a fit left in an estimator: its attributes but the network, and the weights of that."""
    skipped = {*estimator.get_params(deep=False), *_NOT_IN_STATE}
    attributes = {
        name: value
        for name, value in vars(estimator).items()
        if name not in skipped and (name.startswith("_") or name.endswith("_"))
    }
    return copy.deepcopy(attributes), network_state(estimator._parts()[1])


def network_state(network):
    """Weights of a network, and the states of its generators of random numbers, as arrays."""
    return [np.asarray(variable).copy() for variable in network.variables]


def set_network_state(network, state):
    """Bring a network to where `network_state` saw an equal one."""
    for variable, value in zip(network.variables, state, strict=True):
        variable.assign(value)


def _restore(estimator, key, attributes, weights):
    """Bring an estimator to where an equal fit left another; return whether that was possible."""
    network = NETWORKS.get(key)
    weights = _kept_weights(key, weights) if network is None else None
    if network is None and weights is None:
        return False
    vars(estimator).update(copy.deepcopy(attributes))
    if network is not None:
        estimator._network = network
        return True
    # With its seed: a frozen part without pretrained weights is drawn, and not in the state.
    estimator._network = estimator._make_network(estimator._draw_seeds().network)
    estimator._set_trained_stage()
    set_network_state(estimator._parts()[1], weights)
    NETWORKS.put(key, estimator._network, 1)
    return True


def parts_key(parts):
    """Key of the weights of a network that was split by `BasePneumoniaClassifier._parts`."""
    backbone, network = parts
    return None if backbone is None else network_key(backbone), network_key(network)


def predict_once(parts, X, memory, compute):
    """Probabilities of images by a network: from this process, from ``memory``, or computed."""
    data = data_key(X, by_content=memory is not None)
    key = "prediction", versions(), parts_key(parts), data
    probabilities = MEMO.get(key)
    if probabilities is None:
        probabilities = _through_memory(memory, key, compute)
        MEMO.put(key, probabilities)
    return probabilities


def _through_memory(memory, key, compute):
    """Result of ``compute()``, or what a memory kept of an equal call.

    Parameters
    ----------
    memory : str, path, joblib.Memory or None
        As in :class:`~sklearn.pipeline.Pipeline`.
    key : tuple or None
        Equal for equal calls; None where there are none.
    compute : callable
        Called where nothing was kept.
    """
    if memory is None or key is None:
        return compute()
    memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)

    def call(key, compute):
        return compute()

    # A function of its own each time: one that joblib met before it takes to be known in every
    # folder, and then later processes do not find what is in the second.
    return memory.cache(call, ignore=["compute"])(key, compute)


@contextmanager
def unchanged_on_error(estimator, resume):
    """Put an estimator back as it was if training fails.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        What is trained inside the context.
    resume : bool
        Whether training goes on with the network it has: one that other estimators may share is
        copied first.
    """
    before, state = dict(vars(estimator)), None
    try:
        if resume and estimator._shared:
            estimator._take_own_network()
        elif resume:
            state = network_state(estimator._network)
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        if resume:
            # Its optimizer may be another by now.
            estimator._ready_for = None
        if state is not None:
            set_network_state(estimator._network, state)
            forget_key(estimator._network)
        raise
