"""What stands around a fitted classifier, and the threshold of the whole."""

from numbers import Real

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline


def layers_of(estimator):
    """An estimator and what it wraps, from the outside in.

    Parameters
    ----------
    estimator : estimator
        Fitted: a search, a threshold around another, a frozen one, a pipeline, or a plain one.

    Returns
    -------
    list of estimators
        It ends at the classifier itself, or where there are several side by side, as in
        :class:`~sklearn.calibration.CalibratedClassifierCV`.
    """
    found = [estimator]
    while (inner := _inside(found[-1])) is not None:
        found.append(inner)
    return found


def _inside(layer):
    if isinstance(layer, FrozenEstimator):
        return layer.estimator  # first: it shows the attributes of what it holds for its own
    if hasattr(layer, "best_estimator_"):
        return layer.best_estimator_
    if isinstance(layer, Pipeline):
        return layer.steps[-1][1]
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
        if isinstance(layer, FrozenEstimator):
            continue  # shows the threshold of what it holds for its own
        if isinstance(_threshold(layer), Real):
            return layer
        if isinstance(layer, FixedThresholdClassifier):
            break  # threshold="auto"
    return None


def _threshold(layer):
    return getattr(layer, "best_threshold_", getattr(layer, "threshold", None))


def threshold_of(estimator):
    """Threshold of ``predict``.

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
