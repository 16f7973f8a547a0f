"""Labels as readers give them."""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from skpneumo._utils.formatting import shorten
from skpneumo._utils.targets import check_labels, is_missing
from skpneumo.sites._reading import UNREAD, UNSURE


def refuse_labels(y):
    """Refuse what stands in the place of labels in ``fit``: it may be meant as the patients."""
    if y is not None:
        raise TypeError(
            "fit takes no labels, only unlabelled images. Pass the patients as groups=...."
        )


def check_recorded(rows, y, classes, requested, labels):
    """Check labels that are to be recorded.

    Parameters
    ----------
    rows : array-like of int of shape (n,)
        Rows of the pool.
    y : array-like of shape (n,)
        Their labels; None, NaN or NA where the reader was unsure.
    classes : ndarray of shape (2,)
        The labels of the model.
    requested : ndarray of bool of shape (n_images,)
        Whether an image was to be read.
    labels : ndarray of int of shape (n_images,)
        Labels recorded before.

    Returns
    -------
    rows : ndarray of int of shape (n,)
    found : ndarray of int of shape (n,)
        0, 1, or `UNSURE`.

    Raises
    ------
    ValueError
        If a row is not to be read, or its label is unknown or contradicts another one.
    """
    rows = _check_rows(rows, requested)
    # Without `column_or_1d` on y: None among numbers is no array of numbers.
    y = np.asarray(y, dtype=object).reshape(-1)
    check_consistent_length(rows, y)
    sure = np.array([not is_missing(label) for label in y.tolist()], dtype=bool)
    found = np.full(len(rows), UNSURE)
    if sure.any():
        known = np.array(y[sure].tolist())
        check_labels(known, classes)
        found[sure] = known == classes[1]
    _check_contradictions(rows, found, labels, classes)
    return rows, found


def _check_rows(rows, requested):
    rows = column_or_1d(rows)
    if len(rows) == 0:
        return rows.astype(int)
    if rows.dtype.kind not in "iu":
        raise ValueError(f"rows must be row numbers, as next_images returns; got {rows[:3]!r}.")
    outside = rows[(rows < 0) | (rows >= len(requested))].tolist()
    strange = outside or rows[~requested[rows]].tolist()
    if strange:
        raise ValueError(
            f"rows holds {shorten(strange)}, whose labels were not asked for: a label of an image "
            "that was chosen otherwise would bias what is certified. Record the rows that "
            "next_images returns."
        )
    return rows


def _check_contradictions(rows, found, labels, classes):
    """Refuse an image with two labels. An unsure reading may become a label, and remain unsure."""
    latest = dict(zip(rows.tolist(), labels[rows].tolist(), strict=True))
    for row, label in zip(rows.tolist(), found.tolist(), strict=True):
        before = latest[row]
        if before in (UNREAD, UNSURE) or label == before:
            latest[row] = label
            continue
        names = classes.tolist()
        given = "unsure" if label == UNSURE else repr(names[label])
        raise ValueError(
            f"Row {row} is labelled {names[before]!r} and {given}. Agree on one label; to correct "
            "one that is recorded, call reset, and record all labels again."
        )
