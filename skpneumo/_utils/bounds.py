"""Certified thresholds: bounds that hold on new patients for finite samples."""

import hashlib

import numpy as np
from scipy.special import betaincinv
from scipy.stats import beta, binom

# The orders of fewer units are too few to draw from.
_MIN_UNITS_TO_DRAW = 10


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


def min_sample_size(share, confidence):
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


def randomised_rank(n_units, share, confidence, draw):
    """Rank of a threshold that falls short in exactly ``1 - confidence`` of samples.

    `highest_rank` falls short less often, since ranks are whole numbers: with 235 units, a share
    of 0.98 and a confidence of 0.95 in 1 of 100 samples instead of 5, and its threshold is then
    lower than one by 149 units. Here the next rank is taken in as many of the samples as
    makes up the difference, as in a randomised confidence interval. [1]_ Rank 1 is not drawn, so
    that the number of units needed does not depend on chance.

    Parameters
    ----------
    n_units : int
        How many units of the class there are.
    share : float
        To be reached.
    confidence : float
        With which it is reached by new units.
    draw : float or ndarray of float
        Uniform between 0 and 1, and independent of the order statistics of the scores.

    Returns
    -------
    int or ndarray of int
        From 1, the lowest score, to ``n_units``; 0 if no threshold is low enough.

    References
    ----------
    .. [1] W. L. Stevens, "Fiducial limits of the parameter of a discontinuous distribution",
       Biometrika 37:117-129, 1950.
    """
    rank = highest_rank(n_units, share, confidence)
    if rank in (0, n_units) or n_units < _MIN_UNITS_TO_DRAW:
        return rank + np.zeros_like(draw, dtype=int)[()]
    below, at_most = binom.cdf([rank - 1, rank], n_units, 1 - share)
    return rank + (np.asarray(draw) <= (1 - confidence - below) / (at_most - below)).astype(int)[()]


def draw_by_order(scores):
    """Draw a number by the order in which the scores rise.

    Units that were drawn independently come in any order with the same probability, whatever their
    sorted scores are. So the number is independent of the sorted scores, as a random one is, and
    yet it is the same on every run and machine: repeating a fit does not change it. It changes only
    with the order of the units, not with the last bits of a score.

    Parameters
    ----------
    scores : ndarray of shape (n_units,)
        As the units come, not sorted.

    Returns
    -------
    float
        Between 0 and 1.
    """
    order = np.argsort(scores, kind="stable").astype("<i8")
    digest = hashlib.sha256(order.tobytes()).digest()
    return int.from_bytes(digest[:8], "little") / 2**64


def clopper_pearson_interval(n_right, n, confidence):
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


def score_by_unit(scores, groups=None):
    """Lowest score of each unit: a patient counts as positive only if all their images do.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of the images of one class.
    groups : ndarray of shape (n,), default=None
        The patient of each; None if every image is a unit.

    Returns
    -------
    ndarray of shape (n_units,)
        In the order of the images, or of the sorted groups.
    """
    if groups is None:
        return scores
    _, unit = np.unique(groups, return_inverse=True)
    lowest = np.full(unit.max() + 1, np.inf, dtype=scores.dtype)
    np.minimum.at(lowest, unit, scores)
    return lowest


def scores_of_both(truth, scores, groups=None):
    """Scores that decide whether a unit is right: of positive ones, and of negative ones negated.

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
    positive, negative : ndarray
        As `score_by_unit` orders them. A patient is a true negative only if no negative image is
        predicted positive, so the negated highest score counts.
    """
    return tuple(
        score_by_unit(sign * scores[rows], None if groups is None else groups[rows])
        for sign, rows in ((1, truth), (-1, ~truth))
    )
