"""Scores for a detector that must miss few and pay for it in known false alarms."""

from numbers import Real

import numpy as np
from sklearn.metrics import confusion_matrix, roc_curve

from skpneumo._utils.validation import check_cost, check_fraction
from skpneumo.metrics._check import (
    check_labels,
    check_scores,
    is_undefined,
)

_ROUNDING = 1e-9  # weighted sums may fall short of a floor that they reach on paper


def specificity_score(y_true, y_pred, *, pos_label=None, sample_weight=None):
    """Compute the specificity: the share of healthy images that are called healthy.

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
    sklearn.metrics.recall_score : The same of the positive class.
    negative_predictive_value_score : The share of healthy calls that are right.

    Notes
    -----
    It is the recall of the negative class. ``imblearn.metrics.specificity_score`` agrees
    without weights; with them it may even be negative (imbalanced-learn 0.14), which is why it
    is not used here.

    Examples
    --------
    >>> from skpneumo.metrics import specificity_score
    >>> specificity_score(["NORMAL", "NORMAL", "PNEUMONIA"], ["NORMAL", "PNEUMONIA", "PNEUMONIA"])
    0.5
    """
    truth, called, weight = check_labels(y_true, y_pred, pos_label, sample_weight)
    if is_undefined("Specificity", truth, weight, needs=(False,)):
        return np.nan
    tn, fp, _, _ = _outcomes(truth, called, weight)
    return tn / (tn + fp)


def negative_predictive_value_score(
    y_true, y_pred, *, pos_label=None, sample_weight=None, zero_division=0.0
):
    """Compute the negative predictive value: the share of healthy calls that are right.

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
        The value where nothing is called negative. At 0, whoever calls everyone ill earns
        nothing; at 1 that would be the best detector of all.

    Returns
    -------
    score : float
        From 0 to 1, or ``zero_division``.

    See Also
    --------
    sklearn.metrics.precision_score : The same of the positive class.

    Notes
    -----
    Predictive values depend on the share of the ill: one measured where 62 % have pneumonia
    does not hold in a practice where 5 % do [1]_.

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
    tn, _, fn, _ = _outcomes(*check_labels(y_true, y_pred, pos_label, sample_weight))
    return tn / (tn + fn) if tn + fn > 0 else float(zero_division)


def missed_cost_score(
    y_true, y_pred, *, missed_cost=5, false_alarm_cost=1, pos_label=None, sample_weight=None
):
    """Compute the mean cost of an image, negated: higher is better, 0 is perfect.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_pred : array-like of shape (n_samples,)
        Predicted labels.
    missed_cost : float, default=5
        Cost of a pneumonia called healthy, at least 0.
    false_alarm_cost : float, default=1
        Cost of a healthy child called ill, at least 0.
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
    The defaults are a convention, not a finding: choose costs with those who bear them. Calling
    everyone ill costs ``false_alarm_cost`` times the share of the healthy, whatever a missed
    one costs: this is the mark to beat. Costs far apart, or few healthy images, bring a
    detector that is right most of the time below it [1]_.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

    Examples
    --------
    >>> from skpneumo.metrics import missed_cost_score
    >>> missed_cost_score([0, 0, 0, 1, 1], [0, 0, 1, 0, 1])
    -1.2
    """
    missed_cost = check_cost("missed_cost", missed_cost)
    false_alarm_cost = check_cost("false_alarm_cost", false_alarm_cost)
    tn, fp, fn, tp = _outcomes(*check_labels(y_true, y_pred, pos_label, sample_weight))
    # "0.0 -" rather than a minus sign: the cost of a perfect prediction shall not read -0.0
    return 0.0 - (missed_cost * fn + false_alarm_cost * fp) / (tn + fp + fn + tp)


def recall_with_specificity_floor_score(
    y_true, y_pred, *, min_specificity=0.8, pos_label=None, sample_weight=None
):
    """Compute the recall, provided that the specificity reaches a floor.

    Recall alone is won by calling everyone ill. Here a prediction below the floor is worth
    less than any that reaches it, and the nearer the floor the better.

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
        The recall if the specificity reaches the floor; otherwise the specificity less the
        floor, which is negative. NaN, with an ``UndefinedMetricWarning``, if a class is missing.

    See Also
    --------
    recall_at_specificity_score : The best recall over all thresholds.

    Notes
    -----
    The floor holds in each fold of a cross-validation, and falling short in one costs far more
    than a little recall: with few healthy images to a fold, set it below what you need on
    average, or choose by the means with :func:`skpneumo.model_selection.choose_candidate`.

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
    truth, called, weight = check_labels(y_true, y_pred, pos_label, sample_weight)
    name = "Recall with a floor of specificity"
    if is_undefined(name, truth, weight, needs=(True, False)):
        return np.nan
    tn, fp, fn, tp = _outcomes(truth, called, weight)
    shortfall = floor - tn / (tn + fp)
    return -shortfall if shortfall > _ROUNDING else tp / (tp + fn)


def specificity_at_recall_score(
    y_true, y_score, *, min_recall=0.98, pos_label=None, sample_weight=None
):
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
    recall_at_specificity_score : The other way round.
    sklearn.metrics.roc_curve : Recall and specificity over all thresholds.

    Notes
    -----
    The threshold is chosen on the labels it is judged by, so the score flatters a little, more
    so with few positives. It ranks models; it does not promise a performance. Nor does it see
    a classifier's own threshold: over a grid of thresholds it ties.

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
    y_true, y_score, *, min_specificity=0.90, pos_label=None, sample_weight=None
):
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
    specificity_at_recall_score : The other way round, and its notes.
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


def _outcomes(truth, called, weight):
    """Weigh true negatives, false positives, false negatives and true positives."""
    table = confusion_matrix(truth, called, labels=[False, True], sample_weight=weight)
    return table.ravel().tolist()


def _roc(name, y_true, y_score, pos_label, sample_weight):
    """Specificity and recall of every threshold; None where a class is missing."""
    truth, y_score, weight = check_scores(y_true, y_score, pos_label, sample_weight)
    if is_undefined(name, truth, weight, needs=(True, False)):
        return None
    fpr, tpr, _ = roc_curve(truth, y_score, sample_weight=weight, drop_intermediate=False)
    return 1 - fpr, tpr
