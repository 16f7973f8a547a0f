"""Specificity at required recalls, with intervals."""

import numpy as np
from scipy.special import betainc, stdtrit

from skpneumo.evaluation._estimates import ratio
from skpneumo.evaluation._interval_methods import proportion_interval

_ROUNDING = 1e-9  # 0.05 * 100 may be less than 5


def specificity_at_recalls(y_true, y_score, clusters, recalls, confidence):
    """Highest specificity of the thresholds whose recall reaches each of some floors.

    The threshold at which the recall of the population is the floor lies, with half of the risk,
    between two of the positive scores: by the ranks of order statistics where images are
    independent, and in general among the thresholds whose interval of Korn and Graubard for the
    recall contains the floor. The interval reaches from the lower end of the specificity at the
    lowest of them to the upper end at the highest, each with the rest of the risk.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive; there are both.
    y_score : ndarray of shape (n,)
        Higher for positive images.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    recalls : sequence of float
        The floors, between 0 and 1.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    list of (value, low, high)
    """
    half = (1 + confidence) / 2
    order = np.argsort(y_score[y_true], kind="stable")
    scores = y_score[y_true][order]
    rate, size = _effective_sizes(clusters[y_true][order], half)
    found = []
    for recall in recalls:
        n_missed = int((1 - recall) * len(scores) + _ROUNDING)
        # How many of the images the threshold in the population may miss.
        may_be = np.flatnonzero(_contains(1 - recall, rate, size, half))
        lowest = scores[may_be[0] - 1] if may_be[0] else -np.inf
        highest = scores[may_be[-1]] if may_be[-1] < len(scores) else np.inf
        value, least, most = (
            ratio(~y_true & (y_score < threshold), ~y_true)
            for threshold in (scores[n_missed], lowest, highest)
        )
        ends = [proportion_interval(end, y_true, clusters, half) for end in (least, most)]
        found.append((value.value, ends[0][0], ends[1][1]))
    return found


def _effective_sizes(clusters, confidence):
    """Rates of misses if the first i images are missed, i = 0 to n, and what n is worth in each."""
    n = len(clusters)
    _, cluster = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(cluster)
    n_clusters = len(sizes)
    rate = np.arange(n + 1) / n
    size = np.full(n + 1, float(n_clusters))
    if 1 < n_clusters < n:
        squares = np.append(0, np.cumsum(2 * _count_earlier(cluster) + 1))
        products = np.append(0, np.cumsum(sizes[cluster]))
        variance = squares - 2 * rate * products + rate**2 * np.sum(sizes**2)
        variance *= n_clusters / (n_clusters - 1) / n**2
        tail = (1 + confidence) / 2
        factor = (stdtrit(n - 1, tail) / stdtrit(n_clusters - 1, tail)) ** 2
        varies = variance > _ROUNDING / n
        size[varies] = np.minimum(n, (rate * (1 - rate))[varies] / variance[varies] * factor)
    return rate, size


def _contains(value, rate, size, confidence):
    """Whether the interval of Clopper and Pearson for each rate contains a value."""
    tail = (1 - confidence) / 2
    x = rate * size
    with np.errstate(invalid="ignore"):
        above = np.where(rate > 0, betainc(x, size - x + 1, value) >= tail, True)
        below = np.where(rate < 1, betainc(x + 1, size - x, value) <= 1 - tail, True)
    return above & below


def _count_earlier(cluster):
    """How many images of the same patient come before each."""
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], cluster[order])
    earlier = np.empty(len(cluster), dtype=int)
    earlier[order] = np.arange(len(cluster)) - starts
    return earlier
