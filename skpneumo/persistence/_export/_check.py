"""Comparing a file with the estimator that it was made of."""

import copy
import warnings

import numpy as np

from skpneumo._utils.response import positive_scores
from skpneumo._utils.unwrap import unwrap
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import ModelFileError, OutlierWarning
from skpneumo.persistence._precision import convert_precision

# Greatest difference of a probability. That of float16 is for weights of 11 significant bits.
TOLERANCES = {"float32": 1e-3, "float16": 2e-2}
_N_IMAGES = 4
# Not square, one larger than most networks and one smaller.
_SIZES = ((189, 211), (57, 43))


def make_check_images(size):
    """Images of several kinds, in arrays of four.

    Parameters
    ----------
    size : tuple of (int, int) or None
        Rows and columns that a file takes; None for any.

    Returns
    -------
    list of ndarray of shape (4, H, W), dtype uint8
        X-rays, and noise, a gradient, one grey level, and an X-ray of few grey levels.
    """
    batches = []
    for rows, columns in [size] if size else _SIZES:
        rng = np.random.default_rng(rows)
        xrays = make_xrays(_N_IMAGES, image_size=(rows, columns), random_state=0).images
        noise = rng.integers(0, 256, (rows, columns), dtype=np.uint8)
        gradient = np.linspace(0, 255, rows * columns).reshape(rows, columns).astype(np.uint8)
        flat = np.full((rows, columns), 90, np.uint8)
        batches += [xrays, np.stack([noise, gradient, flat, 100 + xrays[0] // 16])]
    return batches


def in_float32(estimator):
    """Estimator whose networks compute in float32: itself, or a copy."""
    if all(one.precision_ == "float32" for one in unwrap(estimator).classifiers):
        return estimator
    return convert_precision(copy.deepcopy(estimator), "float32")


def compare(estimator, predict, size):
    """Largest difference between the probabilities of an estimator and of a file.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    predict : callable
        Probability of pneumonia by the file, given images.
    size : tuple of (int, int) or None
        Rows and columns that the file takes.

    Returns
    -------
    float
    """
    largest = 0.0
    for images in make_check_images(size):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OutlierWarning)
            expected = positive_scores(estimator, images)
        # In two batches, since the number of images is free.
        found = np.concatenate([predict(images[:1]), predict(images[1:])])
        largest = max(largest, float(np.abs(found - expected).max()))
    return largest


def check_difference(difference, precision):
    """Refuse a file whose probabilities differ too much.

    Raises
    ------
    ModelFileError
        If they do.
    """
    # A difference that is not a number is not small.
    if not difference <= TOLERANCES[precision]:
        raise ModelFileError(
            f"The exported file was not written: its probabilities differ from predict_proba by up "
            f"to {difference:.2g}, more than {TOLERANCES[precision]:g}. Check that the network is "
            "one of skpneumo's, or report this with the model."
        )
