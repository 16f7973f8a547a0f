"""Bootstrap of patients."""

import numpy as np


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
