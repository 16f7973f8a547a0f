"""Any accepted X becomes batches for Keras, in bounded memory."""

import keras
import numpy as np

from skpneumo.images import XRaySequence, resize_xrays

# Images of a training are decoded once if they fit, else again in every epoch.
MAX_DECODED_BYTES = 2 * 2**30


class Batches(keras.utils.PyDataset):
    """Batches of images, for `keras.Model.fit` or `keras.Model.predict`.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The images; a sequence is decoded batch by batch.
    y, weights : ndarray of shape (n,) or None
        Targets, 0 or 1, and weights in the loss.
    batch_size : int
        Images per batch; the last may have fewer.
    augmentation : Augmentation or None
        What to change, drawn anew for each image in each epoch.
    seed : int or None
        Decides order and augmentation together with the epoch; None keeps the order.

    Attributes
    ----------
    epoch : int
        Set by `FollowEpochs`.
    error : Exception or None
        What stopped a batch from being made, before the backend wrapped it.
    """

    def __init__(self, X, y=None, weights=None, *, batch_size, augmentation=None, seed=None):
        super().__init__()
        self.X, self.y, self.weights = X, y, weights
        self.batch_size = batch_size
        self.augmentation = augmentation
        self.seed = seed
        self.error = None
        self.begin_epoch(0)

    def begin_epoch(self, epoch):
        """Draw the order of an epoch."""
        self.epoch = epoch
        n = len(self.X)
        self._order = np.arange(n)
        if self.seed is not None:
            self._order = np.random.default_rng([self.seed, epoch]).permutation(n)

    @property
    def num_batches(self):
        return -(-len(self.X) // self.batch_size)

    def __getitem__(self, i):
        rows = self._order[i * self.batch_size : (i + 1) * self.batch_size]
        try:
            images = np.asarray(self.X[rows])
        except Exception as error:
            self.error = error
            raise
        if self.augmentation is not None:
            seeds = ([self.seed, self.epoch, row] for row in rows.tolist())
            pairs = zip(images, seeds, strict=True)
            images = np.stack([self.augmentation(image, seed) for image, seed in pairs])
        batch = (images[..., None],)
        if self.y is not None:
            batch += (self.y[rows],)
        if self.weights is not None:
            batch += (self.weights[rows],)
        return batch


class FollowEpochs(keras.callbacks.Callback):
    """Tell the batches which epoch it is."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Keras's hook, before the first batch of an epoch is asked for."""
        self.batches.begin_epoch(epoch)


def bring_to_size(X, image_size):
    """Images as the network wants them; those of a sequence are not decoded yet."""
    if isinstance(X, XRaySequence):
        return X if X.size == image_size else X.resized(image_size)
    return resize_xrays(X, image_size)


def decode_once(X, image_size):
    """Decode a sequence now if all its images fit in memory, to be read in every epoch."""
    n_bytes = len(X) * image_size[0] * image_size[1]
    return np.asarray(X) if n_bytes <= MAX_DECODED_BYTES else X


def run_batches(function, batches, **arguments):
    """Call a function of Keras on batches; an error in making a batch comes out as it was."""
    try:
        return function(batches, **arguments)
    except Exception:
        if batches.error is not None:
            raise batches.error from None
        raise
