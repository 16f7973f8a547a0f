"""The model and the baseline on the test split, by `evaluate`."""

from dataclasses import replace

import numpy as np

from skpneumo._utils.memory import MAX_DECODED_BYTES
from skpneumo.cli._training._comparison import AT_ITS_RECALL, AT_THRESHOLD, compare, ranking_metrics
from skpneumo.evaluation import evaluate
from skpneumo.metrics import specificity_at_recall_score
from skpneumo.preprocessing import XRayLoader, XRayResizer

METRICS = (
    "recall",
    "recall_of_patients",
    "specificity",
    "specificity_of_patients",
    "f1",
    "positive_predictive_value",
    "accuracy",
    "roc_auc",
)


def evaluate_both(model, baseline, test, image_size):
    """Evaluate two classifiers on the same images.

    Parameters
    ----------
    model : classifier
        Fitted.
    baseline : Pipeline
        Fitted; its last step is a classifier with a threshold of its own.
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
    # Decoded here once for each, not again for labels, for probabilities and for every network.
    xrays = XRayResizer(image_size).transform(XRayLoader().transform(test.X))
    if len(xrays) * image_size[0] * image_size[1] <= MAX_DECODED_BYTES:
        xrays = np.asarray(xrays)
    report = evaluate(model, xrays, test.y, groups=groups)
    pixels = baseline[:-1].transform(test.X)
    baseline_report = evaluate(baseline[-1], pixels, test.y, groups=groups)
    # The same images, although their pixels differ: they can be compared.
    same_data = replace(
        baseline_report.provenance, data_fingerprint=report.provenance.data_fingerprint
    )
    return report, replace(baseline_report, provenance=same_data)


def summarize(report):
    """Summarize an evaluation, ready for JSON.

    Parameters
    ----------
    report : Evaluation

    Returns
    -------
    dict
        Each of `METRICS` as ``{"value": ..., "interval": [low, high]}``, None if not defined;
        "false_negatives", "false_positives" and "n_images"; "n_patients", which is None if
        patients are not known, and then there are no metrics of patients.
    """
    metrics = {name: estimate(report.metrics[name]) for name in METRICS if name in report.metrics}
    return metrics | {
        "false_negatives": report.table["false_negative"],
        "false_positives": report.table["false_positive"],
        "n_images": report.n_images,
        "n_patients": report.n_patients,
    }


def estimate(metric):
    """Return value and interval of a metric, ready for JSON; None if they are not defined."""
    value, low, high = map(float, metric)
    return {
        "value": value if np.isfinite(value) else None,
        "interval": [low, high] if np.isfinite([low, high]).all() else None,
    }


def compare_on_test(report, baseline_report, *, name, min_recall):
    """Compare the model with the baseline on the same images.

    Parameters
    ----------
    report, baseline_report : Evaluation
        Returned by `evaluate_both`.
    name : str
        Name of the model.
    min_recall : float
        The required recall.

    Returns
    -------
    beats : bool
    comparison : dict
        See `compare`.
    """
    model, baseline = (
        {key: float(one.metrics[key].value) for key in AT_THRESHOLD}
        | ranking_metrics(one.predictions.y_true, one.predictions.y_score, min_recall)
        for one in (report, baseline_report)
    )
    y_true, y_score = baseline_report.predictions.y_true, baseline_report.predictions.y_score
    model[AT_ITS_RECALL] = model["specificity"]
    baseline[AT_ITS_RECALL] = float(
        specificity_at_recall_score(y_true, y_score, min_recall=model["recall"])
    )
    return compare(
        model,
        baseline,
        on="the test split",
        name=name,
        min_recall=min_recall,
        intervals=_difference_intervals(report, baseline_report, min_recall),
    )


def _difference_intervals(report, baseline_report, min_recall):
    """Intervals of the differences in ranking metrics, by name."""
    differences = report.compare(baseline_report)
    names = {"roc_auc": "roc_auc"}
    # `evaluate` computes the specificity at some recalls, in per cent, only.
    at_recall = f"specificity_at_recall_{min_recall:.2f}"
    if at_recall in differences and float(f"{min_recall:.2f}") == min_recall:
        names["specificity_at_recall"] = at_recall
    intervals = {name: estimate(differences[key])["interval"] for name, key in names.items()}
    return {name: interval for name, interval in intervals.items() if interval is not None}
