"""What an evaluation needs to know of a fitted classifier, whatever stands around it."""

import hashlib
import os

import joblib
import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from skpneumo.model_selection._operating_point import OperatingPointClassifierCV, positive_scores

_INSIDE = ("best_estimator_", "estimator_", "estimator")


def layers_of(estimator):
    """An estimator and what it wraps, from the outside in; the last is the classifier itself.

    Parameters
    ----------
    estimator : classifier
        Fitted: a search, an operating point, a frozen estimator, a pipeline, or a plain one.

    Returns
    -------
    list of estimators
    """
    found = [estimator]
    while True:
        inner = found[-1]
        if hasattr(inner, "steps"):
            following = inner.steps[-1][1]
        else:
            following = next((getattr(inner, n) for n in _INSIDE if hasattr(inner, n)), None)
        if not hasattr(following, "predict"):
            return found
        found.append(following)


def threshold_of(estimator):
    """Threshold of `predict`, and in words how it was chosen.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    threshold : float or None
        None where it is not known.
    origin : str
    """
    for layer in layers_of(estimator):
        if isinstance(layer, OperatingPointClassifierCV):
            return float(layer.best_threshold_), _origin_of_operating_point(layer)
        if hasattr(layer, "best_threshold_"):
            return float(layer.best_threshold_), f"chosen by {type(layer).__name__}"
        threshold = getattr(layer, "threshold", None)
        if isinstance(threshold, (float, int)):
            return float(threshold), f"parameter of {type(layer).__name__}"
        if isinstance(layer, CalibratedClassifierCV):
            break
    if hasattr(estimator, "predict_proba"):
        return 0.5, "scikit-learn's default"
    return 0.0, "scikit-learn's default"


def _origin_of_operating_point(layer):
    target, share = layer._target()
    if target == "missed_cost":
        return f"least cost, where one missed costs as much as {share:g} false alarms"
    ill = target == "min_recall"
    n = layer.n_positive_units_ if ill else layer.n_negative_units_
    what = "highest that catches" if ill else "lowest that spares"
    of = "the ill" if ill else "the healthy"
    if layer.confidence is None:
        return f"{what} {share:.4g} of {of} among {n} units, nothing certified"
    bound = layer.recall_lower_bound_ if ill else layer.specificity_lower_bound_
    return (
        f"{what} {share:.4g} of {of} with {layer.confidence:.0%} confidence, by {n} units "
        f"(certified: {bound:.4f})"
    )


def uncalibrated_scores(estimator, X):
    """Probabilities before calibration, or None where there is no calibration.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n, ...)
        The images.

    Returns
    -------
    ndarray of shape (n,) or None
        The mean of the models that :class:`~sklearn.calibration.CalibratedClassifierCV` holds.
    """
    for layer in layers_of(estimator):
        if isinstance(layer, CalibratedClassifierCV):
            models = [one.estimator for one in layer.calibrated_classifiers_]
            return np.mean([positive_scores(model, X) for model in models], axis=0)
    return None


def data_fingerprint(X, y):
    """SHA-256 of images and labels: of the files' contents where X holds paths.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        The images, or their paths.
    y : array-like of shape (n,)
        The labels.

    Returns
    -------
    str
    """
    state = hashlib.sha256()
    paths = getattr(X, "paths", X)
    if all(isinstance(path, (str, os.PathLike)) for path in paths):
        for path in paths:
            with open(path, "rb") as file:
                state.update(hashlib.file_digest(file, "sha256").digest())
    else:
        state.update(joblib.hash(X).encode())
    state.update("\0".join(map(str, np.asarray(y).tolist())).encode())
    return state.hexdigest()


def model_fingerprint(estimator):
    """Short text that is the same for equal models: of the weights where there is a network.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    str
    """
    innermost = layers_of(estimator)[-1]
    network = getattr(innermost, "model_", None)
    if network is None:
        return joblib.hash(estimator)
    params = {k: v for k, v in innermost.get_params().items() if k not in ("memory", "verbose")}
    return joblib.hash((network.get_weights(), repr(params), threshold_of(estimator)))
