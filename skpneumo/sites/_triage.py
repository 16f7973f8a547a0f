"""Classifier that rules out, rules in, or leaves an image to be read."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.mlflow_tracking import tracked_fit
from skpneumo._utils.response import positive_scores
from skpneumo._utils.targets import check_groups
from skpneumo._utils.typing import Splitter, Unit
from skpneumo.metrics import threshold_curve
from skpneumo.model_selection import BaseThresholdClassifierCV, check_data
from skpneumo.sites._triage_thresholds import (
    are_independent,
    check_sample_sizes,
    choose_triage_point,
    confidence_of_each,
)


class TriageClassifierCV(BaseThresholdClassifierCV):
    """Classifier with two certified thresholds, and three answers.

    Images below the lower threshold are ruled out, those from the upper one on are ruled in, and
    those between are to be read by a radiologist. Of new patients with pneumonia at least
    ``min_recall`` are not ruled out, and of those without at least ``min_specificity`` are not
    ruled in, both together with ``confidence``.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba`` or ``decision_function``. In a
        :class:`~sklearn.frozen.FrozenEstimator` it is not fitted again and the thresholds alone are
        chosen, on the images given to `fit`: pass images that took no part in its fit or its
        selection, such as a sample of the hospital that will use it.
    min_recall : float, default=0.98
        Fraction of the positive patients that are not to be ruled out, between 0 and 1.
    min_specificity : float, default=0.95
        Fraction of the negative patients that are not to be ruled in, between 0 and 1.
    confidence : float, default=0.95
        Confidence that both are reached on new patients, between 0 and 1.
    cv : int, splitter or iterable, default=None
        Splits for the scores, each image left out once. None and integers (None is 5) keep the
        classes in proportion, and with ``groups`` the images of a patient on one side.
    refit : bool, default=False
        Whether the final model is fitted once more, on all images, instead of the mean of the
        models of the splits; see `~skpneumo.model_selection.OperatingPointClassifierCV`.
    n_jobs : int, default=None
        Number of splits fitted in parallel.

    Attributes
    ----------
    rule_out_threshold_ : floating
        Images with a score below it are ruled out. `predict` returns ``classes_[1]`` for all
        others; ``best_threshold_`` is the same number.
    rule_in_threshold_ : floating
        Images with a score of at least this are ruled in. Equal to the other one where no image is
        to be read.
    confidence_of_each_ : float
        Confidence level of each threshold.
    unit_ : {"patient", "image"}
        What is counted: patients, or images without ``groups``.
    n_positive_units_, n_negative_units_ : int
        Number of positive and of negative patients, or images.
    n_positive_ruled_out_, n_negative_ruled_in_ : int
        Those of them that are ruled out and ruled in wrongly.
    recall_, specificity_ : float
        Fractions of the positive patients not ruled out, and of the negative ones not ruled in.
    recall_lower_bound_, specificity_lower_bound_ : float
        The certified values: ``min_recall`` and ``min_specificity``.
    proportion_to_read_ : float
        Fraction of these patients to be read.
    proportion_to_read_upper_bound_ : float
        Its upper confidence bound, for new patients of the same prevalence.
    to_read_by_class_, to_read_by_class_upper_bound_ : ndarray of shape (2,)
        The same for the negative and the positive patients; both bounds hold jointly with
        ``confidence``. At another prevalence, weigh the classes by it.
    images_per_patient_ : float
        Mean number of positive images of the positive patients. NaN without ``groups``. The
        certified recall of patients with more images than that is lower.
    curve_ : Bunch
        Metrics of these patients, or images, at every threshold: see
        `skpneumo.metrics.threshold_curve`.
    reference_ : Bunch
        Scores by which another site is compared with these images, see
        `skpneumo.sites.check_site`: ``y_true``, ``y_score`` and ``patient`` (numbers, in a random
        order), of at most 5,000 images.
    estimator_ : classifier
        The final model.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.
    n_features_in_, feature_names_in_ : int and ndarray
        Those of the final model, if it has them.

    Raises
    ------
    ValueError
        From `fit`, if there are too few patients of a class to certify both, however well they are
        separated. By default 183 positive and 72 negative patients are needed.

    See Also
    --------
    skpneumo.OperatingPointClassifierCV : One threshold, two answers.

    Notes
    -----
    **What is certified.** The lower threshold is chosen by the scores of the positive patients as
    in `~skpneumo.model_selection.OperatingPointClassifierCV` with ``min_recall``, the upper one by
    those of the negative patients as with ``min_specificity``, each valid for finite samples
    without any assumption on the distribution of the scores. With a frozen model, patients that
    are drawn independently and have images of one class only, the two are independent, and each is
    certified at the square root of ``confidence``. Otherwise each is certified at
    ``(1 + confidence) / 2`` (Bonferroni's inequality), and approximately unless the model is
    frozen. Conformal triage [1]_ guarantees the predictive values of the two groups instead, which
    are other ones at another prevalence; recall and specificity are not.

    **No image to be read.** If the classes are so well separated that the lower threshold lies
    above the upper one, every threshold between the two has both properties. Both are then set to
    the lowest of these, which misses the fewest patients with pneumonia.

    **Predictions.** `predict` returns one of two labels, as scorers and
    `~skpneumo.evaluation.evaluate` need them: images to be read count as positive, since they
    are not ruled out. So its certified recall is ``min_recall``; its specificity is not
    ``min_specificity``. `predict_triage` returns the three answers.

    **Patients with several images.** A positive patient counts as ruled out if any positive image
    is, a negative one as ruled in if any negative image is.

    **Patients to be read.** The bounds are Clopper and Pearson's. That of the negative patients
    counts all from the lower threshold on, for which they are a fresh sample, since the positive
    patients alone chose it; so those who are ruled in, at most ``1 - min_specificity``, are in the
    bound. That of the positive patients counts all below the upper threshold.

    References
    ----------
    .. [1] Angelopoulos, Pomerantz, Do, Bates, Bridge, Elton, Lev, González, Jordan & Malik,
       "Conformal Triage for Medical Imaging AI Deployment", medRxiv, 2024.
       doi:10.1101/2024.02.09.24302543

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo.sites import TriageClassifierCV
    >>> X, y = make_classification(1000, flip_y=0, random_state=0)
    >>> model = TriageClassifierCV(LogisticRegression(), min_specificity=0.98).fit(X, y)
    >>> bool(model.rule_out_threshold_ < model.rule_in_threshold_)
    True
    >>> sorted(set(model.predict_triage(X).tolist()))
    ['ruled in', 'ruled out', 'to be read']
    """

    rule_in_threshold_: float
    confidence_of_each_: float
    unit_: Unit
    n_positive_units_: int
    n_negative_units_: int
    n_positive_ruled_out_: int
    n_negative_ruled_in_: int
    recall_: float
    specificity_: float
    recall_lower_bound_: float
    specificity_lower_bound_: float
    proportion_to_read_: float
    proportion_to_read_upper_bound_: float
    to_read_by_class_: np.ndarray
    to_read_by_class_upper_bound_: np.ndarray
    images_per_patient_: float
    curve_: Bunch
    reference_: Bunch
    estimator_: Any
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        "min_recall": [Interval(Real, 0, 1, closed="neither")],
        "min_specificity": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        **BaseThresholdClassifierCV._parameter_constraints,
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        min_recall: float = 0.98,
        min_specificity: float = 0.95,
        confidence: float = 0.95,
        cv: int | Splitter | Iterable | None = None,
        refit: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.min_recall = min_recall
        self.min_specificity = min_specificity
        self.confidence = confidence
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs

    @tracked_fit
    def fit(self, X: Any, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any) -> Self:
        """Choose both thresholds, and fit the model unless it is frozen.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.
        y : array-like of shape (n,)
            Two labels; the greater one is positive, such as "PNEUMONIA" after "NORMAL".
        groups : array-like of shape (n,), default=None
            The patient of each image: patients are counted. Also passed to the splitter, and to
            ``fit`` of an estimator that takes it, such as a search.
        **params : dict
            Passed to ``fit`` of the estimator, such as ``sample_weight``. With metadata routing
            they, and ``groups``, go where they are requested.

        Returns
        -------
        self
        """
        self._validate_params()
        X, y, classes = check_data(X, y)
        y_true, patients = y == classes[1], check_groups(groups, y)
        is_frozen = isinstance(self.estimator, FrozenEstimator)
        level = confidence_of_each(self.confidence, are_independent(is_frozen, y_true, patients))
        check_sample_sizes(y_true, patients, self.min_recall, self.min_specificity, level)
        self._warn_of_dependence(X, patients)
        y_score = self._fit_and_score(X, y, classes, groups, params)
        self.curve_ = threshold_curve(y_true, y_score, groups=patients, confidence=self.confidence)
        self._set_triage_point(
            choose_triage_point(
                y_true,
                y_score,
                patients,
                min_recall=self.min_recall,
                min_specificity=self.min_specificity,
                confidence=(level, self.confidence),
            )
        )
        self.confidence_of_each_ = level
        self.unit_ = "image" if patients is None else "patient"
        self.images_per_patient_ = (
            np.nan if patients is None else float(y_true.sum() / self.n_positive_units_)
        )
        return self

    def _set_triage_point(self, point):
        self.best_threshold_, self.rule_in_threshold_ = point.rule_out, point.rule_in
        self.n_positive_units_, self.n_negative_units_ = point.n_positive, point.n_negative
        self.n_positive_ruled_out_ = point.n_positive_ruled_out
        self.n_negative_ruled_in_ = point.n_negative_ruled_in
        self.recall_ = 1 - point.n_positive_ruled_out / point.n_positive
        self.specificity_ = 1 - point.n_negative_ruled_in / point.n_negative
        self.recall_lower_bound_ = float(self.min_recall)
        self.specificity_lower_bound_ = float(self.min_specificity)
        self.to_read_by_class_ = point.to_read_by_class
        self.to_read_by_class_upper_bound_ = point.to_read_by_class_upper_bound
        n_by_class = np.array([point.n_negative, point.n_positive])
        of_class = n_by_class / n_by_class.sum()
        self.proportion_to_read_ = float(of_class @ point.to_read_by_class)
        self.proportion_to_read_upper_bound_ = float(of_class @ point.to_read_by_class_upper_bound)

    @property
    def rule_out_threshold_(self) -> float:
        """Threshold below which images are ruled out."""
        return self.best_threshold_

    def predict_triage(self, X: Any) -> np.ndarray:
        """Rule images out or in, or leave them to be read.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n,)
            "ruled out", "to be read" or "ruled in".
        """
        check_is_fitted(self)
        scores = positive_scores(self.estimator_, X).astype(self.best_threshold_.dtype)
        is_ruled = [scores < self.best_threshold_, scores >= self.rule_in_threshold_]
        return np.select(is_ruled, ["ruled out", "ruled in"], "to be read")

    def describe_threshold(self) -> str:
        """Describe how the thresholds were chosen.

        Returns
        -------
        str
            For reports.
        """
        check_is_fitted(self)
        is_frozen = isinstance(self.estimator_, FrozenEstimator)
        approximately, scores = (
            ("", "") if is_frozen else (" approximately", ", by out-of-fold scores")
        )
        return (
            f"images below {self.best_threshold_:.4g} are ruled out, those from "
            f"{self.rule_in_threshold_:.4g} on are ruled "
            f"in, those between are to be read; a recall of {100 * self.min_recall:g}% of "
            f"{self.unit_}s not ruled out and a specificity of {100 * self.min_specificity:g}% of "
            f"{self.unit_}s not ruled in are certified{approximately}, jointly with "
            f"{100 * self.confidence:g}% confidence, on {self.n_positive_units_} positive and "
            f"{self.n_negative_units_} negative {self.unit_}s{scores}"
        )

    def get_certified_target(self) -> tuple[str, float]:
        """Get the metric that `predict` is certified to reach.

        Returns
        -------
        (str, float)
            Its name in an evaluation, such as "recall_of_patients", and the value required.
        """
        check_is_fitted(self)
        return "recall" + ("_of_patients" if self.unit_ == "patient" else ""), self.min_recall
