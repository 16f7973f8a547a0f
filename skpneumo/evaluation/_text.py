"""An evaluation in words: labels and order of the metrics, and the report as text."""

from textwrap import wrap

import numpy as np

from skpneumo._utils.formatting import SUBTYPE_PREFIX, format_ends, format_metric, percent
from skpneumo.evaluation._metrics import RECALLS
from skpneumo.evaluation._statistics import (
    PREVALENCES,
    THRESHOLD_PROBABILITIES,
    count_patients,
)

AT_THRESHOLD = "At the threshold"
PROBABILITIES = ("brier", "calibration_slope", "calibration_intercept", "calibration_error")
# Metrics under each heading, in this order.
SECTIONS = {
    AT_THRESHOLD: (
        "recall",
        "recall_of_patients",
        "specificity",
        "specificity_of_patients",
        "positive_predictive_value",
        "negative_predictive_value",
        "positive_likelihood_ratio",
        "negative_likelihood_ratio",
        "accuracy",
        "balanced_accuracy",
        "f1",
        "f2",
    ),
    "Triage": (
        "patients_ruled_out",
        "patients_to_be_read",
        "patients_ruled_in",
        "ruled_out",
        "to_be_read",
        "ruled_in",
        "specificity_of_ruling_in_of_patients",
        "specificity_of_ruling_in",
        "recall_of_ruling_in",
        "precision_of_ruling_in",
    ),
    "Net benefit per image": tuple(f"net_benefit_at_{p:.2f}" for p in THRESHOLD_PROBABILITIES),
    "Over all thresholds": (
        "roc_auc",
        "average_precision",
        *(f"specificity_at_recall_{recall:.2f}" for recall in RECALLS),
    ),
    "Probabilities": PROBABILITIES,
    "Predictive values at other prevalences": tuple(
        f"{value}_at_prevalence_{prevalence:.2f}"
        for prevalence in PREVALENCES
        for value in ("ppv", "npv")
    ),
}
_LABELS = {
    "recall": "recall (sensitivity) of images",
    "recall_of_patients": "recall of patients (all positive images)",
    "specificity": "specificity of images",
    "specificity_of_patients": "specificity of patients (all negative images)",
    "patients_ruled_out": "patients ruled out (all images)",
    "patients_ruled_in": "patients ruled in (any image)",
    "ruled_out": "images ruled out",
    "to_be_read": "images to be read",
    "ruled_in": "images ruled in",
    "specificity_of_ruling_in_of_patients": "negative patients not ruled in (any image)",
    "specificity_of_ruling_in": "negative images not ruled in",
    "recall_of_ruling_in": "positive images ruled in",
    "precision_of_ruling_in": "precision of ruling in",
    "positive_predictive_value": "precision (positive predictive value)",
    "f1": "F1",
    "f2": "F2",
    "roc_auc": "area under the ROC curve",
    "brier": "Brier score",
    "calibration_error": "debiased calibration error (10 bins)",
}
_LABEL_WIDTH = 46
# Minimum ratio of images per patient to those of the certification for which a note says that the
# certified target is in doubt.
_MORE_IMAGES = 1.25


def metric_label(name):
    """Label of a metric in reports."""
    if name in _LABELS:
        return _LABELS[name]
    if name.startswith(SUBTYPE_PREFIX):
        return f"recall, {name.removeprefix(SUBTYPE_PREFIX)}"
    if "_at_prevalence_" in name:
        value, prevalence = name.split("_at_prevalence_")
        return f"{value.upper()} at {float(prevalence):.0%} prevalence"
    if name.startswith("specificity_at_recall_"):
        return f"specificity at {float(name.rsplit('_', 1)[1]):.0%} recall"
    if name.startswith("net_benefit_at_"):
        return f"at threshold probability {name.rsplit('_', 1)[1]}"
    return name.replace("_", " ")


def format_interval(name, estimate):
    """The interval of a metric as text."""
    if np.isnan([estimate.low, estimate.high]).any():
        return "-"
    return "[{}, {}]".format(*format_ends(name, estimate.low, estimate.high))


def threshold_line(report):
    """The threshold, how it was chosen, and whether its certified target is reached here."""
    threshold = f"{report.threshold:.4g}" if np.isfinite(report.threshold) else "not known"
    return " ".join(
        [f"Threshold {threshold}: {report.threshold_description}.", *_target_notes(report)]
    )


def _target_notes(report):
    """Sentences about the certified target of the threshold, if there is something to note."""
    if report.provenance.certified_target is None:
        return []
    name, target = report.provenance.certified_target
    metric = name.removesuffix("_of_patients")
    if name not in report.metrics:
        if name == metric:
            return []
        return [
            f"Not checked: it was certified for patients, and these images have no groups; the "
            f"{metric} of images is another metric."
        ]
    notes = []
    estimate = report.metrics[name]
    if estimate.high < target:
        value = f"{format_metric(name, estimate.value)} {format_interval(name, estimate)}"
        notes.append(f"Not reached on these images: {name.replace('_', ' ')} {value}.")
    before = report.provenance.certified_images_per_patient
    here = _images_per_patient(report.predictions, metric)
    if before is not None and here > _MORE_IMAGES * before:
        notes.append(
            f"It was certified for patients with {before:.1f} images each on average. Here they "
            f"have {here:.1f}, and the more there are, the more often one of them is misclassified:"
            " choose the threshold on patients with as many images as here."
        )
    return notes


def _images_per_patient(predictions, metric):
    """Mean number of images of the class that a metric is about, of patients who have some."""
    rows = predictions.y_true if metric == "recall" else ~predictions.y_true
    return rows.sum() / count_patients(predictions.clusters, rows)


def get_sections(report):
    """Headings, and under each the names of the metrics that the report has.

    Returns
    -------
    list of (str, list of str)
    """
    sections = []
    for heading, names in SECTIONS.items():
        if heading == AT_THRESHOLD:
            of_subtypes = [name for name in report.metrics if name.startswith(SUBTYPE_PREFIX)]
            names = (*names[:2], *of_subtypes, *names[2:])
        names = [name for name in names if name in report.metrics]
        if names:
            sections.append((heading, names))
    return sections


def as_text(report):
    """The report as lines of text."""
    patients = "" if report.n_patients is None else f" of {report.n_patients} patients"
    lines = [
        f"{report.provenance.model['name']} on {report.n_images} images{patients}, "
        f"{percent(report.prevalence)} {report.classes[1]}",
        *wrap(threshold_line(report), 79),
        "",
        *_confusion_lines(report),
    ]
    for heading, names in get_sections(report):
        lines += ["", heading]
        for name in names:
            estimate = report.metrics[name]
            value, interval = format_metric(name, estimate.value), format_interval(name, estimate)
            lines.append(f"  {metric_label(name):<{_LABEL_WIDTH}}{value:>9}  {interval}")
    lines += ["", f"[ ]: {intervals_line(report)}"]
    return "\n".join(lines)


def _confusion_lines(report):
    """The confusion matrix: true labels in rows, predicted ones in columns."""
    table, labels = report.table, [str(label) for label in report.classes]
    wide = max(map(len, labels))
    columns = [f"predicted {label}" for label in labels]
    column = max(map(len, columns)) + 2
    rows = (
        ("", columns),
        (labels[0], (table["true_negative"], table["false_positive"])),
        (labels[1], (table["false_negative"], table["true_positive"])),
    )
    return [f"{label:{wide}}" + "".join(f"{x:>{column}}" for x in cells) for label, cells in rows]


def intervals_line(report):
    """What the intervals are, in a sentence."""
    known = report.predictions.groups is not None
    clusters = "patients as clusters" if known else "images taken as independent"
    return f"{100 * report.confidence:g}% confidence intervals, {clusters}."
