"""The layers of the networks, in terms of the operations that both formats have.

Weights are read as arrays, and computed with in float32, whatever type the network computes in.
"""

from functools import reduce

import numpy as np

from skpneumo.exceptions import ModelFileError

_LEVELS = 256
_LAST = "probability"


def apply_network(ops, model, weights, images):
    """Compute the logit of pneumonia.

    Parameters
    ----------
    ops : OnnxOps or TensorFlowOps
        The format.
    model : keras.Model
        Of `build_cnn` or `build_inception`.
    weights : dict of int to ndarray
        Its weights by the identities of the variables, which cannot be read in a traced function.
    images : tensor of shape (n, rows, columns), dtype float32
        Grey levels, of the size that the network sees.

    Returns
    -------
    tensor of shape (n,), dtype float32

    Raises
    ------
    ModelFileError
        If it has a layer of another kind.
    """
    rows, columns = model.inputs[0].shape[1:3]
    return ops.flatten(_run(ops, model, weights, ops.to_maps(images, rows, columns)))


def _run(ops, model, weights, x):
    values, nested = {id(model.inputs[0]): x}, None
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "Functional":
            # It knows the tensors inside it, but not those between which it stands.
            nested = x = _run(ops, layer, weights, x)
        elif kind != "InputLayer":
            tensors = layer.input if isinstance(layer.input, list) else [layer.input]
            inputs = [values.get(id(tensor), nested) for tensor in tensors]
            x = values[id(layer.output)] = _apply(ops, kind, layer, weights, inputs)
    return x


def _apply(ops, kind, layer, weights, inputs):
    if kind not in _LAYERS or getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ModelFileError(
            f"The layer {layer.name!r}, a {kind}, cannot be exported. Wanted: a network of "
            f"build_cnn or build_inception, of the layers {', '.join(_LAYERS)}."
        )
    own = {variable.name: weights[id(variable)] for variable in layer.weights}
    return _LAYERS[kind](ops, layer, own, *inputs)


def _activate(ops, layer, weights, x):
    name = layer.activation.__name__
    if name == "linear":
        return x
    if name == "relu":
        return ops.relu(x)
    if name == "sigmoid":
        return ops.sigmoid(x)
    raise ModelFileError(
        f"The activation {name!r} of the layer {layer.name!r} cannot be exported. Wanted: relu, "
        "sigmoid or none."
    )


def _rectify(ops, layer, weights, x):
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise ModelFileError(f"The layer {layer.name!r} is no plain ReLU, and cannot be exported.")
    return ops.relu(x)


def _padding(layer, kernel):
    """Pixels before and after rows and columns, as TensorFlow pads."""
    if layer.padding != "same":
        return ((0, 0), (0, 0))
    pads = []
    for n, side, stride in zip(layer.input.shape[1:3], kernel, layer.strides, strict=True):
        total = max((-(-n // stride) - 1) * stride + side - n, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def _convolve(ops, layer, weights, x):
    if layer.groups != 1 or tuple(layer.dilation_rate) != (1, 1):
        raise ModelFileError(
            f"The layer {layer.name!r} has groups or a dilation, which cannot be exported."
        )
    padding = _padding(layer, layer.kernel_size)
    x = ops.convolve(x, weights["kernel"], layer.strides, padding)
    if layer.use_bias:
        x = ops.scale(x, None, weights["bias"])
    return _activate(ops, layer, weights, x)


def _normalize(ops, layer, weights, x):
    scale = 1 / np.sqrt(weights["moving_variance"] + np.float32(layer.epsilon))
    if layer.scale:
        scale = scale * weights["gamma"]
    offset = -weights["moving_mean"] * scale
    if layer.center:
        offset = offset + weights["beta"]
    return ops.scale(x, scale, offset)


def _rescale(ops, layer, weights, x):
    x = ops.multiply(x, np.float32(layer.scale))
    return ops.add(x, np.float32(layer.offset))


def _equalize(ops, layer, weights, x):
    """As `HistogramEqualization` does."""
    rows, columns = layer.input.shape[1:3]
    n_pixels = rows * columns
    levels = ops.to_int(ops.to_rows(x, n_pixels))
    not_brighter = ops.cumsum(ops.histogram(levels, _LEVELS))
    # The darkest level that occurs is the first one with a positive sum.
    occurs = ops.minimum(not_brighter, np.float32(1))
    absent = ops.multiply(ops.subtract(np.float32(1), occurs), np.float32(n_pixels))
    darkest = ops.min_columns(ops.add(not_brighter, absent))
    span = ops.maximum(ops.subtract(np.float32(n_pixels), darkest), np.float32(1))
    above = ops.maximum(ops.subtract(not_brighter, darkest), np.float32(0))
    table = ops.subtract(ops.divide(ops.multiply(above, np.float32(2)), span), np.float32(1))
    return ops.to_maps(ops.take(table, levels), rows, columns)


def _dense(ops, layer, weights, x):
    # The sigmoid of the last layer is left to the caller.
    if layer.name != _LAST or layer.units != 1 or layer.activation.__name__ != "sigmoid":
        raise ModelFileError(
            f"The layer {layer.name!r} cannot be exported: the only Dense layer is {_LAST!r}, with "
            "one unit and a sigmoid."
        )
    return ops.add(ops.matmul(x, weights["kernel"]), weights["bias"])


def _pool_average(ops, layer, weights, x):
    return ops.pool_average(x, layer.pool_size, layer.strides, _padding(layer, layer.pool_size))


def _pool_maximum(ops, layer, weights, x):
    return ops.pool_maximum(x, layer.pool_size, layer.strides, _padding(layer, layer.pool_size))


# By the names of their classes: Keras is not imported here.
_LAYERS = {
    "HistogramEqualization": _equalize,
    "Rescaling": _rescale,
    "Conv2D": _convolve,
    "BatchNormalization": _normalize,
    "ReLU": _rectify,
    "Activation": _activate,
    "MaxPooling2D": _pool_maximum,
    "AveragePooling2D": _pool_average,
    "GlobalAveragePooling2D": lambda ops, layer, weights, x: ops.average_maps(x, layer.keepdims),
    "Multiply": lambda ops, layer, weights, *inputs: reduce(ops.multiply, inputs),
    "Add": lambda ops, layer, weights, *inputs: reduce(ops.add, inputs),
    "Concatenate": lambda ops, layer, weights, *inputs: ops.concatenate(inputs),
    "Dropout": lambda ops, layer, weights, x: x,
    "Dense": _dense,
}
