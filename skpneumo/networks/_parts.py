"""What all networks share."""

import random

import keras
from keras import layers


def dtype_policy(precision):
    """Keras's dtype policy for a precision."""
    return keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else "float32")


def make_head(dropout):
    """Layers from the features to the probability of pneumonia, to be called one after another."""
    # Drawn as Keras would, but by us: a seed that Keras chose itself is lost in a pickle.
    seeds = [random.randint(1, 2**31 - 1) for _ in range(2)]
    return (
        layers.Dropout(dropout, seed=seeds[0], dtype="float32", name="dropout"),
        layers.Dense(
            1,
            activation="sigmoid",
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds[1]),
            dtype="float32",
            name="probability",
        ),
    )


def add_head(images, features, head):
    """Model from the images to the probability of pneumonia, given the features' tensor."""
    dropout, probability = head
    return keras.Model(images, probability(dropout(features)))
