"""Scorers whose positive class is ``classes_[1]`` of the estimator."""

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    fbeta_score,
    make_scorer,
    precision_score,
    recall_score,
    roc_auc_score,
)

# Private, but multi-metric searches cache predictions only for instances of this class, and
# TunedThresholdClassifierCV reads their attributes; tests/metrics/test_scorers.py would notice a
# change in scikit-learn.
from sklearn.metrics._scorer import _Scorer

from skpneumo.metrics._check import binarize_labels, check_scores, is_undefined
from skpneumo.metrics._scores import (
    missed_cost_score,
    negative_predictive_value_score,
    recall_at_specificity_score,
    recall_with_specificity_floor_score,
    specificity_at_recall_score,
    specificity_score,
)

# Probabilities first: the Brier score needs them too, so the network runs only once.
_RANKING = ("predict_proba", "decision_function")


class _ClassScorer(_Scorer):
    """Scorer like those of :func:`sklearn.metrics.make_scorer`, with ``pos_label=classes_[1]``.

    If a test fold holds one class only, both labels are known from the estimator alone.
    """

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        """Score as scikit-learn's scorer does, with the positive class passed on."""
        classes = getattr(estimator, "classes_", None)
        if classes is None or len(classes) != 2:
            raise ValueError(
                "This scorer needs a fitted classifier of two classes, got a "
                f"{type(estimator).__name__} with classes_={classes!r}. Fit it on both classes."
            )
        # As a Python object, so that the message of a score shows 'PNEUMONIA', not np.str_(...).
        kwargs = {"pos_label": np.asarray(classes).tolist()[1], **kwargs}
        return super()._score(method_caller, estimator, X, y_true, **kwargs)


def _recall_score(y_true, y_pred, *, pos_label=None, sample_weight=None):
    y_true, y_pred, weight = binarize_labels(y_true, y_pred, pos_label, sample_weight)
    if is_undefined("Recall", y_true, weight, needs=(True,)):
        return np.nan
    return float(recall_score(y_true, y_pred, sample_weight=weight))


def _precision_score(y_true, y_pred, *, pos_label=None, sample_weight=None):
    y_true, y_pred, weight = binarize_labels(y_true, y_pred, pos_label, sample_weight)
    return float(precision_score(y_true, y_pred, sample_weight=weight, zero_division=0.0))


def _fbeta_score(y_true, y_pred, *, beta, pos_label=None, sample_weight=None):
    y_true, y_pred, weight = binarize_labels(y_true, y_pred, pos_label, sample_weight)
    if is_undefined(f"F{beta}", y_true, weight, needs=(True,)):
        return np.nan
    return float(fbeta_score(y_true, y_pred, beta=beta, sample_weight=weight))


def _balanced_accuracy_score(y_true, y_pred, *, pos_label=None, sample_weight=None):
    # scikit-learn's leaves out a class that y_true lacks: an all-positive prediction then scores 1.
    y_true, y_pred, weight = binarize_labels(y_true, y_pred, pos_label, sample_weight)
    if is_undefined("Balanced accuracy", y_true, weight, needs=(True, False)):
        return np.nan
    return float(recall_score(y_true, y_pred, sample_weight=weight, average="macro"))


def _average_precision_score(y_true, y_score, *, pos_label=None, sample_weight=None):
    y_true, y_score, weight = check_scores(y_true, y_score, pos_label, sample_weight)
    if is_undefined("Average precision", y_true, weight, needs=(True,)):
        return np.nan
    return float(average_precision_score(y_true, y_score, sample_weight=weight))


def _roc_auc_score(y_true, y_score, *, pos_label=None, sample_weight=None):
    y_true, y_score, weight = check_scores(y_true, y_score, pos_label, sample_weight)
    if is_undefined("ROC AUC", y_true, weight, needs=(True, False)):
        return np.nan
    return float(roc_auc_score(y_true, y_score, sample_weight=weight))


def _brier_score_loss(y_true, y_proba, *, pos_label=None, sample_weight=None):
    y_true, y_proba, weight = check_scores(y_true, y_proba, pos_label, sample_weight)
    return float(brier_score_loss(y_true, y_proba, pos_label=True, sample_weight=weight))


def _label_scorer(score, **kwargs):
    return _ClassScorer(score, 1, kwargs, "predict")


def _ranking_scorer(score, **kwargs):
    return _ClassScorer(score, 1, kwargs, _RANKING)


recall_scorer = _label_scorer(_recall_score)
specificity_scorer = _label_scorer(specificity_score)
precision_scorer = _label_scorer(_precision_score)
negative_predictive_value_scorer = _label_scorer(negative_predictive_value_score)
f1_scorer = _label_scorer(_fbeta_score, beta=1)
f2_scorer = _label_scorer(_fbeta_score, beta=2)
accuracy_scorer = make_scorer(accuracy_score)
balanced_accuracy_scorer = _label_scorer(_balanced_accuracy_score)
roc_auc_scorer = _ranking_scorer(_roc_auc_score)
average_precision_scorer = _ranking_scorer(_average_precision_score)
neg_brier_scorer = _ClassScorer(_brier_score_loss, -1, {}, "predict_proba")
specificity_at_recall_scorer = _ranking_scorer(specificity_at_recall_score)
recall_at_specificity_scorer = _ranking_scorer(recall_at_specificity_score)
recall_with_specificity_floor_scorer = _label_scorer(recall_with_specificity_floor_score)
missed_cost_scorer = _label_scorer(missed_cost_score)

SCORERS: dict[str, _Scorer] = {
    "recall": recall_scorer,
    "specificity": specificity_scorer,
    "precision": precision_scorer,
    "negative_predictive_value": negative_predictive_value_scorer,
    "f1": f1_scorer,
    "f2": f2_scorer,
    "accuracy": accuracy_scorer,
    "balanced_accuracy": balanced_accuracy_scorer,
    "roc_auc": roc_auc_scorer,
    "average_precision": average_precision_scorer,
    "neg_brier": neg_brier_scorer,
    "specificity_at_recall": specificity_at_recall_scorer,
    "recall_at_specificity": recall_at_specificity_scorer,
    "recall_with_specificity_floor": recall_with_specificity_floor_scorer,
    "missed_cost": missed_cost_scorer,
}
