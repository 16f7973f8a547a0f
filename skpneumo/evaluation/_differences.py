"""Differences of the metrics of two models on the same images, with intervals."""

import numpy as np

from skpneumo.evaluation._intervals import NO_INTERVAL, correlation, difference_interval
from skpneumo.evaluation._metrics import Estimate, measure
from skpneumo.evaluation._statistics import count_by_class, count_patients


def compute_differences(predictions, other, confidence):
    """Compute metrics of predictions less those of others of the same images, with intervals.

    Parameters
    ----------
    predictions, other : Predictions
        Of the same images.
    confidence : float
        Confidence level of each interval, between 0 and 1.

    Returns
    -------
    dict of str to Estimate
        Of the metrics that both have. Each interval follows from those of both metrics and their
        correlation between patients. If both predict the same for every image, no more than
        ``1 - (risk / 2) ** (1 / n)`` of ``n`` patients would be predicted differently: that bounds
        the difference of proportions, net benefits, areas under the ROC curve and Brier scores.
        Others have no interval there.
    """
    metrics, others = (measure(one, confidence) for one in (predictions, other))
    differences = {}
    for name in (name for name in metrics if name in others):
        value = metrics[name].estimate.value - others[name].estimate.value
        n_equal = _n_patients_predicted_equally(metrics[name], others[name], predictions, other)
        if n_equal is None:
            correction = _correction(name, metrics, others, predictions.clusters)
            ends = _difference(metrics[name], others[name], predictions.clusters, correction)
        else:
            bound = 1 - ((1 - confidence) / 2) ** (1 / n_equal) if n_equal else np.nan
            ends = -bound, bound
        differences[name] = Estimate(value, *ends)
    return differences


def _difference(metric, other, clusters, correction):
    estimates = metric.estimate, other.estimate
    if not np.isfinite(estimates).all():
        return NO_INTERVAL
    correlated = 0.0
    if metric.influence is not None and other.influence is not None:
        correlated = correlation(metric.influence, other.influence, clusters)
    return difference_interval(*estimates, min(correlated, max(0.0, correlated - correction)))


def _correction(name, metrics, others, clusters):
    """How much too high a correlation of labels may be if few of them differ.

    The continuity correction of Newcombe's method 10 for a proportion; the larger one of recall and
    specificity for what derives from both.
    """
    if not metrics[name].from_labels:
        return 0.0
    corrections = []
    for part in (name,) if metrics[name].rows is not None else ("recall", "specificity"):
        p, q = metrics[part].estimate.value, others[part].estimate.value
        n = count_patients(clusters, metrics[part].rows)
        spread = np.sqrt(p * (1 - p) * q * (1 - q))
        corrections.append(1 / (2 * n * spread) if spread > 0 else 1.0)
    return max(corrections)


def _n_patients_predicted_equally(metric, other_metric, predictions, other):
    """Number of patients, if both models predict the same for all that decides a metric.

    None if they differ, and 0 if that bounds no difference.
    """
    clusters = predictions.clusters
    if metric.rows is not None:
        same_rows = np.array_equal(metric.rows, other_metric.rows)
        equal = np.array_equal(predictions.y_pred[metric.rows], other.y_pred[metric.rows])
        return count_patients(clusters, metric.rows) if same_rows and equal else None
    compared = "y_pred" if metric.from_labels else "y_score"
    if not np.array_equal(getattr(predictions, compared), getattr(other, compared)):
        return None
    return min(count_by_class(predictions.y_true, clusters)) if metric.bounded else 0
