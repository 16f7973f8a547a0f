"""What a frozen network makes of images, computed once for each image."""

from functools import cache
from weakref import WeakKeyDictionary

import numpy as np

from skpneumo._store import default_store
from skpneumo.classifiers._batches import MAX_DECODED_BYTES, image_reader
from skpneumo.classifiers._identity import digest, image_keys, versions
from skpneumo.classifiers._memo import MEMO
from skpneumo.classifiers._training import ask, network_key

_AT_ONCE = 256
_BYTES_PER_FEATURE = 4
_KNOWN = WeakKeyDictionary()


def fingerprint(network, *, fully=False):
    """Key of a network's weights, and of all else that decides what it makes of an image.

    Parameters
    ----------
    network : keras.Model
        A frozen one.
    fully : bool, default=False
        Whether to look at all its weights. Else, where it was asked about before, a look at those
        that every training and every loading of weights changes has to do.

    Returns
    -------
    str
    """
    weights = network.weights
    kernels = [variable for variable in weights if len(variable.shape) == 4]
    sample = digest(*(np.asarray(v.value) for v in (kernels[0], kernels[-1], weights[-1])))
    # Networks that share a backbone are many, and it is one.
    owner = network.layers[-1]
    known = _KNOWN.get(owner)
    if fully or known is None or known[0] != sample:
        known = _KNOWN[owner] = (
            sample,
            digest(versions(), network.input_shape, network_key(network)),
        )
    return known[1]


def feature_reader(network, X, batch_size, augmentation=None, n_views=1):
    """Function that gives the features of some images.

    They are kept in this process and in the store on disk; what neither has is computed now.

    Parameters
    ----------
    network : keras.Model
        Makes the features: a vector for each image.
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        Images of the size of the network.
    batch_size : int
        Images per step.
    augmentation : Augmentation, default=None
        What to change.
    n_views : int, default=1
        How many changed views of each image there are, drawn once for all.

    Returns
    -------
    callable
        Called as ``read(rows, epoch=0)``; each epoch sees another view, in turn. Returns float32
        of shape (len(rows), n_features).
    """
    images = image_keys(X)
    views = [None] if augmentation is None else [(repr(augmentation), i) for i in range(n_views)]

    def augment(image, row, epoch):
        # From the image alone, so that all folds and settings have the same views of it.
        return augmentation(image, [int(images[row], 16), epoch])

    def keys_of(rows, view, source):
        return [("features", source, images[row], view) for row in rows]

    def compute(missing, view):
        rows = np.array([*missing.values()])
        read = image_reader(X, None if view is None else augment)
        epoch = 0 if view is None else view[1]
        features = ask(network, lambda part: read(rows[part], epoch), len(rows), batch_size)
        return dict(zip(missing, features.astype(np.float32), strict=True))

    def fetch(rows, view, source):
        keys = keys_of(rows, view, source)
        found = _recall(keys)
        missing = {key: row for key, row in zip(keys, rows, strict=True) if key not in found}
        if missing:
            computed = compute(missing, view)
            _keep(computed)
            found |= computed
        return np.stack([found[key] for key in keys])

    source = fingerprint(network)
    starts = range(0, len(images), _AT_ONCE)
    chunks = [range(start, min(start + _AT_ONCE, len(images))) for start in starts]
    todo = [(rows, view) for view in views for rows in chunks]
    if not all(_has_all(keys_of(*part, source)) for part in todo):
        # Nothing may be kept under the name of what the network was before.
        source = fingerprint(network, fully=True)
        for rows, view in todo:
            fetch(rows, view, source)

    @cache
    def all_of(view):
        return fetch(range(len(images)), view, source)

    n_bytes = len(images) * len(views) * network.output_shape[-1] * _BYTES_PER_FEATURE
    fits_in_memory = n_bytes <= MAX_DECODED_BYTES

    def read(rows, epoch=0):
        view = views[epoch % len(views)]
        return all_of(view)[rows] if fits_in_memory else fetch(rows, view, source)

    return read


def _has_all(keys):
    return _recall(keys).keys() >= set(keys)


def _recall(keys):
    """Those features, by key, that this process or the store on disk has."""
    found = {key: features for key in keys if (features := MEMO.get(key)) is not None}
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    store = default_store()
    if missing and store is not None:
        for key, features in zip(missing, store.get(missing), strict=True):
            if features is not None:
                found[key] = features
                MEMO.put(key, features, features.nbytes)
    return found


def _keep(computed):
    store = default_store()
    if store is not None:
        store.put([*computed], [*computed.values()])
    for key, features in computed.items():
        MEMO.put(key, features.copy(), features.nbytes)
