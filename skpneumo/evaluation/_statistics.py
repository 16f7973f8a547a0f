"""Metrics of predictions, each with the influence of every image on it.

The influence of an image is the change of the metric if one more image like it is added. Its sums
over patients vary as the metric does from one sample of patients to the next, which gives variances
and correlations in closed form, without a bootstrap.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from skpneumo._utils.formatting import SUBTYPE_PREFIX

PREVALENCES = (0.05, 0.10, 0.20, 0.40)
THRESHOLD_PROBABILITIES = (0.05, 0.10, 0.20)


class Statistic(NamedTuple):
    """A metric of a sample, and what its variance follows from."""

    value: float
    influence: np.ndarray
    """Influence of each image, of shape (n,); 0 for images that do not enter."""
    rows: np.ndarray
    """Whether each image enters, of shape (n,) and dtype bool."""


def count_patients(clusters, rows):
    """Number of patients who have an image among some."""
    return int(np.count_nonzero(np.bincount(clusters[rows])))


def count_by_class(y_true, clusters):
    """Numbers of patients who have a positive image, and of those who have a negative one."""
    return count_patients(clusters, y_true), count_patients(clusters, ~y_true)


def ratio(numerator, denominator):
    """Ratio of the sums of two numbers of each image.

    Parameters
    ----------
    numerator, denominator : ndarray of shape (n,)
        Of images that enter the denominator is above 0.

    Returns
    -------
    Statistic
        NaN if no image enters.
    """
    numerator, denominator = np.float64(numerator), np.float64(denominator)
    total, rows = denominator.sum(), denominator > 0
    if not rows.any():
        return Statistic(np.nan, np.zeros(len(rows)), rows)
    value = numerator.sum() / total
    return Statistic(float(value), (numerator - value * denominator) / total, rows)


def proportions(predictions):
    """Metrics that are proportions of images or of patients.

    Parameters
    ----------
    predictions : Predictions
        Of the images.

    Returns
    -------
    dict of str to Statistic
        "f1_jaccard" is F1 on the scale on which it is a proportion: true positives among all
        images that are not true negatives.
    """
    y_true, y_pred, groups = predictions.y_true, predictions.y_pred, predictions.groups
    true_positive, true_negative = y_true & y_pred, ~y_true & ~y_pred
    false_negative, false_positive = y_true & ~y_pred, ~y_true & y_pred
    statistics = {
        "recall": ratio(true_positive, y_true),
        "specificity": ratio(true_negative, ~y_true),
        "positive_predictive_value": ratio(true_positive, y_pred),
        "negative_predictive_value": ratio(true_negative, ~y_pred),
        "accuracy": ratio(y_true == y_pred, np.ones_like(y_true)),
        "f1_jaccard": ratio(true_positive, ~true_negative),
    }
    if groups is not None:
        statistics["recall_of_patients"] = by_patient(y_true, false_negative, groups)
        statistics["specificity_of_patients"] = by_patient(~y_true, false_positive, groups)
    if predictions.subtype is not None:
        for subtype in np.unique(predictions.subtype[y_true & (predictions.subtype != "")]):
            rows = y_true & (predictions.subtype == subtype)
            statistics[f"{SUBTYPE_PREFIX}{subtype}"] = ratio(rows & y_pred, rows)
    return statistics


def by_patient(rows, wrong, groups):
    """Proportion of the patients of a class without a misclassified image.

    One image of each patient carries the weight, so that patients count once.

    Parameters
    ----------
    rows : ndarray of shape (n,), dtype bool
        Images of the class.
    wrong : ndarray of shape (n,), dtype bool
        Images that are misclassified.
    groups : ndarray of shape (n,), dtype int
        Number of the patient of each image.

    Returns
    -------
    Statistic
    """
    _, first = np.unique(groups[rows], return_index=True)
    stands = np.zeros(len(rows))
    stands[np.flatnonzero(rows)[first]] = 1
    return ratio(stands * (np.bincount(groups, wrong) == 0)[groups], stands)


def f2(predictions):
    """F2 score, in which a false negative weighs four times as much as a false positive.

    Parameters
    ----------
    predictions : Predictions
        Of the images.

    Returns
    -------
    Statistic
    """
    y_true, y_pred = predictions.y_true, predictions.y_pred
    true_positive = 5 * (y_true & y_pred)
    return ratio(true_positive, true_positive + 4 * (y_true & ~y_pred) + (~y_true & y_pred))


def true_and_false_positives(predictions):
    """Proportions of true and of false positives among all images, of which net benefit is made.

    Parameters
    ----------
    predictions : Predictions
        Of the images.

    Returns
    -------
    true_positives, false_positives : Statistic
    """
    y_true, y_pred = predictions.y_true, predictions.y_pred
    every = np.ones(len(y_true))
    return ratio(y_true & y_pred, every), ratio(~y_true & y_pred, every)


def roc_auc(y_true, y_score):
    """Area under the ROC curve.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    y_score : ndarray of shape (n,)
        Higher for positive images.

    Returns
    -------
    Statistic
        The influence of an image is its structural component [1]_: the proportion of the images of
        the other class that are ranked on the right side of it, less the area.

    References
    ----------
    .. [1] DeLong, DeLong & Clarke-Pearson, "Comparing the areas under two or more correlated
       receiver operating characteristic curves", Biometrics 44:837-845, 1988.
    """
    component = np.empty(len(y_true))
    ranks = rankdata(y_score)
    n_of_class = np.where(y_true, y_true.sum(), (~y_true).sum())
    for rows, sign in ((y_true, 1), (~y_true, -1)):
        n_other = len(y_true) - rows.sum()
        below = (ranks[rows] - rankdata(y_score[rows])) / n_other
        component[rows] = below if sign > 0 else 1 - below
    value = component[y_true].mean()
    every = np.ones(len(y_true), dtype=bool)
    return Statistic(float(value), (component - value) / n_of_class, every)


def average_precision(y_true, y_score):
    """Average precision, as scikit-learn defines it.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    y_score : ndarray of shape (n,)
        Higher for positive images.

    Returns
    -------
    Statistic
    """
    value = average_precision_score(y_true, y_score)
    scores, tie = np.unique(-y_score, return_inverse=True)
    positives = np.bincount(tie, y_true, minlength=len(scores))
    n_above = np.cumsum(np.bincount(tie, minlength=len(scores)))
    precision = np.cumsum(positives) / n_above
    # One more image at a score changes the precision at its score and at all lower ones.
    gained, lost = (
        np.cumsum((positives * part / n_above)[::-1])[::-1] for part in (1 - precision, precision)
    )
    change = np.where(y_true, precision[tie] - value + gained[tie], -lost[tie])
    return Statistic(float(value), change / y_true.sum(), np.ones(len(y_true), dtype=bool))
