"""Specificity at required recalls, with intervals."""

import numpy as np
from scipy.special import betainc

from skpneumo.evaluation._intervals import effective_size, proportion_interval
from skpneumo.evaluation._statistics import count_patients, ratio

_ROUNDING = 1e-9  # 0.05 * 100 may be less than 5
# Minimum number of false negatives at the threshold at which correlations within patients are
# estimated.
_MIN_FALSE_NEGATIVES = 10


def specificity_at_recalls(y_true, y_score, clusters, recalls, confidence):
    """Compute the highest specificity of the thresholds that reach each required recall.

    The threshold with the required recall in the population lies between two of the positive
    scores, by the ranks of order statistics of the effective number of independent images. The
    distances from the specificity to that at these two, and to the ends of its own interval, are
    independent and add up in squares (MOVER).

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive; there are both.
    y_score : ndarray of shape (n,)
        Scores, higher for positive images.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    recalls : sequence of float
        The required recalls, between 0 and 1.
    confidence : float
        Confidence level of the intervals, between 0 and 1.

    Returns
    -------
    list of (value, low, high)
    """
    scores = np.sort(y_score[y_true])
    specificities = []
    for recall in recalls:
        n_false_negatives = int((1 - recall) * len(scores) + _ROUNDING)
        numbers = _possible_false_negatives(scores, y_true, y_score, clusters, recall, confidence)
        lowest = scores[numbers[0] - 1] if numbers[0] else -np.inf
        highest = scores[numbers[-1]] if numbers[-1] < len(scores) else np.inf
        statistic, least, most = (
            ratio(~y_true & (y_score < threshold), ~y_true)
            for threshold in (scores[n_false_negatives], lowest, highest)
        )
        low, high = proportion_interval(statistic, clusters, confidence)
        value = statistic.value
        low = max(0.0, value - np.hypot(value - least.value, value - low))
        high = min(1.0, value + np.hypot(most.value - value, high - value))
        specificities.append((value, float(low), float(high)))
    return specificities


def _possible_false_negatives(scores, y_true, y_score, clusters, recall, confidence):
    """Numbers of false negatives that a threshold with this recall in the population may have.

    Those whose Korn-Graubard interval contains the false negative rate of the population.
    """
    n = len(scores)
    rank = min(max(int((1 - recall) * n), _MIN_FALSE_NEGATIVES), n // 2)
    size = n
    if count_patients(clusters, y_true) < n:
        false_negatives = ratio(y_true & (y_score < scores[rank]), y_true)
        size = effective_size(false_negatives, clusters, confidence)
    x, tail = np.arange(n + 1) / n * size, (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        above = np.where(x > 0, betainc(x, size - x + 1, 1 - recall) >= tail, True)
        below = np.where(x < size, betainc(x + 1, size - x, 1 - recall) <= 1 - tail, True)
    return np.flatnonzero(above & below)
