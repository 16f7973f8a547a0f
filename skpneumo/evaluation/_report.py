"""The report as one HTML page that needs nothing else."""

import numpy as np

from skpneumo._utils.formatting import percent
from skpneumo.evaluation._checklists import filled_in
from skpneumo.evaluation._estimates import KIND
from skpneumo.evaluation._gallery import MOST, misclassified
from skpneumo.evaluation._intervals import compute_metrics
from skpneumo.evaluation._plots import calibration_curve, curves
from skpneumo.evaluation._text import (
    PROBABILITIES,
    format_ends,
    format_figure,
    format_interval,
    intervals_line,
    is_share,
    label_of,
    sections_of,
    threshold_line,
)

_FROM_0_TO_1 = ("roc_auc", "average_precision", "f1", "f2")
_TILES = {
    "recall": "Recall",
    "specificity": "Specificity",
    "roc_auc": "Area under the ROC curve",
    "positive_predictive_value": "Precision",
}


def as_html(report, embedded=False):
    """The report as HTML.

    Parameters
    ----------
    report : Evaluation
        The run.
    embedded : bool, default=False
        A part of a page, such as a notebook: figures and curves, without images, provenance and
        checklists. Otherwise a whole page.

    Returns
    -------
    str
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("skpneumo.evaluation", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = {
        "report": report,
        "embedded": embedded,
        "verdict": verdict(report),
        "threshold": threshold_line(report),
        "intervals": intervals_line(report),
        "prevalence": percent(report.prevalence),
        "tiles": [_row(report, name) | {"label": label} for name, label in _TILES.items()],
        "cells": _confusion(report),
        "sections": [
            (heading, [_row(report, name) for name in names])
            for heading, names in sections_of(report)
        ],
        "curves": curves(report),
    }
    if not embedded:
        parts |= _rest_of_page(report)
    return environment.get_template("report.html.jinja").render(parts)


def _rest_of_page(report):
    missed, alarmed, method_name, note = misclassified(report)
    wrong = (
        ("Missed", report.table["false_negative"], missed),
        ("False alarms", report.table["false_positive"], alarmed),
    )
    return {
        "kinds": [_kind(report, name) for name in report.figures if name.startswith(KIND)],
        "calibration": calibration_curve(report) if report.is_probability else "",
        "calibration_rows": _calibration_rows(report) if report.is_probability else [],
        "wrong": wrong,
        "most": MOST,
        "images_note": note,
        "method_name": method_name,
        "checklists": filled_in(report, method_name),
    }


def verdict(report):
    """The outcome in one sentence."""
    negative, positive = report.classes
    t = report.table
    ill, healthy = (
        t["false_negative"] + t["true_positive"],
        t["true_negative"] + t["false_positive"],
    )
    return (
        f"Of {ill} images labelled {positive}, {_were(t['false_negative'])} missed: a recall of "
        f"{_with_interval(report, 'recall')}; of {healthy} labelled {negative}, "
        f"{t['false_positive'] or 'none'} raised a false alarm: a specificity of "
        f"{_with_interval(report, 'specificity')}."
    )


def _were(n):
    return f"{n or 'none'} {'were' if n > 1 else 'was'}"


def _with_interval(report, name):
    figure = report.figures[name]
    value = format_figure(name, figure.value)
    low, high = format_ends(name, figure.low, figure.high)
    return f"{value} ({100 * report.confidence:g}% interval {low} to {high})"


def _row(report, name):
    """What a table shows of a figure; shares with the ends of a bar, in per cent."""
    figure = report.figures[name]
    bar = None
    if (is_share(name) or name in _FROM_0_TO_1) and np.isfinite(figure).all():
        bar = {
            "value": f"{100 * figure.value:.2f}",
            "low": f"{100 * figure.low:.2f}",
            "width": f"{100 * (figure.high - figure.low):.2f}",
        }
    return {
        "label": label_of(name),
        "value": format_figure(name, figure.value),
        "interval": format_interval(name, figure),
        "bar": bar,
    }


def _kind(report, name):
    kind = name.removeprefix(KIND)
    rows = report.truth & (report.subtype == kind)
    n, n_missed = int(rows.sum()), int((rows & ~report.called).sum())
    return _row(report, name) | {"label": kind, "n": n, "n_missed": n_missed}


def _confusion(report):
    """Cells of the confusion matrix by rows: label, then (count, share of the row, what it is)."""
    t = report.table
    rows = []
    for label, cells in (
        (report.classes[0], (("true_negative", "good"), ("false_positive", "alarm"))),
        (report.classes[1], (("false_negative", "miss"), ("true_positive", "good"))),
    ):
        n = sum(t[name] for name, _ in cells)
        told = [
            (t[name], percent(t[name] / n, up=name.startswith("false")), kind)
            for name, kind in cells
        ]
        rows.append((label, told))
    return rows


def _calibration_rows(report):
    """Label, and value before (None if there was no calibration) and after, with its interval."""
    before = {}
    if report.before_calibration is not None:
        uncalibrated = report.predictions._replace(y_score=report.before_calibration)
        before = compute_metrics(uncalibrated, report.confidence)
    return [
        (
            label_of(name),
            format_figure(name, before[name].value) if before else None,
            format_figure(name, report.figures[name].value),
            format_interval(name, report.figures[name]),
            best,
        )
        for name, best in zip(PROBABILITIES, "0100", strict=True)
    ]
