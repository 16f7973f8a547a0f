"""The data of a training: checked and encoded once, and read in batches of bounded memory."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skpneumo._utils.memory import MAX_DECODED_BYTES
from skpneumo._utils.targets import check_groups, check_labels, two_classes
from skpneumo._utils.threads import count_threads
from skpneumo.classifiers._sample_weight import multiply_weights
from skpneumo.images import XRaySequence, check_xrays
from skpneumo.networks import computes_on_cpu

# Augmentation holds Python's lock for a quarter of its time: more threads would wait for it.
_MAX_AUGMENTING_THREADS = 4
# With fewer, a thread that reads ahead takes a processor from the step that it runs beside.
_MIN_PROCESSORS_TO_PREFETCH = 4


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Images to learn from.

    Attributes
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The images.
    y : ndarray of shape (n,), dtype int
        1 for the second class, pneumonia, and 0 for the first.
    classes : ndarray of shape (2,)
        The labels.
    sample_weight : ndarray of shape (n,), dtype float32, or None
        Weight of each image in the loss, that of its class included; None if all weigh 1.
    groups : ndarray of shape (n,), dtype int, or None
        The patient of each image.
    """

    X: object
    y: np.ndarray
    classes: np.ndarray
    sample_weight: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self):
        return len(self.y)

    @property
    def labels(self):
        """Label of each image."""
        return self.classes[self.y]

    def select(self, rows):
        """Some of the rows."""
        return replace(
            self,
            # As many rows as images are all of them in order: a copy would only take memory.
            X=self.X if len(rows) == len(self) else self.X[rows],
            y=self.y[rows],
            sample_weight=None if self.sample_weight is None else self.sample_weight[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def check_training_set(X, y, *, classes=None, class_weight=None, sample_weight=None, groups=None):
    """Validate and encode what a fit is given.

    Parameters
    ----------
    X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
        X-rays.
    y : array-like of shape (n,)
        Labels.
    classes : array-like of shape (2,), default=None
        Both labels; None takes those of ``y``.
    class_weight : dict, "balanced" or None, default=None
        Weight of each label.
    sample_weight : array-like of shape (n,), default=None
        Weight of each image.
    groups : array-like of shape (n,), default=None
        The patient of each image.

    Returns
    -------
    TrainingSet

    Raises
    ------
    ValueError
        If lengths differ, labels are not two or not known, or a weight is not valid.
    """
    X, y = check_xrays(X), column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    # `assert_all_finite` lets None pass in an array of objects.
    if y.dtype == object and any(label is None for label in y):
        raise ValueError("Input y contains None.")
    check_classification_targets(y)
    check_consistent_length(X, y)
    groups = check_groups(groups, y)
    classes = two_classes(y) if classes is None else np.asarray(classes)
    check_labels(y, classes)
    weights = multiply_weights(y, classes, class_weight, sample_weight)
    return TrainingSet(X, (y == classes[1]).astype(int), classes, weights, groups)


def load_if_fits_in_memory(X, image_size):
    """Decode a sequence if all its images fit in memory, to be read in every epoch.

    Raises
    ------
    ValueError
        If the files turn out to have different sizes, or if their size is not known and they do
        not fit in memory.
    """
    n_bytes = len(X) * image_size[0] * image_size[1]
    if n_bytes <= MAX_DECODED_BYTES:
        return np.asarray(X)
    if isinstance(X, XRaySequence) and X.size is None:
        raise ValueError(
            f"{len(X)} images like the first one, {image_size[0]} x {image_size[1]} pixels, do "
            "not fit in memory. Set image_size, or bring them to one size with XRayResizer."
        )
    return X


class ImageReader:
    """Reads images as networks take them, augmented if need be.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The images.
    augment : callable, default=None
        Called as ``augment(image, row, epoch)``, in threads.

    Attributes
    ----------
    is_in_memory : bool
        Whether nothing has to be read from files.
    """

    def __init__(self, X, augment=None):
        self._X, self._augment = X, augment
        self.is_in_memory = not isinstance(X, XRaySequence)
        if augment is not None:
            n_threads = min(count_threads(), _MAX_AUGMENTING_THREADS)
            self._starts = range(n_threads)
            self._pool = ThreadPoolExecutor(n_threads)

    def __call__(self, rows, epoch=0):
        """Images of some rows.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers.
        epoch : int, default=0
            For the augmentation.

        Returns
        -------
        ndarray of shape (len(rows), H, W, 1), dtype uint8
        """
        images = np.asarray(self._X[rows])
        if self._augment is not None:
            work = partial(self._augment_in_place, images, rows.tolist(), epoch)
            # Consumed, so that an error in a thread is raised here.
            for _ in self._pool.map(work, self._starts):
                pass
        return images[..., None]

    def _augment_in_place(self, images, rows, epoch, start):
        for i in range(start, len(rows), len(self._starts)):
            images[i] = self._augment(images[i], rows[i], epoch)


def augment_until(augmentation, seed, n_epochs, image, row, epoch):
    """Augment an image in the first epochs; the last ones see it as it is."""
    return image if epoch >= n_epochs else augmentation(image, [seed, epoch, row])


def padded_batches(rows, batch_size):
    """Split rows into batches of one size.

    The last batch is filled up with the first rows: each new shape would cost seconds, in which
    the network is compiled again.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Row numbers.
    batch_size : int
        Rows per batch; all of them if there are fewer.

    Yields
    ------
    batch : ndarray of shape (min(batch_size, n),)
        Row numbers.
    n_own : int
        Number of rows at the start that are no filling.
    """
    batch_size = min(batch_size, len(rows))
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        n_own = len(batch)
        yield np.concatenate([batch, rows[: batch_size - n_own]]), n_own


def read_batches(read, function, arguments):
    """Call a function on each item, ahead of the consumer if that saves time.

    Parameters
    ----------
    read : callable
        What the function reads with, such as an `ImageReader`.
    function : callable
        Called on each item.
    arguments : iterable
        The items.

    Returns
    -------
    iterator
        Of the results.
    """
    is_beside_step = computes_on_cpu() and count_threads() < _MIN_PROCESSORS_TO_PREFETCH
    if is_beside_step and getattr(read, "is_in_memory", False):
        return map(function, arguments)
    return prefetch(function, arguments)


def prefetch(function, arguments):
    """Call a function on each item, in a thread that is one item ahead of the consumer."""
    with ThreadPoolExecutor(1) as pool:
        coming = None
        for argument in arguments:
            coming, ready = pool.submit(function, argument), coming
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()
