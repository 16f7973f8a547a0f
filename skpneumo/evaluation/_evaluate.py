"""An honest account of a fitted classifier on images that took no part in its making."""

import warnings
from datetime import UTC, datetime
from numbers import Real

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.provenance import (
    data_fingerprint,
    describe_model,
    describe_threshold,
    get_certified_images_per_patient,
    get_certified_target,
    package_versions,
)
from skpneumo._utils.response import positive_scores
from skpneumo._utils.targets import check_groups, check_labels, is_missing
from skpneumo._utils.unwrap import get_followed_threshold, unwrap
from skpneumo.evaluation._estimates import Predictions
from skpneumo.evaluation._evaluation import Evaluation
from skpneumo.evaluation._intervals import compute_metrics
from skpneumo.evaluation._predict import uncalibrated_scores
from skpneumo.exceptions import OutlierWarning


def evaluate(
    estimator,
    X,
    y,
    *,
    groups=None,
    subtype=None,
    confidence=0.95,
    n_resamples="deprecated",
    random_state="deprecated",
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
        The patient of each image. Intervals are wider where patients have several, and there are
        figures that count patients.
    subtype : array-like of shape (n,), default=None
        Kind of each image, such as "bacteria" and "virus": recall is given for each kind among
        the positive ones. Empty texts, None, NaN and NA are no kind.
    confidence : float, default=0.95
        Of each interval.
    n_resamples, random_state : deprecated
        Intervals are in closed form: nothing is drawn.

        .. deprecated:: 0.1
           They have no effect and will be removed in 0.2.

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

    Intervals are in closed form and count patients: images of one patient are alike, so that ten of
    them are less than ten pieces of evidence. Variances are those of sums over patients.

    - Proportions: Clopper and Pearson's interval with as many independent images as would make the
      proportion vary as much, fewer where patients are few [1]_; F1 and F2 likewise.
    - Likelihood ratios, predictive values at other prevalences, balanced accuracy and net benefit:
      from the intervals of the proportions that they are made of (MOVER) [2]_.
    - Area under the ROC curve: on the scale of log odds, with the variance of DeLong or, for
      patients with several images, of Obuchowski [3]_, and Student's t. An area of 1 is bounded by
      the number of pairs of patients. Average precision likewise.
    - Specificity at a required recall: from the specificities at the lowest and at the highest
      threshold that may have this recall, by the ranks of the positive scores.
    - Brier score: on the scale of log odds; as proportions where fewer than 10 errors were made or
      are to be expected. Calibration: sandwich variances and Student's t. Neither has an interval
      (NaN) for fewer than 5 patients of a class, nor has calibration where fewer than 3 errors are
      to be expected and fewer than 10 were made.

    The user guide has a table of how often each interval contained the truth in simulations. The
    calibration error is reduced by what chance adds to it, from products of the residuals of
    different patients [4]_: it is 0 where chance explains all.

    Predictive values at other prevalences suppose the same recall and specificity there. Net
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
    >>> bool(report.figures["recall"].low <= report.figures["recall"].value)
    True
    """
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, such as 0.95; got {confidence!r}.")
    if not all(isinstance(given, str) for given in (n_resamples, random_state)):
        warnings.warn(
            "n_resamples and random_state of evaluate have no effect, since intervals are in "
            "closed form, and will be removed in 0.2. Leave them out.",
            FutureWarning,
            stacklevel=2,
        )
    check_is_fitted(estimator)
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
        subtype = np.array(["" if is_missing(kind) else str(kind) for kind in subtype.tolist()])
    called = np.asarray(estimator.predict(X)) == classes[1]
    with warnings.catch_warnings():
        # Told by predict.
        warnings.simplefilter("ignore", OutlierWarning)
        scores, before_calibration = (
            positive_scores(estimator, X),
            uncalibrated_scores(estimator, X),
        )
    threshold = get_followed_threshold(unwrap(estimator), scores, called)
    origin = describe_threshold(estimator)
    if threshold is None:
        threshold, origin = np.nan, "predict follows another score or threshold"
    is_probability = hasattr(estimator, "predict_proba")
    cells = {
        "true_negative": ~truth & ~called,
        "false_positive": ~truth & called,
        "false_negative": truth & ~called,
        "true_positive": truth & called,
    }
    return Evaluation(
        figures=compute_metrics(
            Predictions(truth, called, scores, is_probability, codes, subtype), confidence
        ),
        table={name: int(rows.sum()) for name, rows in cells.items()},
        n_images=len(y),
        n_patients=None if codes is None else int(codes.max()) + 1,
        prevalence=float(truth.mean()),
        threshold=threshold,
        threshold_origin=origin,
        promise=get_certified_target(estimator),
        certified_images_per_patient=get_certified_images_per_patient(estimator),
        classes=classes.tolist(),
        confidence=confidence,
        model=describe_model(estimator),
        data_fingerprint=data_fingerprint(X, y),
        versions=package_versions(estimator),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        truth=truth,
        called=called,
        scores=scores,
        is_probability=is_probability,
        before_calibration=before_calibration,
        groups=codes,
        subtype=subtype,
        images=X,
        estimator=estimator,
    )
