"""Validate images and paths: they become X-rays, or an error states what to write instead."""

from __future__ import annotations

from reprlib import repr as short_repr
from typing import Any

import numpy as np
from PIL import Image
from scipy.sparse import issparse

from skpneumo._utils.paths import check_paths, is_path
from skpneumo._utils.typing import XRays
from skpneumo.images._pixels import WANTED, check_images, describe, to_uint8
from skpneumo.images._read import decode_image, read_xray
from skpneumo.images._sequence import XRaySequence

# Kinds of dtypes that may hold paths or images: objects, text, bytes, text of any length.
_OBJECTS = "OUST"


def check_xrays(X: XRays, *, same_size: bool = True) -> Any:
    """Validate images, paths or a sequence, and convert them to the library's one form.

    Parameters
    ----------
    X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
        Pixels as uint8, or as floats in [0, 1], which are rounded to 1/255. Also lists of arrays,
        Pillow images or contents of files, and one column of paths.
    same_size : bool, default=True
        Whether images of different sizes are an error.

    Returns
    -------
    ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        An array that is right already is returned as it is. Only with ``same_size=False`` also a
        list of ndarray of shape (H, W), dtype uint8, if the sizes differ.

    Raises
    ------
    ValueError
        If ``X`` is empty or anything else. The message states shape, dtype and range received,
        and what to write instead.

    Notes
    -----
    A batch axis is needed even for one image. A last axis of 1 to 4 behind two longer ones is never
    taken for the columns of images: ``(H, W, 3)`` is one image without its batch axis, which is an
    error. ``(3, H, W)`` is a batch of three, with a warning if the three are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images import check_xrays
    >>> check_xrays(np.full((2, 5, 4, 3), 0.5))[0, 0]
    array([128, 128, 128, 128], dtype=uint8)
    >>> wide, high = np.zeros((5, 8), np.uint8), np.zeros((9, 6), np.uint8)
    >>> [image.shape for image in check_xrays([wide, high], same_size=False)]
    [(5, 8), (9, 6)]
    """
    if isinstance(X, XRaySequence):
        if not len(X):
            raise ValueError(_empty((0,)))
        return X
    _refuse_single(X)
    items = X if isinstance(X, (list, tuple)) and any(map(_is_item, X)) else _to_array(X)
    if isinstance(items, np.ndarray) and items.dtype.kind in _OBJECTS:
        items = _to_items(items, X)
    if isinstance(items, np.ndarray):
        if items.ndim and not len(items):
            raise ValueError(_empty(items.shape))
        return to_uint8(check_images(items))
    if any(map(is_path, items)):
        return XRaySequence(items)
    return _from_items(items, same_size)


def _empty(shape):
    return f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required."


def _refuse_single(X):
    """Refuse one image or path that is not in a list."""
    if is_path(X):
        path = check_paths([X])[0]
        raise ValueError(f"Got one path, {path!r}. Give a list of paths, even for one image: [X].")
    if _is_picture(X):
        raise ValueError(f"Got one image, {_kind(X)}. Give a list, even for one image: [X].")


def _is_picture(item):
    """Whether an object is one image that must be decoded: Pillow's, or a file's content."""
    is_content = isinstance(item, (bytes, bytearray)) and not is_path(item)
    return is_content or isinstance(item, Image.Image) or callable(getattr(item, "read", None))


def _is_item(item):
    """Whether an object is one image or path, so that a list of them is a batch."""
    return is_path(item) or _is_picture(item) or hasattr(item, "__array__")


def _kind(X):
    article = "an" if type(X).__name__[0] in "AEIOUaeiou" else "a"
    return f"{article} {type(X).__name__}"


def _to_array(X):
    if issparse(X):
        raise ValueError(f"X does not hold images: got shape {X.shape}, sparse. {WANTED}")
    if np.ma.is_masked(X):
        raise ValueError(
            f"X is a masked array, with {np.ma.count_masked(X):,} of {X.size:,} values masked. "
            "Give them a value: X.filled(0) makes them black."
        )
    try:
        return np.asarray(X)
    except (ValueError, TypeError, RuntimeError) as error:
        text = str(error).rstrip(".")
        raise ValueError(f"X cannot be made one array: {text}. {WANTED}") from None


def _to_items(array, X):
    """List of the images or paths in an array of objects or text, such as a column of a table."""
    if array.ndim == 0:
        _refuse_single(array[()])
    column = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if column.ndim == 1:
        if not len(column):
            raise ValueError(_empty(array.shape))
        items = column.tolist()
        if any(map(_is_item, items)):
            return items
    raise ValueError(
        f"X does not hold images: got {describe(array)}, {_kind(X)}. {WANTED}{_advice(array, X)}"
    )


def _advice(array, X):
    if isinstance(X, dict):
        keys = ", ".join(repr(key) for key in list(X)[:6])
        return f" Give one of its values: X[key], where key is one of {keys}."
    if isinstance(X, (set, frozenset)):
        return " A set has no order, so that no label belongs to an image: give a list."
    if array.ndim == 0 and hasattr(X, "__iter__"):
        return " It can only be iterated over: give an array or a list, such as list(X)."
    if array.ndim == 2 and any(map(is_path, array[0])):
        return f" It has {array.shape[1]} columns: give the one that holds the paths."
    return ""


def _from_items(items, same_size):
    """Decode images that came one by one, and make a batch of those of one size."""
    arrays = [_decode(item, row) for row, item in enumerate(items)]
    if len({(array.shape, array.dtype) for array in arrays}) == 1:
        return to_uint8(check_images(np.stack(arrays)))
    images = [_check_one(array, row) for row, array in enumerate(arrays)]
    shapes = [image.shape for image in images]
    other = next((row for row, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is None:
        return np.stack(images)
    if not same_size:
        return images
    raise ValueError(
        f"X cannot be made one array: its images differ in size, {shapes[0]} in row 0 and "
        f"{shapes[other]} in row {other}. Bring them to one size with XRayResizer before. {WANTED}"
    )


def _decode(item, row):
    try:
        if isinstance(item, Image.Image):
            return decode_image(item)
        array = read_xray(item) if _is_picture(item) else _to_array(item)
    except ValueError as error:  # an ImageReadError is one
        raise type(error)(f"Row {row} of X: {error}") from None
    if array.dtype.kind in _OBJECTS:
        raise ValueError(
            f"X does not hold images: row {row} is {short_repr(item)}, among images. Leave such "
            "rows out of X and of all that belongs to it, such as y."
        )
    return array


def _check_one(array, row):
    try:
        return to_uint8(check_images(array[None]))[0]
    except ValueError as error:
        raise ValueError(f"Row {row} of X, as a batch of one: {error}") from None
