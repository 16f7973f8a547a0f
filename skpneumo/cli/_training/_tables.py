"""Tables of a training job, as wide as the terminal: columns are left out before they are cut."""

from rich import box
from rich.table import Table

from skpneumo._utils.formatting import percent
from skpneumo.cli._training._test_split import METRICS

_TITLES = {"f1": "F1", "roc_auc": "AUC", "positive_predictive_value": "precision"}
_SHORT_TITLES = _TITLES | {
    "specificity": "speci-\nficity",
    "precision": "preci-\nsion",
    "accuracy": "accu-\nracy",
}
# Columns that a table needs for means with standard deviations, for all means, and for intervals
# on the line of their estimate.
_WITH_SPREAD, _ALL_MEANS = 80, 58
_ON_ONE_LINE = 66


def candidates_table(result, width=_WITH_SPREAD):
    """Tabulate the metrics of every candidate over the folds.

    Parameters
    ----------
    result : dict
        Returned by `run`.
    width : int, default=80
        Columns of the terminal. Narrow ones show no standard deviations, and the narrowest only
        recall and specificity.

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
    selected = result["selected"].get("indices") or [result["selected"]["index"]]
    for column in columns:
        table.add_column(titles.get(column, column), justify="right", no_wrap=True)
    class_weight = None
    for i, candidate in enumerate(result["candidates"]):
        if candidate["class_weight"] != class_weight:
            table.add_section()
        class_weight = candidate["class_weight"]
        table.add_row(
            f"→ {i}" if i in selected else str(i),
            f"1:{candidate['class_weight']:g}",
            f"{candidate['threshold']:g}",
            *(_mean_and_spread(candidate[name], width >= _WITH_SPREAD) for name in columns),
            style="bold green" if i in selected else None,
        )
    return table


def _mean_and_spread(metric, with_spread):
    mean = percent(metric["mean"]).rstrip("%")
    return f"{mean} ±{100 * metric['std']:.1f}" if with_spread else mean


def evaluation_table(result, width=_WITH_SPREAD):
    """Tabulate the metrics of the model and of the baseline on the test split.

    Parameters
    ----------
    result : dict
        Returned by `run`.
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
    for name in (name for name in METRICS if name in sides["model"]):
        estimates = (_format_estimate(side[name], interval) for side in sides.values())
        title = " by patient" if name.endswith("_of_patients") else name
        table.add_row(_TITLES.get(name, title), *estimates)
    for name in ("false_negatives", "false_positives"):
        table.add_row(name.replace("_", " "), *(str(side[name]) for side in sides.values()))
    return table


def _format_estimate(metric, interval):
    if metric["value"] is None:
        return "n/a"
    text = f"{metric['value']:.3f}"
    return text + interval.format(*metric["interval"]) if metric["interval"] else text
