"""Validation of paths."""

import os
from reprlib import repr as short_repr

import numpy as np

# What a missing value becomes when an array or a column is turned into text.
_MISSING = {"", "nan", "None", "<NA>"}


def is_path(item):
    r"""Whether an object names a file: text, bytes, or anything with ``__fspath__``.

    Bytes that hold a zero are no path on any system: they are the content of a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skpneumo._utils.paths import is_path
    >>> is_path("a.png"), is_path(b"a.png"), is_path(Path("a.png"))
    (True, True, True)
    >>> is_path(None), is_path(float("nan")), is_path(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    (False, False, False)
    """
    if isinstance(item, bytes):
        return b"\0" not in item
    return isinstance(item, (str, os.PathLike))


def check_paths(items):
    """Validate paths and return them as text.

    Parameters
    ----------
    items : array-like of str, bytes or path, shape (n,) or (n, 1)
        Bytes are decoded as the file system does it.

    Returns
    -------
    ndarray of shape (n,), dtype object
        Of str.

    Raises
    ------
    ValueError
        If an item is no path, or a missing value; the message names the first such row. Also if
        there are several columns.

    Examples
    --------
    >>> from skpneumo._utils.paths import check_paths
    >>> check_paths(["a.png", None])
    Traceback (most recent call last):
    ValueError: Row 1 of X holds None, not the path of a file. Leave such rows out of X and of all
    that belongs to it, such as y.
    """
    items = np.asarray(items, dtype=object)
    if items.ndim > 1 and items.shape[1:] != (1,):
        raise ValueError(f"Paths must have the shape (n,) or (n, 1), got {items.shape}.")
    items = items.ravel()
    paths = np.empty(len(items), dtype=object)
    for row, item in enumerate(items):
        path = str(os.fsdecode(item)) if is_path(item) else None
        if path is None or path in _MISSING:
            raise ValueError(
                f"Row {row} of X holds {short_repr(item)}, not the path of a file. Leave such "
                "rows out of X and of all that belongs to it, such as y."
            )
        paths[row] = path
    return paths
