"""Any accepted X becomes batches of decoded images, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skpneumo._utils.memory import MAX_DECODED_BYTES
from skpneumo.images import XRaySequence


def load_if_fits_in_memory(X, image_size):
    """Decode a sequence now if all its images fit in memory, to be read in every epoch.

    Raises
    ------
    ValueError
        If the files turn out to have different sizes, or if nobody said which one they have and
        they do not fit in memory.
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


def padded_batches(rows, batch_size):
    """Split rows into batches of one size.

    The last batch is filled up with the first rows: each new shape would cost seconds, in which
    the network is compiled again.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Row numbers.
    batch_size : int
        Rows per batch; all of them where there are fewer.

    Yields
    ------
    batch : ndarray of shape (min(batch_size, n),)
        Row numbers.
    n_own : int
        How many at the start are not filling.
    """
    batch_size = min(batch_size, len(rows))
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        n_own = len(batch)
        yield np.concatenate([batch, rows[: batch_size - n_own]]), n_own


def image_reader(X, augment=None):
    """Function that decodes some images into an array for Keras.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The images.
    augment : callable, default=None
        Called as ``augment(image, row, epoch)``.

    Returns
    -------
    callable
        Called as ``read(rows, epoch=0)`` with an array of row numbers; returns uint8 of shape
        (len(rows), H, W, 1).
    """

    def read(rows, epoch=0):
        images = np.asarray(X[rows])
        if augment is not None:
            pairs = zip(images, rows.tolist(), strict=True)
            images = np.stack([augment(image, row, epoch) for image, row in pairs])
        return images[..., None]

    return read


def prefetch(function, arguments):
    """Call a function on each item, in a thread that is one item ahead of who asks."""
    with ThreadPoolExecutor(1) as pool:
        coming = None
        for argument in arguments:
            coming, ready = pool.submit(function, argument), coming
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()
