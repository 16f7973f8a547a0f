"""An honest account of a fitted classifier on images that took no part in its making."""

import json
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from skpneumo.evaluation._bootstrap import exact_interval, percentile_interval, resampled
from skpneumo.evaluation._figures import (
    figures_of_calls,
    figures_of_probabilities,
    figures_of_scores,
)
from skpneumo.evaluation._text import as_text
from skpneumo.evaluation._unwrap import (
    data_fingerprint,
    describe_model,
    threshold_origin,
    uncalibrated_scores,
)
from skpneumo.inspection._layers import threshold_of
from skpneumo.metrics._response import positive_scores
from skpneumo.metrics._targets import check_groups, check_labels


class Figure(NamedTuple):
    """A figure and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Figures of a classifier on some images, with intervals. `evaluate` makes it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    figures : dict of str to Figure
        ``value``, ``low`` and ``high`` by name: "recall", "specificity", "roc_auc", … NaN where a
        figure is not defined.
    table : dict of str to int
        Images by "true_negative", "false_positive", "false_negative" and "true_positive".
    n_images, n_patients : int
        How many. Without ``groups`` each image counts as a patient.
    prevalence : float
        Share of the positive images.
    threshold : float
        Of `predict`; NaN where that does not follow one threshold of the scores.
    threshold_origin : str
        How it was chosen.
    classes : list
        Both labels; the second is positive.
    confidence : float
        Of each interval.
    n_resamples : int
        Of the bootstrap.
    random_state : int
        Of the bootstrap.
    model : dict
        Its name, parameters and fingerprint, and what stands around it.
    data_fingerprint : str
        SHA-256 of images and labels.
    versions : dict of str to str
        Of the packages.
    date : str
        When it was made, in UTC.
    truth, called : ndarray of shape (n_images,), dtype bool
        Whether each image is positive, and whether it was called so.
    scores : ndarray of shape (n_images,)
        Probability, or decision value, of the positive class.
    is_probability : bool
        Which of these.
    before_calibration : ndarray of shape (n_images,) or None
        Probabilities before calibration, where the classifier is calibrated.
    groups : ndarray of shape (n_images,), dtype int, or None
        Number of the patient of each image, from 0.
    subtype : ndarray of shape (n_images,) or None
        As given.
    images : array-like of shape (n_images, ...)
        As given; only the reports look at them.
    estimator : classifier
        As given.
    """

    figures: dict
    table: dict
    n_images: int
    n_patients: int
    prevalence: float
    threshold: float
    threshold_origin: str
    classes: list
    confidence: float
    n_resamples: int
    random_state: int
    model: dict
    data_fingerprint: str
    versions: dict
    date: str
    truth: np.ndarray
    called: np.ndarray
    scores: np.ndarray
    is_probability: bool
    before_calibration: np.ndarray | None
    groups: np.ndarray | None
    subtype: np.ndarray | None
    images: object = field(compare=False)
    estimator: object = field(compare=False)

    def __str__(self):
        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self):
        from skpneumo.evaluation._report import as_html

        return as_html(self, embedded=True)

    def to_dict(self):
        """All figures and what they rest on, without the images.

        Returns
        -------
        dict
            Of numbers, texts, lists and dicts: it can be written as JSON. What is not defined is
            None.
        """
        names = [
            "n_images",
            "n_patients",
            "prevalence",
            "threshold",
            "threshold_origin",
            "classes",
            "table",
            "confidence",
            "n_resamples",
            "random_state",
            "model",
            "data_fingerprint",
            "versions",
            "date",
        ]
        figures = {name: figure._asdict() for name, figure in self.figures.items()}
        return _plain({name: getattr(self, name) for name in names} | {"figures": figures})

    def to_json(self):
        """Write `to_dict` as JSON.

        Returns
        -------
        str
        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_html(self):
        """One page with all figures, curves and the images that were called wrong.

        Returns
        -------
        str
            HTML that needs no other file and no network.
        """
        from skpneumo.evaluation._report import as_html

        return as_html(self)

    def save(self, path):
        """Write a report.

        Parameters
        ----------
        path : str or path
            Ending in ``.html``, ``.json`` or ``.txt``, which decides what is written.

        Raises
        ------
        ValueError
            If it ends in something else.
        """
        path = Path(path)
        writers = {".html": self.to_html, ".json": self.to_json, ".txt": self.__str__}
        if path.suffix.lower() not in writers:
            raise ValueError(f"A report ends in {', '.join(writers)}; got {path.name!r}.")
        path.write_text(writers[path.suffix.lower()](), encoding="utf-8")

    def compare(self, other):
        """Compare with another classifier on the same images, image by image.

        Parameters
        ----------
        other : Evaluation
            Of the same images, labels and groups.

        Returns
        -------
        dict of str to Figure
            This one less the other, by figure; the interval is of the difference, from the same
            resamples of patients.

        Raises
        ------
        ValueError
            If the images or labels differ.
        """
        if self.data_fingerprint != other.data_fingerprint or not np.array_equal(
            _units(self), _units(other)
        ):
            raise ValueError(
                "Two evaluations can be compared on the same images, labels and groups only: "
                f"these are of data {self.data_fingerprint[:12]} ({self.n_images} images) and "
                f"{other.data_fingerprint[:12]} ({other.n_images} images)."
            )

        def compute(weights):
            mine, theirs = _compute(self, weights), _compute(other, weights)
            with np.errstate(invalid="ignore"):  # infinite likelihood ratios
                return {name: mine[name] - theirs[name] for name in mine if name in theirs}

        values = resampled(
            compute, self.n_images, _units(self), self.n_resamples, self.random_state
        )
        return {
            name: Figure(float(v[0]), *percentile_interval(v[1:], self.confidence))
            for name, v in values.items()
        }


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
        lambda weights: _compute(report, weights), len(y), _units(report), n_resamples, random_state
    )
    for name, column in values.items():
        report.figures[name] = _figure(report, name, column)
    return report


def _check_numbers(confidence, n_resamples):
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, such as 0.95; got {confidence!r}.")
    if not isinstance(n_resamples, Integral) or n_resamples < 1:
        raise ValueError(f"n_resamples must be an int of at least 1, got {n_resamples!r}.")


def _compute(report, weights):
    figures = figures_of_calls(report.truth, report.called, weights, report.subtype)
    figures |= figures_of_scores(report.truth, report.scores, weights)
    if report.is_probability:
        figures |= figures_of_probabilities(report.truth, report.scores, weights)
    return figures


def _figure(report, name, values):
    value, resamples = float(values[0]), values[1:]
    if name == "calibration_error":
        resamples = np.maximum(0, resamples - np.mean(resamples) + value)
    low, high = percentile_interval(resamples, report.confidence)
    if value in (0.0, 1.0):
        rows = _images_of_share(report, name)
        if rows is not None:
            n = len(np.unique(_units(report)[rows]))
            low, high = exact_interval(int(value) * n, n, report.confidence)
    if low == high:
        low = high = np.nan
    return Figure(value, low, high)


def _images_of_share(report, name):
    """The images that a share is a share of, or None for another figure."""
    if name.startswith("recall_of_"):
        return report.truth & (report.subtype.astype(str) == name.removeprefix("recall_of_"))
    return {
        "recall": report.truth,
        "specificity": ~report.truth,
        "positive_predictive_value": report.called,
        "negative_predictive_value": ~report.called,
        "accuracy": np.ones_like(report.truth),
    }.get(name)


def _units(report):
    return np.arange(report.n_images) if report.groups is None else report.groups


def _plain(value):
    """The value in types that JSON has."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
