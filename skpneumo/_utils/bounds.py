"""Certified thresholds: bounds for new patients that are valid for finite samples.

A cluster is a patient, or an image if patients are not known. It is right if all its images are.
"""

import hashlib

import numpy as np
from scipy.special import betaincinv
from scipy.stats import beta, binom

# The orders of fewer clusters are too few to derive a uniform number from.
_MIN_CLUSTERS_TO_DRAW = 10


def lower_bound(n_clusters, n_errors, confidence):
    """Lower confidence bound of the recall or the specificity of clusters.

    If the threshold is the ``k``-th lowest of ``n`` scores, the proportion of new clusters that
    score below it has a Beta distribution with ``k`` and ``n - k + 1``, whatever the distribution
    of the scores; with ties it is at most that. [1]_ The bound is equal to that of Clopper and
    Pearson for ``k - 1`` errors among ``n`` at a threshold that was fixed beforehand.

    Parameters
    ----------
    n_clusters : int
        Number of clusters of the class.
    n_errors : int or ndarray of int
        Number of them that score below the threshold.
    confidence : float
        Confidence level of each bound, between 0 and 1.

    Returns
    -------
    float or ndarray of float

    References
    ----------
    .. [1] Tong, Feng & Li, "Neyman-Pearson classification algorithms and NP receiver operating
       characteristics", Science Advances 4 (2018), eaao1659, Proposition 1.
    """
    n_errors = np.asarray(n_errors)
    has_right = n_errors < n_clusters
    rank = np.where(has_right, n_errors + 1, 1)
    return np.where(has_right, 1 - beta.ppf(confidence, rank, n_clusters - rank + 1), 0.0)[()]


def min_sample_size(required, confidence):
    """Smallest number of clusters that can certify a recall, if none of them is wrong.

    Parameters
    ----------
    required : float
        The recall (or specificity) to certify, at least 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    int or None
        None if no number suffices: 1 cannot be certified.
    """
    if required >= 1:
        return None
    if required <= 1 - confidence:
        return 1
    # Rounding must not require one cluster more.
    return int(np.ceil(np.log1p(-confidence) / np.log(required) - 1e-9))


def highest_rank(n_clusters, required, confidence=None):
    """Rank of the highest threshold that reaches a recall.

    The rank depends on the number of clusters and not on their scores, so the bound is valid after
    the threshold was chosen.

    Parameters
    ----------
    n_clusters : int
        Number of clusters of the class.
    required : float
        The recall (or specificity) required.
    confidence : float, default=None
        Confidence level with which new clusters reach it. None requires it of these clusters only.

    Returns
    -------
    int
        From 1, the lowest score, to ``n_clusters``; 0 if no threshold is low enough.
    """
    if confidence is None:
        reached = 1 - np.arange(n_clusters) / n_clusters
    else:
        reached = lower_bound(n_clusters, np.arange(n_clusters), confidence)
    # A recall that equals the required one but for rounding reaches it.
    return int(np.sum(reached >= required - 1e-12))


def randomised_rank(n_clusters, required, confidence, draw):
    """Rank of a threshold that fails to reach a recall in exactly ``1 - confidence`` of samples.

    `highest_rank` fails less often, since ranks are integers: with 235 clusters, a required recall
    of 0.98 and a confidence of 0.95 in 1 of 100 samples instead of 5, and its threshold is then
    lower than one chosen by 149 clusters. Here the next rank is taken in the proportion of samples
    that makes up the difference, as in a randomised confidence interval. [1]_ Rank 1 is not
    randomised, so that the number of clusters needed does not depend on chance.

    Parameters
    ----------
    n_clusters : int
        Number of clusters of the class.
    required : float
        The recall (or specificity) required.
    confidence : float
        Confidence level with which new clusters reach it.
    draw : float or ndarray of float
        Uniform between 0 and 1, and independent of the order statistics of the scores.

    Returns
    -------
    int or ndarray of int
        From 1, the lowest score, to ``n_clusters``; 0 if no threshold is low enough.

    References
    ----------
    .. [1] W. L. Stevens, "Fiducial limits of the parameter of a discontinuous distribution",
       Biometrika 37:117-129, 1950.
    """
    rank = highest_rank(n_clusters, required, confidence)
    if rank in (0, n_clusters) or n_clusters < _MIN_CLUSTERS_TO_DRAW:
        return rank + np.zeros_like(draw, dtype=int)[()]
    below, at_most = binom.cdf([rank - 1, rank], n_clusters, 1 - required)
    return rank + (np.asarray(draw) <= (1 - confidence - below) / (at_most - below)).astype(int)[()]


def draw_by_order(scores):
    """Derive a uniform number from the order of the clusters.

    Independent clusters come in any order with the same probability, whatever their sorted scores.
    So the number is independent of the sorted scores, as a random number is, but it is the same in
    every run and on every machine: repeating a fit does not change it. It depends only on the order
    of the clusters, not on the last bits of a score.

    Parameters
    ----------
    scores : ndarray of shape (n_clusters,)
        In the order of the clusters, not sorted.

    Returns
    -------
    float
        Between 0 and 1.
    """
    # The same bytes on every machine, and so the same draw.
    order = np.argsort(scores, kind="stable").astype("<i8")
    digest = hashlib.sha256(order.tobytes()).digest()
    return int.from_bytes(digest[:8], "little") / 2**64


def clopper_pearson_interval(n_right, n, confidence):
    """Clopper-Pearson interval of a proportion.

    Parameters
    ----------
    n_right, n : int or float
        Numerator and denominator; effective numbers need not be integers.
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


def count_clusters(rows, groups=None):
    """Number of patients of some images, or of the images without ``groups``.

    Parameters
    ----------
    rows : ndarray of shape (n,), dtype bool
        Which images are counted.
    groups : ndarray of shape (n,), default=None
        The patient of each image; None if images are independent.

    Returns
    -------
    int
    """
    return int(rows.sum()) if groups is None else len(np.unique(groups[rows]))


def min_score_per_patient(scores, groups=None):
    """Lowest score of each patient: one is a true positive only if all positive images are.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores of the images of one class.
    groups : ndarray of shape (n,), default=None
        The patient of each; None if images are independent.

    Returns
    -------
    ndarray of shape (n_clusters,)
        In the order of the images, or of the sorted groups.
    """
    if groups is None:
        return scores
    _, patient = np.unique(groups, return_inverse=True)
    lowest = np.full(patient.max() + 1, np.inf, dtype=scores.dtype)
    np.minimum.at(lowest, patient, scores)
    return lowest


def min_scores_per_class(y_true, scores, groups=None):
    """Lowest scores of the patients of each class, those of negative images negated.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    scores : ndarray of shape (n,)
        Score of each image.
    groups : ndarray of shape (n,), default=None
        The patient of each; None if images are independent.

    Returns
    -------
    positive, negative : ndarray
        In the order of `min_score_per_patient`. A patient is a true negative only if no negative
        image is predicted positive, so the negated highest score decides.
    """
    return tuple(
        min_score_per_patient(sign * scores[rows], None if groups is None else groups[rows])
        for sign, rows in ((1, y_true), (-1, ~y_true))
    )
