"""Scores and scorers that put few missed pneumonias first, at a known cost in false alarms.

Every scorer takes ``estimator.classes_[1]`` as the positive class, so it is right for
``"NORMAL"`` and ``"PNEUMONIA"`` as for 0 and 1, where scikit-learn's ``scoring="recall"`` gives
NaN on text. ``SCORERS`` holds all of them for a search over several metrics::

    GridSearchCV(classifier, grid, scoring=SCORERS, refit="recall_with_specificity_floor")

For another floor or other costs, ``make_scorer(recall_with_specificity_floor_score,
min_specificity=0.9)`` of scikit-learn will do, as long as every test fold holds both classes.

A share of nothing is NaN, with a warning, where the images lack a class: recall without a
pneumonia, specificity without a healthy child. Where only the prediction lacks one it is 0:
precision if nobody is called ill, negative predictive value if everyone is.
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
