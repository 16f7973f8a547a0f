"""What an image is, as a key: equal keys mean equal pixels."""

import hashlib
import os

import joblib
import numpy as np

from skpneumo.exceptions import ImageReadError
from skpneumo.images import XRaySequence


def data_key(X):
    """Key of all images of ``X``, in their order.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        A sequence is told by its files (path, size, time of change) and what is done to them.

    Returns
    -------
    str
    """
    return joblib.hash(X.fingerprints() if isinstance(X, XRaySequence) else X)


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
        return [_digest(np.ascontiguousarray(image)) for image in X]
    sizes = {path: _file_size(path) for path in dict.fromkeys(X.paths)}
    values, counts = np.unique(list(sizes.values()), return_counts=True)
    shared = set(values[counts > 1].tolist())
    keys = {path: _file_key(path) if size in shared else path for path, size in sizes.items()}
    return [keys[path] for path in X.paths]


def _digest(data):
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _file_size(path):
    try:
        return os.path.getsize(path)
    except OSError as error:
        raise ImageReadError(f"{path}: {error.strerror or error}.") from None


def _file_key(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
