"""What all networks share."""

import keras
from keras import layers

# Passed to each layer: Keras's global setting must not decide what a network computes.
CHANNELS_LAST = "channels_last"


def dtype_policy(precision):
    """Keras's dtype policy for a precision."""
    return keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else "float32")


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
    return keras.Model(images, probability(dropout(features)))
