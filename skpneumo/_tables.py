"""Tables of the command line."""

from rich import box
from rich.markup import escape
from rich.table import Table

from skpneumo._format import percent


def settings_table(result):
    """Figures of every setting over the folds.

    Parameters
    ----------
    result : dict
        What `skpneumo._job.run` returns.

    Returns
    -------
    rich.table.Table
    """
    title = "Cross-validation, in %: mean ± standard deviation over folds"
    layout = {"padding": (0, 1, 0, 0), "pad_edge": False, "show_edge": False}
    table = Table(title=title, box=box.SIMPLE_HEAD, **layout)
    for title in ("#", "class\nweight", "thre-\nshold"):
        table.add_column(title, justify="right", no_wrap=True)
    columns = ("recall", "specificity", "f1", "precision", "accuracy")
    for column in columns:
        table.add_column("F1" if column == "f1" else column, justify="right", no_wrap=True)
    for i, row in enumerate(result["settings"]):
        chosen = i == result["chosen"]["index"]
        table.add_row(
            f"→ {i}" if chosen else str(i),
            f"1:{row['class_weight']:g}",
            f"{row['threshold']:g}",
            *(_mean_and_spread(row[name]) for name in columns),
            style="bold green" if chosen else None,
            end_section=i + 1 < len(result["settings"])
            and result["settings"][i + 1]["class_weight"] != row["class_weight"],
        )
    return table


def _mean_and_spread(figure):
    return f"{percent(figure['mean']).rstrip('%')} ±{100 * figure['std']:.1f}"


def test_table(result):
    """Figures of the model and of the baseline on the test split.

    Parameters
    ----------
    result : dict
        What `skpneumo._job.run` returns.

    Returns
    -------
    rich.table.Table
    """
    sides = result["test"]
    table = Table(
        title=f"Test: {sides['model']['n_images']} images, 95 % intervals", box=box.SIMPLE_HEAD
    )
    table.add_column("")
    for name, title in (("model", result["model"]), ("baseline", "logistic regression")):
        table.add_column(title, justify="right", style="bold" if name == "model" else None)
    titles = {"f1": "F1", "roc_auc": "AUC"}
    for name in ("recall", "specificity", "f1", "precision", "accuracy", "roc_auc"):
        table.add_row(titles.get(name, name), *(_figure(side[name]) for side in sides.values()))
    for name, title in (("missed", "missed pneumonias"), ("false_alarms", "false alarms")):
        table.add_row(title, *(str(side[name]) for side in sides.values()))
    return table


def _figure(figure):
    if figure["value"] is None:
        return "n/a"
    text = f"{figure['value']:.3f}"
    if figure.get("interval"):
        text += " [{:.3f}, {:.3f}]".format(*figure["interval"])
    return text


def predictions_table(rows, positive):
    """What a model says of each file.

    Parameters
    ----------
    rows : list of dict
        What `skpneumo._predicting.predict_files` returns.
    positive : label
        Stands out.

    Returns
    -------
    rich.table.Table
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("file", overflow="fold")
    for title in ("probability", "says"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for row in rows:
        if row["error"]:
            table.add_row(escape(row["file"]), "", "", escape(row["error"]), style="red")
            continue
        table.add_row(
            escape(row["file"]),
            f"{row['probability']:.3f}",
            escape(str(row["label"])),
            "unlike the images of the training" if row["outlier"] else "",
            style="bold" if row["label"] == positive else None,
        )
    return table


def predictions_summary(rows, positive, threshold):
    """How many files there were, and from which probability on the model calls the ill.

    Parameters
    ----------
    rows : list of dict
        What `skpneumo._predicting.predict_files` returns.
    positive : label
        Of the ill.
    threshold : float
        From which the model calls them.

    Returns
    -------
    str
    """
    n_unread = sum(row["error"] is not None for row in rows)
    n_unlike = sum(bool(row["outlier"]) for row in rows)
    counts = (
        f"{len(rows)} file{'s' * (len(rows) != 1)}"
        + f", {n_unread} not read" * (n_unread > 0)
        + f", {n_unlike} unlike the training" * (n_unlike > 0)
    )
    return f"{counts}. {positive} from {threshold:.3g} on. Not a medical device."
