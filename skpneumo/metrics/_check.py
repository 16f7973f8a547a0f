"""Input validation of the scores."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import assert_all_finite


def _check_column(values, name):
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.ravel()
    if values.ndim != 1:
        raise ValueError(f"{name} must hold one value per image, got shape {values.shape}.")
    assert_all_finite(values, input_name=name)
    return values


def _check_lengths(**arrays):
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise ValueError(f"Expected one entry per image in each array: {found}.")
    if not lengths["y_true"]:
        raise ValueError("y_true is empty: a score needs at least one image.")


def _check_weight(sample_weight, n_samples):
    if sample_weight is None:
        return np.ones(n_samples)
    weight = _check_column(np.asarray(sample_weight, dtype=np.float64), "sample_weight")
    if weight.size and weight.min() < 0:
        raise ValueError(f"sample_weight must not be negative, got {weight.min():g}.")
    if weight.size and not weight.any():
        raise ValueError("sample_weight is 0 everywhere: at least one image needs a weight.")
    return weight


def _positive_label(pos_label, **targets):
    """Return ``pos_label``, or the greater of the two labels found in ``targets``."""
    # As Python objects: NumPy would turn numbers and texts in one array into texts.
    labels = set().union(*(y.tolist() for y in targets.values()))
    arrays = " and ".join(targets)
    texts = {isinstance(label, str) for label in labels}
    if len(texts) > 1:
        raise ValueError(
            f"{arrays} mix text and numeric labels: {sorted(labels, key=str)[:6]}. "
            "Pass the labels that the classifier was fitted on in both."
        )
    labels = sorted(labels)
    if len(labels) > 2:
        shown = ", ".join(map(repr, labels[:5])) + (", ..." if len(labels) > 5 else "")
        raise ValueError(
            f"Expected two classes, but there are {len(labels)} labels in {arrays}: {shown}. "
            "Merge the classes first, and pass labels here, not probabilities."
        )
    if pos_label is None:
        # A single bool shows which class it is; of a single 1 the other label may be 0 or 2.
        if len(labels) == 2 or isinstance(labels[0], bool):
            return True if isinstance(labels[0], bool) else labels[-1]
        raise ValueError(
            f"Cannot infer the positive class: {labels[0]!r} is the only label in {arrays}. "
            "Pass pos_label, for example pos_label='PNEUMONIA'."
        )
    if isinstance(pos_label, str) not in texts or (len(labels) == 2 and pos_label not in labels):
        raise ValueError(
            f"pos_label={pos_label!r} is not among the labels of {arrays}: {labels}. "
            "Pass the one that stands for pneumonia."
        )
    return pos_label


def binarize_labels(y_true, y_pred, pos_label, sample_weight):
    """Check true and predicted labels and convert them to booleans.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels of two classes.
    pos_label : label or None
        The positive class; None for the greater label.
    sample_weight : array-like of shape (n_samples,) or None
        Weights; None for ones.

    Returns
    -------
    y_true, y_pred : ndarray of shape (n_samples,), dtype bool
        True for the positive class.
    weight : ndarray of shape (n_samples,), dtype float
        The weights.
    """
    y_true, y_pred = _check_column(y_true, "y_true"), _check_column(y_pred, "y_pred")
    weight = _check_weight(sample_weight, len(y_true))
    _check_lengths(y_true=y_true, y_pred=y_pred, sample_weight=weight)
    pos_label = _positive_label(pos_label, y_true=y_true, y_pred=y_pred)
    return y_true == pos_label, y_pred == pos_label, weight


def check_scores(y_true, y_score, pos_label, sample_weight):
    """Check one score per image, and convert the true labels to booleans.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, higher for the positive class.
    pos_label : label or None
        The positive class; None for the greater label.
    sample_weight : array-like of shape (n_samples,) or None
        Weights; None for ones.

    Returns
    -------
    y_true : ndarray of shape (n_samples,), dtype bool
        True for the positive class.
    y_score, weight : ndarray of shape (n_samples,), dtype float
        The scores and the weights.
    """
    y_true, y_score = _check_column(y_true, "y_true"), np.asarray(y_score)
    if y_score.ndim == 2 and y_score.shape[1] > 1:
        raise ValueError(
            f"y_score must hold one score per image, got shape {y_score.shape}. Pass the column "
            "of the positive class, predict_proba(X)[:, 1]."
        )
    if y_score.dtype.kind not in "biuf":
        raise ValueError(
            f"y_score must hold numbers, got dtype {y_score.dtype}. Pass predict_proba(X)[:, 1] "
            "or decision_function(X), not labels."
        )
    y_score = _check_column(y_score.astype(np.float64), "y_score")
    weight = _check_weight(sample_weight, len(y_true))
    _check_lengths(y_true=y_true, y_score=y_score, sample_weight=weight)
    return y_true == _positive_label(pos_label, y_true=y_true), y_score, weight


def is_undefined(score, y_true, weight, *, needs):
    """Whether ``y_true`` lacks a class that the score needs; if so, warn.

    Parameters
    ----------
    score : str
        Name of the score, for the warning.
    y_true : ndarray of shape (n_samples,), dtype bool
        True for the positive class.
    weight : ndarray of shape (n_samples,), dtype float
        Weights; a class whose weights are all 0 is missing.
    needs : tuple of bool
        The classes needed, True for the positive one.

    Returns
    -------
    undefined : bool
        True if a class is missing.
    """
    for positive in needs:
        if not weight[y_true == positive].sum() > 0:
            warnings.warn(
                f"{score} is undefined and set to NaN: y_true holds no image of the "
                f"{'positive' if positive else 'negative'} class. In cross-validation, use "
                "a splitter that keeps both classes in every fold (StratifiedGroupKFold).",
                UndefinedMetricWarning,
                stacklevel=3,
            )
            return True
    return False
