"""Reuse of equal fits and predictions: in this process, on disk, and in the user's ``memory``."""

import copy
import os
from itertools import count
from numbers import Integral
from pickle import PicklingError
from weakref import WeakKeyDictionary

import joblib
import psutil
from sklearn.utils.validation import check_memory

from skpneumo._utils.caching import NETWORKS, RESULTS, default_store
from skpneumo.classifiers._hashing import hash_images, versions
from skpneumo.classifiers._network import get_state, set_state
from skpneumo.networks import resolve_precision

# Part of every key of a fit: to be raised when an equal fit ends with another network than before,
# or with other attributes.
_RECIPE = 4
# Parameters that change nothing in the network that a fit ends with; class weights are part of
# the weights of the images, which are in the key.
_NOT_IN_KEY = ("threshold", "class_weight", "callbacks", "memory", "verbose")
# What is no result of a training, or is set by the caller.
_NOT_IN_STATE = ("_fitted_network", "classes_", "_metadata_request")
# Classes of these are identified by their names: they do not change while Python runs.
_STABLE_PACKAGES = {"builtins", "joblib", "numpy", "pathlib", "skpneumo", "sklearn"}
# A built network takes more memory than its weights: Keras's objects and traced functions.
_BYTES_PER_NETWORK = 2**26
_BYTES_PER_WEIGHT = 4
_CLASS_NUMBERS = WeakKeyDictionary()
_NUMBERS = count()


def get_fit_key(estimator, data):
    """Key of all that decides the network of a fit.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        Its parameters count, and what it starts from.
    data : TrainingSet
        What it is fitted on.

    Returns
    -------
    tuple or None
        None if chance or callbacks decide too.
    """
    if not isinstance(estimator.random_state, Integral) or _is_random(estimator.validation):
        return None
    # They are to be called, and what they change is not known.
    if estimator.callbacks:
        return None
    params = {k: v for k, v in estimator.get_params().items() if k not in _NOT_IN_KEY}
    # "auto" resolves to different types on the machines that may share a folder of ``memory``.
    params["precision"] = resolve_precision(params["precision"])
    classes = [_get_class_key(type(value)) for value in (estimator, *params.values())]
    start = _RECIPE, versions(), classes, params, estimator._get_weights_key()
    # Later processes meet files that were copied or put back.
    images = hash_images(data.X, by_content=estimator.memory is not None)
    try:
        # Patients decide the split into training and validation data, and nothing else.
        groups = None if estimator.validation is None else data.groups
        parts = start, images, data.y, data.sample_weight, groups
        return "network", joblib.hash(parts)
    except (PicklingError, TypeError, AttributeError):
        return None  # a parameter that cannot be pickled, such as of a class inside a function


def _get_class_key(kind):
    if kind.__module__.split(".")[0] in _STABLE_PACKAGES:
        return kind.__qualname__
    # A user's class may be defined again, under its name, in the next cell of a notebook or the
    # next process.
    number = _CLASS_NUMBERS.setdefault(kind, next(_NUMBERS))
    return number, os.getpid(), psutil.Process().create_time()


def _is_random(splitter):
    seed = getattr(splitter, "random_state", 0)
    return getattr(splitter, "shuffle", True) and not isinstance(seed, Integral)


def load_fit(estimator, key):
    """Restore the result of an equal fit, from this process or from ``memory``.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        Changed in place.
    key : tuple or None
        Of `get_fit_key`.

    Returns
    -------
    bool
        Whether there was such a fit.
    """
    if key is None:
        return False
    kept = RESULTS.get(key)
    if kept is not None and _restore_fit(estimator, key, *kept):
        return True
    saved = load_from_memory(estimator.memory, key)
    if saved is None:
        return False
    attributes, weights = saved
    _keep(key, attributes, weights)
    return _restore_fit(estimator, key, attributes, weights, len(weights))


def save_fit(estimator, key):
    """Keep the result of a fit for equal ones.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        Just fitted. Its network is shared from now on.
    key : tuple or None
        Of `get_fit_key`; None keeps nothing.
    """
    if key is None:
        return
    attributes, weights = _collect_fit(estimator)
    _share_network(key, estimator._fitted_network)
    save_to_memory(estimator.memory, key, (attributes, weights))
    _keep(key, attributes, weights)


def _collect_fit(estimator):
    """What a fit left in an estimator: its attributes but the network, and the weights of that."""
    skipped = {*estimator.get_params(deep=False), *_NOT_IN_STATE}
    attributes = {
        name: value
        for name, value in vars(estimator).items()
        # Attributes that a user has set, without an underscore, are not copied to other estimators.
        if name not in skipped and (name.startswith("_") or name.endswith("_"))
    }
    return copy.deepcopy(attributes), get_state(estimator._fitted_network.head)


def _keep(key, attributes, weights):
    """Remember a fit in this process; on disk its weights, which are most of it, if they can be."""
    store, n_weights = default_store(), len(weights)
    if store is not None and store.put(_get_keys_of_weights(key, n_weights), weights):
        weights = None
    RESULTS.put(key, (attributes, weights, n_weights))


def _load_weights(key, n_weights):
    """The weights that `_keep` kept on disk, or None if the store has dropped any of them."""
    store = default_store()
    found = [None] if store is None else store.get(_get_keys_of_weights(key, n_weights))
    return None if any(part is None for part in found) else found


def _get_keys_of_weights(key, n_weights):
    return [(*key, i) for i in range(n_weights)]


def _restore_fit(estimator, key, attributes, weights, n_weights):
    """Restore a fit; return whether its network, or its weights if None, were found."""
    network = NETWORKS.get(key)
    if network is None and weights is None:
        weights = _load_weights(key, n_weights)
        if weights is None:
            return False
    # Changing history_ of one estimator must not change it in the cache.
    vars(estimator).update(copy.deepcopy(attributes))
    if network is not None:
        estimator._fitted_network = network
        return True
    # With its seed: a frozen part without pretrained weights is drawn, and not in the state.
    seed, initial = estimator._draw_seeds().network, estimator._read_initial_network()
    estimator._fitted_network = estimator._make_network(seed, initial)
    # Before the state is set: which layers are trainable decides what `head` is.
    estimator._set_trained_stage()
    set_state(estimator._fitted_network.head, weights)
    _share_network(key, estimator._fitted_network)
    return True


def _share_network(key, network):
    network.is_shared = True
    NETWORKS.put(key, network, get_network_bytes(network.model))


def get_network_bytes(model):
    """Memory that a built network takes, roughly."""
    return _BYTES_PER_NETWORK + _BYTES_PER_WEIGHT * model.count_params()


def get_prediction_key(network, X, memory):
    """Key of the probabilities of images by a network.

    Parameters
    ----------
    network : FittedNetwork
        It predicts.
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The images.
    memory : str, path, joblib.Memory or None
        With one, files are identified by their bytes.

    Returns
    -------
    tuple or None
        None if a user may change the network at any time.
    """
    if network.is_handed_out:
        return None
    images = hash_images(X, by_content=memory is not None)
    return "prediction", versions(), network.backbone_key(), network.head_key(), images


def load_prediction(key, memory):
    """Probabilities that `save_prediction` kept under a key, or None."""
    if key is None:
        return None
    probability = RESULTS.get(key)
    if probability is None:
        probability = load_from_memory(memory, key)
        if probability is not None:
            RESULTS.put(key, probability)
    return probability


def save_prediction(key, memory, probability):
    """Keep probabilities; nothing without a key."""
    if key is not None:
        save_to_memory(memory, key, probability)
        RESULTS.put(key, probability)


def load_from_memory(memory, key):
    """Value that `save_to_memory` kept under a key, or None.

    Parameters
    ----------
    memory : str, path, joblib.Memory or None
        As in :class:`~sklearn.pipeline.Pipeline`.
    key : tuple
        Of texts and numbers.
    """
    function = _get_memorized_function(memory)
    return function(key, None) if function.check_call_in_cache(key, None) else None


def save_to_memory(memory, key, value):
    """Keep a value in the folder of a memory, in place of one that is there or damaged."""
    _get_memorized_function(memory).call(key, value)


def _get_memorized_function(memory):
    memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)

    # A new function each time: joblib takes one that it met before to be known in every folder,
    # and then later processes do not find what is in the second folder.
    def get_value(key, value):
        return value

    return memory.cache(get_value, ignore=["value"])
