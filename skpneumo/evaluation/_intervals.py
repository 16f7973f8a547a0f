"""The metrics of an evaluation, each with its interval, and the differences of two."""

from typing import NamedTuple

import numpy as np

from skpneumo.evaluation._calibration import (
    brier,
    calibration_error,
    calibration_intercept,
    calibration_slope,
)
from skpneumo.evaluation._estimates import (
    EXCHANGE_PROBABILITIES,
    PREVALENCES,
    average_precision,
    count_by_class,
    count_patients,
    f2,
    proportions,
    roc_auc,
    true_and_false_positives,
)
from skpneumo.evaluation._interval_methods import (
    NO_INTERVAL,
    average_interval,
    correlation,
    difference_interval,
    logit_interval,
    n_contributing,
    normal_interval,
    proportion_interval,
    ratio_interval,
)
from skpneumo.evaluation._specificity_at_recall import specificity_at_recalls

RECALLS = (0.95, 0.97, 0.98, 0.99)
# Intervals of what probabilities mean need so many patients of each class, and those of calibration
# so many expected errors: where probabilities leave no doubt, errors that did not occur decide.
_MIN_PATIENTS, _MIN_ERRORS = 5, 3
# So many were not chance, whatever was expected; with fewer, the samples with an interval would be
# those that happen to have more errors. The interval of a Brier score rests on its variance then.
_MANY_ERRORS = 10
# So many patients must contribute to the variance of the area under a curve to rely on it alone.
_MIN_CONTRIBUTING = 5


class Figure(NamedTuple):
    """A metric and its interval."""

    value: float
    low: float
    high: float


class _Measured(NamedTuple):
    """A metric with its interval, and what decides about its difference between two models."""

    figure: Figure
    influence: np.ndarray | None
    """Of each image, for correlations; None where it is not known."""
    rows: np.ndarray | None = None
    """Images whose labels decide it alone, where it is a proportion of these."""
    of_labels: bool = False
    """Whether labels decide it, and no scores."""
    bounded: bool = False
    """Whether it differs by no more than the proportion of images predicted differently."""


def compute_metrics(predictions, confidence):
    """All metrics of predictions, with intervals.

    Parameters
    ----------
    predictions : Predictions
        Of images of both classes.
    confidence : float
        Of each interval, between 0 and 1.

    Returns
    -------
    dict of str to Figure
    """
    return {name: one.figure for name, one in _measure(predictions, confidence).items()}


def compute_differences(predictions, other, confidence):
    """Metrics of predictions less those of others of the same images, with intervals.

    Parameters
    ----------
    predictions, other : Predictions
        Of the same images.
    confidence : float
        Of each interval, between 0 and 1.

    Returns
    -------
    dict of str to Figure
        Of the metrics that both have. Each interval follows from those of both metrics and their
        correlation between patients. Where both predict the same for every image, no more than
        ``1 - (risk / 2) ** (1 / n)`` of ``n`` patients would be predicted differently: that bounds
        the difference of proportions, net benefits, areas under the ROC curve and Brier scores.
        Others have no interval there.
    """
    mine, theirs = (_measure(one, confidence) for one in (predictions, other))
    differences = {}
    for name in (name for name in mine if name in theirs):
        value = mine[name].figure.value - theirs[name].figure.value
        n_alike = _n_patients_alike(mine[name], theirs[name], predictions, other)
        if n_alike is None:
            correction = _correction(name, mine, theirs, predictions.clusters)
            ends = _difference(mine[name], theirs[name], predictions.clusters, correction)
        else:
            bound = 1 - ((1 - confidence) / 2) ** (1 / n_alike) if n_alike else np.nan
            ends = -bound, bound
        differences[name] = Figure(value, *ends)
    return differences


def _difference(one, other, clusters, correction):
    figures = one.figure, other.figure
    if not np.isfinite(figures).all():
        return NO_INTERVAL
    correlated = 0.0
    if one.influence is not None and other.influence is not None:
        correlated = correlation(one.influence, other.influence, clusters)
    return difference_interval(*figures, min(correlated, max(0.0, correlated - correction)))


def _correction(name, mine, theirs, clusters):
    """How much too high a correlation of labels may be where few of them differ.

    The continuity correction of Newcombe's method 10 for a proportion; the larger one of recall and
    specificity for what derives from both.
    """
    if not mine[name].of_labels:
        return 0.0
    corrections = []
    for part in (name,) if mine[name].rows is not None else ("recall", "specificity"):
        p, q = mine[part].figure.value, theirs[part].figure.value
        n = count_patients(clusters, mine[part].rows)
        spread = np.sqrt(p * (1 - p) * q * (1 - q))
        corrections.append(1 / (2 * n * spread) if spread > 0 else 1.0)
    return max(corrections)


def _n_patients_alike(mine, theirs, predictions, other):
    """Number of patients, where both models predict the same for all that decides a metric.

    None where they differ, and 0 where that bounds no difference.
    """
    clusters = predictions.clusters
    if mine.rows is not None:
        same_rows = np.array_equal(mine.rows, theirs.rows)
        alike = np.array_equal(predictions.y_pred[mine.rows], other.y_pred[mine.rows])
        return count_patients(clusters, mine.rows) if same_rows and alike else None
    compared = "y_pred" if mine.of_labels else "y_score"
    if not np.array_equal(getattr(predictions, compared), getattr(other, compared)):
        return None
    return min(count_by_class(predictions.y_true, clusters)) if mine.bounded else 0


def _measure(predictions, confidence):
    """All metrics of predictions."""
    sample = predictions.y_true, predictions.clusters, confidence
    clustered = sample[1:]
    # All images of a patient decide, though one stands for them in the estimate.
    decisive = {
        "recall_of_patients": predictions.y_true,
        "specificity_of_patients": ~predictions.y_true,
    }
    measured = {
        name: _Measured(
            Figure(estimate.value, *proportion_interval(estimate, *clustered)),
            estimate.influence,
            decisive.get(name, estimate.rows),
            of_labels=True,
        )
        for name, estimate in proportions(predictions).items()
    }
    jaccard, weighted = measured.pop("f1_jaccard"), f2(predictions)
    ends = proportion_interval(weighted, *clustered, weighted=True)
    measured["f1"] = _Measured(
        Figure(*(2 * end / (1 + end) for end in jaccard.figure)), jaccard.influence, of_labels=True
    )
    measured["f2"] = _Measured(Figure(weighted.value, *ends), weighted.influence, of_labels=True)
    measured |= _from_both(measured["recall"], measured["specificity"], predictions.clusters)
    measured |= _net_benefits(predictions, clustered)
    measured |= _ranking(predictions.y_score, *sample)
    if predictions.is_probability:
        measured |= _probabilities(predictions.y_score, *sample)
    return measured


def _from_both(recall, specificity, clusters):
    """Metrics that follow from recall and specificity, and their intervals from those of both."""
    correlated = correlation(recall.influence, specificity.influence, clusters)
    r, s = recall.figure, specificity.figure
    missed, alarmed = _complement(r), _complement(s)
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = Figure(
            float(np.divide(r.value, alarmed.value)), *ratio_interval(r, alarmed, -correlated)
        )
        negative = Figure(
            float(np.divide(missed.value, s.value)), *ratio_interval(missed, s, -correlated)
        )
        of_positive = recall.influence * alarmed.value + specificity.influence * r.value
        of_negative = -recall.influence * s.value - specificity.influence * missed.value
    measured = {
        "positive_likelihood_ratio": _Measured(positive, of_positive, of_labels=True),
        "negative_likelihood_ratio": _Measured(negative, of_negative, of_labels=True),
        "balanced_accuracy": _Measured(
            Figure((r.value + s.value) / 2, *average_interval(r, s, correlated)),
            recall.influence + specificity.influence,
            of_labels=True,
            bounded=True,
        ),
    }
    for prevalence in PREVALENCES:
        # Bayes' theorem: the odds after the prediction are those before times the ratio.
        odds = prevalence / (1 - prevalence)
        ppv = Figure(*(_as_proportion(odds * end) for end in positive))
        npv = _complement(Figure(*(_as_proportion(odds * end) for end in negative)))
        for name, figure, influence in (("ppv", ppv, of_positive), ("npv", npv, of_negative)):
            measured[f"{name}_at_prevalence_{prevalence:.2f}"] = _Measured(
                figure, influence, of_labels=True
            )
    return measured


def _as_proportion(odds):
    return 1.0 if np.isinf(odds) else odds / (1 + odds)


def _complement(figure):
    return Figure(1 - figure.value, 1 - figure.high, 1 - figure.low)


def _net_benefits(predictions, clustered):
    parts = true_and_false_positives(predictions)
    correlated = correlation(*(part.influence for part in parts), predictions.clusters)
    gained, lost = (Figure(part.value, *proportion_interval(part, *clustered)) for part in parts)
    measured = {}
    for p in EXCHANGE_PROBABILITIES:
        weight = p / (1 - p)
        weighted = Figure(*(weight * end for end in lost))
        measured[f"net_benefit_at_{p:.2f}"] = _Measured(
            Figure(
                gained.value - weighted.value, *difference_interval(gained, weighted, correlated)
            ),
            parts[0].influence - weight * parts[1].influence,
            of_labels=True,
            bounded=True,
        )
    return measured


def _ranking(y_score, y_true, clusters, confidence):
    """Metrics of the order of the scores."""
    sample = y_true, clusters, confidence
    area, precision = roc_auc(y_true, y_score), average_precision(y_true, y_score)
    measured = {
        "roc_auc": _Measured(_area(area, *sample), area.influence, bounded=True),
        "average_precision": _Measured(_precision(precision, *sample), precision.influence),
    }
    found = specificity_at_recalls(y_true, y_score, clusters, RECALLS, confidence)
    for recall, one in zip(RECALLS, found, strict=True):
        measured[f"specificity_at_recall_{recall:.2f}"] = _Measured(Figure(*one), None)
    return measured


def _area(estimate, y_true, clusters, confidence):
    """The area under the ROC curve with its interval.

    An area of 1 leaves no variance, and one to which few patients contribute hardly any. So many
    pairs of different patients are all ranked rightly with a probability of no more than the area
    to this power, which bounds it.
    """
    bound = ((1 - confidence) / 2) ** (1 / min(count_by_class(y_true, clusters)))
    low, high = logit_interval(estimate, y_true, clusters, confidence)
    if estimate.value == 1:
        low, high = bound, 1.0
    elif estimate.value == 0:
        low, high = 0.0, 1 - bound
    elif n_contributing(estimate.influence, clusters) < _MIN_CONTRIBUTING:
        # One wrong pair does not make it more certain.
        low, high = min(low, bound), max(high, 1 - bound)
    return Figure(estimate.value, low, high)


def _precision(estimate, y_true, clusters, confidence):
    """Average precision with its interval.

    Where the classes are separated, or few patients decide about the variance, the lower end is
    that which follows from the recall and the specificity of the highest threshold without a false
    positive, each with half of the risk: at every recall up to this one there are no more false
    positives than at that specificity.
    """
    tail = (1 - confidence) / 4
    n_positive, n_negative = count_by_class(y_true, clusters)
    recall, alarm_rate = tail ** (1 / n_positive), 1 - tail ** (1 / n_negative)
    alarms = alarm_rate * np.mean(~y_true) / np.mean(y_true)
    bound = float(recall - alarms * np.log1p(recall / alarms))
    if estimate.value > 1 - 1e-9:
        return Figure(1.0, bound, 1.0)
    low, high = logit_interval(estimate, y_true, clusters, confidence)
    if n_contributing(estimate.influence, clusters) < _MIN_CONTRIBUTING:
        low = min(low, bound)
    return Figure(estimate.value, low, high)


def _probabilities(p, y_true, clusters, confidence):
    """Metrics of what probabilities mean."""
    sample = y_true, clusters, confidence
    score, ends = brier(y_true, p), NO_INTERVAL
    n_patients = clusters.max() + 1
    n_expected, n_observed = n_patients * np.mean(p * (1 - p)), n_patients * score.value
    has_patients = min(count_by_class(y_true, clusters)) >= _MIN_PATIENTS
    has_many = max(n_expected, n_observed) >= _MANY_ERRORS
    has_errors = has_patients and (has_many or n_expected >= _MIN_ERRORS)
    if has_patients and has_many:
        ends = logit_interval(score, *sample)
    elif has_patients:
        # Where errors are rare a mean of numbers from 0 to 1 needs more than its variance.
        ends = proportion_interval(score, clusters, confidence, weighted=True)
    measured = {"brier": _Measured(Figure(score.value, *ends), score.influence, bounded=True)}
    for name, compute in (
        ("calibration_slope", calibration_slope),
        ("calibration_intercept", calibration_intercept),
    ):
        estimate = compute(y_true, p)
        ends = normal_interval(estimate, *sample) if has_errors else NO_INTERVAL
        measured[name] = _Measured(Figure(estimate.value, *ends), estimate.influence)
    value, *ends = calibration_error(y_true, p, clusters, confidence)
    measured["calibration_error"] = _Measured(
        Figure(value, *(ends if has_errors else NO_INTERVAL)), None
    )
    return measured
