"""How well metadata, the size of an image and its file, predict its label: the shortcut probe."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

N_FOLDS = 5
MIN_PATIENTS = 20  # patients of a class, four in each fold
_N_TREES = 40
_MIN_IN_LEAF = 0.03  # proportion of the images


def get_metadata(records):
    """Metadata of images: what is known without their pixels.

    Parameters
    ----------
    records : list of ImageRecord
        Of images that could be read.

    Returns
    -------
    dict of str to ndarray of shape (n_images,)
        By name: "width" and "height" in pixels and "aspect", width by height; of files also
        "kilobytes" and "mode", the colour mode, a text.
    """
    width = np.array([record.width for record in records], dtype=float)
    height = np.array([record.height for record in records], dtype=float)
    metadata = {"width": width, "height": height, "aspect": width / height}
    if any(record.mode for record in records):
        metadata["kilobytes"] = np.array([record.n_bytes for record in records]) / 1000
        metadata["mode"] = np.array([record.mode for record in records])
    return metadata


def probe(metadata, is_positive, groups):
    """Predict the label from metadata alone, for patients that are not in the training folds.

    A random forest is cross-validated, with all images of a patient in one fold.

    Parameters
    ----------
    metadata : dict of str to ndarray of shape (n_images,)
        As of `get_metadata`.
    is_positive : ndarray of shape (n_images,), dtype bool
        The label.
    groups : ndarray of shape (n_images,)
        The patient.

    Returns
    -------
    dict of str to float or dict, or None
        Areas under the ROC curve: "auc" is the mean over five folds, "low" and "high" the least
        and the greatest of them; "alone" has the area of each fact by itself, without a model,
        between 0.5 and 1. None if a class has fewer than 20 patients.
    """
    if min(len(np.unique(groups[is_positive == label])) for label in (False, True)) < MIN_PATIENTS:
        return None
    X = np.column_stack([_as_numbers(values) for values in metadata.values()])
    forest = RandomForestClassifier(_N_TREES, min_samples_leaf=_MIN_IN_LEAF, random_state=0)
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=0)
    areas = cross_val_score(forest, X, is_positive, groups=groups, cv=folds, scoring="roc_auc")
    return {
        "auc": float(areas.mean()),
        "low": float(areas.min()),
        "high": float(areas.max()),
        "alone": {name: _area_alone(values, is_positive) for name, values in metadata.items()},
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
