"""Weights of images in training: sample weights times class weights."""

from numbers import Real

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

_ENCODED = (
    " If y held texts: some tools of scikit-learn, such as cross_val_predict of probabilities and "
    "CalibratedClassifierCV(ensemble=False), fit on 0 and 1 instead; name these there."
)


def check_sample_weight(sample_weight, n_samples):
    """Validate sample weights: one finite, non-negative number per image.

    Returns
    -------
    ndarray of shape (n_samples,), dtype float32
        A copy.
    """
    return _check_sample_weight(
        sample_weight,
        np.empty((n_samples, 1)),
        dtype=np.float32,
        ensure_non_negative=True,
        # They are multiplied in place, and belong to the caller.
        copy=True,
    )


def multiply_weights(y, classes, class_weight=None, sample_weight=None):
    """Multiply sample weights by the weight of each label.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels, all among ``classes``.
    classes : ndarray of shape (2,)
        The labels.
    class_weight : dict, "balanced" or None, default=None
        Weight of each label; one that is not named weighs 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each image; it is not changed.

    Returns
    -------
    ndarray of shape (n_samples,), dtype float32, or None
        None if all weigh 1.

    Raises
    ------
    ValueError
        If ``class_weight`` names another label, if a weight is negative or not finite, or if a
        label in ``y`` has no weight left.
    """
    weights = np.ones(len(y), dtype=np.float32)
    if sample_weight is not None:
        weights = check_sample_weight(sample_weight, len(y))
    if class_weight is not None:
        weights *= _get_class_weights(class_weight, classes, y)[np.searchsorted(classes, y)]
    for label in np.unique(y).tolist():
        if not weights[y == label].any():
            raise ValueError(
                f"Every image labelled {label!r} weighs zero: got class_weight={class_weight!r}"
                f"{' and sample_weight' if sample_weight is not None else ''}. Give this class "
                "weight, or leave its images out."
            )
    # Weights of 1 are the same fit as no weights, under the same key.
    return None if (weights == 1).all() else weights


def _get_class_weights(class_weight, classes, y):
    if isinstance(class_weight, str):
        return compute_class_weight(class_weight, classes=classes, y=y)
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        raise ValueError(
            f"class_weight names {unknown[0]!r}, but the labels are {labels}."
            + (_ENCODED if labels == [0, 1] else "")
        )
    weights = [class_weight.get(label, 1) for label in labels]
    for weight in weights:
        if not isinstance(weight, Real) or not np.isfinite(weight) or weight < 0:
            raise ValueError(
                f"A class weight must be a finite number of at least 0; got {class_weight!r}."
            )
    return np.array(weights, dtype=np.float32)
