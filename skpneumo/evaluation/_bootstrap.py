"""Intervals of figures, by drawing patients anew."""

import numpy as np

from skpneumo.metrics._bounds import exact_interval

_NUMBERS_AT_ONCE = 2_000_000
_MOSTLY = 0.95


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
    """Interval of the middle of a figure over resamples, infinite ones among them.

    Parameters
    ----------
    values : ndarray of shape (n_resamples,)
        The figure on each.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        NaN where the figure is the same on all resamples, as they then do not tell how sure it is,
        or not defined on more than 5 % of them.
    """
    defined = np.sort(values[~np.isnan(values)])
    if len(defined) < _MOSTLY * len(values) or defined[0] == defined[-1]:
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.rint(np.array([tail, 1 - tail]) * (len(defined) - 1)).astype(int)
    return float(defined[low]), float(defined[high])


def share_interval(share, values, n_images, n_patients, confidence):
    """Interval of Clopper and Pearson for a share of images that patients have several of.

    It is that of as many independent images as would make the share vary as it does over the
    resamples. [1]_ Where it does not vary, a patient counts as one image. The interval always holds
    that of patients among whom none, or all, are missed: one miss never makes it surer.

    Parameters
    ----------
    share : float
        On the images as they are.
    values : ndarray of shape (n_resamples,)
        On resamples of patients.
    n_images, n_patients : int
        What it is a share of.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        NaN where the share is not defined.

    References
    ----------
    .. [1] Korn & Graubard, "Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data", Survey Methodology 24:193-201, 1998.
    """
    if np.isnan(share):
        return np.nan, np.nan
    n = n_patients
    if n_images > n_patients and (variance := np.nanvar(values)) > 0:
        n = min(n_images, share * (1 - share) / variance)
    low, high = exact_interval(share * n, n, confidence)
    lowest_of_all, _ = exact_interval(n_patients, n_patients, confidence)
    _, highest_of_none = exact_interval(0, n_patients, confidence)
    return min(low, lowest_of_all), max(high, highest_of_none)
