"""Recall and specificity of a threshold on the reference, with the error of the reference."""

import numpy as np

_N_RESAMPLES = 1000


def resample_rates(reference, threshold, rng):
    """Proportions of the images of each class that reach a threshold, in resampled references.

    Parameters
    ----------
    reference : Bunch
        With ``y_true``, ``y_score`` and ``patient``.
    threshold : float
        Of scores.
    rng : numpy.random.Generator
        For the resampling of patients.

    Returns
    -------
    ndarray of shape (2, 1 + n_resamples)
        For negative and positive images; first the proportion in the reference itself.
    """
    return np.array(
        [
            _resample_rate(reference.y_score[rows] >= threshold, reference.patient[rows], rng)
            for rows in (~reference.y_true, reference.y_true)
        ]
    )


def _resample_rate(reached, patient, rng):
    _, number = np.unique(patient, return_inverse=True)
    n_images, n_reached = np.bincount(number), np.bincount(number, weights=reached)
    n = len(n_images)
    times = rng.multinomial(n, np.full(n, 1 / n), size=_N_RESAMPLES)
    drawn = (times @ n_reached) / (times @ n_images)
    return np.append(n_reached.sum() / n_images.sum(), drawn)
