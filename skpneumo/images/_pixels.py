"""The pixel contract: which arrays are X-rays, and what to write if they are not."""

import warnings

import numpy as np

WANTED = (
    "Wanted: grey X-rays as uint8 of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3) with equal "
    "channels, floats in [0, 1] of these shapes, file paths, or an XRaySequence."
)
# Less than half a grey level, so that it rounds to 0 or 255: what arithmetic leaves of them.
_TOLERANCE = 0.499 / 255
# How far interpolation (bicubic, Lanczos) goes beyond the values that it is given.
_OVERSHOOT = 0.25
_MAX_CHANNELS = 4
_BITS = (8, 10, 12, 14, 16)
# White of 12 bits in a range of 16.
_DARK = 16


def describe(images):
    """Shape, dtype and range of an array, for an error.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images._pixels import describe
    >>> describe(np.eye(3))
    'shape (3, 3), dtype float64, range [0, 1]'
    """
    text = f"shape {images.shape}, dtype {images.dtype}"
    if images.dtype.kind in "biuf" and images.size:
        text += f", range [{images.min():.6g}, {images.max():.6g}]"
    return text


def check_images(images):
    """Validate a batch of images of one size.

    Parameters
    ----------
    images : ndarray
        Anything.

    Returns
    -------
    ndarray of shape (n, H, W)
        Of the given dtype, ``uint8`` or floats: a view of ``images``, or ``images`` itself.

    Raises
    ------
    ValueError
        If the shape or the dtype is another one, or if channels differ.

    Warns
    -----
    UserWarning
        If three images are equal: they may be the channels of one.
    """
    if images.dtype.kind not in "iuf":
        raise ValueError(
            f"X does not hold images: got {describe(images)}. {WANTED}{_dtype_advice(images)}"
        )
    grey = _without_channels(images)
    if grey.ndim != 3:
        raise ValueError(
            f"X has the wrong shape: got {describe(images)}. {WANTED}{_shape_advice(images.shape)}"
        )
    if 0 in grey.shape:
        raise ValueError(f"X holds images without pixels: got {describe(images)}. {WANTED}")
    if grey.dtype != np.uint8 and grey.dtype.kind != "f":
        raise ValueError(
            f"X has the wrong dtype: got {describe(images)}. {_integer_advice(images)}"
        )
    if images.ndim == 3:
        _check_batch_axis(images)
    elif not all(np.array_equal(grey, images[..., i]) for i in range(1, images.shape[-1])):
        to_uint8(images)  # if the values are wrong too, that is what to fix first
        raise ValueError(
            f"X has three channels that differ: got {describe(images)}. An X-ray is grey. Give the "
            "file paths, or make it grey before: numpy.rint(X @ [0.299, 0.587, 0.114])"
            ".astype(numpy.uint8) for values from 0 to 255."
        )
    return grey


def _without_channels(images):
    return images[..., 0] if images.ndim == 4 and images.shape[-1] in (1, 3) else images


def _check_batch_axis(images):
    """Refuse an image whose channels would be taken for columns.

    A last axis of 1 to 4 behind two longer ones holds channels: no X-ray is that narrow.
    """
    shape = images.shape
    if shape[2] <= _MAX_CHANNELS and min(shape[:2]) > shape[2]:
        raise ValueError(
            f"X has the wrong shape: got {describe(images)}, which is one image with "
            f"{shape[2]} channels, or {shape[0]} images {shape[2]} pixels wide. "
            f"{WANTED} Give a batch, even for one image: X[None]."
        )
    if shape[0] == 3 and _are_channels(images):
        warnings.warn(
            "X holds three equal images. If they are the channels of one, give X[:1].",
            UserWarning,
            stacklevel=4,
        )


def _are_channels(images):
    first = images[0]
    return first.min() < first.max() and all(np.array_equal(first, other) for other in images[1:])


def _shape_advice(shape):
    if len(shape) == 2:
        return " For one image write X[None]: it needs a batch axis too."
    if len(shape) == 4 and shape[1] in (1, 3) and shape[3] > _MAX_CHANNELS:
        return " Channels come last: numpy.moveaxis(X, 1, -1)."
    if len(shape) == 4 and shape[3] in (2, 4):
        return f" Leave out the alpha channel: X[..., :{shape[3] - 1}]."
    if len(shape) == 4 and shape[3] > _MAX_CHANNELS:
        return " For several batches write numpy.concatenate(X)."
    return ""


def _dtype_advice(images):
    if images.dtype.kind == "b":
        return " Is it a mask? For a black and white X-ray write X * numpy.uint8(255)."
    if images.dtype.name == "bfloat16":
        return " Write X.astype(numpy.float32), or give uint8: bfloat16 cannot hold 256 levels."
    return ""


def _integer_advice(images):
    low, high = images.min(), images.max()
    if low < 0:
        return (
            "Pixels are not negative. Give the file paths, or map the darkest and the brightest "
            "value that can occur to 0 and 1: (X - low) / (high - low)."
        )
    if high > 255:
        return f"Values above 255 are divided by the largest that can occur: {_division(high)}."
    text = (
        "Values from 0 to 255 must be uint8: convert with X.astype(numpy.uint8) once you have made "
        "sure of the range."
    )
    if high == 1:
        text += " There are only 0 and 1 here: is it a mask, or were the pixels cut to integers?"
    return text


def _division(high):
    """What to write for samples that go from 0 up to the largest of a number of bits."""
    bits = next((bits for bits in _BITS if high < 2**bits), None)
    return "X / X.max()" if bits is None else f"X / {2**bits - 1} for {bits} bits"


def to_uint8(images):
    """Convert pixels to ``uint8``, which is returned as it is.

    Parameters
    ----------
    images : ndarray, dtype uint8 or floating
        Floats in [0, 1]. Less than half a grey level beyond is taken for 0 or 1.

    Returns
    -------
    ndarray, dtype uint8

    Raises
    ------
    ValueError
        If there are other floats, or nothing but 0 and 1.

    Warns
    -----
    UserWarning
        If only the darkest 17 of the 256 grey levels are used.
    """
    if images.dtype == np.uint8:
        # The first image nearly always settles this, and whether they are dark.
        if images[:1].max() <= 1 and images.max() == 1:
            raise ValueError(
                f"X holds only 0 and 1: got {describe(images)}. Values from 0 to 255 are wanted. "
                "Pixels that are divided by 255 must stay floats: X / 255, not "
                "(X / 255).astype(numpy.uint8). For a mask write X * numpy.uint8(255)."
            )
        if images[:1].max() <= _DARK:
            _warn_of_darkness(images)
        return images
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"Input X contains NaN or infinity: got {describe(images)}. {WANTED}")
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise ValueError(
            f"X holds floats outside [0, 1]: got {describe(images)}. {_range_advice(low, high)}"
        )
    if low < 0 or high > 1:
        images = np.clip(images, 0, 1)
    pixels = np.rint(images * 255).astype(np.uint8)
    if high <= 1.001 / 255 and pixels.any():
        raise ValueError(
            f"X holds floats of at most 1/255: got {describe(images)}. That leaves two grey "
            "levels. Divide values from 0 to 255 by 255 once, not twice: X * 255 undoes it."
        )
    if low == 0 and high == 1 and ((images == 0) | (images == 1)).all():
        raise ValueError(
            f"X holds only 0 and 1: got {describe(images)}. Is it a mask, or were the pixels cut "
            "to integers? For black and white X-rays write (X * 255).astype(numpy.uint8)."
        )
    _warn_of_darkness(pixels)
    return pixels


def _warn_of_darkness(pixels):
    low, high = pixels.min(), pixels.max()
    if low < high <= _DARK:
        warnings.warn(
            f"X uses the darkest {int(high) + 1} of 256 grey levels only. Were samples of fewer "
            "than 16 bits scaled by the range of 16? Give the file paths, or divide by the largest "
            "value that can occur: X / 4095 for 12 bits.",
            UserWarning,
            stacklevel=4,
        )


def _range_advice(low, high):
    if low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT:
        return (
            "Resizing may overshoot: write numpy.clip(X, 0, 1), or let XRayResizer resize, which "
            "does not."
        )
    if low >= 0:
        return f"Divide by the largest value of the format: {_division(high)}; or give uint8."
    if low >= -0.5 - _TOLERANCE and high <= 0.5 + _TOLERANCE:
        return "Undo the shift: X + 0.5."
    if low >= -1 - _TOLERANCE and high <= 1 + _TOLERANCE:
        return "For values from -1 to 1 write (X + 1) / 2."
    if high > 128:
        return "Undo what was subtracted, then divide by 255: (X + mean) / 255."
    return "Undo the standardization, X * std + mean, or leave it out: the networks rescale inside."
