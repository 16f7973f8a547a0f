"""The metrics of an evaluation, each with its interval."""

from typing import NamedTuple

import numpy as np

from skpneumo.evaluation._calibration import (
    brier,
    calibration_error,
    calibration_intercept,
    calibration_slope,
)
from skpneumo.evaluation._intervals import (
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
from skpneumo.evaluation._statistics import (
    PREVALENCES,
    THRESHOLD_PROBABILITIES,
    average_precision,
    count_by_class,
    f2,
    proportions,
    roc_auc,
    true_and_false_positives,
)
from skpneumo.evaluation._triage import triage_proportions

RECALLS = (0.95, 0.97, 0.98, 0.99)
# Minimum number of patients of each class for an interval of probabilities, and of expected errors
# for one of calibration: of certain probabilities, errors that did not occur decide.
_MIN_PATIENTS, _MIN_ERRORS = 5, 3
# Minimum number of errors that are not chance, whatever was expected; with fewer, the samples with
# an interval would be those with more errors than usual. From here on the interval of a Brier score
# rests on its variance.
_MANY_ERRORS = 10
# Minimum number of patients that contribute to the variance of the area under a curve, for an
# interval by that alone.
_MIN_CONTRIBUTING = 5


class Estimate(NamedTuple):
    """A metric and its interval."""

    value: float
    low: float
    high: float


class Metric(NamedTuple):
    """A metric with its interval, and what decides about its difference between two models."""

    estimate: Estimate
    influence: np.ndarray | None
    """Influence of each image, for correlations; None if it is not known."""
    rows: np.ndarray | None = None
    """Images whose labels alone decide it, if it is a proportion of these."""
    from_labels: bool = False
    """Whether it follows from labels, and not from scores."""
    bounded: bool = False
    """Whether it differs by no more than the proportion of images predicted differently."""


def compute_metrics(predictions, confidence):
    """Compute all metrics of predictions, with intervals.

    Parameters
    ----------
    predictions : Predictions
        Of images of both classes.
    confidence : float
        Confidence level of each interval, between 0 and 1.

    Returns
    -------
    dict of str to Estimate
    """
    return {name: one.estimate for name, one in measure(predictions, confidence).items()}


def measure(predictions, confidence):
    """Compute all metrics, with what their differences follow from.

    Parameters
    ----------
    predictions : Predictions
        Of images of both classes.
    confidence : float
        Confidence level of each interval, between 0 and 1.

    Returns
    -------
    dict of str to Metric
    """
    sample = predictions.y_true, predictions.clusters, confidence
    metrics = _from_labels(predictions, confidence)
    metrics |= _from_both(metrics["recall"], metrics["specificity"], predictions.clusters)
    if predictions.ruled_in is not None:
        metrics |= _triage(predictions, confidence)
    metrics |= _net_benefits(predictions, confidence)
    metrics |= _ranking(predictions.y_score, *sample)
    if predictions.is_probability:
        metrics |= measure_probabilities(predictions.y_score, *sample)
    return metrics


def _from_labels(predictions, confidence):
    """Metrics that are proportions, and F1 and F2."""
    clustered = predictions.clusters, confidence
    # One image carries the weight of a patient, but all images of the patient decide.
    decisive = {
        "recall_of_patients": predictions.y_true,
        "specificity_of_patients": ~predictions.y_true,
    }
    metrics = {}
    for name, statistic in proportions(predictions).items():
        ends = proportion_interval(statistic, *clustered)
        metrics[name] = Metric(
            Estimate(statistic.value, *ends),
            statistic.influence,
            decisive.get(name, statistic.rows),
            from_labels=True,
        )
    jaccard, weighted = metrics.pop("f1_jaccard"), f2(predictions)
    f1 = Estimate(*(2 * end / (1 + end) for end in jaccard.estimate))
    metrics["f1"] = Metric(f1, jaccard.influence, from_labels=True)
    ends = proportion_interval(weighted, *clustered, weighted=True)
    metrics["f2"] = Metric(Estimate(weighted.value, *ends), weighted.influence, from_labels=True)
    return metrics


def _triage(predictions, confidence):
    """Metrics of the three answers, which the labels alone do not decide."""
    clustered = predictions.clusters, confidence
    return {
        name: Metric(
            Estimate(statistic.value, *proportion_interval(statistic, *clustered)),
            statistic.influence,
        )
        for name, statistic in triage_proportions(predictions).items()
    }


def _from_both(recall, specificity, clusters):
    """Metrics that follow from recall and specificity, and their intervals from those of both."""
    correlated = correlation(recall.influence, specificity.influence, clusters)
    r, s = recall.estimate, specificity.estimate
    false_negative_rate, false_positive_rate = _complement(r), _complement(s)
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = Estimate(
            float(np.divide(r.value, false_positive_rate.value)),
            *ratio_interval(r, false_positive_rate, -correlated),
        )
        negative = Estimate(
            float(np.divide(false_negative_rate.value, s.value)),
            *ratio_interval(false_negative_rate, s, -correlated),
        )
        on_positive = recall.influence * false_positive_rate.value + specificity.influence * r.value
        on_negative = (
            -recall.influence * s.value - specificity.influence * false_negative_rate.value
        )
    average = Estimate((r.value + s.value) / 2, *average_interval(r, s, correlated))
    return {
        "positive_likelihood_ratio": Metric(positive, on_positive, from_labels=True),
        "negative_likelihood_ratio": Metric(negative, on_negative, from_labels=True),
        "balanced_accuracy": Metric(
            average, recall.influence + specificity.influence, from_labels=True, bounded=True
        ),
    } | _predictive_values(positive, negative, on_positive, on_negative)


def _predictive_values(positive, negative, on_positive, on_negative):
    """Predictive values at other prevalences, from likelihood ratios and influences on these."""
    metrics = {}
    for prevalence in PREVALENCES:
        # Bayes' theorem: the odds after the prediction are those before times the ratio.
        odds = prevalence / (1 - prevalence)
        ppv = Estimate(*(_as_proportion(odds * end) for end in positive))
        npv = _complement(Estimate(*(_as_proportion(odds * end) for end in negative)))
        for name, estimate, influence in (("ppv", ppv, on_positive), ("npv", npv, on_negative)):
            metrics[f"{name}_at_prevalence_{prevalence:.2f}"] = Metric(
                estimate, influence, from_labels=True
            )
    return metrics


def _as_proportion(odds):
    return 1.0 if np.isinf(odds) else odds / (1 + odds)


def _complement(estimate):
    return Estimate(1 - estimate.value, 1 - estimate.high, 1 - estimate.low)


def _net_benefits(predictions, confidence):
    parts = true_and_false_positives(predictions)
    correlated = correlation(*(part.influence for part in parts), predictions.clusters)
    gain, loss = (
        Estimate(part.value, *proportion_interval(part, predictions.clusters, confidence))
        for part in parts
    )
    metrics = {}
    for p in THRESHOLD_PROBABILITIES:
        weight = p / (1 - p)
        weighted = Estimate(*(weight * end for end in loss))
        ends = difference_interval(gain, weighted, correlated)
        metrics[f"net_benefit_at_{p:.2f}"] = Metric(
            Estimate(gain.value - weighted.value, *ends),
            parts[0].influence - weight * parts[1].influence,
            from_labels=True,
            bounded=True,
        )
    return metrics


def _ranking(y_score, y_true, clusters, confidence):
    """Metrics of the order of the scores."""
    sample = y_true, clusters, confidence
    area, precision = roc_auc(y_true, y_score), average_precision(y_true, y_score)
    metrics = {
        "roc_auc": Metric(_area(area, *sample), area.influence, bounded=True),
        "average_precision": Metric(_precision(precision, *sample), precision.influence),
    }
    specificities = specificity_at_recalls(y_true, y_score, clusters, RECALLS, confidence)
    for recall, specificity in zip(RECALLS, specificities, strict=True):
        metrics[f"specificity_at_recall_{recall:.2f}"] = Metric(Estimate(*specificity), None)
    return metrics


def _area(statistic, y_true, clusters, confidence):
    """The area under the ROC curve with its interval.

    An area of 1 leaves no variance, and one to which few patients contribute hardly any. The
    probability that so many pairs of different patients are all ranked rightly is at most the area
    to this power, which bounds it.
    """
    bound = ((1 - confidence) / 2) ** (1 / min(count_by_class(y_true, clusters)))
    low, high = logit_interval(statistic, y_true, clusters, confidence)
    if statistic.value == 1:
        low, high = bound, 1.0
    elif statistic.value == 0:
        low, high = 0.0, 1 - bound
    elif n_contributing(statistic.influence, clusters) < _MIN_CONTRIBUTING:
        # One wrong pair does not make it more certain.
        low, high = min(low, bound), max(high, 1 - bound)
    return Estimate(statistic.value, low, high)


def _precision(statistic, y_true, clusters, confidence):
    """Average precision with its interval.

    If the classes are separated, or few patients contribute to the variance, the lower end is
    that which follows from the recall and the specificity of the highest threshold without a false
    positive, each with half of the risk: at every recall up to this one there are no more false
    positives than at that specificity.
    """
    tail = (1 - confidence) / 4
    n_positive, n_negative = count_by_class(y_true, clusters)
    recall, false_positive_rate = tail ** (1 / n_positive), 1 - tail ** (1 / n_negative)
    false_positives = false_positive_rate * np.mean(~y_true) / np.mean(y_true)
    bound = float(recall - false_positives * np.log1p(recall / false_positives))
    if statistic.value > 1 - 1e-9:
        return Estimate(1.0, bound, 1.0)
    low, high = logit_interval(statistic, y_true, clusters, confidence)
    if n_contributing(statistic.influence, clusters) < _MIN_CONTRIBUTING:
        low = min(low, bound)
    return Estimate(statistic.value, low, high)


def measure_probabilities(p, y_true, clusters, confidence):
    """Compute the Brier score and the metrics of calibration, with intervals.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Probability of the positive class of each image.
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Confidence level of each interval, between 0 and 1.

    Returns
    -------
    dict of str to Metric
    """
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
        # If errors are rare a mean of numbers from 0 to 1 needs more than its variance.
        ends = proportion_interval(score, clusters, confidence, weighted=True)
    metrics = {"brier": Metric(Estimate(score.value, *ends), score.influence, bounded=True)}
    for name, compute in (
        ("calibration_slope", calibration_slope),
        ("calibration_intercept", calibration_intercept),
    ):
        statistic = compute(y_true, p)
        ends = normal_interval(statistic, *sample) if has_errors else NO_INTERVAL
        metrics[name] = Metric(Estimate(statistic.value, *ends), statistic.influence)
    value, *ends = calibration_error(y_true, p, clusters, confidence)
    ends = ends if has_errors else NO_INTERVAL
    return metrics | {"calibration_error": Metric(Estimate(value, *ends), None)}
