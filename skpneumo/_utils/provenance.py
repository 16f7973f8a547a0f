"""What a model and its data are: descriptions and fingerprints for reports and model files."""

import hashlib
import os
import pickle
import platform
import re
import sys
from importlib.metadata import version

import joblib
import numpy as np

from skpneumo._utils.unwrap import unwrap

# How a model was computed is not what it is, and memory names a folder.
_NOT_REPORTED = ("callbacks", "memory", "verbose", "n_jobs")
_QUOTED_PATH = re.compile(r"""(['"])[^'"]*[/\\]([^'"/\\]*)\1""")


def describe_threshold(estimator):
    """How the threshold of ``predict`` was chosen, in words.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    str
        What the method ``describe_threshold`` of the estimator with the threshold returns, if it
        has one.
    """
    source = unwrap(estimator).threshold_source
    if source is None:
        return "scikit-learn's default"
    if hasattr(source, "describe_threshold"):
        return source.describe_threshold()
    how = "chosen by" if hasattr(source, "best_threshold_") else "parameter of"
    return f"{how} {type(source).__name__}"


def get_certified_target(estimator):
    """The recall or specificity that the threshold of ``predict`` was certified to reach.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    (str, float) or None
        Name of a metric of an evaluation, of patients if these were counted, and its value.
        None unless the estimator with the threshold has a method ``get_certified_target``.
    """
    source = unwrap(estimator).threshold_source
    return source.get_certified_target() if hasattr(source, "get_certified_target") else None


def get_certified_images_per_patient(estimator):
    """Mean number of images of the class that patients had when the threshold was certified.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    float or None
        None if nothing was certified, or for images.
    """
    target = get_certified_target(estimator)
    if target is None or not target[0].endswith("_of_patients"):
        return None
    mean = getattr(unwrap(estimator).threshold_source, "images_per_patient_", np.nan)
    return None if np.isnan(mean) else mean


def data_fingerprint(X, y):
    """SHA-256 of images and labels: of the contents of the files if X holds paths.

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
    """Text that is the same for equal models: of the weights if there are networks.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    str
    """
    nested = unwrap(estimator)
    classifiers = [
        (classifier._network.get_weights(), reported_params(classifier))
        if hasattr(classifier, "_network")
        else classifier
        for classifier in nested.classifiers
    ]
    return joblib.hash(
        (classifiers, list(nested.fitted_parts), nested.threshold, describe_threshold(estimator))
    )


def reported_params(estimator):
    """Parameters as reports list them: neither folders nor what only steers the computation.

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
        if name not in _NOT_REPORTED
    }


def describe_model(estimator):
    """Name, parameters, wrappers and fingerprint of a model.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    dict
        ``name`` and ``params`` of the innermost classifier, or of those of a mean if they are of
        several kinds, ``layers``: names of what stands around it, from the outside in, and
        ``fingerprint``.
    """
    nested = unwrap(estimator)
    layers = []
    for wrapper in nested.wrappers:
        steps = [type(step).__name__ for _, step in getattr(wrapper, "steps", [])[:-1]]
        if hasattr(wrapper, "averaged_estimators_") and getattr(wrapper, "prevalence", None):
            steps = [f"prevalence={wrapper.prevalence:g}"]
        layers.append(type(wrapper).__name__ + (f"({', '.join(steps)})" if steps else ""))
    return {
        "name": " and ".join(_one_of_each_kind(nested.classifiers)),
        "params": _get_params(nested.classifiers),
        "layers": layers,
        "fingerprint": _describe_fingerprint(estimator),
    }


def _describe_fingerprint(estimator):
    try:
        return model_fingerprint(estimator)
    except (pickle.PicklingError, AttributeError, TypeError):
        # A report of a model with a lambda is better than none.
        return "none, as a part of the model cannot be pickled"


def _one_of_each_kind(classifiers):
    """Classifiers by the names of their classes: the models of folds differ in weights alone."""
    return {type(one).__name__: one for one in classifiers}


def _get_params(classifiers):
    kinds = _one_of_each_kind(classifiers)
    if len(kinds) == 1:
        return reported_params(classifiers[0])
    return {
        f"{kind}.{name}": value
        for kind, one in kinds.items()
        for name, value in reported_params(one).items()
    }


def package_versions(estimator):
    """Versions of the packages that a model predicts with.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    dict of str to str
        Those of Keras and of its backend only if there is a network.
    """
    versions = {"python": platform.python_version()}
    versions |= {name: version(name) for name in ("skpneumo", "scikit-learn", "numpy")}
    if hasattr(unwrap(estimator).classifier, "_network"):
        versions |= {name: version(name) for name in ("scikeras", "keras")}
        # A fitted network has loaded both. The backend's package may be named otherwise, such as
        # tensorflow-cpu, so that the module gives the version.
        backend = sys.modules["keras"].backend.backend()
        versions[backend] = sys.modules[backend].__version__
    return versions
