"""An evaluation as an HTML page."""

import numpy as np

from skpneumo._reporting.pages import render_page
from skpneumo._utils.formatting import (
    SUBTYPE_PREFIX,
    format_ends,
    format_metric,
    is_proportion,
    percent,
)
from skpneumo.evaluation._checklists import fill_checklists
from skpneumo.evaluation._gallery import MAX_ENTRIES, misclassified
from skpneumo.evaluation._metrics import measure_probabilities
from skpneumo.evaluation._plots import calibration_curve, curves
from skpneumo.evaluation._text import (
    PROBABILITIES,
    format_interval,
    get_sections,
    intervals_line,
    metric_label,
    threshold_line,
)

_FROM_0_TO_1 = ("roc_auc", "average_precision", "f1", "f2")
# Style and note of each cell, by rows of the confusion matrix.
_CELLS = (
    {"true_negative": ("good", ""), "false_positive": ("warning", " false positives")},
    {"false_negative": ("error", " false negatives"), "true_positive": ("good", "")},
)
_TILES = {
    "recall": "Recall",
    "specificity": "Specificity",
    "roc_auc": "Area under the ROC curve",
    "positive_predictive_value": "Precision",
}


def as_html(report, embedded=False):
    """Render an evaluation as HTML.

    Parameters
    ----------
    report : Evaluation
        The evaluation.
    embedded : bool, default=False
        Whether to render a part of a page, such as a notebook, with metrics and curves but without
        images, provenance and checklists. Otherwise a whole page.

    Returns
    -------
    str
    """
    context = {
        "version": report.provenance.versions["skpneumo"],
        "report": report,
        "predictions": report.predictions,
        "provenance": report.provenance,
        "model": report.provenance.model,
        "verdict": verdict(report),
        "threshold": threshold_line(report),
        "intervals": intervals_line(report),
        "prevalence": percent(report.prevalence),
        "tiles": [_row(report, name) | {"label": label} for name, label in _tiles(report).items()],
        "confusion": _confusion_rows(report),
        "sections": [
            (heading, [_row(report, name) for name in names])
            for heading, names in get_sections(report)
        ],
        "curves": curves(report),
    }
    if not embedded:
        context |= _page_context(report)
    return render_page("skpneumo.evaluation", "report.html.jinja", embedded=embedded, **context)


def _tiles(report):
    """Labels of the metrics at the top: of a triage what is to be read instead of precision."""
    if "to_be_read" not in report.metrics:
        return _TILES
    names = [name for name in _TILES if name != "positive_predictive_value"]
    return {name: _TILES[name] for name in names} | {"to_be_read": "To be read"}


def _page_context(report):
    """Variables of the sections that only a whole page has."""
    gallery, is_probability = misclassified(report), report.predictions.is_probability
    return {
        "subtypes": [
            _subtype_row(report, name) for name in report.metrics if name.startswith(SUBTYPE_PREFIX)
        ],
        "is_calibrated": report.predictions.y_score_uncalibrated is not None,
        "calibration": calibration_curve(report) if is_probability else "",
        "calibration_verdict": _judge_calibration(report) if is_probability else "",
        "calibration_rows": _calibration_rows(report) if is_probability else [],
        "misclassified": (
            ("False negatives", report.table["false_negative"], gallery.false_negatives),
            ("False positives", report.table["false_positive"], gallery.false_positives),
        ),
        "max_entries": MAX_ENTRIES,
        "images_note": gallery.note,
        "method_name": gallery.method_name,
        "checklists": fill_checklists(report, gallery.method_name),
    }


def verdict(report):
    """Errors, recall and specificity in two sentences, and the answers of a triage in a third."""
    (negative, positive), t = report.classes, report.table
    n_positive = t["false_negative"] + t["true_positive"]
    n_negative = t["true_negative"] + t["false_positive"]
    text = (
        f"Of {n_positive} images labelled {positive}, {_count(t['false_negative'])} predicted "
        f"{negative} (missed): recall {_with_interval(report, 'recall')}. Of {n_negative} labelled "
        f"{negative}, {_count(t['false_positive'])} predicted {positive}: specificity "
        f"{_with_interval(report, 'specificity')}."
    )
    if "to_be_read" not in report.metrics:
        return text
    out, read, into = (
        format_metric(name, report.metrics[name].value)
        for name in ("ruled_out", "to_be_read", "ruled_in")
    )
    return f"{text} Of all images {out} are ruled out, {read} to be read and {into} ruled in."


def _count(n):
    return f"{n or 'none'} {'are' if n > 1 else 'is'}"


def _with_interval(report, name):
    estimate = report.metrics[name]
    value = format_metric(name, estimate.value)
    low, high = format_ends(name, estimate.low, estimate.high)
    return f"{value} ({100 * report.confidence:g}% interval {low} to {high})"


def _row(report, name):
    """Cells of a metric in a table; of those from 0 to 1 also the ends of a bar, in per cent."""
    estimate, bar = report.metrics[name], None
    if (is_proportion(name) or name in _FROM_0_TO_1) and np.isfinite(estimate).all():
        bar = {
            "value": f"{100 * estimate.value:.2f}",
            "low": f"{100 * estimate.low:.2f}",
            "width": f"{100 * (estimate.high - estimate.low):.2f}",
        }
    return {
        "label": metric_label(name),
        "value": format_metric(name, estimate.value),
        "interval": format_interval(name, estimate),
        "bar": bar,
    }


def _subtype_row(report, name):
    subtype, predictions = name.removeprefix(SUBTYPE_PREFIX), report.predictions
    rows = predictions.y_true & (predictions.subtype == subtype)
    return _row(report, name) | {
        "label": subtype,
        "n": int(rows.sum()),
        "n_false_negatives": int((rows & ~predictions.y_pred).sum()),
    }


def _confusion_rows(report):
    """Rows of the confusion matrix: label, then (count, proportion of the row, style, note)."""
    rows = []
    for label, row in zip(report.classes, _CELLS, strict=True):
        n_of_class = sum(report.table[name] for name in row)
        cells = []
        for name, (style, note) in row.items():
            n, is_error = report.table[name], name.startswith("false")
            # No error deserves the colour of one.
            style = "good" if is_error and not n else style
            cells.append((n, percent(n / n_of_class, up=is_error), style, note))
        rows.append((label, cells))
    return rows


def _judge_calibration(report):
    """What the intervals of slope and intercept show, in a sentence."""
    intervals = [report.metrics[f"calibration_{name}"] for name in ("slope", "intercept")]
    if not np.isfinite([(one.low, one.high) for one in intervals]).all():
        return "Too few errors for an interval of slope and intercept."
    differs = [
        not one.low <= ideal <= one.high for one, ideal in zip(intervals, (1, 0), strict=True)
    ]
    if any(differs):
        return "The intervals of slope and intercept do not both include their ideal values."
    return "The intervals of slope and intercept include their ideal values."


def _calibration_rows(report):
    """Label, ideal value, value before (None without calibration) and after, and interval."""
    predictions, before = report.predictions, {}
    if predictions.y_score_uncalibrated is not None:
        before = measure_probabilities(
            predictions.y_score_uncalibrated,
            predictions.y_true,
            predictions.clusters,
            report.confidence,
        )
    return [
        (
            metric_label(name),
            ideal,
            format_metric(name, before[name].estimate.value) if before else None,
            format_metric(name, report.metrics[name].value),
            format_interval(name, report.metrics[name]),
        )
        for name, ideal in zip(PROBABILITIES, "0100", strict=True)
    ]
