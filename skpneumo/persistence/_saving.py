"""Estimators as JSON and arrays: a class by its name, parameters, and what a fit left."""

import os
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.model_file import list_initial_networks
from skpneumo.exceptions import ModelFileError
from skpneumo.model_selection import FoldMeanClassifier, LogOddsMeanClassifier
from skpneumo.persistence._kinds import (
    BY_NAME,
    CLASSIFIERS,
    LEARNT,
    MEANS,
    NOT_SAVED,
    PIPELINES,
    STEPS,
    WRAPPERS,
)
from skpneumo.persistence._limits import check_extent, check_network, check_params

_PUBLIC_NAMES = [name for name in BY_NAME if name != FoldMeanClassifier.__name__]
# Splitters and generators of random numbers: these alone may be left out.
_OBJECTS = {"cv", "validation", "random_state"}


def describe(estimator, arrays):
    """Describe an estimator.

    Parameters
    ----------
    estimator : estimator
        Fitted.
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
    description = _describe(estimator, arrays, fitted=True)
    with _reraise_as_unsavable(estimator):
        check_extent(description)
    return description


@contextmanager
def _reraise_as_unsavable(estimator):
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(
            f"{estimator!r} cannot be saved: {error}. Set its parameters back to those of its fit, "
            "or fit it again with others."
        ) from None


def _describe(estimator, arrays, *, fitted):
    if isinstance(estimator, str) or estimator is None:
        return {"class": "passthrough"}
    for name, kind in PIPELINES.items():
        if type(estimator) is kind:
            steps = [
                [step, _describe(inner, arrays, fitted=fitted)] for step, inner in estimator.steps
            ]
            return {"class": name, "steps": steps}
    if type(estimator) is FrozenEstimator:
        inner = _describe(estimator.estimator, arrays, fitted=fitted)
        return {"class": "FrozenEstimator", "estimator": inner}
    if isinstance(estimator, BaseSearchCV):
        return _describe(_get_selected(estimator), arrays, fitted=fitted)
    _check_kind(estimator)
    if isinstance(estimator, LogOddsMeanClassifier) and not fitted:
        _check_not_frozen(estimator)
    description = _describe_params(estimator, arrays)
    if fitted:
        description |= _describe_fit(estimator, arrays)
    return description


def _check_not_frozen(mean):
    """Refuse what could not be found again: frozen ones are looked for in what was fitted."""
    frozen = [name for name, model in mean.estimators if isinstance(model, FrozenEstimator)]
    if frozen:
        raise ModelFileError(
            f"{frozen[0]} is frozen in a LogOddsMeanClassifier that is fitted inside another "
            "estimator, which cannot be saved. Fit the mean first, and pass it in a FrozenEstimator"
        )


def _get_selected(search):
    """The candidate that a search selected, fitted: all of it that predicts."""
    if not hasattr(search, "best_estimator_"):
        check_is_fitted(search)
        raise ModelFileError(
            f"{type(search).__name__} is saved as its best_estimator_, but has none with "
            f"refit={search.refit!r}. Fit it with refit=True or the name of a score"
        )
    return search.best_estimator_


def _check_kind(estimator):
    name = type(estimator).__name__
    # A subclass may bear the name of its parent.
    if BY_NAME.get(name) is not type(estimator):
        raise ModelFileError(
            f"{name} cannot be saved. Wanted: {', '.join(_PUBLIC_NAMES)}, a Pipeline of these, or "
            "a search over either; other estimators can be pickled."
        )
    # Parameters may have been set to invalid values after the fit.
    with _reraise_as_unsavable(estimator):
        check_params(estimator)


def _describe_params(estimator, arrays):
    params, left_out = {}, []
    for key, value in estimator.get_params(deep=False).items():
        if key in NOT_SAVED:
            continue
        # A search is saved as what it selected, which only the fitted copy knows.
        if key == "estimator" and _contains_search(value):
            value = _get_fitted(estimator)
        if key == "estimators":
            value = _get_members(estimator)
        try:
            params[key] = _encode_param(key, value, arrays)
        except TypeError:
            if key not in _OBJECTS:
                raise ModelFileError(
                    f"{key}={value!r} of {type(estimator).__name__} cannot be saved. Give it as "
                    "numbers, texts, tuples or lists."
                ) from None
            left_out.append(key)
    return {"class": type(estimator).__name__, "params": params, "left_out": left_out}


def _contains_search(estimator):
    if isinstance(estimator, Pipeline):
        return bool(estimator.steps) and _contains_search(estimator.steps[-1][1])
    if isinstance(estimator, WRAPPERS):
        return _contains_search(estimator.estimator)
    if isinstance(estimator, LogOddsMeanClassifier):
        return any(_contains_search(model) for _, model in estimator.estimators)
    return isinstance(estimator, BaseSearchCV)


def _get_fitted(wrapper):
    """What was fitted in place of the parameter ``estimator``; of several folds the first."""
    check_is_fitted(wrapper)
    if isinstance(wrapper, FoldMeanClassifier):
        return wrapper.fold_estimators_[0]
    inner = wrapper.estimator_
    return _get_fitted(inner) if isinstance(inner, FoldMeanClassifier) else inner


def _get_members(mean):
    """Names and classifiers of a mean; in place of a search, what it selected."""
    fitted = getattr(mean, "averaged_estimators_", None)
    if fitted is None:
        return mean.estimators
    return [
        (name, done if _contains_search(model) else model)
        for (name, model), done in zip(mean.estimators, fitted, strict=True)
    ]


def _encode_param(key, value, arrays):
    if key == "estimator":
        # A frozen one is found again in what was fitted.
        if isinstance(value, FrozenEstimator):
            return {"frozen": True}
        return {"estimator": _describe(value, arrays, fitted=False)}
    if key == "estimators":
        return [[name, _encode_param("estimator", model, arrays)] for name, model in value]
    # The folder of a weights file may name its owner.
    if isinstance(value, os.PathLike) or (key == "weights" and value not in ("imagenet", None)):
        return os.path.basename(os.fspath(value))
    return _encode(value, arrays)


def _encode(value, arrays):
    """Values as JSON; TypeError if they cannot be."""
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
        return {"array": _add_array("arrays", value, arrays)}
    if isinstance(value, BaseEstimator) and type(value) in STEPS:
        return {"estimator": _describe(value, arrays, fitted=False)}
    raise TypeError


def _add_array(prefix, array, arrays):
    name = f"{prefix}/{len(arrays)}"
    arrays[name] = array
    return name


def _describe_fit(estimator, arrays):
    if not isinstance(estimator, (*CLASSIFIERS, *MEANS, *LEARNT)):
        return {}
    check_is_fitted(estimator)
    if isinstance(estimator, CLASSIFIERS):
        return {"fitted": _describe_network(estimator, arrays)}
    if isinstance(estimator, MEANS):
        return _describe_mean(estimator, arrays)
    names = LEARNT[type(estimator)]
    learnt = {key: _encode(value, arrays) for key, value in vars(estimator).items() if key in names}
    description = {"fitted": learnt}
    if hasattr(estimator, "estimator_"):
        description["estimator_"] = _describe(estimator.estimator_, arrays, fitted=True)
    return description


def _describe_mean(mean, arrays):
    models = [_describe(model, arrays, fitted=True) for model in mean.averaged_estimators_]
    if isinstance(mean, FoldMeanClassifier):
        resolution = _encode(mean.resolution_, arrays)
        return {"fold_estimators_": models, "fitted": {"resolution_": resolution}}
    return {"averaged_estimators_": models, "fitted": {"shift_": mean.shift_}}


def _describe_network(classifier, arrays):
    weights = classifier._network.get_weights()
    fit = classifier.image_size_, classifier.precision_, classifier.history_, weights
    with _reraise_as_unsavable(classifier):
        check_network(classifier, *fit)
        _check_weights_of_network(classifier, weights)
    description = {
        "classes": _encode(classifier.classes_, arrays),
        "image_size": list(classifier.image_size_),
        "precision": classifier.precision_,
        "history": _encode(classifier.history_, arrays),
        "weights": [_add_array("weights", array, arrays) for array in weights],
    }
    if hasattr(classifier, "filters_"):
        description["filters"] = list(classifier.filters_)
    if classifier.initial_network_ is not None:
        description["initial_networks"] = list_initial_networks(classifier.initial_network_)
    return description


def _check_weights_of_network(classifier, weights):
    """Refuse weights of a network that a user has set, if it is another one."""
    # Building an InceptionV3 takes seconds.
    if not hasattr(classifier, "filters_"):
        return
    rebuilt = clone(classifier)
    rebuilt.filters_ = classifier.filters_
    fit = classifier.image_size_, classifier.classes_, classifier.precision_
    try:
        rebuilt._rebuild(*fit, weights, classifier.history_, None)
    except ValueError:
        raise ModelFileError("its weights are not those of its network") from None
