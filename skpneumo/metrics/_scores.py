"""Scores for a detector that must have few false negatives, at a known specificity."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix, roc_curve

from skpneumo._utils.typing import Label
from skpneumo._utils.validation import check_fraction, check_non_negative
from skpneumo.metrics._check import binarize_labels, check_scores, is_undefined

_ROUNDING = 1e-9  # a weighted sum may miss by rounding a floor that the exact value reaches


def specificity_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the specificity, the fraction of negative images that are predicted negative.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_pred : array-like of shape (n_samples,)
        Predicted labels.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels: "PNEUMONIA" after
        "NORMAL", 1 after 0.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    score : float
        From 0 to 1. NaN, with an ``UndefinedMetricWarning``, if no true label is negative.

    See Also
    --------
    sklearn.metrics.recall_score : The same for the positive class.
    negative_predictive_value_score : Fraction of the predicted negatives that are negative.

    Notes
    -----
    It is the recall of the negative class. ``imblearn.metrics.specificity_score`` agrees
    without weights. With weights it may be negative (imbalanced-learn 0.14), so it is not used
    here.

    Examples
    --------
    >>> from skpneumo.metrics import specificity_score
    >>> specificity_score(["NORMAL", "NORMAL", "PNEUMONIA"], ["NORMAL", "PNEUMONIA", "PNEUMONIA"])
    0.5
    """
    y_true, y_pred, weight = binarize_labels(y_true, y_pred, pos_label, sample_weight)
    if is_undefined("Specificity", y_true, weight, needs=(False,)):
        return np.nan
    tn, fp, _, _ = _confusion_counts(y_true, y_pred, weight)
    return tn / (tn + fp)


def negative_predictive_value_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Compute the negative predictive value, the fraction of predicted negatives that are negative.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_pred : array-like of shape (n_samples,)
        Predicted labels.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.
    zero_division : {0.0, 1.0, np.nan}, default=0.0
        The value if no image is predicted negative. With 1, predicting every image positive would
        have the highest score.

    Returns
    -------
    score : float
        From 0 to 1, or ``zero_division``.

    See Also
    --------
    sklearn.metrics.precision_score : The same for the positive class.

    Notes
    -----
    Predictive values depend on the prevalence: one measured at a prevalence of 62 % does not hold
    at 5 % [1]_.

    References
    ----------
    .. [1] D. G. Altman, J. M. Bland, "Diagnostic tests 2: predictive values", BMJ 309:102,
       1994. doi:10.1136/bmj.309.6947.102

    Examples
    --------
    >>> from skpneumo.metrics import negative_predictive_value_score
    >>> negative_predictive_value_score([0, 0, 0, 1, 1], [0, 0, 0, 0, 1])
    0.75
    >>> negative_predictive_value_score([0, 0, 0, 1, 1], [1, 1, 1, 1, 1])
    0.0
    """
    if not isinstance(zero_division, Real) or not (
        zero_division in (0, 1) or np.isnan(zero_division)
    ):
        raise ValueError(f"zero_division must be 0.0, 1.0 or np.nan, got {zero_division!r}.")
    tn, _, fn, _ = _confusion_counts(*binarize_labels(y_true, y_pred, pos_label, sample_weight))
    return tn / (tn + fn) if tn + fn > 0 else float(zero_division)


def missed_cost_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    missed_cost: float = 5,
    false_positive_cost: float = 1,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the negated mean cost per image: higher is better, 0 is perfect.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_pred : array-like of shape (n_samples,)
        Predicted labels.
    missed_cost : float, default=5
        Cost of a false negative, a missed pneumonia, at least 0.
    false_positive_cost : float, default=1
        Cost of a false positive, at least 0.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    score : float
        At most 0.

    Notes
    -----
    The defaults are a convention: choose the costs with the clinicians who will use the detector.
    Predicting every image positive costs ``false_positive_cost`` times the fraction of negative
    images, whatever a false negative costs, and is the baseline to beat. If the costs are far
    apart or negative images are few, even an accurate detector may not beat it [1]_.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

    Examples
    --------
    >>> from skpneumo.metrics import missed_cost_score
    >>> missed_cost_score([0, 0, 0, 1, 1], [0, 0, 1, 0, 1])
    -1.2
    """
    missed_cost = check_non_negative("missed_cost", missed_cost)
    false_positive_cost = check_non_negative("false_positive_cost", false_positive_cost)
    tn, fp, fn, tp = _confusion_counts(*binarize_labels(y_true, y_pred, pos_label, sample_weight))
    # "0.0 -" rather than a minus sign, so that a perfect prediction has 0.0 and not -0.0
    return 0.0 - (missed_cost * fn + false_positive_cost * fp) / (tn + fp + fn + tp)


def recall_with_specificity_floor_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    min_specificity: float = 0.8,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the recall if the specificity reaches a floor, and a negative score otherwise.

    Predicting every image positive has the highest recall of all. Here, any prediction that
    reaches the floor scores higher than any below it; below, closer to the floor is better.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_pred : array-like of shape (n_samples,)
        Predicted labels.
    min_specificity : float, default=0.8
        The floor, from 0 to 1.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    score : float
        The recall if the specificity reaches the floor; otherwise the specificity minus the
        floor, which is negative. NaN, with an ``UndefinedMetricWarning``, if a class is missing.

    See Also
    --------
    recall_at_specificity_score : The best recall over all thresholds.

    Notes
    -----
    The floor applies in each fold of a cross-validation, and missing it in one fold lowers the mean
    far more than a little recall does. With few negative images per fold, set the floor below the
    specificity that you need on average, or select by the means with
    :func:`skpneumo.model_selection.choose_candidate`.

    Examples
    --------
    >>> from skpneumo.metrics import recall_with_specificity_floor_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> recall_with_specificity_floor_score(y_true, [0, 0, 0, 1, 0, 1, 1, 1], min_specificity=0.7)
    0.75
    >>> recall_with_specificity_floor_score(y_true, [1] * 8, min_specificity=0.7)
    -0.7
    """
    floor = check_fraction("min_specificity", min_specificity)
    y_true, y_pred, weight = binarize_labels(y_true, y_pred, pos_label, sample_weight)
    name = "Recall with a floor of specificity"
    if is_undefined(name, y_true, weight, needs=(True, False)):
        return np.nan
    tn, fp, fn, tp = _confusion_counts(y_true, y_pred, weight)
    shortfall = floor - tn / (tn + fp)
    return -shortfall if shortfall > _ROUNDING else tp / (tp + fn)


def specificity_at_recall_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_recall: float = 0.98,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the highest specificity of the thresholds whose recall reaches a floor.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, higher for the positive class: its probability, or a decision value.
    min_recall : float, default=0.98
        The recall required, from 0 to 1.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels in ``y_true``.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    score : float
        From 0 to 1. NaN, with an ``UndefinedMetricWarning``, if a class is missing.

    See Also
    --------
    recall_at_specificity_score : The reverse.
    sklearn.metrics.roc_curve : Recall and specificity over all thresholds.

    Notes
    -----
    The threshold is chosen on the labels that it is evaluated on, so the score is optimistic, the
    more so with few positives: use it to rank models, not to estimate their performance. It does
    not depend on a classifier's own threshold, so all thresholds of a grid tie.

    Examples
    --------
    >>> from skpneumo.metrics import specificity_at_recall_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> y_score = [0.1, 0.2, 0.3, 0.7, 0.25, 0.6, 0.8, 0.9]
    >>> specificity_at_recall_score(y_true, y_score, min_recall=0.75)
    0.75
    >>> specificity_at_recall_score(y_true, y_score, min_recall=1.0)
    0.5
    """
    floor = check_fraction("min_recall", min_recall)
    curve = _roc("Specificity at recall", y_true, y_score, pos_label, sample_weight)
    if curve is None:
        return np.nan
    specificity, recall = curve
    return float(specificity[recall >= floor - _ROUNDING].max())


def recall_at_specificity_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_specificity: float = 0.90,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the highest recall of the thresholds whose specificity reaches a floor.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, higher for the positive class: its probability, or a decision value.
    min_specificity : float, default=0.90
        The specificity required, from 0 to 1.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels in ``y_true``.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    score : float
        From 0 to 1. NaN, with an ``UndefinedMetricWarning``, if a class is missing.

    See Also
    --------
    specificity_at_recall_score : The reverse, whose notes apply here too.
    recall_with_specificity_floor_score : For labels, with the classifier's own threshold.

    Examples
    --------
    >>> from skpneumo.metrics import recall_at_specificity_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> y_score = [0.1, 0.2, 0.3, 0.7, 0.25, 0.6, 0.8, 0.9]
    >>> recall_at_specificity_score(y_true, y_score, min_specificity=0.9)
    0.5
    """
    floor = check_fraction("min_specificity", min_specificity)
    curve = _roc("Recall at specificity", y_true, y_score, pos_label, sample_weight)
    if curve is None:
        return np.nan
    specificity, recall = curve
    return float(recall[specificity >= floor - _ROUNDING].max())


def _confusion_counts(y_true, y_pred, weight):
    """Weights of the true negatives, false positives, false negatives and true positives."""
    table = confusion_matrix(y_true, y_pred, labels=[False, True], sample_weight=weight)
    return table.ravel().tolist()


def _roc(name, y_true, y_score, pos_label, sample_weight):
    """Specificity and recall of every threshold; None if a class is missing."""
    y_true, y_score, weight = check_scores(y_true, y_score, pos_label, sample_weight)
    if is_undefined(name, y_true, weight, needs=(True, False)):
        return None
    # By default scikit-learn drops points on straight lines, and one of these may lie at the floor.
    fpr, tpr, _ = roc_curve(y_true, y_score, sample_weight=weight, drop_intermediate=False)
    return 1 - fpr, tpr
