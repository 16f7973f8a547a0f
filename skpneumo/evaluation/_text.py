"""The figures in words: their names, groups and formats, and the report as text."""

from textwrap import wrap

import numpy as np

from skpneumo._utils.formatting import percent
from skpneumo.evaluation._estimates import EXCHANGE_PROBABILITIES, KIND, PREVALENCES, count_patients
from skpneumo.evaluation._intervals import RECALLS

AT_THRESHOLD = "At the threshold"
PROBABILITIES = ("brier", "calibration_slope", "calibration_intercept", "calibration_error")
# What is shown under which heading, in this order.
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
    "Net benefit per image, at the threshold": tuple(
        f"net_benefit_at_{p:.2f}" for p in EXCHANGE_PROBABILITIES
    ),
    "Over all thresholds": (
        "roc_auc",
        "average_precision",
        *(f"specificity_at_recall_{share:.2f}" for share in RECALLS),
    ),
    "Probabilities": PROBABILITIES,
    "Predictive values where another share is ill": tuple(
        f"{kind}_at_prevalence_{share:.2f}" for share in PREVALENCES for kind in ("ppv", "npv")
    ),
}

_LABELS = {
    "recall": "recall (sensitivity) of images",
    "recall_of_patients": "recall of patients (all ill images)",
    "specificity": "specificity of images",
    "specificity_of_patients": "specificity of patients (no alarm)",
    "positive_predictive_value": "precision (positive predictive value)",
    "f1": "F1",
    "f2": "F2",
    "roc_auc": "area under the ROC curve",
    "brier": "Brier score",
    "calibration_error": "calibration error (ten bins, less chance)",
}
# A promise about patients is noted as doubtful where they have so many times as many images.
_MORE_IMAGES = 1.25
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
    return name.startswith(KIND) or not any(part in name for part in _NOT_SHARES)


def format_figure(name, value, *, up=False):
    """A figure as text: shares in per cent, others as numbers; a dash if it is not defined.

    Shares are rounded down, or up: the upper end of an interval.
    """
    if not np.isfinite(value):
        return {np.inf: "∞", -np.inf: "-∞"}.get(value, "-")
    return percent(value, up=up) if is_share(name) else f"{value:.3f}"


def format_ends(name, low, high):
    """Both ends of the interval of a figure as text, rounded away from each other."""
    return format_figure(name, low), format_figure(name, high, up=True)


def format_interval(name, figure):
    """The interval of a figure as text."""
    if np.isnan([figure.low, figure.high]).any():
        return "-"
    return "[{}, {}]".format(*format_ends(name, figure.low, figure.high))


def threshold_line(report):
    """The threshold, how it was chosen, and what became of its certified recall on these images."""
    known = f"{report.threshold:.4g}" if np.isfinite(report.threshold) else "not known"
    return " ".join([f"Threshold {known}: {report.threshold_origin}.", *_promise_notes(report)])


def _promise_notes(report):
    """Sentences about what the threshold was certified for, where there is something to note."""
    if report.promise is None:
        return []
    name, target = report.promise
    kind = name.removesuffix("_of_patients")
    if name not in report.figures:
        if name == kind:
            return []
        return [
            f"Not checked: it was certified for patients, and these images have no groups; the "
            f"{kind} of images is another number."
        ]
    notes = []
    figure = report.figures[name]
    if figure.high < target:
        found = f"{format_figure(name, figure.value)} {format_interval(name, figure)}"
        notes.append(f"Not kept on these images: {name.replace('_', ' ')} {found}.")
    before, here = report.certified_images_per_patient, _images_per_patient(report, kind)
    if before is not None and here > _MORE_IMAGES * before:
        notes.append(
            f"It was certified for patients with {before:.1f} images each on average. Here they "
            f"have {here:.1f}, and the more there are, the more often one of them is on the wrong "
            "side: set the threshold on patients with as many images as here."
        )
    return notes


def _images_per_patient(report, kind):
    """Mean number of positive images of the patients who have some, or of negative ones."""
    rows = report.truth if kind == "recall" else ~report.truth
    return rows.sum() / count_patients(report.predictions.clusters, rows)


def sections_of(report):
    """Headings, and under each the names of the figures that the report has.

    Returns
    -------
    list of (str, list of str)
    """
    found = []
    for heading, names in SECTIONS.items():
        if heading == AT_THRESHOLD:
            kinds = [name for name in report.figures if name.startswith(KIND)]
            names = (*names[:2], *kinds, *names[2:])
        names = [name for name in names if name in report.figures]
        if names:
            found.append((heading, names))
    return found


def as_text(report):
    """The report as lines of text."""
    negative, positive = map(str, report.classes)
    wide = max(len(negative), len(positive), 8)
    t = report.table
    of = "" if report.n_patients is None else f" of {report.n_patients} patients"
    lines = [
        f"{report.model['name']} on {report.n_images} images{of}, "
        f"{percent(report.prevalence)} {positive}",
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
    lines += ["", f"[ ]: {intervals_line(report)}"]
    return "\n".join(lines)


def intervals_line(report):
    """What the intervals are, in a sentence."""
    clusters = (
        "each image counted as a patient" if report.groups is None else "patients as clusters"
    )
    return f"{100 * report.confidence:g}% confidence intervals, {clusters}."
