"""The figures in words: their names, groups and formats, and the report as text."""

from textwrap import wrap

import numpy as np

from skpneumo.evaluation._figures import KIND

# What is shown under which heading, in this order.
SECTIONS = {
    "At the threshold": (
        "recall",
        "specificity",
        "positive_predictive_value",
        "negative_predictive_value",
        "positive_likelihood_ratio",
        "negative_likelihood_ratio",
        "accuracy",
        "balanced_accuracy",
        "f1",
        "f2",
    ),
    "Net benefit per image, at the threshold": (
        "net_benefit_at_0.05",
        "net_benefit_at_0.10",
        "net_benefit_at_0.20",
    ),
    "Over all thresholds": (
        "roc_auc",
        "average_precision",
        "specificity_at_recall_0.95",
        "specificity_at_recall_0.97",
        "specificity_at_recall_0.99",
    ),
    "Probabilities": (
        "brier",
        "calibration_slope",
        "calibration_intercept",
        "calibration_error",
    ),
    "Predictive values where another share is ill": (
        "ppv_at_prevalence_0.05",
        "npv_at_prevalence_0.05",
        "ppv_at_prevalence_0.10",
        "npv_at_prevalence_0.10",
        "ppv_at_prevalence_0.20",
        "npv_at_prevalence_0.20",
        "ppv_at_prevalence_0.40",
        "npv_at_prevalence_0.40",
    ),
}

_LABELS = {
    "recall": "recall (sensitivity)",
    "positive_predictive_value": "precision (positive predictive value)",
    "f1": "F1",
    "f2": "F2",
    "roc_auc": "area under the ROC curve",
    "brier": "Brier score",
    "calibration_error": "calibration error (ten bins)",
}
_NOT_SHARES = (
    "likelihood_ratio",
    "f1",
    "f2",
    "roc_auc",
    "average_precision",
    "brier",
    "calibration",
    "net_benefit",
)


def label_of(name):
    """Name of a figure for people."""
    if name in _LABELS:
        return _LABELS[name]
    if name.startswith(KIND):
        return f"recall, {name.removeprefix(KIND)}"
    if "_at_prevalence_" in name:
        kind, share = name.split("_at_prevalence_")
        return f"{kind.upper()} where {float(share):.0%} are ill"
    if name.startswith("specificity_at_recall_"):
        return f"specificity at {float(name.rsplit('_', 1)[1]):.0%} recall"
    if name.startswith("net_benefit_at_"):
        p = float(name.rsplit("_", 1)[1])
        return f"one miss worth {round((1 - p) / p)} false alarms"
    return name.replace("_", " ")


def is_share(name):
    """Whether a figure is a share, told in per cent."""
    return not any(part in name for part in _NOT_SHARES)


def format_figure(name, value):
    """A figure as text: shares in per cent, others as numbers; a dash if it is not defined."""
    if not np.isfinite(value):
        return "∞" if value == np.inf else "-"
    if not is_share(name):
        return f"{value:.3f}"
    return f"{value:.1%}"


def format_interval(name, figure):
    """The interval of a figure as text."""
    if np.isnan([figure.low, figure.high]).any():
        return "-"
    return f"[{format_figure(name, figure.low)}, {format_figure(name, figure.high)}]"


def threshold_line(report):
    """The threshold and how it was chosen, as a sentence."""
    known = f"{report.threshold:.4g}" if np.isfinite(report.threshold) else "not known"
    return f"Threshold {known}: {report.threshold_origin}."


def sections_of(report):
    """Headings, and under each the names of the figures that the report has.

    Returns
    -------
    list of (str, list of str)
    """
    found = []
    for heading, names in SECTIONS.items():
        if heading == "At the threshold":
            kinds = [name for name in report.figures if name.startswith(KIND)]
            names = (names[0], *kinds, *names[1:])
        names = [name for name in names if name in report.figures]
        if names:
            found.append((heading, names))
    return found


def as_text(report):
    """The report as lines of text."""
    negative, positive = map(str, report.classes)
    wide = max(len(negative), len(positive), 8)
    t = report.table
    lines = [
        f"{report.model['name']} on {report.n_images} images of {report.n_patients} patients, "
        f"{report.prevalence:.1%} {positive}",
        *wrap(threshold_line(report), 79),
        "",
        f"{'':{wide}}  {'called ' + negative:>{wide + 8}}  {'called ' + positive:>{wide + 8}}",
    ]
    for label, left, right in (
        (negative, t["true_negative"], t["false_positive"]),
        (positive, t["false_negative"], t["true_positive"]),
    ):
        lines.append(f"{label:{wide}}  {left:>{wide + 8}}  {right:>{wide + 8}}")
    for heading, names in sections_of(report):
        lines += ["", heading]
        for name in names:
            figure = report.figures[name]
            value, interval = format_figure(name, figure.value), format_interval(name, figure)
            lines.append(f"  {label_of(name):<42}{value:>9}  {interval}")
    lines += [
        "",
        f"[ ]: {report.confidence:.0%} intervals, {report.n_resamples} resamples of patients.",
    ]
    return "\n".join(lines)
