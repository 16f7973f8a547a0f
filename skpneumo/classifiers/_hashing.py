"""Keys for reuse: equal keys mean equal pixels, equal weights, equal data."""

import hashlib
import os

import keras
import numpy as np
import xxhash

import skpneumo
from skpneumo._utils.caching import RESULTS
from skpneumo.images import XRaySequence, file_identity, reraise_as_image_read_error

_IMAGES_PER_PART = 256
_N_IDENTITY = 4  # items of `file_identity`
# Names, what training may change, and the origin of weights do not decide what a layer computes.
# The dtype policy is read from the layer: its configuration numbers shared policies by process.
_NOT_DECIDING = ("name", "trainable", "dtype", "seed")
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")


def hash_parts(*parts):
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
    """Versions that decide results beside images and weights, to be part of every key."""
    return skpneumo.__version__, keras.__version__, keras.backend.backend()


def hash_images(X, *, by_content=False):
    """Hash all images of ``X``, in their order.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        A sequence is identified by its files and by what is done to them.
    by_content : bool, default=False
        Whether files are identified by their bytes, so that a file that was lost and put back is
        the same; else by path, size and time of change, without being read.

    Returns
    -------
    str
    """
    if not isinstance(X, XRaySequence):
        return hash_parts(X)
    fingerprints = X.fingerprints()
    if by_content:
        fingerprints = [
            (_hash_file_once(item[:_N_IDENTITY]), *item[_N_IDENTITY:]) for item in fingerprints
        ]
    return hash_parts(repr(fingerprints))


def hash_each_image(X):
    """Hash the pixels of each image.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        Images of a sequence are decoded, once in a process.

    Returns
    -------
    list of str
    """
    if not isinstance(X, XRaySequence):
        return [hash_parts(image) for image in X]
    fingerprints = [("content", *item) for item in X.fingerprints()]
    keys = [RESULTS.get(item) for item in fingerprints]
    missing = [row for row, key in enumerate(keys) if key is None]
    for start in range(0, len(missing), _IMAGES_PER_PART):
        rows = missing[start : start + _IMAGES_PER_PART]
        for row, image in zip(rows, np.asarray(X[rows]), strict=True):
            keys[row] = hash_parts(image)
            RESULTS.put(fingerprints[row], keys[row])
    return keys


def find_copies(X):
    """Key of each image, equal for copies of one image.

    Files are compared by their bytes, and only if their sizes are equal. Repeats of one file
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
        return hash_each_image(X)
    sizes = {path: _get_file_size(path) for path in dict.fromkeys(X.paths)}
    values, counts = np.unique(list(sizes.values()), return_counts=True)
    repeated = set(values[counts > 1].tolist())
    keys = {path: _hash_file(path) if size in repeated else path for path, size in sizes.items()}
    return [keys[path] for path in X.paths]


def hash_file(path):
    """Hash the bytes of a file, once in a process unless it changes."""
    return _hash_file_once(file_identity(path))


def _hash_file_once(identity):
    key = RESULTS.get(("bytes", *identity))
    if key is None:
        key = _hash_file(identity[0])
        RESULTS.put(("bytes", *identity), key)
    return key


def _hash_file(path):
    with reraise_as_image_read_error(path), open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _get_file_size(path):
    with reraise_as_image_read_error(path):
        return os.path.getsize(path)


def hash_network(model):
    """Hash the weights and the layers of a network.

    Parameters
    ----------
    model : keras.Model
        The network.

    Returns
    -------
    str
    """
    weights = (np.asarray(variable) for variable in model.weights)
    return hash_parts(versions(), model.input_shape, repr(_describe_layers(model)), *weights)


def _describe_layers(model):
    return [
        _describe_layers(layer)
        if isinstance(layer, keras.Model)
        else (type(layer).__name__, layer.dtype_policy.name, _keep_deciding(layer.get_config()))
        for layer in model.layers
    ]


def _keep_deciding(config):
    return {
        key: value
        for key, value in config.items()
        if key not in _NOT_DECIDING and not key.endswith(_OF_TRAINING)
    }
