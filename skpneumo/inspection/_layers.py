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
        Without frozen ones; where several classifiers answer together, those around the first.
    """
    return members_of(estimator)[0]


def members_of(estimator):
    """Layers around each of the classifiers that answer together.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    list of lists of estimators
        As `layers_of`, for each; most estimators hold one classifier.
    """
    # A frozen one shows the attributes of what it holds for its own.
    own = [] if isinstance(estimator, FrozenEstimator) else [estimator]
    inside = _inside(estimator)
    if not inside:
        return [own]
    return [[*own, *layers] for part in inside for layers in members_of(part)]


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
        If calibration has fitted several.
    """
    members = members_of(estimator)
    if len(members) > 1:
        raise TypeError(
            f"CalibratedClassifierCV holds {len(members)} networks side by side. Look into one of "
            "them, calibrated_classifiers_[0].estimator, or calibrate with ensemble=False."
        )
    return members[0]


def _inside(layer):
    """What a layer hands the images to: none, one, or several that answer together."""
    if isinstance(layer, FrozenEstimator):
        return [layer.estimator]
    if hasattr(layer, "best_estimator_"):
        return [layer.best_estimator_]
    if isinstance(layer, Pipeline):
        return [layer.steps[-1][1]]
    if hasattr(layer, "calibrated_classifiers_"):
        return [part.estimator for part in layer.calibrated_classifiers_]
    if isinstance(layer, (FixedThresholdClassifier, TunedThresholdClassifierCV)) or hasattr(
        layer, "best_threshold_"
    ):
        return [layer.estimator_]
    return []


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
        Those that `skpneumo.metrics._response.positive_scores` gives of some images.
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
