"""Numbers, names and lines as text."""

from math import ceil, floor, inf, isfinite, isnan
from textwrap import fill, indent, wrap

# Names the recall among the positive images of one subtype.
SUBTYPE_PREFIX = "recall_of_kind_"
_NOT_PROPORTIONS = (
    "likelihood_ratio",
    "f1",
    "f2",
    "roc_auc",
    "average_precision",
    "brier",
    "calibration",
    "net_benefit",
)
ROUNDING = 1e-9  # the mean of folds that all sit on a floor may fall short of it by rounding
_MAX_NAMED = 3


def percent(proportion, digits=1, *, up=False):
    """Format a proportion in per cent, rounded down or up.

    Parameters
    ----------
    proportion : float
        From 0 to 1, or NaN.
    digits : int, default=1
        Decimals.
    up : bool, default=False
        Round up, as is right for errors and the upper end of an interval. Rounding down, 97.96 %
        does not read as the 98.0 % that it misses, nor 0.04 % as 0.

    Returns
    -------
    str
    """
    if isnan(proportion):
        return "-"
    step = 10**-digits
    if up:
        return f"{ceil(100 * (proportion - ROUNDING) / step) * step:.{digits}f}%"
    rounded = floor(100 * (proportion + ROUNDING) / step) * step
    if rounded == 0 and proportion > ROUNDING:
        return f"<{step:.{digits}f}%"
    return f"{rounded:.{digits}f}%"


def is_proportion(metric):
    """Whether a metric of an evaluation, by its name, is a proportion, shown in per cent."""
    return metric.startswith(SUBTYPE_PREFIX) or not any(part in metric for part in _NOT_PROPORTIONS)


def format_metric(metric, value, *, up=False):
    """Format the value of a metric of an evaluation.

    Parameters
    ----------
    metric : str
        Its name.
    value : float
        Its value.
    up : bool, default=False
        Whether to round a proportion up, such as the upper end of an interval.

    Returns
    -------
    str
        Proportions in per cent, others as numbers, and a dash if it is not defined.
    """
    if not isfinite(value):
        return {inf: "∞", -inf: "-∞"}.get(value, "-")
    return percent(value, up=up) if is_proportion(metric) else f"{value:.3f}"


def format_ends(metric, low, high):
    """Format both ends of the interval of a metric, rounded away from each other."""
    return format_metric(metric, low), format_metric(metric, high, up=True)


def shorten(names, format_name=repr):
    """Name the first three and count the rest.

    Parameters
    ----------
    names : sequence
        The names.
    format_name : callable, default=repr
        Called with each of the first three.

    Returns
    -------
    str
    """
    n_more = len(names) - _MAX_NAMED
    named = ", ".join(map(format_name, names[:_MAX_NAMED]))
    return named + (f" and {n_more:,} more" if n_more > 0 else "")


def fold_lines(text, width):
    """Fold the lines of a text that are wider than a terminal, between words.

    Parameters
    ----------
    text : str
        Lines, some of them rows of tables.
    width : int
        Columns of the terminal.

    Returns
    -------
    str
        Words and numbers stay whole; continuation lines are indented.
    """
    options = {"break_long_words": False, "break_on_hyphens": False, "replace_whitespace": False}
    folded = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())] + "    "
        folded += wrap(line, width, subsequent_indent=indent, **options) or [""]
    return "\n".join(folded)


def format_rows(rows, width):
    """Format names and values side by side, or, in fewer columns, each value below its name.

    Parameters
    ----------
    rows : list of (str, str)
        Name and value.
    width : int
        Columns of the terminal.

    Returns
    -------
    str
    """
    n_columns = max(len(name) for name, _ in rows)
    lines = [f"{name:<{n_columns}}  {value}" for name, value in rows]
    if max(map(len, lines)) > width:
        lines = [f"{name}\n{indent(fill(value, width - 2), '  ')}" for name, value in rows]
    return "\n".join(lines)
