"""Thresholds of a certified recall or specificity, or of least cost, and their metrics."""

from typing import NamedTuple

import numpy as np

from skpneumo._utils.bounds import (
    count_clusters,
    draw_by_order,
    highest_rank,
    lower_bound,
    min_sample_size,
    min_scores_per_class,
    randomised_rank,
)


class OperatingPoint(NamedTuple):
    """A threshold, and its metrics on the data that it was chosen on."""

    threshold: np.floating
    n_positive: int
    n_negative: int
    recall: float
    specificity: float
    recall_lower_bound: float
    specificity_lower_bound: float
    images_per_patient: float


def is_certified(criterion, confidence):
    """Whether a threshold is certified for new patients.

    Parameters
    ----------
    criterion : {"min_recall", "min_specificity", "missed_cost"}
        How the threshold is chosen.
    confidence : float or None
        Confidence level; None for a threshold that only fits the data at hand.

    Returns
    -------
    bool
    """
    return criterion != "missed_cost" and confidence is not None


def check_sample_size(criterion, value, confidence, y_true, groups=None):
    """Refuse data with too few patients of the class in question to certify what is required.

    Parameters
    ----------
    criterion : {"min_recall", "min_specificity"}
        The metric to certify.
    value : float
        Its required value.
    confidence : float
        Confidence level.
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    groups : ndarray of shape (n,), default=None
        The patient of each image; None to count images.

    Raises
    ------
    ValueError
        If even the lowest score would not be a certified threshold.
    """
    kind, rows = ("positive", y_true) if criterion == "min_recall" else ("negative", ~y_true)
    n_clusters = count_clusters(rows, groups)
    if highest_rank(n_clusters, value, confidence):
        return
    clusters = "images" if groups is None else "patients"
    needed = min_sample_size(value, confidence)
    remedy = (
        f"at least {needed} are needed. Add {clusters}, lower"
        if needed
        else "no number is enough. Lower"
    )
    raise ValueError(
        f"{criterion}={value:g} with confidence={confidence:g} cannot be certified with "
        f"{n_clusters} {kind} {clusters}: {remedy} {criterion} or confidence, or set "
        "confidence=None to require it only of the images at hand."
    )


def choose_operating_point(criterion, value, confidence, y_true, y_score, groups=None):
    """Choose a threshold, and compute its metrics.

    Parameters
    ----------
    criterion : {"min_recall", "min_specificity", "missed_cost"}
        How the threshold is chosen.
    value : float
        The required value of the metric, or the cost of a false negative in false positives.
    confidence : float or None
        Confidence level.
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    y_score : ndarray of shape (n,), floating
        Scores of the positive class.
    groups : ndarray of shape (n,), default=None
        The patient of each image; None to count images.

    Returns
    -------
    OperatingPoint
    """
    positive, negative = min_scores_per_class(y_true, y_score, groups)
    if criterion == "min_recall":
        threshold = certified_threshold(criterion, positive, value, confidence)
        images_per_patient = np.sum(y_true) / len(positive)
    elif criterion == "min_specificity":
        threshold = certified_threshold(criterion, negative, value, confidence)
        images_per_patient = np.sum(~y_true) / len(negative)
    else:
        threshold = _threshold_of_least_cost(y_true, y_score, value)
        images_per_patient = np.nan
    n_false_negatives = int(np.sum(positive < threshold))
    n_false_positives = int(np.sum(-negative >= threshold))
    recall_lower_bound = specificity_lower_bound = np.nan
    if is_certified(criterion, confidence):
        # For the other metric the threshold is as good as fixed beforehand: it was chosen by the
        # scores of the other class alone.
        recall_lower_bound = lower_bound(len(positive), n_false_negatives, confidence)
        specificity_lower_bound = lower_bound(len(negative), n_false_positives, confidence)
        # The required metric is certified at its required value and no higher: the Clopper-Pearson
        # bound at the drawn rank would be that of a rule that always takes this rank.
        if criterion == "min_recall":
            recall_lower_bound = value
        else:
            specificity_lower_bound = value
    return OperatingPoint(
        threshold=threshold,
        n_positive=len(positive),
        n_negative=len(negative),
        recall=(len(positive) - n_false_negatives) / len(positive),
        specificity=(len(negative) - n_false_positives) / len(negative),
        recall_lower_bound=float(recall_lower_bound),
        specificity_lower_bound=float(specificity_lower_bound),
        images_per_patient=np.nan if groups is None else float(images_per_patient),
    )


def certified_threshold(criterion, scores, required, confidence):
    """Choose the threshold that reaches a recall or specificity by the scores of one class.

    Parameters
    ----------
    criterion : {"min_recall", "min_specificity"}
        Whether the highest threshold that reaches a recall is chosen, or the lowest that reaches a
        specificity.
    scores : ndarray of shape (n_clusters,), floating
        Lowest score of each positive patient, or negated highest score of each negative one:
        see `skpneumo._utils.bounds.min_scores_per_class`.
    required : float
        The recall or specificity.
    confidence : float or None
        Confidence level; None requires it of these scores only.

    Returns
    -------
    floating
        In the type of the scores.
    """
    score = _score_of_certified_rank(scores, required, confidence)
    return score if criterion == "min_recall" else _next_above(-score)


def _score_of_certified_rank(scores, required, confidence):
    """Highest of the scores of one class, one per patient, that reaches the required proportion."""
    if confidence is None:
        rank = highest_rank(len(scores), required)
    else:
        # Drawn from the data rather than from a generator: a user who does not like a threshold
        # cannot fit again until it is a higher one.
        rank = randomised_rank(len(scores), required, confidence, draw_by_order(scores))
    return np.sort(scores)[rank - 1]


def _next_above(score):
    # In the type of the score: the next float64 above a float32 would round back to it.
    return np.nextafter(score, np.array(np.inf, dtype=score.dtype))


def _threshold_of_least_cost(y_true, y_score, missed_cost):
    """Highest threshold of least cost; above all scores if no positive prediction is worth it."""
    thresholds = np.append(np.unique(y_score), _next_above(y_score.max()))
    positive, negative = np.sort(y_score[y_true]), np.sort(y_score[~y_true])
    n_false_negatives = np.searchsorted(positive, thresholds)
    n_false_positives = len(negative) - np.searchsorted(negative, thresholds)
    cost = missed_cost * n_false_negatives + n_false_positives
    # Costs that are equal but for rounding tie: 0.1 * 19 exceeds 0.1 * 9 + 1 in its last bit.
    return thresholds[np.flatnonzero(cost <= cost.min() + 1e-12 * missed_cost)[-1]]
