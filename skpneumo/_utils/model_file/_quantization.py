"""Kernels of convolutions as integers, which take a quarter of the room."""

import numpy as np

from skpneumo.exceptions import ModelFileError

_SCALES = "/scales"
# Rounding the small kernels, those of the first layers, would disturb the probabilities most and
# save little: they are stored in 16 bits.
_MAX_SIZE_IN_16_BITS = 150_000
# Binary digits of the scales of each type: few enough that products with the integers are exact in
# float32, so that kernels that were rounded before stay as they are.
_N_DIGITS = {"int8": 16, "int16": 1}


def quantize_kernels(arrays):
    """Round the kernels among arrays to integers with one scale for each output channel.

    Parameters
    ----------
    arrays : dict of str to ndarray
        By name; those of four dimensions are kernels of convolutions.

    Returns
    -------
    dict of str to ndarray
        Kernels as int8, or int16 if they are small, and their scales under a name of their own;
        all else as it is.

    References
    ----------
    .. [1] Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference: A
       whitepaper", arXiv:1806.08342 (2018): symmetric, per channel.
    """
    quantized = {}
    for name, array in arrays.items():
        if array.ndim == 4 and array.dtype == np.float32:
            quantized[name], quantized[name + _SCALES] = _quantize(array)
        else:
            quantized[name] = array
    return quantized


def _quantize(kernel):
    dtype = np.int16 if kernel.size <= _MAX_SIZE_IN_16_BITS else np.int8
    largest = np.abs(kernel).max(axis=(0, 1, 2), initial=0)
    exact = np.where(largest > 0, largest, 1) / np.iinfo(dtype).max
    mantissa, exponent = np.frexp(exact)
    n_digits = _N_DIGITS[np.dtype(dtype).name]
    scales = np.ldexp(np.ceil(np.ldexp(mantissa, n_digits)), exponent - n_digits)
    return np.rint(kernel / scales).astype(dtype), scales.astype(np.float32)


def dequantize_kernels(arrays):
    """Undo `quantize_kernels`, but for the rounding.

    Parameters
    ----------
    arrays : dict of str to ndarray
        As it returns them; nothing in them is trusted.

    Returns
    -------
    dict of str to ndarray
        Kernels as float32.

    Raises
    ------
    ModelFileError
        If scales have no kernel, or do not fit it.
    """
    scales = {
        name.removesuffix(_SCALES): array
        for name, array in arrays.items()
        if name.endswith(_SCALES)
    }
    kernels = {name: _dequantize(name, arrays.get(name), scales[name]) for name in scales}
    others = {name: array for name, array in arrays.items() if not name.endswith(_SCALES)}
    for name in set(others) - set(kernels):
        if others[name].ndim == 4 and others[name].dtype.name in _N_DIGITS:
            raise ModelFileError(f"{name[:40]} has no scales")
    return others | kernels


def _dequantize(name, integers, scales):
    valid = integers is not None and integers.ndim == 4 and integers.dtype.name in _N_DIGITS
    if not valid or scales.dtype != np.float32 or scales.shape != integers.shape[-1:]:
        raise ModelFileError(f"{name[:40]} and its scales do not fit each other")
    return integers * scales
