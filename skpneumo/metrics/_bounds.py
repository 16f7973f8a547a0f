"""Thresholds that keep a promise on new patients: bounds that hold for finite samples."""

import numpy as np
from scipy.special import betaincinv
from scipy.stats import beta


def lower_bound(n_units, n_missed, confidence):
    """Lower confidence bound of the share caught, where some of the units at hand were missed.

    Where the threshold is the ``k``-th lowest of ``n`` scores, the share of new units that score
    below it follows a Beta distribution with ``k`` and ``n - k + 1``, whatever the scores are
    distributed like; with ties it is at most that. [1]_ The bound is the same as that of Clopper
    and Pearson for ``k - 1`` of ``n`` missed at a threshold that was given beforehand.

    Parameters
    ----------
    n_units : int
        How many units of the class there are.
    n_missed : int or ndarray of int
        How many of them score below the threshold.
    confidence : float
        Of each bound, between 0 and 1.

    Returns
    -------
    float or ndarray of float

    References
    ----------
    .. [1] Tong, Feng & Li, "Neyman-Pearson classification algorithms and NP receiver operating
       characteristics", Science Advances 4 (2018), eaao1659, Proposition 1.
    """
    n_missed = np.asarray(n_missed)
    some = n_missed < n_units
    rank = np.where(some, n_missed + 1, 1)
    return np.where(some, 1 - beta.ppf(confidence, rank, n_units - rank + 1), 0.0)[()]


def n_units_needed(share, confidence):
    """Smallest number of units with which a share can be certified, with none missed.

    Parameters
    ----------
    share : float
        The share to certify, at least 0; from 1 on, no number will do.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    int or None
    """
    if share >= 1:
        return None
    if share <= 1 - confidence:
        return 1
    return int(np.ceil(np.log1p(-confidence) / np.log(share) - 1e-9))


def highest_rank(n_units, share, confidence=None):
    """Rank of the highest threshold that catches a share of the units.

    The rank depends on the number of units alone and not on their scores, so the bound holds after
    the choice as it did before.

    Parameters
    ----------
    n_units : int
        How many units of the class there are.
    share : float
        To be caught.
    confidence : float, default=None
        With which new units are; None asks for the share of these alone.

    Returns
    -------
    int
        From 1, the lowest score, to ``n_units``; 0 if no threshold is low enough.
    """
    if confidence is None:
        caught = 1 - np.arange(n_units) / n_units
    else:
        caught = lower_bound(n_units, np.arange(n_units), confidence)
    return int(np.sum(caught >= share - 1e-12))


def exact_interval(n_right, n, confidence):
    """Interval of Clopper and Pearson for a share.

    Parameters
    ----------
    n_right, n : int or float
        They need not be whole.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
    """
    tail = (1 - confidence) / 2
    low = betaincinv(n_right, n - n_right + 1, tail) if n_right > 0 else 0.0
    high = betaincinv(n_right + 1, n - n_right, 1 - tail) if n_right < n else 1.0
    return float(low), float(high)


def lowest_by_unit(scores, groups=None):
    """Scores of units: the lowest of each patient, who is caught only if all their images are.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of the images of one class.
    groups : ndarray of shape (n,), default=None
        The patient of each; None if every image is a unit.

    Returns
    -------
    ndarray of shape (n_units,)
        In rising order.
    """
    if groups is None:
        return np.sort(scores)
    _, unit = np.unique(groups, return_inverse=True)
    lowest = np.full(unit.max() + 1, np.inf, dtype=scores.dtype)
    np.minimum.at(lowest, unit, scores)
    return np.sort(lowest)


def lowest_of_both(truth, scores, groups=None):
    """Scores that decide whether a unit is right: of the ill, and of the healthy as negatives.

    Parameters
    ----------
    truth : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    scores : ndarray of shape (n,)
        Of each image.
    groups : ndarray of shape (n,), default=None
        The patient of each; None if every image is a unit.

    Returns
    -------
    ill, healthy : ndarray
        In rising order. A patient is spared only if none of their healthy images is called, so
        the negative of the highest score counts.
    """
    return tuple(
        lowest_by_unit(sign * scores[rows], None if groups is None else groups[rows])
        for sign, rows in ((1, truth), (-1, ~truth))
    )
