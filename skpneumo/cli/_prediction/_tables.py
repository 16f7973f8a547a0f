"""Tables of predictions, as wide as the terminal."""

import os

from rich import box
from rich.markup import escape
from rich.table import Table

_WITH_NOTE = 70  # columns from which notes and reasons have a column of their own


def predictions_table(rows, positive, width=80, *, true_labels=None):
    """Tabulate the probability and the label, or the answer of a triage, of each file.

    Parameters
    ----------
    rows : list of dict
        Those of `predict_files` that have a prediction.
    positive : label
        The positive class; its rows stand out.
    width : int, default=80
        Columns of the terminal. In narrow ones notes stand below the names of files.
    true_labels : dict of str to label, default=None
        By file, if they are known, for the notes; files are named without their folder then.

    Returns
    -------
    rich.table.Table
    """
    wide = width >= _WITH_NOTE
    layout = {} if wide else {"padding": (0, 1, 0, 0), "pad_edge": False}
    table = Table(box=box.SIMPLE_HEAD, **layout)
    answer = "triage" if rows and "triage" in rows[0] else "label"
    table.add_column("file", overflow="fold")
    for title in ("probability" if wide else "prob.", answer):
        table.add_column(title, justify="right", no_wrap=True)
    notes = [escape(_note(row, true_labels)) for row in rows]
    has_notes = wide and any(notes)
    if has_notes:
        table.add_column("note", overflow="fold")
    for row, note in zip(rows, notes, strict=True):
        file = escape(row["file"] if true_labels is None else os.path.basename(row["file"]))
        below = f"\n{note}" if note and not wide else ""
        probability = "" if row["probability"] is None else f"{row['probability']:.3f}"
        label = "" if row[answer] is None else escape(str(row[answer]))
        style = "bold" if row["label"] is not None and row["label"] == positive else None
        table.add_row(f"{file}{below}", probability, label, *[note] * has_notes, style=style)
    return table


def reasons_table(title, reasons, width=80, *, style=None):
    """Tabulate files that are not predicted, with the reasons.

    Parameters
    ----------
    title : str
        Title of the table.
    reasons : dict of str to str
        Reason by file.
    width : int, default=80
        Columns of the terminal. In narrow ones reasons stand below the names of files.
    style : str, default=None
        Style of all rows.

    Returns
    -------
    rich.table.Table
    """
    wide = width >= _WITH_NOTE
    layout = {} if wide else {"padding": (0, 1, 0, 0), "pad_edge": False}
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, **layout)
    table.add_column("file", overflow="fold")
    if wide:
        table.add_column("reason", overflow="fold")
    for file, reason in reasons.items():
        names = [escape(file), escape(reason)]
        table.add_row(*(names if wide else ["\n".join(names)]), style=style)
    return table


def _note(row, true_labels):
    notes = []
    if row["outlier"]:
        notes.append("out-of-distribution" + (", not labelled" if row["label"] is None else ""))
    if row.get("heatmap"):
        notes.append(row["heatmap"])
    if true_labels is not None:
        notes.append(f"true label: {true_labels[row['file']]}")
    return "; ".join(notes)


def predictions_summary(tally, positive, threshold, rule_in_threshold=None, *, n_skipped=0):
    """Count the files by outcome, and state the decision threshold.

    Parameters
    ----------
    tally : Tally
        Of the predictions.
    positive : label
        The positive class.
    threshold : float
        Decision threshold.
    rule_in_threshold : float, default=None
        Threshold from which a triage rules in; it rules out below the other one. None without
        triage.
    n_skipped : int, default=0
        Heatmaps that were found beside the files.

    Returns
    -------
    str
    """
    unlabelled = ", not labelled" if tally.n_unlabelled else ""
    counts = (
        f"{tally.n_files:,} file{'s' * (tally.n_files != 1)}"
        + f", {tally.n_left_out:,} left out" * (tally.n_left_out > 0)
        + f", {tally.n_unread:,} not read" * (tally.n_unread > 0)
        + f", {tally.n_outliers:,} out-of-distribution{unlabelled}" * (tally.n_outliers > 0)
        + f", {n_skipped:,} heatmap{'s' * (n_skipped != 1)} skipped" * (n_skipped > 0)
    )
    decision = f"Decision threshold for {positive}: {threshold:.3g}"
    if rule_in_threshold is not None:
        decision = _triage_summary(tally.answers, positive, threshold, rule_in_threshold)
    return f"{counts}. {decision}. Not a medical device."


def _triage_summary(answers, positive, rule_out_threshold, rule_in_threshold):
    n_ruled_out, n_to_read, n_ruled_in = (
        answers.get(answer, 0) for answer in ("ruled out", "to be read", "ruled in")
    )
    return (
        f"{positive} ruled out below {rule_out_threshold:.4g}: {n_ruled_out:,}; ruled in from "
        f"{rule_in_threshold:.4g} on: {n_ruled_in:,}; to be read: {n_to_read:,}"
    )
