"""What an image is, as a key: equal keys mean equal pixels."""

import hashlib
import os

import keras
import numpy as np
import xxhash

import skpneumo
from skpneumo.classifiers._memo import MEMO
from skpneumo.images import XRaySequence, reraise_as_image_read_error

_DECODED_AT_ONCE = 256
# Items of `file_identity`.
_IDENTITY = 4


def digest(*parts):
    """Short text that is the same for equal arrays and texts, and in practice for no others."""
    state = xxhash.xxh3_128()
    for part in parts:
        if isinstance(part, np.ndarray):
            state.update(f"{part.dtype}{part.shape}".encode())
            state.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8))
        else:
            state.update(f"{part}|".encode())
    return state.hexdigest()


def versions():
    """What else decides what comes of images and weights: to be part of every key."""
    return skpneumo.__version__, keras.__version__, keras.backend.backend()


def data_key(X, *, by_content=False):
    """Key of all images of ``X``, in their order.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        A sequence is told by its files and what is done to them.
    by_content : bool, default=False
        Whether to tell files by their bytes: a file that was lost and put back is the same. Else by
        path, size and time of change, which takes no reading.

    Returns
    -------
    str
    """
    if not isinstance(X, XRaySequence):
        return digest(X)
    prints = X.fingerprints()
    if by_content:
        prints = [(_bytes_key(item[:_IDENTITY]), *item[_IDENTITY:]) for item in prints]
    return digest(repr(prints))


def _bytes_key(identity):
    key = MEMO.get(("bytes", *identity))
    if key is None:
        key = _file_key(identity[0])
        MEMO.put(("bytes", *identity), key)
    return key


def image_keys(X):
    """Key of each image, by its pixels.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        Those of a sequence are decoded, but not a second time in this process.

    Returns
    -------
    list of str
    """
    if not isinstance(X, XRaySequence):
        return [digest(image) for image in X]
    prints = [("content", *item) for item in X.fingerprints()]
    keys = [MEMO.get(item) for item in prints]
    missing = [row for row, key in enumerate(keys) if key is None]
    for start in range(0, len(missing), _DECODED_AT_ONCE):
        rows = missing[start : start + _DECODED_AT_ONCE]
        for row, image in zip(rows, np.asarray(X[rows]), strict=True):
            keys[row] = digest(image)
            MEMO.put(prints[row], keys[row])
    return keys


def content_keys(X):
    """Key of each image, equal for copies of one image.

    Files are compared by their bytes, and only where their sizes are equal. Repeats of one file
    that are augmented in different ways count as copies.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The images.

    Returns
    -------
    list of str
    """
    if not isinstance(X, XRaySequence):
        return image_keys(X)
    sizes = {path: _file_size(path) for path in dict.fromkeys(X.paths)}
    values, counts = np.unique(list(sizes.values()), return_counts=True)
    shared = set(values[counts > 1].tolist())
    keys = {path: _file_key(path) if size in shared else path for path, size in sizes.items()}
    return [keys[path] for path in X.paths]


def _file_size(path):
    with reraise_as_image_read_error(path):
        return os.path.getsize(path)


def _file_key(path):
    with reraise_as_image_read_error(path), open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
