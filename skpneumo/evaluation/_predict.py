"""Scores of a model before calibration."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from skpneumo._utils.response import positive_scores
from skpneumo._utils.unwrap import unwrap


def uncalibrated_scores(estimator, X):
    """Probabilities before calibration, or None where there is no calibration.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n, ...)
        The images.

    Returns
    -------
    ndarray of shape (n,) or None
        The mean of the models that :class:`~sklearn.calibration.CalibratedClassifierCV` holds.
        None also where these give decision values.
    """
    for layer in unwrap(estimator).wrappers:
        if isinstance(layer, CalibratedClassifierCV):
            models = [one.estimator for one in layer.calibrated_classifiers_]
            if not all(hasattr(model, "predict_proba") for model in models):
                return None
            return np.mean([positive_scores(model, X) for model in models], axis=0)
        if isinstance(layer, Pipeline) and len(layer.steps) > 1:
            X = layer[:-1].transform(X)
    return None
