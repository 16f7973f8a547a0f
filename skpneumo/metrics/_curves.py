"""Metrics as functions of the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from skpneumo._utils.bounds import lower_bound, min_scores_per_class
from skpneumo._utils.targets import check_groups
from skpneumo._utils.typing import Label
from skpneumo._utils.validation import check_open_fraction
from skpneumo.metrics._check import binarize_labels, check_scores


def threshold_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence: float | None = 0.95,
    pos_label: Label | None = None,
) -> Bunch:
    """Compute recall, its lower confidence bound and specificity for every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, higher for the positive class: its probability, or a decision value.
    groups : array-like of shape (n_samples,), default=None
        The patient of each image. With groups, recall and specificity count patients: one is a true
        positive only if each positive image is predicted positive, and a true negative only if no
        negative image is. Without groups, both count images.
    confidence : float or None, default=0.95
        Confidence of each bound, between 0 and 1. None omits the bounds.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.

    Returns
    -------
    curve : Bunch of ndarrays of shape (n_thresholds,), dtype float64
        ``threshold`` (the distinct scores in ascending order; images are predicted positive if
        their score is at least the threshold), ``recall``, ``recall_lower_bound`` (NaN if
        ``confidence`` is None) and ``specificity``.

    Raises
    ------
    ValueError
        If a class is missing, a score is not finite, or a group has no value.

    See Also
    --------
    skpneumo.inspection.ThresholdCurveDisplay : Plot of the curve.
    skpneumo.model_selection.OperatingPointClassifierCV : Chooses a threshold of certified recall.

    Notes
    -----
    Each bound, the one-sided Clopper-Pearson bound [1]_, holds for a threshold that was fixed
    before these data were seen. It does not hold for a threshold that is selected from the curve.

    References
    ----------
    .. [1] C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26:404-413, 1934.

    Examples
    --------
    >>> from skpneumo.metrics import threshold_curve
    >>> curve = threshold_curve([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.8])
    >>> curve.threshold.tolist()
    [0.1, 0.2, 0.3, 0.4, 0.8]
    >>> curve.recall.tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    >>> curve.recall_lower_bound.round(2).tolist()
    [0.22, 0.22, 0.22, 0.03, 0.03]
    """
    if confidence is not None:
        check_open_fraction("confidence", confidence)
    y_true, y_score = _check_both_classes("A threshold curve", y_true, y_score, pos_label)
    groups = check_groups(groups, y_true)
    threshold = np.unique(y_score)
    positive, negative = map(np.sort, min_scores_per_class(y_true, y_score, groups))
    n_false_negatives = np.searchsorted(positive, threshold)
    # The scores of negative patients come negated, so that sorted and reversed they ascend.
    n_true_negatives = np.searchsorted(-negative[::-1], threshold)
    if confidence is None:
        bound = np.full(len(threshold), np.nan)
    else:
        bound = lower_bound(len(positive), n_false_negatives, confidence)
    return Bunch(
        threshold=threshold,
        recall=1 - n_false_negatives / len(positive),
        recall_lower_bound=bound,
        specificity=n_true_negatives / len(negative),
    )


def decision_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    y_pred: ArrayLike | None = None,
    thresholds: ArrayLike | None = None,
    pos_label: Label | None = None,
) -> Bunch:
    """Compute the net benefit of a model as a function of the threshold probability.

    At a threshold probability ``p``, a false negative is as bad as ``(1 - p) / p`` false positives:
    9 at 0.1. The net benefit is the fraction of the images that are true positives, minus the
    fraction that are false positives times ``p / (1 - p)``. [1]_

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_proba : array-like of shape (n_samples,)
        Probability of the positive class. Images with a probability of at least ``p`` are predicted
        positive.
    y_pred : array-like of shape (n_samples,), default=None
        Labels predicted at a fixed operating point, whose net benefit is computed too.
    thresholds : array-like of shape (n_thresholds,), default=None
        Threshold probabilities, at least 0 and below 1. None means 101 from 0 to 0.5, at which a
        false positive is as bad as a false negative.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.

    Returns
    -------
    curve : Bunch of ndarrays of shape (n_thresholds,), dtype float64
        ``threshold``, and net benefits: ``net_benefit`` of the model, ``net_benefit_all`` of
        predicting every image positive and ``net_benefit_at_threshold`` of ``y_pred`` (None without
        it). The net benefit of predicting every image negative is 0.

    Raises
    ------
    ValueError
        If a class is missing, or a value is not a probability.

    See Also
    --------
    skpneumo.inspection.DecisionCurveDisplay : Plot of the curve.

    Notes
    -----
    Net benefit depends on the prevalence and assumes calibrated probabilities: calibrate them first
    if the model was fitted with class weights.

    References
    ----------
    .. [1] A. J. Vickers, E. B. Elkin, "Decision curve analysis: a novel method for evaluating
       prediction models", Medical Decision Making 26:565-574, 2006.
       doi:10.1177/0272989X06295361

    Examples
    --------
    >>> from skpneumo.metrics import decision_curve
    >>> y_true, y_proba = [0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.4, 0.8]
    >>> curve = decision_curve(y_true, y_proba, thresholds=[0, 0.25, 0.5])
    >>> curve.net_benefit.round(3).tolist()
    [0.4, 0.333, 0.0]
    >>> curve.net_benefit_all.round(3).tolist()
    [0.4, 0.2, -0.2]
    """
    is_positive, y_proba = _check_both_classes("A decision curve", y_true, y_proba, pos_label)
    if y_proba.min() < 0 or y_proba.max() > 1:
        raise ValueError(
            f"A decision curve needs probabilities, got values from {y_proba.min():g} to "
            f"{y_proba.max():g}. Pass predict_proba(X)[:, 1]; CalibratedClassifierCV turns "
            "decision values into probabilities."
        )
    # Above 0.5 a false positive would weigh more than a false negative.
    p = np.linspace(0, 0.5, 101) if thresholds is None else np.asarray(thresholds, np.float64)
    if p.ndim != 1 or not p.size or not ((p >= 0) & (p < 1)).all():
        raise ValueError(
            "thresholds must be a 1-D array of probabilities, at least 0 and below 1, got "
            f"{thresholds!r}."
        )
    positive, negative = np.sort(y_proba[is_positive]), np.sort(y_proba[~is_positive])
    n_images, n_positive, n_negative = len(y_proba), len(positive), len(negative)
    tp = n_positive - np.searchsorted(positive, p)
    fp = n_negative - np.searchsorted(negative, p)
    of_labels = None
    if y_pred is not None:
        _, y_pred, _ = binarize_labels(y_true, y_pred, pos_label, None)
        of_labels = _net_benefit(
            np.sum(y_pred & is_positive), np.sum(y_pred & ~is_positive), n_images, p
        )
    return Bunch(
        threshold=p,
        net_benefit=_net_benefit(tp, fp, n_images, p),
        net_benefit_all=_net_benefit(n_positive, n_negative, n_images, p),
        net_benefit_at_threshold=of_labels,
    )


def _net_benefit(tp, fp, n_images, p):
    return (tp - fp * p / (1 - p)) / n_images


def _check_both_classes(name, y_true, y_score, pos_label):
    """Binarized labels and checked scores; raises an error if a class is missing."""
    y_true, y_score, _ = check_scores(y_true, y_score, pos_label, None)
    if y_true.all() or not y_true.any():
        raise ValueError(
            f"{name} needs images of both classes, but y_true holds no image of the "
            f"{'negative' if y_true.all() else 'positive'} class."
        )
    return y_true, y_score
