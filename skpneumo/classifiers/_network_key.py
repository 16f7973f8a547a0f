"""Keys of networks: equal for equal weights and layers, computed once while nobody changes them."""

from weakref import WeakKeyDictionary, WeakSet

import keras
import numpy as np

from skpneumo.classifiers._identity import digest, versions

_KEYS = WeakKeyDictionary()
_N_CHANGES = WeakKeyDictionary()
_HANDED_OUT = WeakSet()
# Names, what training may change, and where weights came from do not decide what a layer computes.
# Its dtype policy is read from the layer: the configuration numbers shared ones by process.
_NOT_DECIDING = ("name", "trainable", "dtype", "seed")
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")


def network_key(model):
    """Key of a network's weights and layers.

    Hashing 22 million weights takes longer than a prediction, so the key is kept until the network
    is trained. A network that was handed out may change at any time, and is hashed at every call.

    Parameters
    ----------
    model : keras.Model
        The network.

    Returns
    -------
    str
    """
    # Many networks share one frozen backbone, each behind an input layer of its own.
    last = model.layers[-1]
    owner = last if isinstance(last, keras.Model) else model
    if model in _HANDED_OUT or owner in _HANDED_OUT:
        return _compute_key(model)
    key = _KEYS.get(owner)
    if key is None:
        n_changes = _N_CHANGES.get(owner, 0)
        key = _compute_key(model)
        # Unless another thread has trained it meanwhile.
        if n_changes == _N_CHANGES.get(owner, 0):
            _KEYS[owner] = key
    return key


def _compute_key(model):
    weights = (np.asarray(variable) for variable in model.weights)
    return digest(versions(), model.input_shape, repr(_describe_layers(model)), *weights)


def _describe_layers(model):
    return [
        _describe_layers(layer)
        if isinstance(layer, keras.Model)
        else (type(layer).__name__, layer.dtype_policy.name, _deciding(layer.get_config()))
        for layer in model.layers
    ]


def _deciding(config):
    return {
        key: value
        for key, value in config.items()
        if key not in _NOT_DECIDING and not key.endswith(_OF_TRAINING)
    }


def forget_key(model, *, nested=True):
    """Forget the key of a network that was changed, and of the networks in it."""
    for network in nested_networks(model) if nested else [model]:
        _N_CHANGES[network] = _N_CHANGES.get(network, 0) + 1
        _KEYS.pop(network, None)


def hand_out(model):
    """Note that a user holds a network, and the networks in it."""
    for network in nested_networks(model):
        _HANDED_OUT.add(network)


def is_handed_out(model):
    """Whether a user holds a network, and may have changed it."""
    return model in _HANDED_OUT


def nested_networks(model):
    """A network and those among its layers."""
    return [model, *(layer for layer in model.layers if isinstance(layer, keras.Model))]
