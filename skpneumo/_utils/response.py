"""Scores of a fitted classifier."""

import numpy as np

RESPONSES = ("predict_proba", "decision_function")


def positive_scores(estimator, X):
    """Scores of the positive class, ``classes_[1]``: its probability, or a decision value.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba`` or ``decision_function``.
    X : array-like of shape (n, ...)
        What it takes.

    Returns
    -------
    ndarray of shape (n,), floating

    Raises
    ------
    ValueError
        If it has neither, or gives values of another shape or that are not finite.
    """
    method = next((name for name in RESPONSES if hasattr(estimator, name)), None)
    if method is None:
        raise ValueError(
            f"{type(estimator).__name__} has neither {' nor '.join(RESPONSES)}: it gives labels "
            "and no scores. Take one that has, such as VotingClassifier with voting='soft'."
        )
    source = f"{type(estimator).__name__}.{method}"
    scores = np.asarray(getattr(estimator, method)(X))
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    if scores.ndim == 2 and scores.shape[1] == 2:
        scores = scores[:, 1]
    if scores.ndim != 1:
        raise ValueError(
            f"{source} gives an array of shape {scores.shape} where two classes are wanted. If "
            "the images it was fitted on lacked one, split with StratifiedGroupKFold."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{source} gives values that are not finite; no threshold can be chosen by them."
        )
    return scores
