"""What targets and groups may be."""

import warnings

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._missing import is_pandas_na

_NAMES_OF_HEALTHY = {"control", "healthy", "negative", "no", "none", "normal"}
_NEGATIONS = ("no ", "non ", "not ", "without")


def two_classes(y):
    """Sorted labels of ``y``, which must be two; warn where the second seems to be the healthy."""
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
    if _seems_healthy(classes[1]):
        warnings.warn(
            f"{str(classes[1])!r} is taken for the ill: of the sorted labels {classes.tolist()} "
            "the second is the positive class, and recall counts it. Rename the labels so that the "
            "healthy one sorts first, such as NORMAL and PNEUMONIA, or 0 and 1.",
            UserWarning,
            stacklevel=3,
        )
    return classes


def _seems_healthy(label):
    words = str(label).lower().replace("_", " ").replace("-", " ").strip()
    return words in _NAMES_OF_HEALTHY or words.startswith(_NEGATIONS)


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
            f"groups holds no value for {missing} of {len(groups)} images. Give each unknown child "
            "a name of its own."
        )
    return np.unique(groups, return_inverse=True)[1]


def is_missing(value):
    """Whether a value is None, NaN or the NA of pandas."""
    return value is None or is_pandas_na(value) or value != value
