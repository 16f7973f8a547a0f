"""Scores of the data that a threshold was chosen on, which travel with the model."""

import numpy as np
from sklearn.utils import Bunch

from skpneumo._utils.bounds import min_score_per_patient

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
        With ``y_true``, ``y_score`` and ``patient``: numbers from 0, in the order of the lowest
        scores. Images are in the order of the patients, and then of the scores.
    """
    names = np.arange(len(y_true)) if groups is None else groups
    _, patient = np.unique(names, return_inverse=True)
    patient = np.random.default_rng(0).permutation(patient.max() + 1)[patient]
    rows = np.argsort(patient, kind="stable")
    # Patients are kept whole: the last one that fits ends the list.
    ends = np.flatnonzero(np.diff(patient[rows], append=-1)) + 1
    rows = rows[: ends[max(np.searchsorted(ends, max_images, side="right") - 1, 0)]]
    patient = _number_by_score(patient[rows], y_score[rows])
    order = np.lexsort((y_true[rows], y_score[rows], patient))
    rows, patient = rows[order], patient[order]
    return Bunch(y_true=y_true[rows], y_score=y_score[rows], patient=patient)


def _number_by_score(patient, y_score):
    """Number patients by their lowest score: an order that does not lead back to names or files."""
    _, number = np.unique(patient, return_inverse=True)
    lowest = min_score_per_patient(y_score, number)
    return np.argsort(np.argsort(lowest, kind="stable"), kind="stable").astype(np.int32)[number]
