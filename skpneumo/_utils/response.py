"""Scores of a fitted classifier."""

import numpy as np

RESPONSES = ("predict_proba", "decision_function")


def get_default_threshold(estimator):
    """Threshold of ``predict`` in scikit-learn: 0.5 of probabilities, 0 of decision values."""
    return 0.5 if hasattr(estimator, "predict_proba") else 0.0


def positive_scores(estimator, X):
    """Scores of the positive class, ``classes_[1]``: probabilities, or decision values.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba`` or ``decision_function``.
    X : array-like of shape (n, ...)
        Images, as the estimator accepts them.

    Returns
    -------
    ndarray of shape (n,), floating

    Raises
    ------
    ValueError
        If it has neither, or returns an array of another shape or values that are not finite.
    """
    method = next((name for name in RESPONSES if hasattr(estimator, name)), None)
    if method is None:
        raise ValueError(
            f"{type(estimator).__name__} has neither {' nor '.join(RESPONSES)}: it predicts "
            "labels and no scores. Pass one that has, such as VotingClassifier with voting='soft'."
        )
    source = f"{type(estimator).__name__}.{method}"
    scores = np.asarray(getattr(estimator, method)(X))
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    if scores.ndim == 2 and scores.shape[1] == 2:
        scores = scores[:, 1]
    if scores.ndim != 1:
        raise ValueError(
            f"{source} returns an array of shape {scores.shape}, but two classes are required. If "
            "its training images lacked one, split with StratifiedGroupKFold."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{source} returns values that are not finite, from which no threshold can be chosen."
        )
    return scores
