"""The pixel contract, checked at the door."""

from pathlib import Path

import numpy as np
from scipy.sparse import issparse

from skpneumo.images._sequence import XRaySequence

_WANTED = (
    "Wanted: grey X-rays as uint8 of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3) with equal "
    "channels, floats in [0, 1] of these shapes, file paths, or an XRaySequence."
)


def as_xrays(X):
    """Bring images, paths or a sequence to the one form that the library computes with.

    Parameters
    ----------
    X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
        Pixels as uint8, or as floats in [0, 1], which are rounded to 1/255.

    Returns
    -------
    ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        An array that is right already is returned as it is.

    Raises
    ------
    ValueError
        If ``X`` is empty or anything else. The message states shape, dtype and range received.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images import as_xrays
    >>> as_xrays(np.full((2, 5, 4, 3), 0.5))[0, 0]
    array([128, 128, 128, 128], dtype=uint8)
    """
    if isinstance(X, XRaySequence):
        if not len(X):
            raise ValueError(_empty((0,)))
        return X
    if isinstance(X, (str, Path)):
        raise ValueError(f"Got one path, {str(X)!r}. Give a list of paths, even for one image.")
    images = _to_array(X)
    if images.ndim and not len(images):
        raise ValueError(_empty(images.shape))
    if images.ndim == 1 and all(isinstance(item, (str, Path)) for item in images):
        return XRaySequence(images)
    return _to_uint8(_to_grey(images))


def _empty(shape):
    return f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required."


def _to_array(X):
    if issparse(X):
        raise ValueError(f"X does not hold images: got shape {X.shape}, sparse. {_WANTED}")
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(f"X cannot be made one array: {error}. {_WANTED}") from None


def _describe(images):
    text = f"shape {images.shape}, dtype {images.dtype}"
    if images.dtype.kind in "biuf" and images.size:
        text += f", range [{images.min():.6g}, {images.max():.6g}]"
    return text


def _to_grey(images):
    if images.dtype.kind not in "iuf":
        raise ValueError(f"X does not hold images: got {_describe(images)}. {_WANTED}")
    if images.ndim == 4 and images.shape[-1] == 3:
        first = images[..., 0]
        if not all(np.array_equal(first, images[..., i]) for i in (1, 2)):
            raise ValueError(
                f"X has three channels that differ: got {_describe(images)}. An X-ray is grey; "
                "convert it before, or give the file paths."
            )
        images = first
    elif images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3:
        raise ValueError(f"X has the wrong shape: got {_describe(images)}. {_WANTED}")
    if 0 in images.shape:
        raise ValueError(f"X holds images without pixels: got {_describe(images)}. {_WANTED}")
    return images


def _to_uint8(images):
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise ValueError(
            f"X has the wrong dtype: got {_describe(images)}. Values from 0 to 255 must be uint8: "
            "convert with X.astype(numpy.uint8) once you have made sure of the range."
        )
    if not np.isfinite(images).all():
        raise ValueError(f"Input X contains NaN or infinity: got {_describe(images)}. {_WANTED}")
    if images.min() < 0 or images.max() > 1:
        raise ValueError(
            f"X holds floats outside [0, 1]: got {_describe(images)}. Divide by the largest value "
            "of the format (255 for 8 bits), or give uint8."
        )
    return np.rint(images * 255).astype(np.uint8)
