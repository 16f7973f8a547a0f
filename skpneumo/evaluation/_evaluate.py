"""An honest account of a fitted classifier on images that took no part in its making."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from skpneumo.evaluation._bootstrap import exact_interval, percentile_interval, resampled
from skpneumo.evaluation._evaluation import (
    Evaluation,
    Figure,
    figures_of,
    images_of_kind,
    units_of,
)
from skpneumo.evaluation._figures import KIND
from skpneumo.evaluation._unwrap import (
    data_fingerprint,
    describe_model,
    threshold_origin,
    uncalibrated_scores,
)
from skpneumo.inspection._layers import threshold_of
from skpneumo.metrics._response import positive_scores
from skpneumo.metrics._targets import check_groups, check_labels


def evaluate(
    estimator,
    X,
    y,
    *,
    groups=None,
    subtype=None,
    confidence=0.95,
    n_resamples=2000,
    random_state=0,
):
    """Evaluate a fitted classifier of two classes on images that took no part in its making.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba`` or ``decision_function``.
    X : array-like of shape (n, ...)
        What it takes, such as paths.
    y : array-like of shape (n,)
        True labels; the positive one is ``classes_[1]``.
    groups : array-like of shape (n,), default=None
        The patient of each image. Intervals are wider where patients have several.
    subtype : array-like of shape (n,), default=None
        Kind of each image, such as "bacteria" and "virus": recall is given for each kind among
        the positive ones. Empty texts and None are no kind.
    confidence : float, default=0.95
        Of each interval.
    n_resamples : int, default=2000
        Draws of patients for the intervals.
    random_state : int, default=0
        Of these draws.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If lengths differ, a label is not known to the estimator, a class is missing, or a number
        is out of range.

    Notes
    -----
    Each interval holds the middle of the figure over resamples of patients (percentile bootstrap,
    clustered). Where a share is 0 or 1 on the images at hand these would all be alike, and the
    interval is that of Clopper and Pearson over patients. Other figures that are alike on all
    resamples, such as an area of 1, have no interval (NaN).

    Resampling adds to the distance between probabilities and shares, so the resamples of the
    calibration error are shifted: their mean is the figure.

    Predictive values at other prevalences suppose the same recall and specificity there. Net
    benefit [1]_ at 0.10 counts one missed as bad as nine false alarms, per image.

    References
    ----------
    .. [1] Vickers & Elkin, "Decision curve analysis", Medical Decision Making 26:565-574, 2006.

    Examples
    --------
    >>> from skpneumo import CNNPneumoniaClassifier
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.evaluation import evaluate
    >>> xrays = make_xrays(60, image_size=(48, 40), random_state=0)
    >>> clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    >>> clf = clf.fit(xrays.images[:30], xrays.target[:30])
    >>> report = evaluate(clf, xrays.images[30:], xrays.target[30:], groups=xrays.groups[30:])
    >>> report.n_images
    30
    >>> bool(report.figures["recall"].low <= report.figures["recall"].value)
    True
    """
    _check_numbers(confidence, n_resamples)
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    classes = np.asarray(estimator.classes_)
    if len(classes) != 2:
        raise ValueError(f"A classifier of two classes is wanted, got classes_={classes.tolist()}.")
    check_labels(y, classes)
    truth = y == classes[1]
    if truth.all() or not truth.any():
        raise ValueError(
            f"Images of both classes are needed, all {len(y)} are labelled {y.tolist()[0]!r}: "
            "neither recall nor specificity can be told from one class alone."
        )
    codes = check_groups(groups, y)
    if subtype is not None:
        subtype = column_or_1d(subtype)
        check_consistent_length(y, subtype)
    called = np.asarray(estimator.predict(X)) == classes[1]
    scores = positive_scores(estimator, X)
    threshold, origin = threshold_of(estimator), threshold_origin(estimator)
    if not any(np.array_equal(called, c) for c in (scores >= threshold, scores > threshold)):
        threshold, origin = np.nan, "predict does not follow one threshold of the scores"
    cells = {
        "true_negative": ~truth & ~called,
        "false_positive": ~truth & called,
        "false_negative": truth & ~called,
        "true_positive": truth & called,
    }
    report = Evaluation(
        figures={},
        table={name: int(rows.sum()) for name, rows in cells.items()},
        n_images=len(y),
        n_patients=len(y) if codes is None else int(codes.max()) + 1,
        prevalence=float(truth.mean()),
        threshold=threshold,
        threshold_origin=origin,
        classes=classes.tolist(),
        confidence=confidence,
        n_resamples=n_resamples,
        random_state=random_state,
        model=describe_model(estimator),
        data_fingerprint=data_fingerprint(X, y),
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("skpneumo", "scikit-learn", "keras", "numpy")},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        truth=truth,
        called=called,
        scores=scores,
        is_probability=hasattr(estimator, "predict_proba"),
        before_calibration=uncalibrated_scores(estimator, X),
        groups=codes,
        subtype=subtype,
        images=X,
        estimator=estimator,
    )
    values = resampled(
        lambda weights: figures_of(report, weights),
        len(y),
        units_of(report),
        n_resamples,
        random_state,
    )
    for name, column in values.items():
        report.figures[name] = _figure(report, name, column)
    return report


def _check_numbers(confidence, n_resamples):
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, such as 0.95; got {confidence!r}.")
    if not isinstance(n_resamples, Integral) or n_resamples < 1:
        raise ValueError(f"n_resamples must be an int of at least 1, got {n_resamples!r}.")


def _figure(report, name, values):
    value, resamples = float(values[0]), values[1:]
    if name == "calibration_error":
        resamples = np.maximum(0, resamples - np.mean(resamples) + value)
    low, high = percentile_interval(resamples, report.confidence)
    if value in (0.0, 1.0):
        rows = _images_of_share(report, name)
        if rows is not None:
            n = len(np.unique(units_of(report)[rows]))
            low, high = exact_interval(int(value) * n, n, report.confidence)
    if low == high:
        low = high = np.nan
    return Figure(value, low, high)


def _images_of_share(report, name):
    """The images that a share is a share of, or None for another figure."""
    if name.startswith(KIND):
        return images_of_kind(report, name)
    return {
        "recall": report.truth,
        "specificity": ~report.truth,
        "positive_predictive_value": report.called,
        "negative_predictive_value": ~report.called,
        "accuracy": np.ones_like(report.truth),
    }.get(name)
