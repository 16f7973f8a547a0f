"""Intervals by drawing patients anew."""

import numpy as np
from scipy.stats import beta

_NUMBERS_AT_ONCE = 2_000_000


def resampled(compute, n, units, n_resamples, seed):
    """Compute figures on the images as they are, then with patients drawn with replacement.

    All images of a patient are drawn together: they are not independent. [1]_

    Parameters
    ----------
    compute : callable
        Called with weights of shape (n_weightings, n); gives a dict of arrays of shape
        (n_weightings,).
    n : int
        Number of images.
    units : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    n_resamples : int
        How many.
    seed : int
        Of the draws: equal for figures that are compared in pairs.

    Returns
    -------
    dict of str to ndarray of shape (1 + n_resamples,)

    References
    ----------
    .. [1] Field & Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society
       B 69:369-390, 2007.
    """
    rng = np.random.default_rng(seed)
    n_units = units.max() + 1
    parts = [compute(np.ones((1, n)))]
    at_once = max(1, _NUMBERS_AT_ONCE // n)
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        draws = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=size)
        parts.append(compute(draws[:, units].astype(np.float64)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def percentile_interval(values, confidence):
    """Interval of the middle of some values, infinite ones among them; NaN if none is defined."""
    values = np.sort(values[~np.isnan(values)])
    if not len(values):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.rint(np.array([tail, 1 - tail]) * (len(values) - 1)).astype(int)
    return float(values[low]), float(values[high])


def exact_interval(n_right, n, confidence):
    """Interval of Clopper and Pearson for a share."""
    tail = (1 - confidence) / 2
    low = beta.ppf(tail, n_right, n - n_right + 1) if n_right else 0.0
    high = beta.ppf(1 - tail, n_right + 1, n - n_right) if n_right < n else 1.0
    return float(low), float(high)
