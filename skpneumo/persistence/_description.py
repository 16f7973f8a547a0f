"""Estimators as JSON and arrays, and back: what they are by name out of a fixed list, no code."""

import os
from contextlib import contextmanager
from numbers import Number

import numpy as np
from imblearn.pipeline import Pipeline as SamplingPipeline
from sklearn.base import BaseEstimator, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from skpneumo.classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.exceptions import ModelFileError
from skpneumo.model_selection import FoldMeanClassifier, OperatingPointClassifierCV
from skpneumo.persistence._limits import check_extent, check_network, check_params
from skpneumo.preprocessing import (
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayOverSampler,
    XRayResizer,
)

_CLASSIFIERS = (CNNPneumoniaClassifier, InceptionPneumoniaClassifier)
_STEPS = (XRayLoader, XRayResizer, XRayOutlierDetector, XRayAugmenter, XRayOverSampler)
_PIPELINES = {"Pipeline": Pipeline, "SamplingPipeline": SamplingPipeline}
_STEP_NAMES = tuple(kind.__name__ for kind in _STEPS)
_AROUND = (OperatingPointClassifierCV, FoldMeanClassifier)
_BY_NAME = {kind.__name__: kind for kind in (*_CLASSIFIERS, *_STEPS, *_AROUND)}
_PUBLIC_NAMES = [name for name in _BY_NAME if name != FoldMeanClassifier.__name__]
# Folders and ways of computing are of the machine, not of the model.
_NOT_SAVED = {"memory", "n_jobs", "verbose"}
# Splitters and generators of random numbers: these alone may be left out.
_OBJECTS = {"cv", "validation", "random_state"}
_LEARNT = {
    OperatingPointClassifierCV: {
        "best_threshold_": np.floating,
        "unit_": str,
        "recall_": float,
        "specificity_": float,
        "recall_lower_bound_": float,
        "specificity_lower_bound_": float,
        "n_positive_units_": int,
        "n_negative_units_": int,
        "images_per_patient_": float,
        "curve_": Bunch,
        "n_features_in_": int,
        "feature_names_in_": np.ndarray,
    },
    XRayOutlierDetector: {
        "mean_": np.ndarray,
        "components_": np.ndarray,
        "threshold_": float,
    },
}
_NOT_ALWAYS = {"n_features_in_", "feature_names_in_", "images_per_patient_"}
# Of files that were written before these were kept.
_UNKNOWN = {OperatingPointClassifierCV: {"images_per_patient_": np.nan}}


def describe(estimator, arrays):
    """Describe an estimator.

    Parameters
    ----------
    estimator : estimator
        Out of the list.
    arrays : dict of str to ndarray
        Arrays are added here, and the description holds their names.

    Returns
    -------
    dict
        What JSON can hold.

    Raises
    ------
    ModelFileError
        If the estimator, or a parameter, is none that can be saved.
    """
    description = _describe(estimator, arrays, True)
    with _told_as_unsavable(estimator):
        check_extent(description, _PIPELINES, _STEP_NAMES)
    return description


@contextmanager
def _told_as_unsavable(estimator):
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(
            f"{estimator!r} cannot be saved: {error}. Set its parameters back to those of its fit, "
            "or fit it again with others."
        ) from None


def _describe(estimator, arrays, fitted):
    if isinstance(estimator, str) or estimator is None:
        return {"class": "passthrough"}
    for name, kind in _PIPELINES.items():
        if type(estimator) is kind:
            steps = [[step, _describe(part, arrays, fitted)] for step, part in estimator.steps]
            return {"class": name, "steps": steps}
    if type(estimator) is FrozenEstimator:
        inner = _describe(estimator.estimator, arrays, fitted)
        return {"class": "FrozenEstimator", "estimator": inner}
    if isinstance(estimator, BaseSearchCV):
        return _describe(_selected(estimator), arrays, fitted)
    name = type(estimator).__name__
    if _BY_NAME.get(name) is not type(estimator):
        raise ModelFileError(
            f"{name} cannot be saved. Wanted: {', '.join(_PUBLIC_NAMES)}, a Pipeline of these, or "
            "a search over either; other estimators can be pickled."
        )
    # What was set after the fit may be none that can be loaded.
    with _told_as_unsavable(estimator):
        check_params(estimator)
    params, left_out = {}, []
    for key, value in estimator.get_params(deep=False).items():
        if key in _NOT_SAVED:
            continue
        if key == "estimator" and _holds_search(value):
            value = _fitted_inside(estimator)
        try:
            params[key] = _encode_param(key, value, arrays)
        except TypeError:
            if key not in _OBJECTS:
                raise ModelFileError(
                    f"{key}={value!r} of {name} cannot be saved. Give it as numbers, texts, tuples "
                    "or lists."
                ) from None
            left_out.append(key)
    description = {"class": name, "params": params, "left_out": left_out}
    if fitted and isinstance(estimator, _CLASSIFIERS):
        description["fitted"] = _describe_network(estimator, arrays)
    elif fitted and type(estimator) in _LEARNT:
        check_is_fitted(estimator)
        learnt = _LEARNT[type(estimator)]
        description["fitted"] = {
            key: _encode(value, arrays) for key, value in vars(estimator).items() if key in learnt
        }
        if hasattr(estimator, "estimator_"):
            description["estimator_"] = _describe(estimator.estimator_, arrays, True)
    elif fitted and isinstance(estimator, FoldMeanClassifier):
        check_is_fitted(estimator)
        models = estimator.fold_estimators_
        description["fold_estimators_"] = [_describe(model, arrays, True) for model in models]
        description["fitted"] = {"resolution_": _encode(estimator.resolution_, arrays)}
    return description


def _selected(search):
    """The candidate that a search selected, fitted: all of it that predicts."""
    if not hasattr(search, "best_estimator_"):
        check_is_fitted(search)
        raise ModelFileError(
            f"{type(search).__name__} is saved as its best_estimator_, but has none with "
            f"refit={search.refit!r}. Fit it with refit=True or the name of a score"
        )
    return search.best_estimator_


def _holds_search(estimator):
    """Whether the last step of an estimator, or what it holds, is a search."""
    if isinstance(estimator, Pipeline):
        return bool(estimator.steps) and _holds_search(estimator.steps[-1][1])
    return isinstance(estimator, BaseSearchCV) or _holds_search_inside(estimator)


def _holds_search_inside(estimator):
    return isinstance(estimator, _AROUND) and _holds_search(estimator.estimator)


def _fitted_inside(estimator):
    """What was fitted in place of the parameter ``estimator``; of several folds the first."""
    check_is_fitted(estimator)
    if isinstance(estimator, FoldMeanClassifier):
        return estimator.fold_estimators_[0]
    inner = estimator.estimator_
    return _fitted_inside(inner) if isinstance(inner, FoldMeanClassifier) else inner


def _encode_param(key, value, arrays):
    if key == "estimator":
        # A frozen one is found again in what was fitted.
        frozen = isinstance(value, FrozenEstimator)
        return {"frozen": True} if frozen else {"estimator": _describe(value, arrays, False)}
    if isinstance(value, os.PathLike) or (key == "weights" and value not in ("imagenet", None)):
        return os.path.basename(os.fspath(value))
    return _encode(value, arrays)


def _encode(value, arrays):
    """Values as JSON; TypeError where they cannot be."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, np.longdouble):
        return float(value)
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.generic) and isinstance(value.item(), (bool, int, float)):
        return {"scalar": _encode(np.asarray(value), arrays)}
    if isinstance(value, (list, tuple)):
        items = [_encode(item, arrays) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        kind = "bunch" if isinstance(value, Bunch) else "dict"
        return {kind: [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        return {"texts": [_encode(item, arrays) for item in value.tolist()]}
    if isinstance(value, np.ndarray):
        name = f"arrays/{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, BaseEstimator) and type(value) in _STEPS:
        return {"estimator": _describe(value, arrays, False)}
    raise TypeError


def _describe_network(classifier, arrays):
    check_is_fitted(classifier)
    network_weights = classifier._network.get_weights()
    told = classifier.image_size_, classifier.precision_, classifier.history_
    with _told_as_unsavable(classifier):
        check_network(classifier, *told, network_weights)
    names = []
    for weights in network_weights:
        names.append(f"weights/{len(arrays)}")
        arrays[names[-1]] = weights
    return {
        "classes": _encode(classifier.classes_, arrays),
        "image_size": list(classifier.image_size_),
        "precision": classifier.precision_,
        "history": _encode(classifier.history_, arrays),
        "weights": names,
    }


def build(description, arrays):
    """Build what `describe` described.

    Parameters
    ----------
    description : dict
        Nothing in it is trusted.
    arrays : dict of str to ndarray
        By the names in the description; those that it uses are taken out.

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
        If it describes no estimator out of the list.
    """
    check_extent(description, _PIPELINES, _STEP_NAMES)
    return _build(description, arrays)


def _build(description, arrays):
    name = description["class"]
    if name == "passthrough":
        return "passthrough"
    if name in _PIPELINES:
        return _PIPELINES[name](
            [(str(step), _build(part, arrays)) for step, part in description["steps"]]
        )
    if name == "FrozenEstimator":
        return FrozenEstimator(_build(description["estimator"], arrays))
    if name not in _BY_NAME:
        raise ModelFileError(f"it holds an estimator of an unknown kind, {str(name)[:40]!r}")
    kind = _BY_NAME[name]
    learnt = description.get("estimator_")
    learnt = None if learnt is None else _build(learnt, arrays)
    models = description.get("fold_estimators_")
    models = None if models is None else [_build(model, arrays) for model in models]
    # A folder of memory would be read from and written to.
    unknown = set(description["params"]) - (set(kind._get_param_names()) - _NOT_SAVED)
    if unknown:
        raise ModelFileError(f"{name} has no parameter {sorted(unknown)[0]!r} in this version")
    params = {
        key: learnt if value == {"frozen": True} else _decode(value, arrays)
        for key, value in description["params"].items()
    }
    if kind is OperatingPointClassifierCV:
        params.setdefault("refit", True)  # the only way when files did not hold it
    if isinstance(params.get("weights"), str):
        params["weights"] = os.path.basename(params["weights"])
    estimator = kind(**params)
    check_params(estimator)
    fitted = description.get("fitted")
    if models is not None:
        _set_models(estimator, models, _decode((fitted or {}).get("resolution_"), arrays))
    elif fitted is not None and isinstance(estimator, _CLASSIFIERS):
        _build_network(estimator, fitted, arrays)
    elif fitted is not None:
        _set_learnt(estimator, fitted, arrays)
        if isinstance(estimator, OperatingPointClassifierCV):
            estimator.estimator_ = learnt
    return estimator


def _set_models(estimator, models, resolution):
    if not isinstance(estimator, FoldMeanClassifier):
        raise ModelFileError(f"{type(estimator).__name__} holds no models of folds")
    labels = [np.asarray(model.classes_).tolist() for model in models if is_classifier(model)]
    if not labels or len(labels) < len(models) or any(found != labels[0] for found in labels):
        raise ModelFileError("the models of its folds are not classifiers of the same labels")
    estimator.fold_estimators_ = models
    numbers = isinstance(resolution, tuple) and len(resolution) == 2
    if not numbers or not all(isinstance(x, float) and 0 < x < 0.5 for x in resolution):
        raise ModelFileError("it does not hold the resolution of its probabilities")
    estimator.resolution_ = resolution


def _set_learnt(estimator, fitted, arrays):
    kinds = _LEARNT.get(type(estimator), {})
    for key, value in fitted.items():
        if key not in kinds:
            raise ModelFileError(f"{str(key)[:40]!r} is nothing that an estimator learns")
        decoded = _decode(value, arrays)
        if not isinstance(decoded, kinds[key]):
            raise ModelFileError(f"its {key} is a {type(decoded).__name__}")
        setattr(estimator, key, decoded)
    for key, value in _UNKNOWN.get(type(estimator), {}).items():
        if key not in fitted:
            setattr(estimator, key, value)
    missing = set(kinds) - _NOT_ALWAYS - set(fitted)
    if missing:
        raise ModelFileError(f"it does not tell {sorted(missing)[0]}")


def _decode(value, arrays):
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "float":
        return float(inner)
    if kind == "scalar":
        return _decode(inner, arrays)[()]
    if kind == "tuple":
        return tuple(_decode(inner, arrays))
    if kind in ("dict", "bunch"):
        pairs = {_decode(key, arrays): _decode(item, arrays) for key, item in inner}
        return Bunch(**pairs) if kind == "bunch" else pairs
    if kind == "texts":
        return np.array(_decode(inner, arrays))
    if kind == "array":
        return _take(inner, arrays)
    if kind == "estimator":
        return _build(inner, arrays)
    raise ModelFileError(f"it holds a value of an unknown kind, {str(kind)[:40]!r}")


def _take(name, arrays):
    if name not in arrays:
        raise ModelFileError(f"it holds no array {str(name)[:40]!r}, or uses it twice")
    return arrays.pop(name)


def _build_network(classifier, fitted, arrays):
    weights = [_take(name, arrays) for name in fitted["weights"]]
    image_size, precision = fitted["image_size"], fitted["precision"]
    history = _decode(fitted["history"], arrays)
    check_network(classifier, image_size, precision, history, weights)
    classes = _decode(fitted["classes"], arrays)
    labels = classes.tolist()
    told = isinstance(labels, list) and all(isinstance(label, (str, Number)) for label in labels)
    if not told or len(labels) != 2 or labels[0] == labels[1]:
        raise ModelFileError("its classes are not two labels")
    try:
        classifier._rebuild(tuple(image_size), classes, precision, weights, history)
    except ValueError:
        raise ModelFileError("its weights are not those of its network") from None
