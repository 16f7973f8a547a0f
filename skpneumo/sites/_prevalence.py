"""A threshold for one site, from its prevalence and unlabelled images."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.formatting import percent
from skpneumo._utils.response import RESPONSES, positive_scores
from skpneumo._utils.threshold_classifier import BaseThresholdClassifier, freeze
from skpneumo._utils.typing import Unit
from skpneumo.sites._prevalence_thresholds import (
    expected_ranges,
    implied_positive_rate,
    threshold_of_rate,
    threshold_of_recall,
)
from skpneumo.sites._recorded import refuse_labels
from skpneumo.sites._reference import (
    ReferenceScores,
    check_number,
    get_reference,
    get_reference_scores,
    select_images,
    select_scores,
)

_MIN_SCORES = 50
# A number is taken to be known within this.
_ERROR_OF_PREVALENCE = 0.05


class PrevalenceThresholdClassifier(BaseThresholdClassifier):
    """Fitted classifier with a threshold set by the prevalence of a site, without labels.

    The threshold is the one at which the proportion of a batch of unlabelled local images that is
    predicted positive is what the prevalence implies, at a recall and specificity measured on the
    data that the model was made with. Nothing is certified: see the notes.

    Parameters
    ----------
    estimator : classifier
        Fitted, usually in a :class:`~sklearn.frozen.FrozenEstimator`, with an
        `~skpneumo.OperatingPointClassifierCV` or a `TriageClassifierCV` in it, whose ``reference_``
        is used.
    prevalence : float or tuple of (float, float)
        Proportion of the patients (images without ``groups``) of the batch that have pneumonia,
        between 0 and 1. Given an interval, the upper end sets the threshold, so that the recall
        is expected to reach ``min_recall`` over all of it.
    min_recall : float, default=0.98
        Recall of the positive patients of the reference, each counted by the lowest score of a
        positive image, at the threshold whose rates are used; between 0 and 1.

    Attributes
    ----------
    best_threshold_ : floating
        `predict` returns ``classes_[1]`` for scores of at least this.
    positive_rate_ : float
        Proportion of the batch that the prevalence implies to be predicted positive. Where scores
        are tied at the threshold, more are.
    expected_recall_range_, expected_specificity_range_ : tuple of (float, float)
        What to expect of one random image of each patient (of images without ``groups``) if scores
        have moved by one increasing transformation and the prevalence lies in the interval; for a
        number, within 0.05 of it. Each end has a confidence of 0.975 for the sampling error of the
        batch and of the reference.
    unit_ : {"patient", "image"}
        What the prevalence is of: patients, or images without ``groups``.
    n_units_ : int
        Number of patients, or images, of the batch.
    estimator_ : FrozenEstimator
        The fitted classifier.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.

    See Also
    --------
    check_site : Comes first: under a change of prevalence alone the threshold should not move.
    RecallCertifier : Certifies a recall, with labels.

    Notes
    -----
    **What is assumed.** Scores of both classes have moved, from the reference to the site, by one
    increasing transformation, as where a device makes all images look more like pneumonia. Then the
    order of the patients is as good as in the reference, and so many of them are above the
    threshold as it was there [1]_. If only the prevalence differs, the threshold of the model is
    still right and this one estimates it with error; if the classes moved apart or together, recall
    and specificity are other ones. `check_site` distinguishes the first case; nothing but labels
    distinguishes the last two. So nothing is certified [2]_.

    **A wrong prevalence.** Too low a prevalence costs recall: where it is .50 and .40 is assumed,
    the packaged network reaches a recall of .86 instead of .98. The better a model separates the
    classes, the more it loses, since it finds hardly more patients than are to be predicted
    positive. Too high a prevalence costs specificity.

    **Set once.** The threshold belongs to the batch of `fit`, and does not move with later images:
    a threshold that follows each batch would take an epidemic for a change of the device.

    References
    ----------
    .. [1] Roschewitz, Khara, Yearsley, Sharma, James, Ambrózay, Heroux, Kecskemethy, Rijken &
       Glocker, "Automatic correction of performance drift under acquisition shift in medical image
       classification", Nature Communications 14 (2023), 6608.
    .. [2] Godau, Kalinowski, Christodoulou et al., "Deployment of image analysis algorithms under
       prevalence shifts", MICCAI 2023.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo import OperatingPointClassifierCV
    >>> from skpneumo.sites import PrevalenceThresholdClassifier
    >>> X, y = make_classification(1200, class_sep=1.5, random_state=0)
    >>> model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.95)
    >>> model = model.fit(X[:800], y[:800])
    >>> site = X[800:] + 0.5
    >>> local = PrevalenceThresholdClassifier(FrozenEstimator(model), prevalence=0.5)
    >>> local = local.fit(site)
    >>> float(local.positive_rate_), float(local.predict(site).mean())
    (0.549..., 0.55)
    """

    best_threshold_: float
    positive_rate_: float
    expected_recall_range_: tuple[float, float]
    expected_specificity_range_: tuple[float, float]
    unit_: Unit
    n_units_: int
    estimator_: FrozenEstimator

    _parameter_constraints = {
        "estimator": [HasMethods([name]) for name in RESPONSES],
        "prevalence": [Interval(Real, 0, 1, closed="neither"), tuple, list],
        "min_recall": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        prevalence: float | tuple[float, float],
        min_recall: float = 0.98,
    ) -> None:
        self.estimator = estimator
        self.prevalence = prevalence
        self.min_recall = min_recall

    def fit(self, X: Any, y: Any = None, *, groups: ArrayLike | None = None) -> Self:
        """Set the threshold on one batch of unlabelled images of the site.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes: all images of a period, not selected by what they show.
        y : ignored
            For the API of scikit-learn.
        groups : array-like of shape (n,), default=None
            The patient of each image. One random image of each is used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are fewer than 50 patients or images, the estimator holds no reference scores,
            or a parameter is not valid.
        """
        self._validate_params()
        refuse_labels(y)
        interval = _check_prevalence(self.prevalence)
        check_is_fitted(self.estimator)
        reference = get_reference(self.estimator)
        estimator = freeze(self.estimator)
        scores = select_scores(positive_scores(estimator, X), groups)
        by_patient = groups is not None
        check_number(scores, by_patient, _MIN_SCORES, "PrevalenceThresholdClassifier needs")
        y_true, y_score, _ = select_images(reference, by_patient=by_patient)
        by_class = ReferenceScores(np.sort(y_score[y_true]), np.sort(y_score[~y_true]))
        # A positive patient counts by the lowest score, as where a recall is certified.
        positive = get_reference_scores(reference).positive
        threshold = threshold_of_recall(positive, self.min_recall)
        rate = implied_positive_rate(by_class, _target(self.prevalence), threshold)
        self.estimator_ = estimator
        self.best_threshold_ = threshold_of_rate(scores, rate)
        self.positive_rate_ = float(rate)
        self.expected_recall_range_, self.expected_specificity_range_ = expected_ranges(
            # Seeded: the same images give the same result.
            by_class,
            rate,
            interval,
            len(scores),
            np.random.default_rng(0),
        )
        self.unit_ = "patient" if by_patient else "image"
        self.n_units_ = len(scores)
        return self

    def describe_threshold(self) -> str:
        """Describe how the threshold was chosen.

        Returns
        -------
        str
            For reports.
        """
        check_is_fitted(self)
        recall, specificity = (
            f"{percent(low)} to {percent(high, up=True)}"
            for low, high in (self.expected_recall_range_, self.expected_specificity_range_)
        )
        return (
            f"{percent(self.positive_rate_)} of {self.n_units_:,} unlabelled {self.unit_}s are "
            f"predicted positive, as a prevalence of {_in_words(self.prevalence)} implies; nothing "
            f"certified. Expected, if all scores moved alike: recall {recall}, specificity "
            f"{specificity}"
        )

    def get_certified_target(self) -> None:
        """Get the metric that the threshold is certified to reach: None.

        Returns
        -------
        None
        """


def _check_prevalence(prevalence):
    """Interval of the prevalence, checked."""
    if isinstance(prevalence, Real):
        low = max(prevalence - _ERROR_OF_PREVALENCE, 0.0)
        return low, min(prevalence + _ERROR_OF_PREVALENCE, 1.0)
    numbers = len(prevalence) == 2 and all(isinstance(end, Real) for end in prevalence)
    if not numbers or not 0 < prevalence[0] <= prevalence[1] < 1:
        raise ValueError(
            "prevalence must be a number between 0 and 1, or the lower and the upper end of an "
            f"interval of such numbers, got {prevalence!r}."
        )
    return tuple(map(float, prevalence))


def _target(prevalence):
    return float(prevalence if isinstance(prevalence, Real) else prevalence[1])


def _in_words(prevalence):
    if isinstance(prevalence, Real):
        return f"{100 * prevalence:g}%"
    return " to ".join(f"{100 * end:g}%" for end in prevalence)
