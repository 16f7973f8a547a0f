"""What stands around a fitted classifier, and the threshold of the whole."""

from numbers import Real

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline


def layers_of(estimator):
    """An estimator and what it wraps, from the outside in; the last is the classifier itself.

    Parameters
    ----------
    estimator : estimator
        Fitted: a search, a threshold around another, a calibrated or frozen one, a pipeline, or a
        plain one.

    Returns
    -------
    list of estimators
        Without frozen ones, and behind calibration and a mean of folds the first of the classifiers
        that they hold.
    """
    found, layer = [], estimator
    while layer is not None:
        # A frozen one shows the attributes of what it holds for its own.
        if not isinstance(layer, FrozenEstimator):
            found.append(layer)
        layer = _inside(layer)
    return found


def layers_around_one(estimator):
    """Layers of an estimator that holds one classifier.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    list of estimators
        As `layers_of`.

    Raises
    ------
    TypeError
        If calibration, or an operating point with ``refit=False``, has fitted several.
    """
    layers = layers_of(estimator)
    for layer in layers:
        n = len(getattr(layer, "calibrated_classifiers_", [layer]))
        if n > 1:
            raise TypeError(
                f"CalibratedClassifierCV holds {n} networks side by side. Look into one of them, "
                "calibrated_classifiers_[0].estimator, or calibrate with ensemble=False."
            )
        n = len(getattr(layer, "fold_estimators_", [layer]))
        if n > 1:
            raise TypeError(
                f"{type(layer).__name__} holds {n} networks side by side, those of the folds. Look "
                "into one of them, estimator_.fold_estimators_[0] of the operating point, or fit "
                "it with refit=True."
            )
    return layers


def members_of(estimator):
    """Innermost classifiers of an estimator, and all that is fitted around them.

    Parameters
    ----------
    estimator : estimator
        As in `layers_of`.

    Returns
    -------
    members : list of classifiers
        Several where calibration or a mean of folds has fitted them side by side.
    around : list
        Steps before a classifier, and calibrators.
    """
    members, around = [], []
    for layer in layers_of(estimator):
        if isinstance(layer, Pipeline):
            around += [step for _, step in layer.steps[:-1]]
        inner = getattr(layer, "fold_estimators_", None)
        if isinstance(layer, CalibratedClassifierCV):
            around += [one.calibrators for one in layer.calibrated_classifiers_]
            inner = [one.estimator for one in layer.calibrated_classifiers_]
        if inner is not None:
            for one in inner:
                inner_members, inner_around = members_of(one)
                members += inner_members
                around += inner_around
            return members, around
        innermost = layer
    return [innermost], around


def _inside(layer):
    if isinstance(layer, FrozenEstimator):
        return layer.estimator
    if hasattr(layer, "best_estimator_"):
        return layer.best_estimator_
    if isinstance(layer, Pipeline):
        return layer.steps[-1][1]
    if hasattr(layer, "calibrated_classifiers_"):
        return layer.calibrated_classifiers_[0].estimator
    if hasattr(layer, "fold_estimators_"):
        return layer.fold_estimators_[0]
    if isinstance(layer, (FixedThresholdClassifier, TunedThresholdClassifierCV)) or hasattr(
        layer, "best_threshold_"
    ):
        return layer.estimator_
    return None


def deciding_layer(estimator):
    """The layer whose threshold ``predict`` follows, or None where that is scikit-learn's default.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    estimator or None
        With ``best_threshold_`` or ``threshold``.
    """
    for layer in layers_of(estimator):
        if isinstance(_threshold(layer), Real):
            return layer
        if isinstance(layer, (CalibratedClassifierCV, FixedThresholdClassifier)):
            break  # has 0.5, or threshold="auto", whatever is inside
    return None


def _threshold(layer):
    return getattr(layer, "best_threshold_", getattr(layer, "threshold", None))


def threshold_of(estimator):
    """Threshold that was set or chosen for ``predict``, on whatever score.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    Returns
    -------
    float
    """
    layer = deciding_layer(estimator)
    if layer is None:
        return 0.5 if hasattr(estimator, "predict_proba") else 0.0
    return float(_threshold(layer))


def threshold_followed(estimator, scores, called):
    """Threshold of ``predict``, if it is one of these scores.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    scores : ndarray of shape (n,)
        Those that `skpneumo._utils.response.positive_scores` gives of some images.
    called : ndarray of shape (n,), dtype bool
        Whether ``predict`` calls each positive.

    Returns
    -------
    float or None
        None where ``predict`` follows another score or threshold, such as that of the other class.
    """
    threshold = threshold_of(estimator)
    follows = any(np.array_equal(called, c) for c in (scores >= threshold, scores > threshold))
    return threshold if follows else None
