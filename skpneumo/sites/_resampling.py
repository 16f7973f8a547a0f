"""Bootstrap of patients."""

import numpy as np

_N_RESAMPLES = 1000


def resample_sums(rows, n_resamples, rng):
    """Sums over patients who are drawn with replacement.

    Parameters
    ----------
    rows : ndarray of shape (n_patients, n_columns)
        Numbers of each patient.
    n_resamples : int
        Number of samples, each of as many patients.
    rng : numpy.random.Generator
        For the draws.

    Returns
    -------
    ndarray of shape (n_resamples, n_columns)
    """
    # Patients with the same numbers are drawn together: most have one of a few rows.
    kinds, n_alike = np.unique(rows, axis=0, return_counts=True)
    times = rng.multinomial(len(rows), n_alike / len(rows), size=n_resamples)
    return times @ kinds


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
    rows = np.column_stack([np.bincount(number, weights=reached), np.bincount(number)])
    sums = np.vstack([rows.sum(axis=0), resample_sums(rows, _N_RESAMPLES, rng)])
    return sums[:, 0] / sums[:, 1]
