"""Curves over the threshold: what each would have given, and what that is worth."""

import numpy as np
from sklearn.utils import Bunch

from skpneumo._utils.bounds import lower_bound, min_scores_per_class
from skpneumo._utils.targets import check_groups
from skpneumo._utils.validation import check_open_fraction
from skpneumo.metrics._check import check_labels, check_scores


def threshold_curve(y_true, y_score, *, groups=None, confidence=0.95, pos_label=None):
    """Compute recall, its lower confidence bound and specificity of every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, higher for the positive class: its probability, or a decision value.
    groups : array-like of shape (n_samples,), default=None
        The patient of each image. With them recall and specificity count patients, who are caught
        only if each of their ill images is, and spared only if none of their healthy ones is;
        without them both count images.
    confidence : float or None, default=0.95
        Of each bound, between 0 and 1. None leaves the bounds out.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.

    Returns
    -------
    curve : Bunch of ndarrays of shape (n_thresholds,), dtype float64
        ``threshold`` (rising: the scores that occur; an image is called positive where its score
        reaches the threshold), ``recall``, ``recall_lower_bound`` (NaN if ``confidence`` is None)
        and ``specificity``.

    Raises
    ------
    ValueError
        If a class is missing, a score is not finite, or a group has no value.

    See Also
    --------
    skpneumo.inspection.ThresholdCurveDisplay : The picture.
    skpneumo.model_selection.OperatingPointClassifierCV : Chooses a threshold whose bound holds.

    Notes
    -----
    Each bound, that of Clopper and Pearson [1]_, holds for a threshold that was given beforehand.
    A threshold that is picked from the curve has no bound.

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
    truth, y_score = _both_classes("A threshold curve", y_true, y_score, pos_label)
    groups = check_groups(groups, truth)
    threshold = np.unique(y_score)
    ill, healthy = map(np.sort, min_scores_per_class(truth, y_score, groups))
    missed = np.searchsorted(ill, threshold)
    if confidence is None:
        bound = np.full(len(threshold), np.nan)
    else:
        bound = lower_bound(len(ill), missed, confidence)
    return Bunch(
        threshold=threshold,
        recall=1 - missed / len(ill),
        recall_lower_bound=bound,
        specificity=np.searchsorted(-healthy[::-1], threshold) / len(healthy),
    )


def decision_curve(y_true, y_proba, *, y_pred=None, thresholds=None, pos_label=None):
    """Compute the net benefit of a model over the threshold probability.

    At a threshold probability ``p``, missing one of the ill is as bad as ``(1 - p) / p`` false
    alarms: 9 at 0.1. The net benefit is the share of the images that are rightly called ill, less
    the share that are wrongly called ill times ``p / (1 - p)``. [1]_

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of two classes.
    y_proba : array-like of shape (n_samples,)
        Probability of the positive class. Each image whose probability reaches ``p`` is called ill.
    y_pred : array-like of shape (n_samples,), default=None
        Labels of a fixed operating point, whose net benefit is computed too.
    thresholds : array-like of shape (n_thresholds,), default=None
        Threshold probabilities, at least 0 and below 1. None means 101 from 0 to 0.5, where a
        false alarm is as bad as a miss.
    pos_label : str, int, float, bool or None, default=None
        The positive class. None means the greater of the two labels.

    Returns
    -------
    curve : Bunch of ndarrays of shape (n_thresholds,), dtype float64
        ``threshold``, and net benefits: ``net_benefit`` of the model, ``net_benefit_all`` of
        calling everyone ill and ``net_benefit_calls`` of ``y_pred`` (None without). That of
        calling nobody ill is 0.

    Raises
    ------
    ValueError
        If a class is missing, or a value is no probability.

    See Also
    --------
    skpneumo.inspection.DecisionCurveDisplay : The picture.

    Notes
    -----
    Net benefit depends on the share of the ill, and on probabilities that mean what they say:
    calibrate them first where a class weight has shifted them.

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
    truth, y_proba = _both_classes("A decision curve", y_true, y_proba, pos_label)
    if y_proba.min() < 0 or y_proba.max() > 1:
        raise ValueError(
            f"A decision curve needs probabilities, got values from {y_proba.min():g} to "
            f"{y_proba.max():g}. Pass predict_proba(X)[:, 1]; CalibratedClassifierCV turns "
            "decision values into probabilities."
        )
    p = np.linspace(0, 0.5, 101) if thresholds is None else np.asarray(thresholds, np.float64)
    if p.ndim != 1 or not p.size or not ((p >= 0) & (p < 1)).all():
        raise ValueError(
            "thresholds must be a row of probabilities, at least 0 and below 1, got "
            f"{thresholds!r}."
        )
    ill, healthy = np.sort(y_proba[truth]), np.sort(y_proba[~truth])
    caught = len(ill) - np.searchsorted(ill, p)
    alarms = len(healthy) - np.searchsorted(healthy, p)
    calls = None
    if y_pred is not None:
        _, called, _ = check_labels(y_true, y_pred, pos_label, None)
        calls = _net_benefit(np.sum(called & truth), np.sum(called & ~truth), len(truth), p)
    return Bunch(
        threshold=p,
        net_benefit=_net_benefit(caught, alarms, len(truth), p),
        net_benefit_all=_net_benefit(len(ill), len(healthy), len(truth), p),
        net_benefit_calls=calls,
    )


def _net_benefit(caught, alarms, n_images, p):
    return (caught - alarms * p / (1 - p)) / n_images


def _both_classes(name, y_true, y_score, pos_label):
    """Booleans for the labels, and scores; both classes must be there."""
    truth, y_score, _ = check_scores(y_true, y_score, pos_label, None)
    if truth.all() or not truth.any():
        raise ValueError(
            f"{name} needs images of both classes, but y_true holds no image of the "
            f"{'negative' if truth.all() else 'positive'} class."
        )
    return truth, y_score
