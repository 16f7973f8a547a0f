"""What ``skpneumo predict`` reports: tables, JSON and warnings."""

import json

import numpy as np

from skpneumo._utils.formatting import shorten
from skpneumo.cli._prediction._tables import predictions_summary, predictions_table, reasons_table

_TITLES = {"left_out": "Left out, holding no frontal chest X-ray", "unreadable": "Cannot be read"}
_COLUMNS = {"left_out": "left_out", "unreadable": "error"}


def print_results(tally, model, options, console, *, n_skipped, csv=None, true_labels=None):
    """Print predictions, files that are left out and files that cannot be read, as tables.

    Parameters
    ----------
    tally : Tally
        Of the predictions.
    model : classifier
        The model that predicted.
    options : PredictionOptions
        How it predicted.
    console : rich.console.Console
        Standard output.
    n_skipped : int
        Number of heatmaps of skpneumo in folders.
    csv : path, default=None
        The table that holds all rows.
    true_labels : dict of str to label, default=None
        By file, if they are known.
    """
    width, positive, shown = console.width, model.classes_[1], tally.shown
    if rows := shown["predictions"]:
        console.print(predictions_table(rows, positive, width, true_labels=true_labels))
    for kind, title in _TITLES.items():
        if rows := shown[kind]:
            reasons = {row["file"]: row[_COLUMNS[kind]] for row in rows}
            style = "red" if kind == "unreadable" else None
            console.print(reasons_table(title, reasons, width, style=style))
    thresholds = options.get_thresholds(model)
    summary = predictions_summary(tally, positive, *thresholds, n_skipped=n_skipped)
    if hidden := tally.n_files - sum(map(len, shown.values())):
        where = "--csv FILE writes all" if csv is None else f"all are in {csv}"
        summary = f"… and {hidden:,} more: {where}.\n{summary}"
    console.print(summary, markup=False, highlight=False)


def results_as_json(tally, model, options, *, skipped):
    """Yield predictions, files left out and files that cannot be read as parts of a JSON text.

    Parameters
    ----------
    tally : Tally
        Of the predictions; it must have kept all rows.
    model : classifier
        The model that predicted.
    options : PredictionOptions
        How it predicted.
    skipped : list of str
        Heatmaps of skpneumo in folders.

    Yields
    ------
    str
        Of an object with "predictions", "left_out", "unreadable", "skipped", "positive" and
        "threshold"; with a triage also "rule_in_threshold".
    """
    threshold, rule_in = options.get_thresholds(model)
    yield "{\n"
    for kind in tally.shown:
        yield f'  "{kind}": ['
        separator = "\n"
        for item in tally.items(kind):
            yield f"{separator}    {item}"
            separator = ",\n"
        yield "],\n" if separator == "\n" else "\n  ],\n"
    rest = {
        "skipped": list(skipped),
        "positive": np.asarray(model.classes_).tolist()[1],
        "threshold": threshold,
    } | ({} if rule_in is None else {"rule_in_threshold": rule_in})
    yield json.dumps(rest, indent=2).removeprefix("{\n")


def describe_omissions(tally, skipped):
    """Describe what was skipped and left out, for warnings; the table has the reasons.

    Parameters
    ----------
    tally : Tally
        Of the predictions.
    skipped : list of str
        Heatmaps of skpneumo in folders.

    Returns
    -------
    list of str
    """
    warnings, n = [], tally.n_left_out
    if skipped:
        are = "heatmap is" if len(skipped) == 1 else "heatmaps are"
        warnings.append(
            f"{len(skipped)} {are} skipped, which skpneumo drew: {shorten(skipped, str)}."
        )
    if n:
        hold, are = ("holds", "is") if n == 1 else ("hold", "are")
        files = [row["file"] for row in tally.shown["left_out"]]
        warnings.append(
            f"{n:,} of {tally.n_files:,} {hold} no frontal chest X-ray and {are} not "
            f"predicted: {_shorten(files, n)}."
        )
    return warnings


def describe_errors(tally):
    """Describe which files could not be read, and why.

    Parameters
    ----------
    tally : Tally
        Of the predictions.

    Returns
    -------
    str
    """
    rows, n = tally.shown["unreadable"], tally.n_unread
    errors = [f"{row['file']} ({row['error'].rstrip('.')})" for row in rows]
    return f"{n:,} of {tally.n_files:,} could not be read: {_shorten(errors, n)}."


def _shorten(names, n):
    """Shorten a list of ``n`` names whose beginning is known."""
    n_named = 3
    return shorten(names[:n_named], str) + (f" and {n - n_named:,} more" if n > n_named else "")
