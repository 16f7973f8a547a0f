"""Gradients, by the API of each Keras backend."""

import keras


def gradient(function, values):
    """Gradient of the sum of what a function returns.

    Parameters
    ----------
    function : callable
        Takes a tensor of the active backend and returns one.
    values : tensor
        Where the gradient is evaluated.

    Returns
    -------
    tensor
        Of the shape of ``values``.
    """
    return _GRADIENTS[keras.backend.backend()](function, values)


def _tensorflow_gradient(function, values):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        result = function(values)
    return tape.gradient(result, values)


def _jax_gradient(function, values):
    import jax

    return jax.grad(lambda values: function(values).sum())(values)


def _torch_gradient(function, values):
    import torch

    values = values.detach().requires_grad_(True)
    return torch.autograd.grad(function(values).sum(), values)[0]


_GRADIENTS = {
    "tensorflow": _tensorflow_gradient,
    "jax": _jax_gradient,
    "torch": _torch_gradient,
}
