"""What all networks share."""

import random

import keras
from keras import layers


def dtype_policy(precision):
    """Keras's dtype policy for a precision."""
    return keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else "float32")


def add_head(images, features, dropout):
    """Model from the images to the probability of pneumonia, given the features' tensor."""
    # Drawn as Keras would, but by us: a seed that Keras chose itself is lost in a pickle.
    seed = random.randint(1, 2**31 - 1)
    x = layers.Dropout(dropout, seed=seed, dtype="float32", name="dropout")(features)
    probability = layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(images, probability)
