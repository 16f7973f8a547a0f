"""Caps on what a model file may hold: checked on saving, and on loading before anything is built.

A small file must not cost much memory or time before it is refused.
"""

from itertools import islice
from numbers import Real

from skpneumo._utils.model_file import MAX_FILTERS, check_weights, walk_estimators
from skpneumo.exceptions import ModelFileError
from skpneumo.images import check_image_size
from skpneumo.networks import PRECISIONS
from skpneumo.persistence._kinds import PIPELINES, STEP_NAMES

# For each model of a fold.
_MAX_ESTIMATORS = 50
_MAX_FOLDS = 20
# scikit-learn computes the tags of pipelines in pipelines 2**depth times.
_MAX_DEPTH = 8
_MAX_SIDE = 4096


def check_extent(description):
    """Refuse descriptions of more than a network with transformers before it.

    Parameters
    ----------
    description : dict
        Nothing in it is trusted.

    Raises
    ------
    ModelFileError
        If it describes too many estimators or folds, two networks that are not those of folds, or
        a pipeline with something else than transformers before its last step.
    """
    estimators = _list_estimators(description)
    n_folds = _count(estimators, "fold_estimators_")
    n_averaged = _count(estimators, "averaged_estimators_")
    if max(n_folds, n_averaged) > _MAX_FOLDS:
        what = "models of folds" if n_folds >= n_averaged else "models of a mean"
        raise ModelFileError(f"it holds more than {_MAX_FOLDS} {what}")
    max_estimators = _MAX_ESTIMATORS * max(n_folds, n_averaged, 1)
    if len(estimators) > max_estimators:
        raise ModelFileError(f"it holds more than {max_estimators} estimators")
    n_networks = sum(map(_is_network, estimators))
    if n_networks > max(n_folds + n_averaged, 1):
        several = "models of folds or of a mean"
        what = f"more networks than {several}" if n_folds or n_averaged else "more than one network"
        raise ModelFileError(f"it holds {what}")
    _check_packaged([one["name"] for one in estimators if one["class"] == "PretrainedNetwork"])
    for one in estimators:
        if one["class"] in PIPELINES:
            _check_steps(one["steps"])


def _check_packaged(names):
    """Each network once: a file that holds names alone must not build many."""
    if not set(names) <= {"cnn", "inception"} or len(set(names)) < len(names):
        raise ModelFileError(
            "it names a packaged network twice, or one that is not there. Wanted: cnn, inception"
        )


def _count(estimators, name):
    return sum(len(one.get(name) or ()) for one in estimators)


def _is_network(one):
    return one["class"] == "PretrainedNetwork" or "weights" in (one.get("fitted") or ())


def _list_estimators(description):
    """Descriptions of estimators in a description, from the outside in, up to one too many."""
    max_estimators = _MAX_ESTIMATORS * _MAX_FOLDS
    found = list(islice(walk_estimators(description), max_estimators + 1))
    if max((depth for _, depth in found), default=0) > _MAX_DEPTH:
        raise ModelFileError(f"it nests more than {_MAX_DEPTH} estimators")
    return [one for one, _ in found]


def _check_steps(steps):
    for _, step in steps[:-1]:
        if not _is_transformer(step):
            raise ModelFileError(
                f"{str(step['class'])[:40]} stands before the last step of its pipeline, which is "
                f"the place of {', '.join(STEP_NAMES)} only"
            )


def _is_transformer(description):
    if description["class"] in PIPELINES:
        return all(_is_transformer(step) for _, step in description["steps"])
    return description["class"] in ("passthrough", *STEP_NAMES)


def check_params(estimator):
    """Refuse parameters that are not valid, or would take unbounded time and memory.

    Parameters
    ----------
    estimator : estimator
        Of skpneumo.

    Raises
    ------
    ValueError
        If a parameter is not valid.
    ModelFileError
        If an image size or the number of filters is beyond that of any model.
    """
    estimator._validate_params()
    params = estimator.get_params(deep=False)
    if "size" in params:
        check_sides(params["size"])
    if params.get("image_size") is not None:
        check_sides(params["image_size"])
    filters = params.get("filters")
    if filters is not None and len(filters) > MAX_FILTERS:
        raise ModelFileError(f"filters holds {len(filters)} numbers, more than {MAX_FILTERS}")


def check_sides(size):
    """Refuse image sizes beyond those of any network.

    Parameters
    ----------
    size : tuple of (int, int)
        Rows and columns.

    Raises
    ------
    ModelFileError
        If it is anything else, or a side is too large.
    """
    try:
        possible = max(check_image_size(size)) <= _MAX_SIDE
    except ValueError:
        possible = False
    if not possible:
        raise ModelFileError(
            f"{str(size)[:40]} is no image size for a model. Wanted: rows and columns, each from 1 "
            f"to {_MAX_SIDE}"
        )


def check_network(classifier, image_size, precision, history, weights):
    """Refuse a network that cannot be built, would be much larger than its weights, or has NaN.

    Parameters
    ----------
    classifier : estimator
        With the parameters of the network, and ``filters_`` of a CNN.
    image_size : tuple of (int, int)
        Rows and columns that it sees.
    precision : {"float32", "bfloat16"}
        Type in which it computes.
    history : dict of str to list of float
        Losses by epoch.
    weights : list of ndarray
        What it learnt.

    Raises
    ------
    ModelFileError
        If one of them is something else.
    """
    check_sides(image_size)
    if precision == "auto" or precision not in PRECISIONS:
        raise ModelFileError(
            f"{str(precision)[:40]!r} is not a precision. Wanted: {' or '.join(PRECISIONS[1:])}"
        )
    if not (isinstance(history, dict) and all(map(_is_column, history.items()))):
        raise ModelFileError("its history is not valid. Wanted: lists of numbers by name")
    filters = getattr(classifier, "filters_", ())
    check_weights(weights, filters)
    if filters and classifier.filters is not None and tuple(classifier.filters) != filters:
        raise ModelFileError(f"its weights are not those of its network, of filters {filters}")


def _is_column(item):
    name, values = item
    numbers = isinstance(values, list) and all(isinstance(value, Real) for value in values)
    return isinstance(name, str) and numbers
