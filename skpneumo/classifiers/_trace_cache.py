"""Networks of one architecture are traced once, and trained by that trace.

TensorFlow needs a second to trace the training step of a small network, and ten for InceptionV3:
in a search over few images that is most of the time. From its second fit on, an architecture has a
trainer: a copy of the network that takes over the state of each network to be trained, and gives it
back trained.
"""

from contextlib import contextmanager

import keras

from skpneumo._utils.caching import NETWORKS
from skpneumo.classifiers._fit_cache import get_network_bytes
from skpneumo.classifiers._network import get_state, set_state
from skpneumo.classifiers._training import compile_network
from skpneumo.networks import float32_policy

# A first fit may remain the only one, and a trainer takes several times the memory of a network.
_FITTED_ONCE = "fitted once"
# Two moments of float32 for each weight.
_BYTES_OF_MOMENTS = 8
# Set with the state of a network, or without influence on what a layer computes.
_NOT_IN_ARCHITECTURE = ("seed", "shared_object_id")
# Layers of these are described in full by their configuration.
_DESCRIBED_PACKAGES = ("keras", "skpneumo")


@contextmanager
def borrow_trainer(network, batch_sizes):
    """Context in which a network is trained: by its trainer, or by itself without one.

    Parameters
    ----------
    network : keras.Model
        It changes when the context ends without an error.
    batch_sizes : tuple of int
        Images in a batch of the training data, and of the validation data if there are any. A trace
        for several of them would compute the last bit in another way.

    Yields
    ------
    keras.Model
        A network in the same state, compiled with an optimizer that has taken no step. Its learning
        rate has to be set.
    """
    architecture = describe_architecture(network)
    key = None if architecture is None else ("trainer", architecture, batch_sizes)
    trainer = NETWORKS.pop(key)
    if trainer is None:
        # `train` sets the learning rate of every step.
        compile_network(network, 0.0)
        yield network
        if key is not None:
            NETWORKS.put(key, _FITTED_ONCE)
        return
    if trainer == _FITTED_ONCE:
        with float32_policy():
            trainer = keras.models.clone_model(network)
        compile_network(trainer, 0.0)
    set_state(trainer, get_state(network))
    # The moments and the number of steps of the last fit.
    for variable in trainer.optimizer.variables:
        variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
    try:
        yield trainer
        set_state(network, get_state(trainer))
    # After an error too: the next fit replaces its state before it trains.
    finally:
        n_bytes = get_network_bytes(trainer) + _BYTES_OF_MOMENTS * trainer.count_params()
        NETWORKS.put(key, trainer, n_bytes)


def describe_architecture(network):
    """Text that is equal for networks that differ in nothing but their state.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    str or None
        None for a network that its configuration may not describe in full, such as one with layers
        of the user's own.
    """
    networks = [network, *(layer for layer in network.layers if isinstance(layer, keras.Model))]
    parts = [*networks, *(layer for inner in networks for layer in inner.layers)]
    if not all(type(part).__module__.split(".")[0] in _DESCRIBED_PACKAGES for part in parts):
        return None
    return repr(_without_state(network.get_config()))


def _without_state(config):
    if isinstance(config, dict):
        return {
            key: _without_state(value)
            for key, value in config.items()
            if key not in _NOT_IN_ARCHITECTURE
        }
    if isinstance(config, list | tuple):
        return [_without_state(item) for item in config]
    return config
