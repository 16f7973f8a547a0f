"""Splits of a network at the maps of its convolutions, for inspection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import keras
from keras import layers, ops

MAPS = ("first", "last")


def split_at_maps(
    model: keras.Model, which: Literal["first", "last"] = "last"
) -> tuple[Callable, Callable, tuple[list[float], list[float]]]:
    """Split a network of `build_cnn` or `build_inception` at convolutional maps.

    The network is neither copied nor changed: the parts call its layers.

    Parameters
    ----------
    model : keras.Model
        The network.
    which : {"first", "last"}, default="last"
        "first": the maps of the first convolution, whose receptive fields are a few pixels wide.
        "last": those that are averaged into features, whose receptive fields may cover the image.

    Returns
    -------
    to_maps : callable
        From images, uint8 of shape (n, rows, columns, 1), to maps of shape (n, h, w, channels).
    to_logit : callable
        From maps to log odds of pneumonia, float32 of shape (n, 1), rather than to its probability:
        if the network is sure, the slope of the sigmoid vanishes.
    centres : tuple of two lists of float
        Row and column of the image on which each row and column of the maps is centred, in pixels
        from the middle of the first pixel.

    Raises
    ------
    ValueError
        If the network is of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.networks import build_cnn, split_at_maps
    >>> to_maps, to_logit, centres = split_at_maps(build_cnn((48, 40)))
    >>> maps = to_maps(np.zeros((2, 48, 40, 1), dtype=np.uint8))
    >>> tuple(maps.shape), tuple(to_logit(maps).shape)
    ((2, 6, 5, 160), (2, 1))
    >>> centres[0]
    [7.0, 15.0, 23.0, 31.0, 39.0, 47.0]
    """
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    convolutional = nested[0] if nested else model
    found = convolutional.layers
    pools = [layer for layer in found if isinstance(layer, layers.GlobalAveragePooling2D)]
    if not pools or "probability" not in [layer.name for layer in model.layers]:
        raise ValueError(
            f"The network {model.name!r} has no maps to inspect. Wanted: one of build_cnn or "
            "build_inception, which average the last maps and end in the layer 'probability'."
        )
    features, last = pools[-1].output, pools[-1].input
    activations = [layer for layer in found if isinstance(layer, layers.Activation | layers.ReLU)]
    maps = {"first": activations[0].output, "last": last}[which]
    head = model.get_layer("probability")

    def to_maps(images):
        values = images
        if nested:
            entry = model.layers[model.layers.index(convolutional) - 1].output
            values = _run(model, model.inputs[0], values, entry)
        return _run(convolutional, convolutional.inputs[0], values, maps)

    def to_logit(values):
        values = ops.cast(_run(convolutional, maps, values, features), "float32")
        return ops.matmul(values, head.kernel) + head.bias

    return to_maps, to_logit, _get_centres(convolutional, maps)


def _run(model, start, values, end):
    """Values of the symbolic tensor ``end`` of a network, given those of ``start``."""
    known = {id(start): values}
    for layer in model.layers:
        if id(end) in known:
            break
        needed = layer.input if isinstance(layer.input, list) else [layer.input]
        # An input layer needs nothing, and passes on what the network is given.
        if needed and all(id(tensor) in known for tensor in needed):
            found = [known[id(tensor)] for tensor in needed]
            found = found if isinstance(layer.input, list) else found[0]
            known[id(layer.output)] = layer(found, training=False)
    return known[id(end)]


def _get_centres(model, maps):
    """Centres of the receptive fields of maps."""
    makers = {id(layer.output): layer for layer in model.layers}
    path, tensor = [], maps
    while tensor is not model.inputs[0]:
        path.append(makers[id(tensor)])
        # Parallel branches of InceptionV3 shrink the maps alike.
        tensor = path[-1].input[0] if isinstance(path[-1].input, list) else path[-1].input
    centres = []
    for axis in (0, 1):
        first, step, n = 0.0, 1, model.inputs[0].shape[1 + axis]
        for layer in reversed(path):
            kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
            if kernel is None:
                continue
            n_after, stride, margin = layer.output.shape[1 + axis], layer.strides[axis], 0
            if layer.padding == "same":
                margin = max((n_after - 1) * stride + kernel[axis] - n, 0) // 2
            first += step * ((kernel[axis] - 1) / 2 - margin)
            step, n = step * stride, n_after
        centres.append([first + step * i for i in range(n)])
    return tuple(centres)
