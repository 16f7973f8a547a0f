"""The model and the baseline on the test split, patient by patient."""

from dataclasses import replace

import numpy as np

from skpneumo.classifiers._batches import load_if_fits_in_memory
from skpneumo.evaluation import evaluate
from skpneumo.preprocessing import XRayLoader, XRayResizer

# Names in the results, and in an evaluation.
_METRICS = {
    "recall": "recall",
    "recall_of_patients": "recall_of_patients",
    "specificity": "specificity",
    "specificity_of_patients": "specificity_of_patients",
    "f1": "f1",
    "precision": "positive_predictive_value",
    "accuracy": "accuracy",
    "roc_auc": "roc_auc",
}


def evaluate_both(model, baseline, test, image_size):
    """Evaluate two classifiers on the same images.

    Parameters
    ----------
    model : classifier
        Fitted.
    baseline : Pipeline
        Fitted; its last step is a classifier that follows its own threshold.
    test : Bunch of X, y, groups, identified
        Images of both classes.
    image_size : tuple of (int, int)
        Rows and columns that the model sees.

    Returns
    -------
    model, baseline : Evaluation
        By patient, if the patient of any image is known.
    """
    groups = test.groups if test.identified.any() else None
    # Decoded here once for each, rather than for labels, probabilities and every network.
    xrays = XRayResizer(image_size).transform(XRayLoader().transform(test.X))
    report = evaluate(model, load_if_fits_in_memory(xrays, image_size), test.y, groups=groups)
    pixels = baseline[:-1].transform(test.X)
    of_baseline = evaluate(baseline[-1], pixels, test.y, groups=groups)
    same_data = replace(of_baseline.provenance, data_fingerprint=report.provenance.data_fingerprint)
    return report, replace(of_baseline, provenance=same_data)


def summarize(report):
    """Metrics of one evaluation, ready for JSON.

    Parameters
    ----------
    report : Evaluation

    Returns
    -------
    dict
        Metrics as ``{"value": ..., "interval": [low, high]}``, each None where it is not defined;
        "missed" and "false_alarms" (images), "n_images", and "n_patients" (None where they are not
        known, and without metrics of patients).
    """
    metrics = {
        name: estimate(report.metrics[key])
        for name, key in _METRICS.items()
        if key in report.metrics
    }
    return metrics | {
        "missed": report.table["false_negative"],
        "false_alarms": report.table["false_positive"],
        "n_images": report.n_images,
        "n_patients": report.n_patients,
    }


def estimate(metric):
    """Value and interval of a metric, ready for JSON; None where they are not defined."""
    value, low, high = map(float, metric)
    return {
        "value": value if np.isfinite(value) else None,
        "interval": [low, high] if np.isfinite([low, high]).all() else None,
    }


def difference_intervals(report, of_baseline, min_recall):
    """Intervals of the differences in metrics that no threshold enters.

    Parameters
    ----------
    report, of_baseline : Evaluation
        Of the same images.
    min_recall : float
        The recall required.

    Returns
    -------
    dict of str to list of float
        By metric of `skpneumo.cli._comparison.ranking_metrics`. The specificity has an interval at
        those recalls at which `evaluate` measures it.
    """
    differences = report.compare(of_baseline)
    at_recall = f"specificity_at_recall_{min_recall:.2f}"
    names = {"roc_auc": "roc_auc"}
    if at_recall in differences and float(f"{min_recall:.2f}") == min_recall:
        names["specificity_at_recall"] = at_recall
    found = {name: estimate(differences[key])["interval"] for name, key in names.items()}
    return {name: interval for name, interval in found.items() if interval is not None}
