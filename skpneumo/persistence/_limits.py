"""What a model file may hold: checked on saving, and on loading before anything is built."""

from itertools import islice
from numbers import Real

import numpy as np

from skpneumo.classifiers import InceptionPneumoniaClassifier
from skpneumo.exceptions import ModelFileError
from skpneumo.images import check_image_size
from skpneumo.networks import PRECISIONS, count_cnn_weights

# For each model of a fold.
_MAX_ESTIMATORS = 50
_MAX_FOLDS = 20
# scikit-learn asks pipelines in pipelines for their tags 2**depth times.
_MAX_DEPTH = 8
_MAX_SIDE = 4096
# Each but the first two halves the image.
_MAX_FILTERS = 12
# Arrays, and numbers in them.
_INCEPTION = 378, 21_804_833


def check_extent(description, pipelines, steps):
    """Refuse descriptions of more than a network with transformers before it.

    Parameters
    ----------
    description : dict
        Nothing in it is trusted.
    pipelines : collection of str
        Names of the classes that hold steps.
    steps : collection of str
        Names of the classes that transform or sample.

    Raises
    ------
    ModelFileError
        If it tells of too many estimators or folds, of two networks that are not those of folds,
        or of a pipeline with something else than transformers before its last step.
    """
    most = _MAX_ESTIMATORS * _MAX_FOLDS
    found = list(islice(_estimators(description, 0), most + 1))
    estimators = [told for told, _ in found]
    if max((depth for _, depth in found), default=0) > _MAX_DEPTH:
        raise ModelFileError(f"it is of more than {_MAX_DEPTH} estimators one in another")
    n_folds = sum(len(told.get("fold_estimators_") or ()) for told in estimators)
    if n_folds > _MAX_FOLDS:
        raise ModelFileError(f"it is of more than {_MAX_FOLDS} models of folds")
    most = _MAX_ESTIMATORS * max(n_folds, 1)
    if len(found) > most:
        raise ModelFileError(f"it is of more than {most} estimators")
    n_networks = sum("weights" in (told.get("fitted") or ()) for told in estimators)
    if n_networks > max(n_folds, 1):
        what = "more networks than models of folds" if n_folds else "more than one network"
        raise ModelFileError(f"it is of {what}")
    for told in estimators:
        before_last = told["steps"][:-1] if told["class"] in pipelines else []
        for _, part in before_last:
            if not _transforms(part, pipelines, steps):
                raise ModelFileError(
                    f"{str(part['class'])[:40]} stands before the last step of its pipeline, where "
                    f"only {', '.join(steps)} belong"
                )


def _estimators(value, depth):
    """Descriptions of estimators in a description, from the outside in, and their depths."""
    if isinstance(value, dict):
        if "class" in value:
            depth += 1
            yield value, depth
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _estimators(inner, depth)


def _transforms(description, pipelines, steps):
    if description["class"] in pipelines:
        return all(_transforms(part, pipelines, steps) for _, part in description["steps"])
    return description["class"] in ("passthrough", *steps)


def check_params(estimator):
    """Refuse parameters that are not valid, or would take time and room without end.

    Parameters
    ----------
    estimator : estimator
        Of skpneumo.

    Raises
    ------
    ValueError
        If a parameter is none of the estimator's.
    ModelFileError
        If an image size or the number of filters is beyond that of any model.
    """
    estimator._validate_params()
    params = estimator.get_params(deep=False)
    if "size" in params:
        check_sides(params["size"])
    if params.get("image_size") is not None:
        check_sides(params["image_size"])
    n_filters = len(params.get("filters", ()))
    if n_filters > _MAX_FILTERS:
        raise ModelFileError(
            f"filters holds {n_filters} numbers, where {_MAX_FILTERS} are the most"
        )


def check_sides(size):
    """Refuse sizes that no network sees.

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
    """Refuse a network that cannot be built, or says nothing.

    Parameters
    ----------
    classifier : estimator
        With the parameters of the network.
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
            f"{str(precision)[:40]!r} is no precision. Wanted: {' or '.join(PRECISIONS[1:])}"
        )
    if not (isinstance(history, dict) and all(map(_is_column, history.items()))):
        raise ModelFileError("its history is none. Wanted: lists of numbers by name")
    # Before room is made for a network of any size.
    n_numbers = sum(array.size for array in weights)
    if isinstance(classifier, InceptionPneumoniaClassifier):
        fit = (len(weights), n_numbers) == _INCEPTION
    else:
        fit = n_numbers == count_cnn_weights(classifier.filters)
    if not fit:
        raise ModelFileError("its weights are not those of the network that its parameters tell")
    if not all(np.isfinite(array).all() for array in weights):
        raise ModelFileError(
            "some of its weights are NaN or infinite, so that it would call no one ill; a lower "
            "learning_rate may avoid that"
        )


def _is_column(item):
    name, values = item
    numbers = isinstance(values, list) and all(isinstance(value, Real) for value in values)
    return isinstance(name, str) and numbers
