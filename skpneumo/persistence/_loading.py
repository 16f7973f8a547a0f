"""Estimators from JSON and arrays: nothing in a description is trusted, and none of it is run."""

import os
from numbers import Number

import numpy as np
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch

from skpneumo._utils.model_file import (
    check_filters,
    find_networks,
    nest_initial_networks,
    pretrained_path,
    read_model_file,
    take_array,
    unpack_weights,
)
from skpneumo.exceptions import ModelFileError
from skpneumo.model_selection import FoldMeanClassifier, LogOddsMeanClassifier
from skpneumo.persistence._kinds import (
    BY_NAME,
    CLASSIFIERS,
    DEFAULT_LEARNT,
    DEFAULT_PARAMS,
    LEARNT,
    NOT_SAVED,
    OPERATING_POINTS,
    OPTIONAL,
    PIPELINES,
)
from skpneumo.persistence._limits import check_extent, check_network, check_params


def build(description, arrays):
    """Build the estimator of a description.

    Parameters
    ----------
    description : dict
        As from `skpneumo.persistence._saving.describe`.
    arrays : dict of str to ndarray
        By the names in the description; those that it uses are taken out.

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
        If it describes no estimator that can be saved. Odd descriptions lead to other exceptions
        too.
    """
    check_extent(description)
    return _build(description, arrays)


def _build(description, arrays):
    name = description["class"]
    if name == "passthrough":
        return "passthrough"
    if name in PIPELINES:
        steps = [(str(step), _build(inner, arrays)) for step, inner in description["steps"]]
        return PIPELINES[name](steps)
    if name == "FrozenEstimator":
        return FrozenEstimator(_build(description["estimator"], arrays))
    if name == "PretrainedNetwork":
        return _build_pretrained(description)
    if name not in BY_NAME:
        raise ModelFileError(f"it holds an estimator of an unknown kind, {str(name)[:40]!r}")
    fitted_inside = _build_fitted_inside(description, arrays)
    params = _decode_params(BY_NAME[name], description["params"], fitted_inside, arrays)
    estimator = BY_NAME[name](**params)
    check_params(estimator)
    _restore_fit(estimator, description, fitted_inside, arrays)
    return estimator


def _build_fitted_inside(description, arrays):
    """What a wrapper holds fitted: one estimator, a list of those of a mean, or None."""
    if "averaged_estimators_" in description:
        return [_build(inner, arrays) for inner in description["averaged_estimators_"]]
    inner = description.get("estimator_")
    return None if inner is None else _build(inner, arrays)


def _build_pretrained(description):
    """Build the network of another file of the package, which is named."""
    manifest, arrays = read_model_file(pretrained_path(description["name"]))
    if manifest["model"]["fingerprint"] != description["fingerprint"]:
        raise ModelFileError(
            f"it needs the network {str(description['name'])[:40]!r} of another version of skpneumo"
        )
    return _build(next(find_networks(manifest["estimator"])), arrays)


def _decode_params(kind, params, fitted_inside, arrays):
    unknown = set(params) - (set(kind._get_param_names()) - NOT_SAVED)
    if unknown:
        raise ModelFileError(
            f"{kind.__name__} has no parameter {sorted(unknown)[0]!r} in this version"
        )
    decoded = DEFAULT_PARAMS.get(kind, {}) | {
        key: _decode_members(value, fitted_inside, arrays)
        if key == "estimators"
        else _decode_estimator(value, fitted_inside, arrays)
        for key, value in params.items()
    }
    # A path of another machine, or of a hostile file, must lead nowhere.
    if isinstance(decoded.get("weights"), str):
        decoded["weights"] = os.path.basename(decoded["weights"])
    return decoded


def _decode_members(members, fitted, arrays):
    """Parameter ``estimators`` of a mean, given what is fitted of it if anything."""
    fitted = fitted or [None] * len(members)
    return [
        (name, _decode_estimator(member, inner, arrays))
        for (name, member), inner in zip(members, fitted, strict=True)
    ]


def _decode_estimator(value, fitted_inside, arrays):
    return fitted_inside if value == {"frozen": True} else _decode(value, arrays)


def _restore_fit(estimator, description, fitted_inside, arrays):
    fitted = description.get("fitted")
    models = description.get("fold_estimators_")
    if isinstance(estimator, LogOddsMeanClassifier):
        _restore_mean(estimator, fitted_inside, fitted)
    elif models is not None:
        models = [_build(model, arrays) for model in models]
        _restore_folds(estimator, models, _decode((fitted or {}).get("resolution_"), arrays))
    elif fitted is None:
        return
    elif isinstance(estimator, CLASSIFIERS):
        _restore_network(estimator, fitted, arrays)
    else:
        _restore_learnt(estimator, fitted, arrays)
        if isinstance(estimator, OPERATING_POINTS):
            estimator.estimator_ = fitted_inside


def _restore_folds(estimator, models, resolution):
    if not isinstance(estimator, FoldMeanClassifier):
        raise ModelFileError(f"{type(estimator).__name__} holds no models of folds")
    _check_labels(models)
    estimator.fold_estimators_ = models
    numbers = isinstance(resolution, tuple) and len(resolution) == 2
    if not numbers or not all(isinstance(x, float) and 0 < x < 0.5 for x in resolution):
        raise ModelFileError("it does not hold the resolution of its probabilities")
    estimator.resolution_ = resolution


def _restore_mean(mean, models, fitted):
    if models is None:
        return
    _check_labels(models)
    mean.averaged_estimators_, mean.shift_ = models, fitted["shift_"]
    if not isinstance(mean.shift_, float):
        raise ModelFileError("it does not hold the shift of its log odds")


def _check_labels(models):
    labels = [np.asarray(model.classes_).tolist() for model in models if is_classifier(model)]
    if not labels or len(labels) < len(models) or any(found != labels[0] for found in labels):
        raise ModelFileError("its models are not classifiers of the same labels")


def _restore_learnt(estimator, fitted, arrays):
    kinds = LEARNT.get(type(estimator), {})
    for key, value in fitted.items():
        if key not in kinds:
            raise ModelFileError(f"{str(key)[:40]!r} is nothing that an estimator learns")
        decoded = _decode(value, arrays)
        if not isinstance(decoded, kinds[key]):
            raise ModelFileError(f"its {key} is a {type(decoded).__name__}")
        setattr(estimator, key, decoded)
    for key, value in DEFAULT_LEARNT.get(type(estimator), {}).items():
        if key not in fitted:
            setattr(estimator, key, value)
    missing = set(kinds) - OPTIONAL - set(fitted)
    if missing:
        raise ModelFileError(f"it lacks {sorted(missing)[0]}")


def _restore_network(classifier, fitted, arrays):
    weights = unpack_weights(fitted["weights"], arrays)
    initial_network = nest_initial_networks(fitted.get("initial_networks", []))
    if hasattr(classifier, "filters"):
        # Files that were written before it existed hold the parameter alone.
        classifier.filters_ = check_filters(fitted.get("filters", classifier.filters))
    image_size, precision = fitted["image_size"], fitted["precision"]
    history = _decode(fitted["history"], arrays)
    check_network(classifier, image_size, precision, history, weights)
    classes = _decode(fitted["classes"], arrays)
    labels = classes.tolist()
    valid = isinstance(labels, list) and all(isinstance(label, (str, Number)) for label in labels)
    if not valid or len(labels) != 2 or labels[0] == labels[1]:
        raise ModelFileError("its classes are not two labels")
    try:
        # Keras compares the shape of each array with that of its variable before it assigns it.
        classifier._rebuild(
            tuple(image_size), classes, precision, weights, history, initial_network
        )
    except ValueError:
        raise ModelFileError("its weights are not those of its network") from None


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
        return take_array(inner, arrays)
    if kind == "estimator":
        return _build(inner, arrays)
    raise ModelFileError(f"it holds a value of an unknown kind, {str(kind)[:40]!r}")
