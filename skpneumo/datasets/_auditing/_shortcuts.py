"""How well the outside of an image, its size and its file, tells its label: the shortcut probe."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

N_FOLDS = 5
FEWEST = 20  # patients of a class, four in each fold
_N_TREES = 40
_MIN_IN_LEAF = 0.03  # share of the images


def outside_of(looks):
    """What can be known of images without looking into them.

    Parameters
    ----------
    looks : list of Look
        Of images that could be read.

    Returns
    -------
    dict of str to ndarray of shape (n_images,)
        By name: "width" and "height" in pixels and "aspect", width by height; of files also
        "kilobytes" and "mode", the colour mode, a text.
    """
    width = np.array([look.width for look in looks], dtype=float)
    height = np.array([look.height for look in looks], dtype=float)
    outside = {"width": width, "height": height, "aspect": width / height}
    if any(look.mode for look in looks):
        outside["kilobytes"] = np.array([look.n_bytes for look in looks]) / 1000
        outside["mode"] = np.array([look.mode for look in looks])
    return outside


def probe(outside, is_positive, groups):
    """Predict the label from the outside alone, of patients that took no part in learning it.

    A random forest is cross-validated, the images of a patient in one fold.

    Parameters
    ----------
    outside : dict of str to ndarray of shape (n_images,)
        As of `outside_of`.
    is_positive : ndarray of shape (n_images,), dtype bool
        The label.
    groups : ndarray of shape (n_images,)
        The patient.

    Returns
    -------
    dict of str to float or dict, or None
        Areas under the ROC curve: "auc" is the mean over five folds, "low" and "high" the least
        and the greatest of them; "alone" has the area of each fact by itself, without learning,
        between 0.5 and 1. None where a class has fewer than 20 patients.
    """
    if min(len(np.unique(groups[is_positive == label])) for label in (False, True)) < FEWEST:
        return None
    X = np.column_stack([_as_numbers(values) for values in outside.values()])
    forest = RandomForestClassifier(_N_TREES, min_samples_leaf=_MIN_IN_LEAF, random_state=0)
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=0)
    areas = cross_val_score(forest, X, is_positive, groups=groups, cv=folds, scoring="roc_auc")
    return {
        "auc": float(areas.mean()),
        "low": float(areas.min()),
        "high": float(areas.max()),
        "alone": {name: _area_alone(values, is_positive) for name, values in outside.items()},
    }


def _as_numbers(values):
    return np.unique(values, return_inverse=True)[1] if values.dtype.kind == "U" else values


def _area_alone(values, is_positive):
    """Area under the ROC curve of one fact, whichever way round; of a text, of its best value."""
    columns = [values]
    if values.dtype.kind == "U":
        columns = [values == value for value in np.unique(values)]
    areas = [roc_auc_score(is_positive, column) for column in columns]
    return float(max(max(area, 1 - area) for area in areas))
