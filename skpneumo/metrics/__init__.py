"""Scores and scorers for detectors that must have few false negatives (missed pneumonias).

Every scorer takes ``estimator.classes_[1]`` as the positive class, so it works with ``"NORMAL"``
and ``"PNEUMONIA"`` as well as with 0 and 1, whereas scikit-learn's ``scoring="recall"`` returns
NaN for text labels. ``SCORERS`` holds all of them for a search over several metrics::

    GridSearchCV(classifier, grid, scoring=SCORERS, refit="recall_with_specificity_floor")

For another floor or other costs, use scikit-learn's ``make_scorer``, such as
``make_scorer(recall_with_specificity_floor_score, min_specificity=0.9)``. It requires that every
test fold holds both classes.

If ``y_true`` lacks a class that a score needs, the score is NaN, with a warning: recall without
positive images, specificity without negative ones. If only the prediction lacks a class, the score
is 0: precision without predicted positives, negative predictive value without predicted negatives.
"""

from skpneumo.metrics._curves import decision_curve, threshold_curve
from skpneumo.metrics._scorers import (
    SCORERS,
    accuracy_scorer,
    average_precision_scorer,
    balanced_accuracy_scorer,
    f1_scorer,
    f2_scorer,
    missed_cost_scorer,
    neg_brier_scorer,
    negative_predictive_value_scorer,
    precision_scorer,
    recall_at_specificity_scorer,
    recall_scorer,
    recall_with_specificity_floor_scorer,
    roc_auc_scorer,
    specificity_at_recall_scorer,
    specificity_scorer,
)
from skpneumo.metrics._scores import (
    missed_cost_score,
    negative_predictive_value_score,
    recall_at_specificity_score,
    recall_with_specificity_floor_score,
    specificity_at_recall_score,
    specificity_score,
)

__all__ = [
    "SCORERS",
    "accuracy_scorer",
    "average_precision_scorer",
    "balanced_accuracy_scorer",
    "decision_curve",
    "f1_scorer",
    "f2_scorer",
    "missed_cost_score",
    "missed_cost_scorer",
    "neg_brier_scorer",
    "negative_predictive_value_score",
    "negative_predictive_value_scorer",
    "precision_scorer",
    "recall_at_specificity_score",
    "recall_at_specificity_scorer",
    "recall_scorer",
    "recall_with_specificity_floor_score",
    "recall_with_specificity_floor_scorer",
    "roc_auc_scorer",
    "specificity_at_recall_score",
    "specificity_at_recall_scorer",
    "specificity_score",
    "specificity_scorer",
    "threshold_curve",
]


def __dir__():
    return __all__
