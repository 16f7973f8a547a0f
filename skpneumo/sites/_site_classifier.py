"""A fitted classifier with a threshold that was certified at a site."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.response import RESPONSES
from skpneumo._utils.threshold_classifier import BaseThresholdClassifier, freeze
from skpneumo._utils.typing import Unit

if TYPE_CHECKING:
    from skpneumo.sites._conclusion import Conclusion


class CertifiedClassifier(BaseThresholdClassifier):
    """Fitted classifier with a threshold of certified recall, from `RecallCertifier`.

    It predicts, and is evaluated and saved as any other classifier; it has no ``fit`` of its own,
    since the images of the site were labelled in part only.

    Parameters
    ----------
    estimator : classifier
        Fitted, in a :class:`~sklearn.frozen.FrozenEstimator`.
    min_recall : float, default=0.95
        The recall that the threshold was chosen for.
    confidence : float, default=0.95
        Its confidence.

    Attributes
    ----------
    best_threshold_ : floating
        `predict` returns ``classes_[1]`` for scores of at least this.
    unit_ : {"patient", "image"}
        What is counted: patients, or images without ``groups``.
    recall_lower_bound_ : float
        Lower confidence bound of the recall of patients, or images: ``min_recall``, or less if
        there were too few positive patients.
    n_positive_units_ : int
        Number of positive patients, or images, that were found.
    images_per_patient_ : float
        Mean number of images of the positive patients of the random sample. NaN without ``groups``.
    n_labelled_, n_images_ : int
        Number of images that were labelled, and number of images of the pool.
    estimator_ : classifier
        The frozen estimator.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.

    See Also
    --------
    RecallCertifier : Chooses the threshold.

    Examples
    --------
    See `RecallCertifier`.
    """

    best_threshold_: float
    unit_: Unit
    recall_lower_bound_: float
    n_positive_units_: int
    images_per_patient_: float
    n_labelled_: int
    n_images_: int
    estimator_: Any

    _parameter_constraints = {
        "estimator": [HasMethods([name]) for name in RESPONSES],
        "min_recall": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(
        self, estimator: BaseEstimator, *, min_recall: float = 0.95, confidence: float = 0.95
    ) -> None:
        self.estimator = estimator
        self.min_recall = min_recall
        self.confidence = confidence

    def fit(self, X: Any, y: Any = None) -> Self:
        """Refuse: the threshold comes from `RecallCertifier`.

        Parameters
        ----------
        X, y : ignored
            For the API of scikit-learn.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            "CertifiedClassifier is not fitted: it is classifier_ of a RecallCertifier whose "
            "labels are complete. To certify a threshold on labelled images, fit "
            "OperatingPointClassifierCV(FrozenEstimator(estimator))."
        )

    # Apart from `fit`, as FoldMeanClassifier.hold.
    def hold(self, conclusion: Conclusion, *, unit: Unit, n_labelled: int, n_images: int) -> Self:
        """Use a threshold that was certified.

        Parameters
        ----------
        conclusion : Conclusion
            Of `skpneumo.sites._conclusion.conclude`.
        unit : {"patient", "image"}
            What was counted.
        n_labelled, n_images : int
            Number of images that were labelled, and of the pool.

        Returns
        -------
        self
        """
        self.estimator_ = freeze(self.estimator)
        self.best_threshold_ = conclusion.threshold
        self.recall_lower_bound_ = conclusion.recall_lower_bound
        self.n_positive_units_ = conclusion.n_positive
        self.images_per_patient_ = conclusion.images_per_patient if unit == "patient" else np.nan
        self.unit_, self.n_labelled_, self.n_images_ = unit, n_labelled, n_images
        return self

    def describe_threshold(self) -> str:
        """Describe how the threshold was chosen.

        Returns
        -------
        str
            For reports, such as "a recall of 95% of patients certified with 95% confidence on 71
            positive patients, using labels of 469 of 1200 images".
        """
        check_is_fitted(self)
        # Rounded down, as a bound below the required recall may have any number of digits.
        recall = np.floor(1e4 * self.recall_lower_bound_ + 1e-6) / 100
        return (
            f"a recall of {recall:g}% of {self.unit_}s certified with {100 * self.confidence:g}% "
            f"confidence on {self.n_positive_units_} positive {self.unit_}s, using labels of "
            f"{self.n_labelled_} of {self.n_images_} images"
        )

    def get_certified_target(self) -> tuple[str, float]:
        """Get the recall that the threshold is certified to reach.

        Returns
        -------
        (str, float)
            "recall_of_patients", or "recall" without ``groups``, and its value.
        """
        check_is_fitted(self)
        name = "recall_of_patients" if self.unit_ == "patient" else "recall"
        return name, self.recall_lower_bound_
