"""Specificity at required recalls, with intervals."""

import numpy as np
from scipy.special import betainc

from skpneumo.evaluation._intervals import effective_size, proportion_interval
from skpneumo.evaluation._statistics import count_patients, ratio

_ROUNDING = 1e-9  # 0.05 * 100 may be less than 5
# How alike the images of a patient are is estimated at a threshold that misses so many.
_MIN_MISSED = 10


def specificity_at_recalls(y_true, y_score, clusters, recalls, confidence):
    """Highest specificity of the thresholds whose recall reaches each of some floors.

    The threshold at which the recall of the population is the floor lies between two of the
    positive scores: by the ranks of order statistics where images are independent, and by those of
    as many independent images as they are worth in general. The distances from the specificity to
    that at these two, and to the ends of its own interval, are independent and add up in squares
    (MOVER).

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
    scores = np.sort(y_score[y_true])
    found = []
    for recall in recalls:
        n_missed = int((1 - recall) * len(scores) + _ROUNDING)
        may_be = _may_miss(scores, y_true, y_score, clusters, recall, confidence)
        lowest = scores[may_be[0] - 1] if may_be[0] else -np.inf
        highest = scores[may_be[-1]] if may_be[-1] < len(scores) else np.inf
        statistic, least, most = (
            ratio(~y_true & (y_score < threshold), ~y_true)
            for threshold in (scores[n_missed], lowest, highest)
        )
        low, high = proportion_interval(statistic, clusters, confidence)
        value = statistic.value
        low = max(0.0, value - np.hypot(value - least.value, value - low))
        high = min(1.0, value + np.hypot(most.value - value, high - value))
        found.append((value, float(low), float(high)))
    return found


def _may_miss(scores, y_true, y_score, clusters, recall, confidence):
    """Numbers of images that a threshold whose recall in the population is the floor may miss.

    Those whose rate has an interval of Clopper and Pearson that contains the rate of the
    population, with the images counted as Korn and Graubard do.
    """
    n = len(scores)
    rank = min(max(int((1 - recall) * n), _MIN_MISSED), n // 2)
    size = n
    if count_patients(clusters, y_true) < n:
        missed = ratio(y_true & (y_score < scores[rank]), y_true)
        size = effective_size(missed, clusters, confidence)
    x, tail = np.arange(n + 1) / n * size, (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        above = np.where(x > 0, betainc(x, size - x + 1, 1 - recall) >= tail, True)
        below = np.where(x < size, betainc(x + 1, size - x, 1 - recall) <= 1 - tail, True)
    return np.flatnonzero(above & below)
