"""Labels and scores of a classifier on some images."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, column_or_1d

from skpneumo._utils.response import positive_scores
from skpneumo._utils.targets import check_groups, check_labels, is_missing
from skpneumo._utils.unwrap import get_followed_threshold, unwrap
from skpneumo.exceptions import OutlierWarning


class Predictions(NamedTuple):
    """Labels and scores of some images."""

    y_true: np.ndarray
    """Whether each image is positive, of shape (n,) and dtype bool, as the next."""
    y_pred: np.ndarray
    """Whether each is predicted positive."""
    y_score: np.ndarray
    """Probability, or decision value, of the positive class."""
    groups: np.ndarray | None = None
    """Number of the patient of each image, from 0; None if patients are not known."""
    subtype: np.ndarray | None = None
    """Subtype of each image, empty if there is none."""
    is_probability: bool = True
    """Whether the scores are probabilities."""
    y_score_uncalibrated: np.ndarray | None = None
    """Probabilities before calibration, if the classifier is calibrated."""
    ruled_in: np.ndarray | None = None
    """Whether each is ruled in, of dtype bool, if the classifier has a threshold for it. Images
    that are predicted positive and not ruled in are to be read, all others are ruled out."""

    @property
    def clusters(self):
        """Number of the patient of each image, or of the image if patients are not known."""
        return np.arange(len(self.y_true)) if self.groups is None else self.groups


def predict_labelled(estimator, X, y, groups=None, subtype=None):
    """Predict images whose labels are known.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n, ...)
        The images.
    y : array-like of shape (n,)
        Their labels.
    groups : array-like of shape (n,), default=None
        The patient of each image.
    subtype : array-like of shape (n,), default=None
        The subtype of each image.

    Returns
    -------
    Predictions

    Raises
    ------
    ValueError
        If lengths differ, a label is not known to the estimator, or a class is missing.
    """
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    classes = np.asarray(estimator.classes_)
    if len(classes) != 2:
        raise ValueError(
            f"evaluate needs a classifier of two classes, got classes_={classes.tolist()}."
        )
    check_labels(y, classes)
    y_true = y == classes[1]
    if y_true.all() or not y_true.any():
        raise ValueError(
            f"Images of both classes are needed, all {len(y)} are labelled {y.tolist()[0]!r}: "
            "recall and specificity cannot both be computed from one class alone."
        )
    groups, subtype = check_groups(groups, y), _check_subtype(subtype, y)
    y_pred = np.asarray(estimator.predict(X)) == classes[1]
    with warnings.catch_warnings():
        # predict has issued it.
        warnings.simplefilter("ignore", OutlierWarning)
        y_score, uncalibrated = positive_scores(estimator, X), uncalibrated_scores(estimator, X)
    return Predictions(
        y_true=y_true,
        y_pred=y_pred,
        y_score=y_score,
        groups=groups,
        subtype=subtype,
        is_probability=hasattr(estimator, "predict_proba"),
        y_score_uncalibrated=uncalibrated,
        ruled_in=find_ruled_in(estimator, y_score, y_pred),
    )


def _check_subtype(subtype, y):
    """Subtypes as texts, empty if there is none."""
    if subtype is None:
        return None
    subtype = column_or_1d(subtype)
    check_consistent_length(y, subtype)
    return np.array(["" if is_missing(kind) else str(kind) for kind in subtype.tolist()])


def find_ruled_in(estimator, y_score, y_pred):
    """Images that a triage rules in, or None where there is no triage.

    Parameters
    ----------
    estimator : classifier
        Fitted. The attribute ``rule_in_threshold_`` of the estimator whose threshold it follows
        marks a triage.
    y_score : ndarray of shape (n,)
        Scores of the images.
    y_pred : ndarray of shape (n,), dtype bool
        Whether they are predicted positive.

    Returns
    -------
    ndarray of shape (n,), dtype bool, or None
        None also where these are not the scores that the thresholds are for.
    """
    nested = unwrap(estimator)
    threshold = getattr(nested.threshold_source, "rule_in_threshold_", None)
    if threshold is None or get_followed_threshold(nested, y_score, y_pred) is None:
        return None
    return y_score.astype(threshold.dtype) >= threshold


def uncalibrated_scores(estimator, X):
    """Probabilities before calibration, or None if there is no calibration.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n, ...)
        The images.

    Returns
    -------
    ndarray of shape (n,) or None
        The mean of the models that :class:`~sklearn.calibration.CalibratedClassifierCV` holds.
        None also if these return decision values.
    """
    for wrapper in unwrap(estimator).wrappers:
        if isinstance(wrapper, CalibratedClassifierCV):
            models = [one.estimator for one in wrapper.calibrated_classifiers_]
            if not all(hasattr(model, "predict_proba") for model in models):
                return None
            return np.mean([positive_scores(model, X) for model in models], axis=0)
        if isinstance(wrapper, Pipeline) and len(wrapper.steps) > 1:
            X = wrapper[:-1].transform(X)
    return None
