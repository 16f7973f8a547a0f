"""The steps from images to the probability, written once for both formats.

``ops`` is one of `OnnxOps` and `TensorFlowOps`, which have the same methods. Tensors are whatever
it returns; constants are NumPy arrays of the type of the tensors that they meet.
"""

import numpy as np

from skpneumo.persistence._export._layers import apply_network
from skpneumo.persistence._export._plan import Mean, Network

# Pillow multiplies grey levels by whole numbers of 22 bits.
_BITS = 22
# Half of them at a time: sums of products with grey levels are exact in float32.
_HALF = np.int32(1 << _BITS // 2)
# Of the long division by which they are found, such that nothing exceeds 32 bits.
_DIGITS = (8, 7, 7)


def apply_plan(ops, plan, images):
    """Compute the probability of pneumonia.

    Parameters
    ----------
    ops : OnnxOps or TensorFlowOps
        The format.
    plan : Plan
        Of the estimator.
    images : tensor of shape (n, H, W), dtype uint8
        The X-rays.

    Returns
    -------
    tensor of shape (n,), dtype float32
    """
    return _apply(ops, plan.root, ops.to_float(images), plan.input_size, {})


def _apply(ops, part, images, size, resized):
    """Probability by a part of a plan; ``resized`` holds the sizes that were computed already."""
    if isinstance(part, Network):
        sizes = tuple(one for one, _ in part.sizes)
        images = _resize_in_turn(ops, images, size, sizes, resized)
        return _sigmoid(ops, apply_network(ops, part.model, part.weights, images))
    found = [_apply(ops, inner, images, size, resized) for inner in part.parts]
    if isinstance(part, Mean):
        return _average_log_odds(ops, found, part.resolution, part.shift)
    calibrated = [
        _sigmoid(ops, _line(ops, probability, -slope, -intercept))
        for probability, (slope, intercept) in zip(found, part.slopes_and_intercepts, strict=True)
    ]
    return _average(ops, calibrated)


def _sigmoid(ops, x):
    # Not the formats' own: that of onnxruntime has few digits for small probabilities.
    one = np.float32(1)
    return ops.divide(one, ops.add(one, ops.exp(ops.subtract(np.float32(0), x))))


def _line(ops, x, slope, intercept):
    return ops.add(ops.multiply(x, np.float32(slope)), np.float32(intercept))


def _average(ops, tensors):
    total = tensors[0]
    for one in tensors[1:]:
        total = ops.add(total, one)
    return ops.multiply(total, np.float32(1 / len(tensors)))


def _average_log_odds(ops, probabilities, resolution, shift):
    to_0, to_1 = map(np.float32, resolution)
    log_odds = []
    for probability in probabilities:
        # Both in float32, in which 1e-7 below 1 is no number.
        odds_for = ops.maximum(probability, to_0)
        odds_against = ops.maximum(ops.subtract(np.float32(1), probability), to_1)
        log_odds.append(ops.subtract(ops.log(odds_for), ops.log(odds_against)))
    return _sigmoid(ops, ops.add(_average(ops, log_odds), np.float32(shift)))


def _resize_in_turn(ops, images, size, sizes, resized):
    for i, wanted in enumerate(sizes):
        if size != wanted:
            key = sizes[: i + 1]
            if key not in resized:
                resized[key] = resize(ops, images, wanted)
            images, size = resized[key], wanted
    return images


def resize(ops, images, size):
    """Resize as `skpneumo.images.resize_xray` does by Pillow, to the last grey level.

    Parameters
    ----------
    ops : OnnxOps or TensorFlowOps
        The format.
    images : tensor of shape (n, H, W), dtype float32
        Grey levels, whole numbers from 0 to 255. Sides may be as long as 1,400 times the root of
        the number of rows or columns of the result.
    size : tuple of (int, int)
        Rows and columns wanted.

    Returns
    -------
    tensor of shape (n, rows, columns), dtype float32
        Whole numbers from 0 to 255.
    """
    rows, columns = size
    high, low = _resizing_matrices(ops, ops.size(images, 2), columns)
    images = _round(ops, ops.matmul(images, high), ops.matmul(images, low))
    high, low = (
        ops.transpose(matrix) for matrix in _resizing_matrices(ops, ops.size(images, 1), rows)
    )
    return _round(ops, ops.matmul(high, images), ops.matmul(low, images))


def _resizing_matrices(ops, n, n_wanted):
    """Weights of n pixels in each of those wanted: whole numbers, in units of 2**11 and of 1.

    In units of half a pixel divided by ``n_wanted``, all positions are whole numbers.
    """
    two = np.int32(2)
    wanted = 2 * np.arange(n_wanted, dtype=np.int32)[None] + 1
    places = ops.multiply(ops.column(ops.arange(n)), np.int32(2 * n_wanted))
    distances = ops.abs(ops.subtract(ops.add(places, np.int32(n_wanted)), ops.multiply(wanted, n)))
    reach = ops.multiply(ops.maximum(n, np.int32(n_wanted)), two)
    rest = ops.maximum(ops.subtract(reach, distances), np.int32(0))
    total = ops.sum_rows(rest)
    weights = np.int32(0)
    for i, n_bits in enumerate(_DIGITS):
        rest = ops.multiply(rest, np.int32(1 << n_bits))
        is_last = i == len(_DIGITS) - 1
        if is_last:  # rounded
            digit = ops.floor_divide(
                ops.add(ops.multiply(rest, two), total), ops.multiply(total, two)
            )
        else:
            digit = ops.floor_divide(rest, total)
            rest = ops.subtract(rest, ops.multiply(digit, total))
        weights = ops.add(ops.multiply(weights, np.int32(1 << n_bits)), digit)
    high = ops.floor_divide(ops.add(weights, np.int32(_HALF // 2)), _HALF)
    low = ops.subtract(weights, ops.multiply(high, _HALF))
    return ops.to_float(high), ops.to_float(low)


def _round(ops, high, low):
    total = ops.add(ops.multiply(ops.to_int(high), _HALF), ops.to_int(low))
    levels = ops.floor_divide(ops.add(total, np.int32(1 << (_BITS - 1))), np.int32(1 << _BITS))
    return ops.to_float(ops.minimum(levels, np.int32(255)))
