"""Whether a model's scores at a site are distributed as those that it was made with."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.response import positive_scores
from skpneumo._utils.unwrap import unwrap
from skpneumo.sites._mixtures import MIN_P_VALUE, bin_reference, fit_mixture
from skpneumo.sites._reference import check_number, get_reference, select_images, select_scores
from skpneumo.sites._resampling import resample_rates
from skpneumo.sites._site_check import SiteCheck, bin_for_histogram

_MIN_SCORES = 20
# Of the population and of the prevalence.
_N_TESTS = 2


def check_site(
    estimator: BaseEstimator,
    X: Any,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    n_checks: int = 1,
) -> SiteCheck:
    """Check, without labels, whether a model's scores at a site are those that it was made with.

    Parameters
    ----------
    estimator : classifier
        Fitted, with an `~skpneumo.OperatingPointClassifierCV` or a `TriageClassifierCV` in it,
        such as `~skpneumo.load_pretrained` returns. Its ``reference_`` is compared with the site.
    X : array-like of shape (n, ...)
        Images of the site as the estimator accepts them, such as paths: all of a period, not
        selected by what they show. At least 20; 200 find most differences that matter.
    groups : array-like of shape (n,), default=None
        The patient of each image. One random image of each is compared with one of each patient of
        the reference; without it all images with all.
    alpha : float, default=0.05
        Probability of finding a difference where there is none, between 0 and 1.
    n_checks : int, default=1
        Number of checks of this site, those before and those planned included: the p-values are
        multiplied by it (Bonferroni), since one of many checks finds a difference by chance. At
        most 41 with the default ``alpha``: more would find nothing.

    Returns
    -------
    SiteCheck
        Its ``shift`` is "population", "prevalence" or "none". Print it, or call ``save``.

    Raises
    ------
    ValueError
        If there are too few images, the estimator holds no reference scores, or a parameter is not
        valid.

    See Also
    --------
    RecallCertifier : Certifies the recall at the site, with labels of a part of its images.
    plan_labels : How many labels that takes.

    Notes
    -----
    **What is tested.** If only the prevalence differs, the scores of the site are a mixture of
    those of negative and of positive patients of the reference. The distance from the nearest
    mixture is that of minimum chi-square over up to 16 bins, with the sampling error of both
    samples (Hansen's test [1]_). Its distribution is resampled, the reference too: with the
    reference held fixed, a nominal error of .05 is .37 to .86. The p-value is the greatest of those
    at the estimated prevalence and at both ends of the plausible ones, after Berger and Boos [2]_,
    who take it over all of them. Where a mixture fits, its prevalence is compared with that of the
    reference. Each of the two tests has half of ``alpha``. If patients have several images, either
    patients or images may have been sampled: no prevalence between that of the patients and that of
    the images of the reference counts as a difference.

    **What it cannot find.** Positive patients that look negative to the model make a mixture again,
    with a lower prevalence. So the check never shows that a model works: it finds a difference, or
    none, and recall is not checked by it. Labels are needed for that [3]_.

    **Expected specificity.** Where a mixture fits, it is that of the reference at the threshold of
    the model; its interval is that of the reference, by resampling patients. If the population
    differs, specificity and prevalence cannot be told from scores alone and are NaN: in the
    benchmark ``sites``, estimates that assume unchanged positive patients were wrong by .33.

    **Scores alone.** Features of the images or of the network are not compared: scores found the
    new site in all samples of 200 images, and the texture of the images also differs between parts
    of the home hospital, where predictions do not.

    References
    ----------
    .. [1] L. P. Hansen, "Large sample properties of generalized method of moments estimators",
       Econometrica 50 (1982), 1029-1054.
    .. [2] Berger & Boos, "P values maximized over a confidence set for the nuisance parameter",
       Journal of the American Statistical Association 89 (1994), 1012-1016.
    .. [3] Lipton, Wang & Smola, "Detecting and correcting for label shift with black box
       predictors", ICML 2018; Roschewitz, Mehta, Jones & Glocker, "Automatic dataset shift
       identification to support safe deployment of medical imaging AI", MICCAI 2025; Flühmann,
       Bissoto, Hoang & Koch, "Label-free estimation of clinically relevant performance metrics
       under distribution shifts", 2025, arXiv:2507.22776.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo import OperatingPointClassifierCV
    >>> from skpneumo.sites import check_site
    >>> X, y = make_classification(1200, class_sep=1.5, random_state=0)
    >>> model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.95)
    >>> model = model.fit(X[:800], y[:800])
    >>> check_site(model, X[800:]).shift
    'none'
    >>> check_site(model, X[800:] + 0.5).shift
    'population'
    """
    check_is_fitted(estimator)
    _check_numbers(alpha, n_checks)
    # Before hours of prediction.
    get_reference(estimator)
    scores = positive_scores(estimator, X)
    return check_scores(estimator, scores, groups=groups, alpha=alpha, n_checks=n_checks)


def check_scores(
    estimator: BaseEstimator,
    scores: np.ndarray,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    n_checks: int = 1,
) -> SiteCheck:
    """Check a site as `check_site` does, by scores that are computed already.

    Parameters
    ----------
    estimator : classifier
        The model that computed the scores.
    scores : ndarray of shape (n,)
        Scores of the positive class: probabilities, or decision values of a model without them.
    groups, alpha, n_checks
        As for `check_site`.

    Returns
    -------
    SiteCheck
    """
    check_is_fitted(estimator)
    _check_numbers(alpha, n_checks)
    reference = get_reference(estimator)
    scores = column_or_1d(check_array(scores, ensure_2d=False))
    n_images, by_patient = len(scores), groups is not None
    scores = select_scores(scores, groups)
    check_number(scores, by_patient, _MIN_SCORES, "check_site compares")
    compared = select_images(reference, by_patient=by_patient)
    # Seeded: the same images give the same result.
    rng = np.random.default_rng(0)
    binned = bin_reference(*compared, len(scores))
    mixture = fit_mixture(scores, binned, rng)
    homes = _list_homes(reference, by_patient, is_several=by_patient and len(scores) < n_images)
    n_tests = _N_TESTS * n_checks
    p_population = min(1.0, n_tests * mixture.p_value)
    p_prevalence = min(1.0, n_tests * _compare_prevalences(mixture, homes))
    shift = "prevalence" if p_prevalence < alpha else "none"
    if p_population < alpha:
        shift = "population"
    threshold = unwrap(estimator).threshold
    return SiteCheck(
        shift=shift,
        p_value=p_population if shift == "population" else min(p_population, p_prevalence),
        alpha=float(alpha),
        n_checks=int(n_checks),
        n_images=n_images,
        n_patients=len(scores) if by_patient else None,
        threshold=threshold,
        positive_rate=float(np.mean(scores >= threshold)),
        reference_prevalence=homes[0][0],
        **_expect(shift, mixture, resample_rates(reference, threshold, rng), rng, alpha),
        histogram=bin_for_histogram(scores, *compared[:2], hasattr(estimator, "predict_proba")),
    )


def _check_numbers(alpha, n_checks):
    if not isinstance(alpha, Real) or not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1 (exclusive), got {alpha!r}.")
    if not isinstance(n_checks, Integral) or isinstance(n_checks, bool) or n_checks < 1:
        raise ValueError(f"n_checks must be an integer of at least 1, got {n_checks!r}.")
    lowest = _N_TESTS * n_checks * MIN_P_VALUE
    if lowest >= alpha:
        raise ValueError(
            f"With n_checks={n_checks}, p-values are at least {lowest:.2g}, so that a check at "
            f"alpha={alpha:g} would find nothing. Raise alpha, or count fewer checks."
        )


def _list_homes(reference, by_patient, is_several):
    """Prevalences of the reference that the site may have, with their variances."""
    homes = [_count_home(select_images(reference, by_patient=by_patient))]
    if is_several:
        # Of images that were drawn at random rather than patients, those of patients with many
        # images come more often, and these have pneumonia more often.
        homes.append(_count_home(select_images(reference, by_patient=False)))
    return homes


def _count_home(compared):
    """Prevalence of the reference, and its variance, by patients."""
    y_true, _, patient = compared
    _, number = np.unique(patient, return_inverse=True)
    n_images, n_positive = np.bincount(number), np.bincount(number, weights=y_true)
    prevalence = n_positive.sum() / n_images.sum()
    residual = n_positive - prevalence * n_images
    return float(prevalence), float(np.sum(residual**2) / n_images.sum() ** 2)


def _compare_prevalences(mixture, homes):
    """P-value of the difference from the nearest prevalence of the reference."""
    prevalences = [prevalence for prevalence, _ in homes]
    if min(prevalences) <= mixture.prevalence <= max(prevalences):
        return 1.0
    return max(_compare_prevalence(mixture, *home) for home in homes)


def _compare_prevalence(mixture, prevalence, variance):
    """P-value of the difference between the prevalence of the mixture and of the reference."""
    error = np.sqrt(mixture.standard_error**2 + variance)
    difference = abs(mixture.prevalence - prevalence)
    return float(2 * norm.sf(difference / error)) if error else float(difference == 0)


def _expect(shift, mixture, rates, rng, alpha):
    """Prevalence, specificity and proportion predicted positive, each with an interval."""
    if shift == "population":
        unknown = (np.nan, np.nan)
        return {
            "prevalence": np.nan,
            "prevalence_interval": unknown,
            "expected_specificity": np.nan,
            "expected_specificity_interval": unknown,
            "expected_positive_rate": np.nan,
            "expected_positive_rate_interval": unknown,
        }
    negative, positive = rates
    drawn = mixture.prevalence + mixture.standard_error * rng.standard_normal(len(negative))
    drawn = np.clip(np.append(mixture.prevalence, drawn[1:]), 0, 1)
    rate = (1 - drawn) * negative + drawn * positive
    return {
        "prevalence": mixture.prevalence,
        "prevalence_interval": _interval(drawn, alpha),
        "expected_specificity": float(1 - negative[0]),
        "expected_specificity_interval": _interval(1 - negative, alpha),
        "expected_positive_rate": float(rate[0]),
        "expected_positive_rate_interval": _interval(rate, alpha),
    }


def _interval(values, alpha):
    """Percentiles of the resampled values, which follow the first."""
    low, high = np.quantile(values[1:], [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)
