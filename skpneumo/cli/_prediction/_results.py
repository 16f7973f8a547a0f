"""What ``skpneumo predict`` reports: tables, CSV, JSON, warnings and the exit status."""

import csv
import io
import os

import numpy as np

from skpneumo._utils.files import write_text
from skpneumo._utils.formatting import shorten
from skpneumo._utils.unwrap import unwrap
from skpneumo.cli._prediction._predict_files import COLUMNS
from skpneumo.cli._prediction._tables import predictions_summary, predictions_table, reasons_table
from skpneumo.exceptions import DatasetError

LEFT_OUT = 3  # exit status


def print_results(rows, model, skipped, console, *, threshold=None):
    """Print predictions, files that are left out and files that cannot be read, as tables.

    Parameters
    ----------
    rows : list of dict
        Returned by `predict_files`.
    model : classifier
        The model that predicted them.
    skipped : list of str
        Heatmaps of skpneumo in folders.
    console : rich.console.Console
        Standard output.
    threshold : float, default=None
        Decision threshold, if it is not that of the model.
    """
    width, positive = console.width, model.classes_[1]
    left_out, unreadable = _reasons(rows, "left_out"), _reasons(rows, "error")
    if predicted := [row for row in rows if not (row["left_out"] or row["error"])]:
        console.print(predictions_table(predicted, positive, width))
    if left_out:
        console.print(reasons_table("Left out, holding no frontal chest X-ray", left_out, width))
    if unreadable:
        console.print(reasons_table("Cannot be read", unreadable, width, style="red"))
    thresholds = _thresholds(rows, model, threshold)
    summary = predictions_summary(rows, positive, *thresholds, n_skipped=len(skipped))
    console.print(summary, markup=False, highlight=False)


def results_as_dict(rows, model, *, skipped, threshold=None):
    """Return predictions, files left out and files that cannot be read, ready for JSON.

    Parameters
    ----------
    rows : list of dict
        Returned by `predict_files`.
    model : classifier
        The model that predicted them.
    skipped : list of str
        Heatmaps of skpneumo in folders.
    threshold : float, default=None
        Decision threshold, if it is not that of the model.

    Returns
    -------
    dict
        "predictions", "left_out", "unreadable", "skipped", "positive" and "threshold"; with a
        triage also "rule_in_threshold".
    """
    names = [name for name in _columns(rows) if name not in ("error", "left_out")]
    predicted = [row for row in rows if not (row["error"] or row["left_out"])]
    threshold, rule_in = _thresholds(rows, model, threshold)
    return {
        "predictions": [{name: row[name] for name in names} for row in predicted],
        "left_out": [
            {"file": row["file"], "reason": row["left_out"]} for row in rows if row["left_out"]
        ],
        "unreadable": [
            {"file": row["file"], "error": row["error"]} for row in rows if row["error"]
        ],
        "skipped": list(skipped),
        "positive": np.asarray(model.classes_).tolist()[1],
        "threshold": threshold,
    } | ({} if rule_in is None else {"rule_in_threshold": rule_in})


def _columns(rows):
    return list(rows[0]) if rows else COLUMNS


def _thresholds(rows, model, threshold):
    """Decision threshold, and the one for ruling in; None without a triage."""
    threshold = unwrap(model).threshold if threshold is None else threshold
    rule_in = float(model.rule_in_threshold_) if "triage" in _columns(rows) else None
    return float(threshold), rule_in


def _reasons(rows, column):
    return {row["file"]: row[column] for row in rows if row[column]}


def check_overwrites_nothing(csv, names):
    """Refuse a table that would replace the model or an X-ray.

    Parameters
    ----------
    csv : path
        The table to be written.
    names : sequence of str
        Files that are read.

    Raises
    ------
    DatasetError
        If the table is one of them.
    """
    place = os.path.realpath(csv)
    if any(os.path.realpath(name) == place for name in names):
        raise DatasetError(f"The table would replace {csv}, which is read. Name another file.")


def write_csv(rows, path):
    """Write predictions as CSV.

    Parameters
    ----------
    rows : list of dict
        Returned by `predict_files`.
    path : path
        The file.
    """
    lines = io.StringIO()
    writer = csv.DictWriter(lines, _columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(lines.getvalue(), path)


def describe_omissions(rows, skipped):
    """Describe what was skipped and left out, for warnings; the table has the reasons.

    Parameters
    ----------
    rows : list of dict
        Returned by `predict_files`.
    skipped : list of str
        Heatmaps of skpneumo in folders.

    Returns
    -------
    list of str
    """
    warnings, left_out = [], [row["file"] for row in rows if row["left_out"]]
    if skipped:
        are = "heatmap is" if len(skipped) == 1 else "heatmaps are"
        warnings.append(
            f"{len(skipped)} {are} skipped, which skpneumo drew: {shorten(skipped, str)}."
        )
    if left_out:
        hold, are = ("holds", "is") if len(left_out) == 1 else ("hold", "are")
        warnings.append(
            f"{len(left_out)} of {len(rows)} {hold} no frontal chest X-ray and {are} not "
            f"predicted: {shorten(left_out, str)}."
        )
    return warnings


def describe_errors(rows):
    """Describe which files could not be read, and why.

    Parameters
    ----------
    rows : list of dict
        Returned by `predict_files`.

    Returns
    -------
    str
    """
    errors = [f"{row['file']} ({row['error'].rstrip('.')})" for row in rows if row["error"]]
    return f"{len(errors)} of {len(rows)} could not be read: {shorten(errors, str)}."


def exit_status(rows, named):
    """Return the exit status of ``skpneumo predict``.

    Parameters
    ----------
    rows : list of dict
        Returned by `predict_files`.
    named : sequence of str
        Files that were named themselves, not found in a folder.

    Returns
    -------
    int
        1 if a file cannot be read; else 3 if files that were named, or all files, are left out;
        else 0.
    """
    if any(row["error"] for row in rows):
        return 1
    left_out = [row["file"] for row in rows if row["left_out"]]
    return LEFT_OUT if len(left_out) == len(rows) or {*left_out} & {*named} else 0
