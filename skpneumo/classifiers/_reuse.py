"""Taking the network of an equal fit, and leaving nothing half-fitted behind."""

import copy
import os
from contextlib import contextmanager
from itertools import count
from numbers import Integral
from weakref import WeakKeyDictionary

import joblib

from skpneumo.classifiers._identity import data_key
from skpneumo.classifiers._memo import MEMO
from skpneumo.classifiers._training import network_bytes, network_key

# Parameters that change nothing in the network that a fit ends with; class weights are part of
# the row weights, which are in the key.
_NOT_IN_KEY = ("threshold", "class_weight", "verbose")


_CLASS_NUMBERS = WeakKeyDictionary()
_NUMBERS = count()


def fit_key(estimator, X, codes, weights, groups):
    """Key of all that decides the network of a fit, or None where chance does too.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        Its parameters count, and what it starts from.
    X, codes, weights, groups : array-like
        What it is fitted on; codes are 1 for pneumonia and 0 for normal.

    Returns
    -------
    tuple or None
    """
    if not isinstance(estimator.random_state, Integral) or _is_random(estimator.validation):
        return None
    params = {k: v for k, v in estimator.get_params().items() if k not in _NOT_IN_KEY}
    start = _class_key(type(estimator)), params, estimator._start_key()
    return "network", joblib.hash((start, data_key(X), codes, weights, groups))


def _class_key(kind):
    if kind.__module__.startswith("skpneumo."):
        return kind.__qualname__
    # A class of the user's may be defined anew, under its name, in the next cell of a notebook.
    return _CLASS_NUMBERS.setdefault(kind, next(_NUMBERS)), os.getpid()


def _is_random(splitter):
    seed = getattr(splitter, "random_state", 0)
    return getattr(splitter, "shuffle", True) and not isinstance(seed, Integral)


def recall(estimator, key):
    """Give an estimator the network of an equal fit, if there is one nobody changed since.

    Returns
    -------
    bool
        Whether there was.
    """
    fitted, weights_key = MEMO.get(key) or (None, None)
    if fitted is None or network_key(fitted["model_"]) != weights_key:
        return False
    vars(estimator).update(fitted | {"history_": copy.deepcopy(fitted["history_"])})
    return True


def remember(estimator, key):
    """Keep the network of a fit, unless its key is None."""
    estimator._shared = key is not None
    if key is None:
        return
    params = estimator.get_params(deep=False)
    fitted = {name: value for name, value in vars(estimator).items() if name not in params}
    fitted["history_"] = copy.deepcopy(fitted["history_"])
    model = estimator.model_
    MEMO.put(key, (fitted, network_key(model)), network_bytes(model))


@contextmanager
def unchanged_on_error(estimator, continues):
    """Put an estimator back as it was if training fails.

    Parameters
    ----------
    estimator : BasePneumoniaClassifier
        What is trained inside the context.
    continues : bool
        Whether training goes on with the network it has: one that other estimators may share is
        copied first.
    """
    before = dict(vars(estimator))
    weights = None
    try:
        if continues:
            if estimator._shared:
                estimator.model_ = copy.deepcopy(estimator.model_)
                estimator._shared = False
            else:
                weights = estimator.model_.get_weights()
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        if continues:
            # Its optimizer may be another by now.
            estimator._ready_for = None
        if weights is not None:
            estimator.model_.set_weights(weights)
        raise
