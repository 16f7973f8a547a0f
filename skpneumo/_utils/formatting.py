"""Numbers and lines as text."""

from math import ceil, floor, isnan
from textwrap import wrap

ROUNDING = 1e-9  # the mean of folds that all sit on a floor may fall short of it by rounding


def percent(share, digits=1, *, up=False):
    """Round down: 97.96 % shall not read as the 98.0 % that it misses, nor 0.04 % as nothing.

    What should be low is rounded up, and so is the upper end of an interval.
    """
    if isnan(share):
        return "-"
    step = 10**-digits
    if up:
        return f"{ceil(100 * (share - ROUNDING) / step) * step:.{digits}f}%"
    found = floor(100 * (share + ROUNDING) / step) * step
    if found == 0 and share > ROUNDING:
        return f"<{step:.{digits}f}%"
    return f"{found:.{digits}f}%"


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
        Words and numbers stay whole; what follows the first part of a line is indented.
    """
    options = {"break_long_words": False, "break_on_hyphens": False, "replace_whitespace": False}
    folded = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())] + "    "
        folded += wrap(line, width, subsequent_indent=indent, **options) or [""]
    return "\n".join(folded)
