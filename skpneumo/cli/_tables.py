"""Tables of the command line, as wide as the terminal: numbers are left out before they are cut."""

from rich import box
from rich.markup import escape
from rich.table import Table

from skpneumo._utils.formatting import percent

_TITLES = {"f1": "F1", "roc_auc": "AUC"}
_SHORT_TITLES = _TITLES | {
    "specificity": "speci-\nficity",
    "precision": "preci-\nsion",
    "accuracy": "accu-\nracy",
}
# Columns that a table needs for means with standard deviations, for all means, and for intervals
# on the line of their estimate.
_WITH_SPREAD, _ALL_MEANS = 80, 58
_ON_ONE_LINE, _WITH_NOTE = 66, 70


def settings_table(result, width=_WITH_SPREAD):
    """Metrics of every candidate over the folds.

    Parameters
    ----------
    result : dict
        What `skpneumo.cli._job.run` returns.
    width : int, default=80
        Columns of the terminal. Narrow ones show no standard deviations, and at last no metrics
        but recall and specificity.

    Returns
    -------
    rich.table.Table
    """
    columns = ("recall", "specificity", "f1", "precision", "accuracy")
    title = "Cross-validation, in %: mean ± standard deviation over folds"
    if width < _WITH_SPREAD:
        title = "Cross-validation, in %: mean over folds"
    if width < _ALL_MEANS:
        columns = columns[:2]
    layout = {"padding": (0, 1, 0, 0), "pad_edge": False, "show_edge": False}
    table = Table(title=title, box=box.SIMPLE_HEAD, **layout)
    for heading in ("#", "class\nweight", "thre-\nshold"):
        table.add_column(heading, justify="right", no_wrap=True)
    titles = _TITLES if width >= _WITH_SPREAD else _SHORT_TITLES
    choice = result["chosen"]
    selected = choice["indices"] if "indices" in choice else [choice["index"]]
    for column in columns:
        table.add_column(titles.get(column, column), justify="right", no_wrap=True)
    for i, row in enumerate(result["settings"]):
        chosen = i in selected
        table.add_row(
            f"→ {i}" if chosen else str(i),
            f"1:{row['class_weight']:g}",
            f"{row['threshold']:g}",
            *(_mean_and_spread(row[name], width >= _WITH_SPREAD) for name in columns),
            style="bold green" if chosen else None,
            end_section=i + 1 < len(result["settings"])
            and result["settings"][i + 1]["class_weight"] != row["class_weight"],
        )
    return table


def _mean_and_spread(metric, with_spread):
    mean = percent(metric["mean"]).rstrip("%")
    return f"{mean} ±{100 * metric['std']:.1f}" if with_spread else mean


def comparison_table(result, width=_WITH_SPREAD):
    """Metrics of the model and of the baseline on the test split.

    Parameters
    ----------
    result : dict
        What `skpneumo.cli._job.run` returns.
    width : int, default=80
        Columns of the terminal. In narrow ones intervals stand below their estimates.

    Returns
    -------
    rich.table.Table
    """
    sides = result["test"]
    n_images, n_patients = sides["model"]["n_images"], sides["model"]["n_patients"]
    of_patients = "" if n_patients is None else f" by patient ({n_patients})"
    layout = {} if width >= _ON_ONE_LINE else {"padding": (0, 1, 0, 0), "pad_edge": False}
    table = Table(
        title=f"Test: {n_images} images, 95 % intervals{of_patients}",
        box=box.SIMPLE_HEAD,
        **layout,
    )
    table.add_column("")
    for name, title in (("model", result["model"]), ("baseline", "logistic regression")):
        table.add_column(title, justify="right", style="bold" if name == "model" else None)
    interval = " [{:.3f}, {:.3f}]" if width >= _ON_ONE_LINE else "\n{:.3f}-{:.3f}"
    for name, found in sides["model"].items():
        if isinstance(found, dict):  # a metric with its interval, not a number of images
            estimates = (_estimate(side[name], interval) for side in sides.values())
            title = " by patient" if name.endswith("_of_patients") else name
            table.add_row(_TITLES.get(name, title), *estimates)
    for name, title in (("missed", "false negatives"), ("false_alarms", "false positives")):
        table.add_row(title, *(str(side[name]) for side in sides.values()))
    return table


def _estimate(metric, interval):
    if metric["value"] is None:
        return "n/a"
    text = f"{metric['value']:.3f}"
    if metric.get("interval"):
        text += interval.format(*metric["interval"])
    return text


def predictions_table(rows, positive, width=_WITH_SPREAD):
    """What a model predicts of each file.

    Parameters
    ----------
    rows : list of dict
        What `skpneumo.cli._prediction.predict_files` returns.
    positive : label
        Stands out.
    width : int, default=80
        Columns of the terminal. In narrow ones notes stand below the names of files.

    Returns
    -------
    rich.table.Table
    """
    wide = width >= _WITH_NOTE
    layout = {} if wide else {"padding": (0, 1, 0, 0), "pad_edge": False}
    table = Table(box=box.SIMPLE_HEAD, **layout)
    table.add_column("file", overflow="fold")
    for title in ("probability" if wide else "prob.", "label"):
        table.add_column(title, justify="right", no_wrap=True)
    if wide:
        table.add_column("note", overflow="fold")
    for row in rows:
        file, note = escape(row["file"]), escape(_note(row))
        names = [file, note] if wide else [f"{file}\n{note}" if note else file]
        probability = "" if row["probability"] is None else f"{row['probability']:.3f}"
        label = "" if row["label"] is None else escape(str(row["label"]))
        style = "bold" if row["label"] is not None and row["label"] == positive else None
        table.add_row(
            names[0], probability, label, *names[1:], style="red" if row["error"] else style
        )
    return table


def reasons_table(title, reasons, width=_WITH_SPREAD, *, style=None):
    """Files that are not predicted, and why.

    Parameters
    ----------
    title : str
        What they have in common.
    reasons : dict of str to str
        By file.
    width : int, default=80
        Columns of the terminal. In narrow ones reasons stand below the names of files.
    style : str, default=None
        Of all rows.

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


def _note(row):
    if row["error"]:
        return row["error"]
    if not row["outlier"]:
        return ""
    return "out-of-distribution" + (", not labelled" if row["label"] is None else "")


def predictions_summary(rows, positive, threshold, *, n_skipped=0):
    """How many files there were, and from which probability on the model predicts the positive.

    Parameters
    ----------
    rows : list of dict
        What `skpneumo.cli._prediction.predict_files` returns.
    positive : label
        The positive class.
    threshold : float
        Decision threshold of the model.
    n_skipped : int, default=0
        Heatmaps that were found beside the files.

    Returns
    -------
    str
    """
    n_unread = sum(row["error"] is not None for row in rows)
    n_left_out = sum(row.get("left_out") is not None for row in rows)
    outliers = [row for row in rows if row["outlier"]]
    unlabelled = ", not labelled" if any(row["label"] is None for row in outliers) else ""
    counts = (
        f"{len(rows)} file{'s' * (len(rows) != 1)}"
        + f", {n_left_out} left out" * (n_left_out > 0)
        + f", {n_unread} not read" * (n_unread > 0)
        + f", {len(outliers)} out-of-distribution{unlabelled}" * (len(outliers) > 0)
        + f", {n_skipped} heatmap{'s' * (n_skipped != 1)} skipped" * (n_skipped > 0)
    )
    return f"{counts}. Decision threshold for {positive}: {threshold:.3g}. Not a medical device."
