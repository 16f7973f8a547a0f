"""Evaluate a fitted classifier on images that took no part in its fit."""

from __future__ import annotations

from numbers import Real
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skpneumo.evaluation._evaluation import Evaluation
from skpneumo.evaluation._metrics import compute_metrics
from skpneumo.evaluation._predictions import predict_labelled
from skpneumo.evaluation._provenance import collect_provenance


def evaluate(
    estimator: BaseEstimator,
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    subtype: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Evaluation:
    """Evaluate a fitted classifier of two classes on images that took no part in its fit.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba`` or ``decision_function``.
    X : array-like of shape (n, ...)
        Images as the estimator accepts them, such as paths.
    y : array-like of shape (n,)
        True labels; the positive one is ``classes_[1]``.
    groups : array-like of shape (n,), default=None
        The patient of each image. Intervals are wider if patients have several images, and
        there are metrics that count patients.
    subtype : array-like of shape (n,), default=None
        Subtype of each image, such as "bacteria" and "virus": recall is computed for each subtype
        of the positive images. Empty texts, None, NaN and NA are no subtype.
    confidence : float, default=0.95
        Confidence level of each interval.

    Returns
    -------
    Evaluation

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If lengths differ, a label is not known to the estimator, a class is missing, or a number
        is out of range.

    Notes
    -----
    Recall and specificity count images; with ``groups`` ``recall_of_patients`` and
    ``specificity_of_patients`` count patients: one is a true positive only if every positive image
    is predicted positive, and a true negative only if no negative image is.

    Intervals are in closed form, with patients as clusters: images of one patient are alike, so
    that ten of them are less evidence than ten images of ten patients. Variances are those of sums
    over patients.

    - Proportions: Clopper and Pearson's interval with as many independent images as would make the
      proportion vary as much, fewer if patients are few [1]_; F1 and F2 likewise.
    - Likelihood ratios, predictive values at other prevalences, balanced accuracy and net benefit:
      from the intervals of the proportions that they are made of (MOVER) [2]_.
    - Area under the ROC curve: on the scale of log odds, with the variance of DeLong or, for
      patients with several images, of Obuchowski [3]_, and Student's t. An area of 1 is bounded by
      the number of pairs of patients. Average precision likewise.
    - Specificity at a required recall: from the specificities at the lowest and at the highest
      threshold that may have this recall, by the ranks of the positive scores.
    - Brier score: on the scale of log odds; as proportions if fewer than 10 errors were
      made or are expected. Calibration: sandwich variances and Student's t. Neither has an interval
      (NaN) for fewer than 5 patients of a class, nor has calibration if fewer than 3 errors are
      expected and fewer than 10 were made.

    The user guide has a table of how often each interval contained the truth in simulations. The
    calibration error is debiased, by products of the residuals of different patients [4]_: it is 0
    if chance alone explains the deviations.

    Predictive values at other prevalences assume the same recall and specificity there. Net
    benefit [5]_ at 0.10 counts a false negative as nine false positives, per image.

    References
    ----------
    .. [1] Korn & Graubard, "Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data", Survey Methodology 24:193-201, 1998.
    .. [2] Donner & Zou, "Closed-form confidence intervals for functions of the normal mean and
       standard deviation", Statistical Methods in Medical Research 21:347-359, 2012.
    .. [3] Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53:567-578,
       1997.
    .. [4] Kumar, Liang & Ma, "Verified uncertainty calibration", NeurIPS 2019.
    .. [5] Vickers & Elkin, "Decision curve analysis", Medical Decision Making 26:565-574, 2006.

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
    >>> bool(report.metrics["recall"].low <= report.metrics["recall"].value)
    True
    """
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, such as 0.95; got {confidence!r}.")
    check_is_fitted(estimator)
    predictions = predict_labelled(estimator, X, y, groups, subtype)
    return Evaluation(
        metrics=compute_metrics(predictions, confidence),
        predictions=predictions,
        provenance=collect_provenance(estimator, X, y, predictions),
        confidence=confidence,
    )
