"""What a fitted estimator computes between the images and the probability of pneumonia."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from skpneumo.exceptions import ModelFileError
from skpneumo.model_selection import FoldMeanClassifier
from skpneumo.persistence._kinds import CLASSIFIERS, MEANS, OPERATING_POINTS
from skpneumo.preprocessing import (
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayResizer,
)

# These return the images unchanged when a model predicts.
_IDENTITIES = (XRayLoader, XRayAugmenter, XRayOutlierDetector)
_THRESHOLDS = (*OPERATING_POINTS, FixedThresholdClassifier, TunedThresholdClassifierCV)
_WANTED = (
    "Wanted: CNNPneumoniaClassifier, InceptionPneumoniaClassifier, a Pipeline of skpneumo's steps "
    "that ends in one, and around them OperatingPointClassifierCV, TriageClassifierCV, "
    "CertifiedClassifier, PrevalenceThresholdClassifier, FoldMeanClassifier, "
    "LogOddsMeanClassifier, FixedThresholdClassifier, TunedThresholdClassifierCV, "
    "CalibratedClassifierCV(method='sigmoid'), FrozenEstimator, or a search."
)


class Network(NamedTuple):
    """A network, and the sizes to which its images are resized before, one after the other."""

    model: Any
    """The keras.Model."""
    weights: dict
    """Its weights as arrays, by the identities of the variables."""
    sizes: tuple
    """Each with an aspect, as those of `XRayResizer`."""


class Mean(NamedTuple):
    """The mean of the log odds of several parts."""

    parts: tuple
    resolution: tuple
    """Smallest distances from 0 and from 1 that count."""
    shift: float


class Calibration(NamedTuple):
    """The mean of the probabilities of several parts, each after a logistic function."""

    parts: tuple
    slopes_and_intercepts: tuple


class Plan(NamedTuple):
    """What to export."""

    root: Network | Mean | Calibration
    input_size: tuple | None
    """Rows and columns of the images that the file takes; None for any."""


def make_plan(estimator):
    """Find what an estimator computes.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    Plan

    Raises
    ------
    ModelFileError
        If a part of it cannot be exported.
    """
    root = _plan(estimator, ())
    resizings = [network.sizes for network in list_networks(root)]
    first = {sizes[0] for sizes in resizings}
    later = {aspect for sizes in resizings for _, aspect in sizes[1:]}
    # A stretch is exact for images of any size. The others cut and pad at sizes of fractions of
    # pixels, and are left to the caller.
    if all(aspect == "stretch" for _, aspect in first) and later <= {"stretch"}:
        return Plan(root, None)
    if len(first) == 1 and later <= {"stretch"}:
        ((size, _),) = first
        return Plan(root, size)
    raise ModelFileError(
        "Resizing with aspect='crop' or 'pad' can be exported only if it comes before all other "
        "resizing and is the same for all networks. Resize once, in the first XRayResizer."
    )


def list_networks(part):
    """List the networks of a plan."""
    if isinstance(part, Network):
        return [part]
    return [network for inner in part.parts for network in list_networks(inner)]


def _plan(estimator, sizes):
    if isinstance(estimator, FrozenEstimator):
        return _plan(estimator.estimator, sizes)
    if isinstance(estimator, BaseSearchCV) and hasattr(estimator, "best_estimator_"):
        return _plan(estimator.best_estimator_, sizes)
    if isinstance(estimator, Pipeline):
        return _plan(estimator.steps[-1][1], sizes + _get_resizings(estimator.steps[:-1]))
    # Not subclasses, which may predict in a way of their own.
    kind = type(estimator)
    if kind in CLASSIFIERS:
        model = estimator._network
        arrays = zip(model.weights, model.get_weights(), strict=True)
        weights = {id(variable): array.astype(np.float32) for variable, array in arrays}
        return Network(model, weights, (*sizes, (tuple(estimator.image_size_), "stretch")))
    if kind in MEANS:
        parts = tuple(_plan(model, sizes) for model in estimator.averaged_estimators_)
        if kind is FoldMeanClassifier:
            return Mean(parts, estimator.resolution_, 0.0)
        return Mean(parts, estimator._resolution, estimator.shift_)
    if kind in _THRESHOLDS:
        _check_positive_label(estimator)
        return _plan(estimator.estimator_, sizes)
    if kind is CalibratedClassifierCV:
        return _plan_calibration(estimator, sizes)
    raise ModelFileError(f"{kind.__name__} cannot be exported. {_WANTED}")


def _get_resizings(steps):
    resizings = ()
    for _, step in steps:
        step = step.estimator if isinstance(step, FrozenEstimator) else step
        if isinstance(step, Pipeline):
            resizings += _get_resizings(step.steps)
        elif type(step) is XRayResizer:
            resizings += ((tuple(step.size), step.aspect),)
        elif not (
            isinstance(step, str | None)
            or hasattr(step, "fit_resample")  # only while training
            or type(step) in _IDENTITIES
        ):
            raise ModelFileError(
                f"{type(step).__name__} cannot be exported as a step of a Pipeline. Wanted: "
                f"XRayResizer, {', '.join(kind.__name__ for kind in _IDENTITIES)}, or a sampler, "
                "before a classifier."
            )
    return resizings


def _check_positive_label(classifier):
    """Refuse a threshold on the probability of the negative class."""
    label = getattr(classifier, "pos_label", None)
    if isinstance(classifier, TunedThresholdClassifierCV):
        label = classifier._curve_scorer._get_pos_label()
    if label is not None and label != classifier.classes_[1]:
        raise ModelFileError(
            f"{type(classifier).__name__} compares the probability of {label!r} with its "
            f"threshold, and cannot be exported. Wanted: pos_label={classifier.classes_[1]!r}, "
            "the positive class."
        )


def _plan_calibration(calibrated, sizes):
    fitted = calibrated.calibrated_classifiers_
    if calibrated.method != "sigmoid":
        raise ModelFileError(
            f"CalibratedClassifierCV(method={calibrated.method!r}) cannot be exported. Wanted: "
            "method='sigmoid'."
        )
    calibrators = [one.calibrators[0] for one in fitted]
    return Calibration(
        tuple(_plan(one.estimator, sizes) for one in fitted),
        tuple((float(one.a_), float(one.b_)) for one in calibrators),
    )
