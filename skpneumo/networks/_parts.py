"""What all networks share."""

import keras
from keras import layers


def dtype_policy(precision):
    """Keras's dtype policy for a precision."""
    return keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else "float32")


def add_head(images, features, dropout):
    """Model from the images to the probability of pneumonia, given the features' tensor."""
    x = layers.Dropout(dropout, dtype="float32", name="dropout")(features)
    probability = layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(images, probability)
