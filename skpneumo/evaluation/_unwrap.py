"""What an evaluation needs to know of a fitted classifier, whatever stands around it."""

import hashlib
import os
import platform
import re
from importlib import import_module
from importlib.metadata import version

import joblib
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skpneumo._utils.response import positive_scores
from skpneumo._utils.unwrap import deciding_layer, layers_of, members_of, threshold_of
from skpneumo.model_selection import OperatingPointClassifierCV

# Say how a model was computed, not what it is, and memory names a folder.
_NOT_TOLD = ("memory", "verbose", "n_jobs")
_QUOTED_PATH = re.compile(r"""(['"])[^'"]*[/\\]([^'"/\\]*)\1""")


def threshold_origin(estimator):
    """How the threshold of ``predict`` was chosen, in words.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    str
    """
    layer = deciding_layer(estimator)
    if layer is None:
        return "scikit-learn's default"
    if isinstance(layer, OperatingPointClassifierCV):
        return _origin_of_operating_point(layer)
    how = "chosen by" if hasattr(layer, "best_threshold_") else "parameter of"
    return f"{how} {type(layer).__name__}"


def _origin_of_operating_point(layer):
    target, share = layer._target()
    frozen = isinstance(layer.estimator_, FrozenEstimator)
    scores = "" if frozen else ", by out-of-fold scores"
    if target == "missed_cost":
        return f"least cost, with a false negative as bad as {share:g} false positives{scores}"
    metric = target.removeprefix("min_")
    kind, n = ("positive", layer.n_positive_units_)
    if metric == "specificity":
        kind, n = ("negative", layer.n_negative_units_)
    required = f"{metric} of {100 * share:g}%"
    sample = f"{n} {kind} {layer.unit_}s{scores}"
    if layer.confidence is None:
        return f"a {required} on {sample}; nothing certified"
    approximately = "" if frozen else " approximately"
    return (
        f"a {required} of {layer.unit_}s certified{approximately} with "
        f"{100 * layer.confidence:g}% confidence on {sample}"
    )


def certified_target(estimator):
    """The recall or specificity that a threshold was certified to reach.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    (str, float) or None
        Name of a figure of an evaluation, of patients where these were counted, and the share.
    """
    layer = deciding_layer(estimator)
    if not isinstance(layer, OperatingPointClassifierCV) or layer.confidence is None:
        return None
    target, share = layer._target()
    if target == "missed_cost":
        return None
    of = "_of_patients" if layer.unit_ == "patient" else ""
    return target.removeprefix("min_") + of, share


def certified_images_per_patient(estimator):
    """Images of the class that patients had when a threshold was certified for patients.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    float or None
        Their mean number; None where nothing was certified, or for images.
    """
    promise = certified_target(estimator)
    if promise is None or not promise[0].endswith("_of_patients"):
        return None
    mean = getattr(deciding_layer(estimator), "images_per_patient_", np.nan)
    return None if np.isnan(mean) else mean


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
        None also where these give decision values.
    """
    for layer in layers_of(estimator):
        if isinstance(layer, CalibratedClassifierCV):
            models = [one.estimator for one in layer.calibrated_classifiers_]
            if not all(hasattr(model, "predict_proba") for model in models):
                return None
            return np.mean([positive_scores(model, X) for model in models], axis=0)
        if isinstance(layer, Pipeline) and len(layer.steps) > 1:
            X = layer[:-1].transform(X)
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
    if np.ndim(paths) == 1 and all(isinstance(path, (str, os.PathLike)) for path in paths):
        for path in paths:
            with open(path, "rb") as file:
                state.update(hashlib.file_digest(file, "sha256").digest())
    else:
        state.update(joblib.hash(X).encode())
    state.update("\0".join(map(str, np.asarray(y).tolist())).encode())
    return state.hexdigest()


def model_fingerprint(estimator):
    """Text that is the same for equal models: of the weights where there are networks.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    str
    """
    members, around = members_of(estimator)
    parts = [
        (member._network.get_weights(), reported_params(member))
        if hasattr(member, "_network")
        else member
        for member in members
    ]
    return joblib.hash((parts, around, threshold_of(estimator), threshold_origin(estimator)))


def reported_params(estimator):
    """Parameters that a report tells: neither folders nor what only steers the computation.

    Parameters
    ----------
    estimator : estimator
        Any, or "passthrough".

    Returns
    -------
    dict of str to str
        Of a path the name of the file alone.
    """
    if not hasattr(estimator, "get_params"):
        return {}
    params = estimator.get_params(deep=False)
    return {
        name: _QUOTED_PATH.sub(r"\1\2\1", repr(value))
        for name, value in params.items()
        if name not in _NOT_TOLD
    }


def describe_model(estimator):
    """What a report tells of a model.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    dict
        ``name`` and ``params`` of the classifier itself, ``layers``: names of what stands around
        it, from the outside in, and ``fingerprint``.
    """
    *around, innermost = layers_of(estimator)
    layers = []
    for layer in around:
        steps = [type(step).__name__ for _, step in getattr(layer, "steps", [])[:-1]]
        layers.append(type(layer).__name__ + (f"({', '.join(steps)})" if steps else ""))
    return {
        "name": type(innermost).__name__,
        "params": reported_params(innermost),
        "layers": layers,
        "fingerprint": model_fingerprint(estimator),
    }


def package_versions(estimator):
    """Versions of the packages that decide what comes out of a model.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    dict of str to str
        Those of Keras only where there is a network.
    """
    told = {"python": platform.python_version()}
    told |= {name: version(name) for name in ("skpneumo", "scikit-learn", "numpy")}
    if hasattr(layers_of(estimator)[-1], "_network"):
        from skpneumo.inspection._gradients import backend

        told |= {name: version(name) for name in ("scikeras", "keras")}
        told[backend()] = import_module(backend()).__version__
    return told
