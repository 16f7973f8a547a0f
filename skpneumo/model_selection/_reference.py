"""Scores of the data that a threshold was chosen on, which travel with the model."""

import numpy as np
from sklearn.utils import Bunch

# About 35 kB in a model file.
_MAX_IMAGES = 5000


def make_reference(y_true, y_score, groups=None, *, max_images=_MAX_IMAGES):
    """Keep the scores of the images that a threshold was chosen on, without their patients' names.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    y_score : ndarray of shape (n,), floating
        Score of each, by a model that was fitted without it.
    groups : ndarray of shape (n,), default=None
        The patient of each image; None to count images.
    max_images : int, default=5000
        Of more images, those of a random part of the patients are kept.

    Returns
    -------
    Bunch
        With ``y_true``, ``y_score`` and ``patient``: numbers from 0, in a random order.
    """
    names = np.arange(len(y_true)) if groups is None else groups
    _, patient = np.unique(names, return_inverse=True)
    # Neither the order of the patients nor that of the images leads back to a file.
    rng = np.random.default_rng(0)
    patient = rng.permutation(patient.max() + 1)[patient]
    rows = np.argsort(patient, kind="stable")
    # Patients are kept whole: the last one that fits ends the list.
    ends = np.flatnonzero(np.diff(patient[rows], append=-1)) + 1
    rows = rows[: ends[max(np.searchsorted(ends, max_images, side="right") - 1, 0)]]
    return Bunch(y_true=y_true[rows], y_score=y_score[rows], patient=patient[rows].astype(np.int32))
