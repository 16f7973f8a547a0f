"""Features of images by a frozen network, computed once for each image."""

from functools import partial

import numpy as np

from skpneumo._utils.caching import RESULTS, default_store
from skpneumo._utils.memory import MAX_DECODED_BYTES
from skpneumo._utils.progress import track
from skpneumo.classifiers._data import ImageReader
from skpneumo.classifiers._hashing import hash_each_image
from skpneumo.classifiers._training import predict_batches

_IMAGES_PER_PART = 256
# Raised whenever an augmentation draws other numbers, since features are kept on disk.
_VIEWS = 2
_BYTES_PER_FEATURE = 4


class FeatureReader:
    """Reads images as features of a frozen network.

    Features are kept in this process and in the store on disk; what neither has is computed when
    the reader is made.

    Parameters
    ----------
    network : FittedNetwork
        With a frozen part, which makes a vector of features for each image.
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        Images of the size of the network.
    batch_size : int
        Images per step.
    augmentation : Augmentation, default=None
        How each view of an image is changed.
    n_views : int, default=1
        Number of changed views of each image, drawn once for all fits.

    Attributes
    ----------
    is_in_memory : bool
        Whether features are kept in this process rather than read from the store on disk.
    """

    def __init__(self, network, X, batch_size, augmentation=None, n_views=1):
        self._backbone, self._source = network.backbone, network.backbone_key()
        self._X, self._images = X, hash_each_image(X)
        self._batch_size, self._augmentation = batch_size, augmentation
        self._views = [None]
        if augmentation is not None:
            self._views = [(_VIEWS, repr(augmentation), i) for i in range(n_views)]
        n_rows = len(self._images) * len(self._views)
        fits = n_rows * self._backbone.output_shape[-1] * _BYTES_PER_FEATURE <= MAX_DECODED_BYTES
        self.is_in_memory = fits
        self._features = {} if fits else None
        with track("Computing features", n_rows, "X-rays") as update:
            for view in self._views:
                # In parts: a process that is killed has lost no more than one.
                parts = self._fetch_parts(view, update)
                if fits:
                    self._features[view] = np.concatenate([*parts])
                else:
                    # Computed now and kept on disk, from which batches are read in training.
                    for _ in parts:
                        pass

    def __call__(self, rows, epoch=0):
        """Features of some rows.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers.
        epoch : int, default=0
            Each epoch sees another view, in turn.

        Returns
        -------
        ndarray of shape (len(rows), n_features), dtype float32
        """
        view = self._views[epoch % len(self._views)]
        return self._fetch(rows, view) if self._features is None else self._features[view][rows]

    def _split_rows(self):
        n = len(self._images)
        return (
            range(start, min(start + _IMAGES_PER_PART, n))
            for start in range(0, n, _IMAGES_PER_PART)
        )

    def _fetch_parts(self, view, update):
        for rows in self._split_rows():
            yield self._fetch(rows, view)
            update(advance=len(rows))

    def _fetch(self, rows, view):
        keys = [("features", self._source, self._images[row], view) for row in rows]
        found = _load(keys)
        missing = {key: row for key, row in zip(keys, rows, strict=True) if key not in found}
        if missing:
            computed = dict(zip(missing, self._compute([*missing.values()], view), strict=True))
            _save(computed)
            found |= computed
        return np.stack([found[key] for key in keys])

    def _compute(self, rows, view):
        reader = ImageReader(self._X, None if view is None else self._augment)
        read = partial(_read_part, reader, np.array(rows), 0 if view is None else view[-1])
        features = predict_batches(
            self._backbone, read, len(rows), self._batch_size, is_shown=False
        )
        return features.astype(np.float32)

    def _augment(self, image, row, epoch):
        # From the image alone, so that all folds and candidates have the same views of it.
        return self._augmentation(image, [int(self._images[row], 16), epoch])


def _read_part(reader, rows, epoch, part):
    return reader(rows[part], epoch)


def _load(keys):
    """Those features, by key, that this process or the store on disk has."""
    found = {key: features for key in keys if (features := RESULTS.get(key)) is not None}
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    store = default_store()
    if missing and store is not None:
        for key, features in zip(missing, store.get(missing), strict=True):
            if features is not None:
                found[key] = features
                RESULTS.put(key, features)
    return found


def _save(computed):
    store = default_store()
    if store is not None:
        store.put([*computed], [*computed.values()])
    for key, features in computed.items():
        # A row of the computed batch would keep the whole batch in memory.
        RESULTS.put(key, features.copy())
