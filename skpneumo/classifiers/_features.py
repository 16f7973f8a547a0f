"""What a frozen network makes of images, computed once for each image."""

import numpy as np

from skpneumo._utils.array_store import default_store
from skpneumo.classifiers._batches import MAX_DECODED_BYTES, image_reader
from skpneumo.classifiers._identity import image_keys
from skpneumo.classifiers._memo import MEMO
from skpneumo.classifiers._network_key import network_key
from skpneumo.classifiers._training import ask

_AT_ONCE = 256
_BYTES_PER_FEATURE = 4


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
    source, images = network_key(network), image_keys(X)
    views = [None] if augmentation is None else [(repr(augmentation), i) for i in range(n_views)]

    def augment(image, row, epoch):
        # From the image alone, so that all folds and candidates have the same views of it.
        return augmentation(image, [int(images[row], 16), epoch])

    def compute(missing, view):
        rows = np.array([*missing.values()])
        read = image_reader(X, None if view is None else augment)
        epoch = 0 if view is None else view[1]
        features = ask(network, lambda part: read(rows[part], epoch), len(rows), batch_size)
        return dict(zip(missing, features.astype(np.float32), strict=True))

    def fetch(rows, view):
        keys = [("features", source, images[row], view) for row in rows]
        found = _recall(keys)
        missing = {key: row for key, row in zip(keys, rows, strict=True) if key not in found}
        if missing:
            computed = compute(missing, view)
            _keep(computed)
            found |= computed
        return np.stack([found[key] for key in keys])

    def fetch_parts(view):
        # Now and in parts: what is killed has lost no more than one.
        for start in range(0, len(images), _AT_ONCE):
            yield fetch(range(start, min(start + _AT_ONCE, len(images))), view)

    n_bytes = len(images) * len(views) * network.output_shape[-1] * _BYTES_PER_FEATURE
    if n_bytes <= MAX_DECODED_BYTES:
        features = {view: np.concatenate([*fetch_parts(view)]) for view in views}
    else:
        features = None
        for view in views:
            for _ in fetch_parts(view):
                pass

    def read(rows, epoch=0):
        view = views[epoch % len(views)]
        return fetch(rows, view) if features is None else features[view][rows]

    return read


def _recall(keys):
    """Those features, by key, that this process or the store on disk has."""
    found = {key: features for key in keys if (features := MEMO.get(key)) is not None}
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    store = default_store()
    if missing and store is not None:
        for key, features in zip(missing, store.get(missing), strict=True):
            if features is not None:
                found[key] = features
                MEMO.put(key, features)
    return found


def _keep(computed):
    store = default_store()
    if store is not None:
        store.put([*computed], [*computed.values()])
    for key, features in computed.items():
        MEMO.put(key, features.copy())
