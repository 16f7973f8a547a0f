"""Two thresholds that are certified together, and how many patients lie between them."""

from typing import NamedTuple

import numpy as np

from skpneumo._utils.bounds import (
    clopper_pearson_interval,
    count_clusters,
    highest_rank,
    min_sample_size,
    min_scores_per_class,
)
from skpneumo._utils.thresholds import certified_threshold


class TriagePoint(NamedTuple):
    """Two thresholds, and what they do with the patients they were chosen on."""

    rule_out: np.floating
    """Patients below it are ruled out."""
    rule_in: np.floating
    """Patients from it on are ruled in; at least ``rule_out``."""
    n_positive: int
    n_negative: int
    n_positive_ruled_out: int
    n_negative_ruled_in: int
    to_read_by_class: np.ndarray
    """Proportions of the negative and of the positive patients between the thresholds."""
    to_read_by_class_upper_bound: np.ndarray
    """Upper confidence bounds of both, jointly."""


def confidence_of_each(confidence, independent):
    """Confidence level of each of two thresholds that are to be certified jointly.

    Parameters
    ----------
    confidence : float
        Probability with which both are to hold.
    independent : bool
        Whether one fails independently of the other.

    Returns
    -------
    float
        The square root, or by Bonferroni's inequality.
    """
    return float(np.sqrt(confidence)) if independent else (1 + confidence) / 2


def are_independent(is_frozen, y_true, patients):
    """Whether the thresholds rest on independent scores.

    Parameters
    ----------
    is_frozen : bool
        Whether the model had not seen any of the images.
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    patients : ndarray of shape (n,) or None
        The patient of each image.

    Returns
    -------
    bool
        False also if a patient has images of both classes.
    """
    shared = patients is not None and np.isin(patients[y_true], patients[~y_true]).any()
    return is_frozen and not shared


def check_sample_sizes(y_true, patients, min_recall, min_specificity, level):
    """Refuse data with too few patients of a class.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    patients : ndarray of shape (n,) or None
        The patient of each image; None to count images.
    min_recall, min_specificity : float
        What is to be certified.
    level : float
        Confidence level of each.

    Raises
    ------
    ValueError
        If even the extreme scores would not be certified thresholds.
    """
    found = [count_clusters(rows, patients) for rows in (y_true, ~y_true)]
    required = (min_recall, min_specificity)
    if all(highest_rank(n, value, level) for n, value in zip(found, required, strict=True)):
        return
    needed = [min_sample_size(value, level) for value in required]
    clusters = "images" if patients is None else "patients"
    raise ValueError(
        f"min_recall={min_recall:g} and min_specificity={min_specificity:g} cannot both be "
        f"certified: at least {needed[0]} positive and {needed[1]} negative {clusters} are needed, "
        f"got {found[0]} and {found[1]}. Add {clusters}, or lower min_recall, min_specificity or "
        "confidence."
    )


def choose_triage_point(y_true, y_score, patients, *, min_recall, min_specificity, confidence):
    """Choose both thresholds.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    y_score : ndarray of shape (n,), floating
        Scores of the positive class.
    patients : ndarray of shape (n,) or None
        The patient of each image; None to count images.
    min_recall, min_specificity : float
        Positive patients not ruled out, and negative patients not ruled in.
    confidence : tuple of (float, float)
        Of each threshold, and of the bounds of the patients to be read.

    Returns
    -------
    TriagePoint
    """
    positive, negative = min_scores_per_class(y_true, y_score, patients)
    rule_out = certified_threshold("min_recall", positive, min_recall, confidence[0])
    rule_in = certified_threshold("min_specificity", negative, min_specificity, confidence[0])
    # Where they cross, every threshold from rule_in to rule_out has both properties. The lowest of
    # them misses the fewest.
    rule_out = min(rule_out, rule_in)
    negative = -negative
    to_read = [np.sum((rule_out <= scores) & (scores < rule_in)) for scores in (negative, positive)]
    return TriagePoint(
        rule_out=rule_out,
        rule_in=rule_in,
        n_positive=len(positive),
        n_negative=len(negative),
        n_positive_ruled_out=int(np.sum(positive < rule_out)),
        n_negative_ruled_in=int(np.sum(negative >= rule_in)),
        to_read_by_class=to_read / np.array([len(negative), len(positive)]),
        to_read_by_class_upper_bound=_to_read_upper_bound(
            negative, positive, rule_out, rule_in, confidence[1]
        ),
    )


def _to_read_upper_bound(negative, positive, rule_out, rule_in, confidence):
    """Upper bounds of the proportions of both classes between the thresholds."""
    if rule_out == rule_in:
        return np.zeros(2)
    # Each class is bounded at the threshold that the other one set, for which its own scores are a
    # fresh sample: negative patients from rule_out on, positive ones below rule_in. Together with
    # Bonferroni's inequality that is two one-sided bounds, the upper ends of this interval.
    counted = negative >= rule_out, positive < rule_in
    return np.array(
        [clopper_pearson_interval(int(n.sum()), len(n), confidence)[1] for n in counted]
    )
