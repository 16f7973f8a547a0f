"""Parts of all networks: names, dtype policy, head."""

from collections import Counter

import keras
from keras import layers

# Passed to each layer: Keras's global setting must not decide what a network computes.
CHANNELS_LAST = "channels_last"


def dtype_policy(precision):
    """Keras's dtype policy for a precision."""
    return keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else "float32")


class LayerNames:
    """Names of the layers of one network: ``names("relu")`` is "relu_1", then "relu_2".

    Keras numbers layers through all networks of a process. TensorFlow sums up gradients in an order
    that depends on their names, so that the last bit of a weight would depend on what was built
    before.

    Examples
    --------
    >>> from skpneumo.networks._parts import LayerNames
    >>> names = LayerNames()
    >>> names("relu"), names("relu"), names("maximum")
    ('relu_1', 'relu_2', 'maximum_1')
    """

    def __init__(self):
        self._counts = Counter()

    def __call__(self, kind):
        self._counts[kind] += 1
        return f"{kind}_{self._counts[kind]}"


def make_head(dropout, seeds):
    """Layers from the features to the probability of pneumonia, to be applied in this order."""
    return (
        layers.Dropout(dropout, seed=next(seeds), dtype="float32", name="dropout"),
        layers.Dense(
            1,
            activation="sigmoid",
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
            dtype="float32",
            name="probability",
        ),
    )


def add_head(images, features, head):
    """Model from the images to the probability of pneumonia, given the features' tensor."""
    dropout, probability = head
    return keras.Model(images, probability(dropout(features)), name="pneumonia")
