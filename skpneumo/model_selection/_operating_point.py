"""A threshold whose recall on new patients is certified."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.mlflow_tracking import tracked_fit
from skpneumo._utils.targets import check_groups
from skpneumo._utils.thresholds import check_sample_size, choose_operating_point, is_certified
from skpneumo._utils.typing import Splitter, Unit
from skpneumo.metrics import threshold_curve
from skpneumo.model_selection import _certificate
from skpneumo.model_selection._out_of_fold import check_data
from skpneumo.model_selection._threshold_classifier_cv import BaseThresholdClassifierCV

_CRITERIA = ("min_recall", "min_specificity", "missed_cost")


class OperatingPointClassifierCV(BaseThresholdClassifierCV):
    """Classifier whose threshold reaches a recall on new patients, with a stated confidence.

    Images are scored by models that were fitted without them. The threshold is the highest one
    whose recall on new patients is at least ``min_recall``, with ``confidence``. The final model
    averages those that the scores came from.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba`` or ``decision_function``. A search, such as
        :class:`~sklearn.model_selection.GridSearchCV`, goes in here, so that each split searches
        again: see the notes. In a :class:`~sklearn.frozen.FrozenEstimator` it is not fitted again
        and the threshold alone is chosen, on the images given to `fit`: pass images that took no
        part in its fit or its selection, such as a sample of the hospital that will use it.
    min_recall : float or None, default=0.98
        Fraction of the positive patients to be predicted positive, above 0 and at most 1.
    min_specificity : float, default=None
        With ``min_recall=None``: the lowest threshold at which at least this fraction of the
        negative patients is predicted negative.
    missed_cost : float, default=None
        With ``min_recall=None``: the threshold of least cost, if a false negative costs as much as
        this many false positives. Images are counted here, not patients, and nothing is certified.
    confidence : float or None, default=0.95
        Confidence that the recall or specificity is reached on new patients, between 0 and 1. None
        requires only that it is reached on the images at hand: on new ones it is missed about half
        of the time.
    cv : int, splitter or iterable, default=None
        Splits for the scores, each image left out once. None and integers (None is 5) keep the
        classes in proportion, and with ``groups`` the images of a patient on one side.
    refit : bool, default=False
        Whether the final model is fitted once more, on all images. By default it is the mean of the
        log odds of the models of the splits (of the decision values without ``predict_proba``), by
        whose scores the threshold was chosen. True gives one model, which predicts as many times
        faster as there are splits, but whose recall may be too low much more often: see the notes.
        A frozen estimator is never fitted, whatever this is.
    n_jobs : int, default=None
        Number of splits fitted in parallel.

    Attributes
    ----------
    best_threshold_ : floating
        `predict` returns ``classes_[1]`` for scores of at least this, compared in its type, that of
        the scores it was chosen among.
    unit_ : {"patient", "image"}
        What is counted: patients, or images without ``groups``.
    recall_, specificity_ : float
        Recall and specificity of the patients, or images, that the threshold was chosen on.
    recall_lower_bound_, specificity_lower_bound_ : float
        Lower confidence bounds of both, each with ``confidence``; NaN if that is None or the
        threshold was chosen by cost. That of the metric that was required is the required value
        itself; the other one is the Clopper-Pearson bound.
    n_positive_units_, n_negative_units_ : int
        Number of positive and of negative patients, or images.
    images_per_patient_ : float
        Mean number of images of a patient, of the class that was certified: positive with
        ``min_recall``, negative with ``min_specificity``. NaN without ``groups`` and with
        ``missed_cost``. The certified recall of patients with more images than that is lower.
    curve_ : Bunch
        Metrics of these patients, or images, at every threshold: see
        `skpneumo.metrics.threshold_curve`.
    reference_ : Bunch
        Scores by which another site is compared with these images, see
        `skpneumo.sites.check_site`: ``y_true``, ``y_score`` and ``patient`` (numbers, by their
        lowest scores), of at most 5,000 images.
    estimator_ : classifier
        The final model: a `FoldMeanClassifier` with the models of the splits as
        ``fold_estimators_``; with ``refit=True`` the estimator itself, fitted on all images; or
        the frozen one.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.
    n_features_in_, feature_names_in_ : int and ndarray
        Those of the final model, if it has them.

    Raises
    ------
    ValueError
        From `fit`, if there are too few patients to certify the recall, however well they are
        separated; the message contains how many are needed. A recall of 0.98 with a confidence of
        0.95 needs 149 positive patients. Also if ``cv`` puts images of a patient on both sides, or
        leaves an image out twice.

    Warns
    -----
    UserWarning
        From `fit`, if the estimator is fitted already, so that a search may have selected it on the
        same images; and if the file names are those of fewer patients than images, but ``groups``
        is None.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : Best mean of a score, nothing certified.
    HighestSpecificity : Chooses by the mean recall of folds.

    Notes
    -----
    **What is certified.** Let the ``n`` positive patients be drawn independently from those that
    the model will see, with scores by a model that did not see them. With the ``k``-th lowest of
    their scores as the threshold, the recall on new patients is below ``min_recall`` with a
    probability of at most ``P(Binomial(n, 1 - min_recall) <= k - 1)`` [1]_. ``k`` depends on ``n``,
    not on the values of the scores, so the search for the threshold costs nothing, and no
    assumption is made on their distribution; ties only make the threshold safer. If all scores are
    equal, ``min_recall`` predicts every image positive and ``min_specificity`` none.

    **The rank is randomised.** The greatest ``k`` for which that probability is at most
    ``1 - confidence`` rises only at some ``n`` (149, 236, 313, ... for 0.98 and 0.95); between
    these, part of the risk is unused and the threshold is lower than it need be. So ``k + 1`` is
    taken in the proportion of samples that makes up the difference, as in a randomised confidence
    interval [2]_. A rank of 1 is never randomised, so the number of patients needed does not depend
    on chance. The draw is a hash of the order of the patients by score. For patients drawn
    independently it is as good as a random one, but it is the same on each run and machine.
    (Patients come in the order of their names in ``groups``, images in that of the rows; another
    order draws again.) The threshold uses up the whole risk, so nothing above ``min_recall`` is
    certified.

    **When it is valid.** With a frozen model and a fresh sample. Otherwise the scores come from the
    models of the splits, and the recall is certified approximately [3]_. In simulations in which 5
    % are nominal, it was too low in 1 to 9 % of samples with the mean of these models, and in up to
    21 % with ``refit=True``, whose scores may be on another scale: with nearly separable data and
    little regularisation, strong regularisation, underfitted models, or a search over class
    weights. The price of the mean is that each of its models has seen fewer images.

    **Searches.** A search on the same images must be inside:
    ``OperatingPointClassifierCV(GridSearchCV(...))``, so that each split selects its own candidate.
    If the search comes first, its candidate is partly the luckiest on these images: the recall was
    too low in 15 % of samples with the best of 7 candidates and in 28 % with the best of 40,
    against 2 to 3 % with the search inside.

    **Patients and images.** A patient with several images counts once, by the lowest score: a true
    positive only if each positive image is. For negative patients, ``min_specificity`` takes the
    highest. The certified recall is therefore

    - not that of images (.70 to .88 in simulations with a recall of patients of .97);
    - not that of patients with more images: compare ``images_per_patient_``;
    - not valid if ``groups`` is None and patients repeat, nor if the images of a patient come under
      several names, which is the same.

    It holds for patients like those at hand: another hospital, device or mix of ages needs its own
    sample. The bound of the other metric, such as ``specificity_lower_bound_`` with ``min_recall``,
    is valid only for a frozen model and if no patient has images of both classes.

    The page "Certified operating points" of the user guide explains each point, with the
    simulations.

    **Groups and metadata.** ``groups`` is passed to the splitter, and to ``fit`` of the estimator
    if that names the parameter or is a search whose ``cv`` is a splitter. A step of a pipeline gets
    it by name, such as ``fit(X, y, groups=groups, gridsearchcv__groups=groups)``. With metadata
    routing it is requested by default. Sample weights reach the estimator through `fit`, and have
    no weight in the choice of the threshold.

    References
    ----------
    .. [1] Tong, Feng & Li, "Neyman-Pearson classification algorithms and NP receiver operating
       characteristics", Science Advances 4 (2018), eaao1659.
    .. [2] W. L. Stevens, "Fiducial limits of the parameter of a discontinuous distribution",
       Biometrika 37 (1950), 117-129.
    .. [3] Bian & Barber, "Training-conditional coverage for distribution-free predictive
       inference", Electronic Journal of Statistics 17 (2023), 2044-2066.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo import OperatingPointClassifierCV
    >>> X, y = make_classification(800, class_sep=1.5, random_state=0)
    >>> model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.95).fit(X, y)
    >>> bool(model.recall_lower_bound_ >= 0.95)
    True
    """

    best_threshold_: float
    unit_: Unit
    recall_: float
    specificity_: float
    recall_lower_bound_: float
    specificity_lower_bound_: float
    n_positive_units_: int
    n_negative_units_: int
    images_per_patient_: float
    curve_: Bunch
    reference_: Bunch
    estimator_: Any
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        "min_recall": [Interval(Real, 0, 1, closed="right"), None],
        "min_specificity": [Interval(Real, 0, 1, closed="right"), None],
        "missed_cost": [Interval(Real, 0, None, closed="neither"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither"), None],
        **BaseThresholdClassifierCV._parameter_constraints,
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        min_recall: float | None = 0.98,
        min_specificity: float | None = None,
        missed_cost: float | None = None,
        confidence: float | None = 0.95,
        cv: int | Splitter | Iterable | None = None,
        refit: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.min_recall = min_recall
        self.min_specificity = min_specificity
        self.missed_cost = missed_cost
        self.confidence = confidence
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs

    @tracked_fit
    def fit(self, X: Any, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any) -> Self:
        """Choose the threshold, and fit the model unless it is frozen.

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
        criterion, value = self._get_criterion()
        X, y, classes = check_data(X, y)
        y_true, patients = y == classes[1], check_groups(groups, y)
        if is_certified(criterion, self.confidence):
            check_sample_size(criterion, value, self.confidence, y_true, patients)
            self._warn_of_dependence(X, patients)
        y_score = self._fit_and_score(X, y, classes, groups, params)
        self.curve_ = threshold_curve(y_true, y_score, groups=patients, confidence=self.confidence)
        self._set_operating_point(
            choose_operating_point(criterion, value, self.confidence, y_true, y_score, patients)
        )
        self.unit_ = "image" if patients is None else "patient"
        return self

    def set_operating_point(
        self,
        *,
        min_recall: float | None = None,
        min_specificity: float | None = None,
        missed_cost: float | None = None,
    ) -> Self:
        """Choose another threshold by the scores of the fit, with the same ``confidence``.

        Nothing is fitted or scored again: the threshold is chosen by the scores in ``reference_``,
        in which patients are in an order of their own, so that the rank is drawn again. Of a fit on
        more than 5,000 images, the patients that are left there count.

        Parameters
        ----------
        min_recall, min_specificity, missed_cost : float, default=None
            One of them, as in the class.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If not exactly one is given, too few patients are at hand to certify it, or the model
            was loaded from a file of an earlier version, without the scores.

        Notes
        -----
        The certificate of each threshold holds by itself. It does not hold for one that is selected
        among several by what it gives on the images at hand.

        Examples
        --------
        >>> from skpneumo import load_pretrained
        >>> model = load_pretrained("cnn")
        >>> before = model[-1].best_threshold_
        >>> bool(model[-1].set_operating_point(min_recall=0.95).best_threshold_ > before)
        True
        """
        check_is_fitted(self)
        if not hasattr(self, "reference_"):
            raise ValueError(
                "The scores of the fit are not known: the file that this model was loaded from is "
                "of an earlier version. Fit it again."
            )
        chosen = clone(self).set_params(
            min_recall=min_recall, min_specificity=min_specificity, missed_cost=missed_cost
        )
        chosen._validate_params()
        criterion, value = chosen._get_criterion()
        if (criterion, value) == self._get_criterion():
            return self
        reference = self.reference_
        patients = None if self.unit_ == "image" else reference.patient
        if is_certified(criterion, self.confidence):
            check_sample_size(criterion, value, self.confidence, reference.y_true, patients)
        self.set_params(**{name: getattr(chosen, name) for name in _CRITERIA})
        self._set_operating_point(
            choose_operating_point(
                criterion, value, self.confidence, reference.y_true, reference.y_score, patients
            )
        )
        return self

    def _set_operating_point(self, point):
        self.best_threshold_ = point.threshold
        self.n_positive_units_, self.n_negative_units_ = point.n_positive, point.n_negative
        self.recall_, self.specificity_ = point.recall, point.specificity
        self.recall_lower_bound_ = point.recall_lower_bound
        self.specificity_lower_bound_ = point.specificity_lower_bound
        self.images_per_patient_ = point.images_per_patient

    def _get_criterion(self):
        criteria = {name: value for name in _CRITERIA if (value := getattr(self, name)) is not None}
        if len(criteria) != 1:
            raise ValueError(
                "One of min_recall, min_specificity and missed_cost must be given and the others "
                f"be None, got {criteria}."
            )
        return criteria.popitem()

    def describe_threshold(self) -> str:
        """Describe how the threshold was chosen.

        Returns
        -------
        str
            For reports, such as "a recall of 95% of patients certified with 95% confidence on 120
            positive patients".
        """
        check_is_fitted(self)
        return _certificate.describe_choice(self, *self._get_criterion())

    def get_certified_target(self) -> tuple[str, float] | None:
        """Get the metric that the threshold is certified to reach.

        Returns
        -------
        (str, float) or None
            Its name in an evaluation, such as "recall_of_patients", and the value required. None
            if nothing is certified.
        """
        check_is_fitted(self)
        return _certificate.get_certified_metric(self, *self._get_criterion())
