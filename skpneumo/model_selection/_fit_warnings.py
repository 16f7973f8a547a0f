"""Warnings about data and estimators for which a certified threshold falls short too often."""

import os
import warnings

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.filenames import parse_filename
from skpneumo._utils.paths import is_path


def warn_of_earlier_fit(estimator, name):
    """Warn if an estimator was fitted before, since a search may have selected it.

    Parameters
    ----------
    estimator : classifier
        It will be cloned and fitted for each split.
    name : str
        Name of the class that does so.
    """
    fitted = _fitted_before(estimator)
    if fitted is None:
        return
    # From one line, whatever the caller, so that filters recognize the repetitions of a search.
    warnings.warn(
        f"{type(fitted).__name__} is fitted already, and will be fitted again. If a search on "
        "these images selected it, the threshold does not account for the selection: where 5 % of "
        "simulated samples may fall short of the certified recall, 15 % did with the best of 7 "
        "candidates and 28 % with the best of 40. Pass the search itself, "
        f"{name}(search), so that each split searches again; or "
        "FrozenEstimator(estimator) with images that took no part in search and fit; or "
        "sklearn.base.clone(estimator) if its parameters were set before these images were seen.",
        UserWarning,
        stacklevel=1,
    )


def _fitted_before(estimator):
    """The fitted estimator that is to be fitted again, or None.

    An estimator with ``cv`` selects again in each split, so that only the one it holds counts; a
    frozen one is not fitted again.
    """
    if isinstance(estimator, (FrozenEstimator, BaseSearchCV)) or not hasattr(estimator, "fit"):
        return None
    if isinstance(estimator, Pipeline):
        return _fitted_before(estimator.steps[-1][1])
    params = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    if "cv" not in params and _is_fitted(estimator):
        return estimator
    return _fitted_before(params.get("estimator"))


def _is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def warn_of_repeated_patients(X):
    """Warn if file names show several images of a patient.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        The images; there is no warning if they are not paths.
    """
    # Programs that export DICOM files number them from 1 in each folder, for any patient.
    paths = [path for path in _paths(X) if not path.lower().endswith((".dcm", ".dicom"))]
    found = [(os.path.dirname(path), parse_filename(path)) for path in paths]
    patients = [f"{folder}\0{name.patient}" for folder, name in found if name is not None]
    unique, counts = np.unique(patients, return_counts=True)
    if len(unique) == len(patients):
        return
    folder_and_name = unique[counts.argmax()].split("\0")
    warnings.warn(
        f"groups=None counts each image as a patient, but the names of {len(patients)} files are "
        f"those of {len(unique)} patient(s), such as {folder_and_name[1]} with {counts.max()} "
        "images. Images of a patient are not independent: where 5 % of simulated samples may fall "
        "short of the certified recall, 6 to 24 % did. Pass the patient of each image as groups, "
        "such as those of skpneumo.datasets.load_xray_folder.",
        UserWarning,
        stacklevel=1,
    )


def _paths(X):
    """Paths as text, or an empty list if X holds something else."""
    items = getattr(X, "paths", X)
    if not isinstance(items, (list, tuple)):
        if getattr(items, "ndim", 0) not in (1, 2):
            return []
        items = np.asarray(items)
        if items.dtype.kind not in "OUS" or items.shape[1:] not in ((), (1,)):
            return []
        items = items.ravel().tolist()
    return [os.fsdecode(item) for item in items] if all(map(is_path, items)) else []
