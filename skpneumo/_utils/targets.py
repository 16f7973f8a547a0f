"""What targets and groups may be."""

import warnings
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._missing import is_pandas_na

from skpneumo._utils.label_words import label_signs

# Whether the order of the labels was checked by an estimator that fits the one at hand.
_ORDER_IS_CHECKED = ContextVar("order_is_checked", default=False)


@contextmanager
def order_checked():
    """Fit estimators in here without another check of the order of the labels."""
    token = _ORDER_IS_CHECKED.set(True)
    try:
        yield
    finally:
        _ORDER_IS_CHECKED.reset(token)


def two_classes(y):
    """Sorted labels of ``y``, which must be two; warn if the second may not be the positive."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"y holds {'one class' if len(classes) else 'no label'}, {classes.tolist()}; two are "
            "needed, such as NORMAL and PNEUMONIA."
        )
    if len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass: y "
            f"holds {len(classes)} classes, {classes[:5].tolist()}."
        )
    first, second = classes.tolist()
    if not _ORDER_IS_CHECKED.get() and (doubt := _doubt_about_order(first, second)):
        # From one line, whatever the caller, so that filters recognize the repetitions of a search.
        warnings.warn(
            f"Of the sorted labels {[first, second]} the second is the positive class, whose "
            f"recall is measured, but {doubt}. Rename or map the labels so that the negative one "
            "sorts first, such as NORMAL and PNEUMONIA, or 0 and 1: "
            f"y = (y == {first!r}).astype(int) makes {first!r} positive.",
            UserWarning,
            stacklevel=1,
        )
    return classes


def _doubt_about_order(first, second):
    """Why the second label may not be the positive one; None if it seems to be."""
    signs = label_signs(first, second)
    if signs[0] > 0:
        return f"{first!r} looks positive"
    if signs[1] < 0:
        return f"{second!r} looks negative"
    if signs == (0, 0):
        return "their names do not show which one is positive"
    return None


def check_labels(y, classes):
    """Raise ``ValueError`` if ``y`` holds another label than ``classes``."""
    unknown = np.setdiff1d(y, classes)
    if unknown.size:
        raise ValueError(
            f"y holds labels that are not known here: {unknown[:5].tolist()}; the classes are "
            f"{classes.tolist()}."
        )


def check_groups(groups, y):
    """Number the groups: an integer per row, or None."""
    if groups is None:
        return None
    groups = column_or_1d(groups)
    check_consistent_length(y, groups)
    missing = sum(map(is_missing, groups.tolist()))
    if missing:
        raise ValueError(
            f"groups holds no value for {missing} of {len(groups)} images. Give each unknown "
            "patient a name of its own."
        )
    return np.unique(groups, return_inverse=True)[1]


def is_missing(value):
    """Whether a value is None, NaN or the NA of pandas."""
    return value is None or is_pandas_na(value) or value != value
