"""How many images of a site to label for which specificity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import beta, binom
from sklearn.base import BaseEstimator

from skpneumo._utils.bounds import min_sample_size
from skpneumo._utils.validation import check_open_fraction
from skpneumo.sites._label_plans import (
    MIN_PATIENTS_TO_PLAN,
    PILOT_SIZE,
    certified_ranks,
    estimate_plan,
)
from skpneumo.sites._label_table import LabelTable
from skpneumo.sites._reference import get_reference, get_reference_scores

_PROBABILITY = 0.9  # of reaching the number of positive patients
_RANKS = (1, 2, 3, 5, 10, 20, 40)
_QUANTILES = (np.arange(400) + 0.5) / 400


class _Sample(NamedTuple):
    """Expected recall and specificity, and an interval of the latter."""

    recall: float
    specificity: float
    specificity_low: float
    specificity_high: float


def plan_labels(
    estimator: BaseEstimator,
    *,
    prevalence: float,
    min_recall: float = 0.95,
    confidence: float = 0.95,
) -> LabelTable:
    """Plan how many images of a site to label, before any is labelled.

    Parameters
    ----------
    estimator : classifier
        Fitted, with an :class:`~skpneumo.OperatingPointClassifierCV` in it, whose scores are the
        reference; `load_pretrained` returns one.
    prevalence : float
        Expected proportion of positive patients at the site, between 0 and 1.
    min_recall : float, default=0.95
        The recall to certify, between 0 and 1.
    confidence : float, default=0.95
        Its confidence, between 0 and 1.

    Returns
    -------
    LabelTable
        ``print`` shows it as text, a notebook as HTML. A row for the numbers of positive patients
        at which the rank of the threshold becomes 1, 2, 3, 5, 10, 20 and 40.

    Raises
    ------
    ValueError
        If a number is not between 0 and 1, or the model holds no reference scores.

    See Also
    --------
    RecallCertifier : Certifies a recall with labels of a part of the images.

    Notes
    -----
    **Number of patients.** The threshold is the ``k``-th lowest score of the positive patients, and
    ``k`` rises with their number; with fewer than the first of these numbers nothing is certified.
    How many patients have so many positive ones among them is random, and the mean is exceeded in
    half of the samples only: ``n_patients`` suffices in 90 % of them. For 149 positive patients at
    a prevalence of .2 that are 816, while the mean is 745.

    **Recall and specificity.** At the ``k``-th lowest of ``n`` scores the proportion of positive
    patients below has a Beta distribution with ``k`` and ``n - k + 1`` (ranks between two rows are
    randomised). The specificity is that of the reference at this recall: it is expected only where
    the site's scores are distributed as the reference's. They often are not, and then the
    specificity is lower; what is certified does not depend on them. The interval contains the
    specificity of 95 % of samples.

    **Certifier.** `n_labels` is what `RecallCertifier` needs for a pool of ``n_patients`` with one
    image each, by the plan that it chooses for this prevalence; recall and specificity are those
    of this plan.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo import OperatingPointClassifierCV
    >>> from skpneumo.sites import plan_labels
    >>> X, y = make_classification(1000, class_sep=1.5, random_state=0)
    >>> model = OperatingPointClassifierCV(LogisticRegression()).fit(X, y)
    >>> table = plan_labels(model, prevalence=0.2, min_recall=0.98)
    >>> table.rows[0]["n_positive"], table.rows[0]["n_patients"]
    (149, 816)
    """
    for name, value in (
        ("prevalence", prevalence),
        ("min_recall", min_recall),
        ("confidence", confidence),
    ):
        check_open_fraction(name, value)
    reference = get_reference_scores(get_reference(estimator))
    rows = [
        _row(n_positive, reference, prevalence, min_recall, confidence)
        for n_positive in numbers_at_ranks(_RANKS, min_recall, confidence)
    ]
    return LabelTable(rows, float(prevalence), float(min_recall), float(confidence))


def numbers_at_ranks(ranks, min_recall, confidence):
    """Least number of positive patients at which the threshold has each rank.

    Parameters
    ----------
    ranks : tuple of int
        In ascending order, from 1.
    min_recall, confidence : float
        See `plan_labels`.

    Returns
    -------
    list of int
    """
    most = min_sample_size(min_recall, confidence)
    while certified_ranks(most, min_recall, confidence)[0] < ranks[-1]:
        most *= 2
    reached = certified_ranks(np.arange(most + 1), min_recall, confidence)
    # Adding a little: the rank of the first number may be 1 less a rounding error.
    return np.searchsorted(reached + 1e-9, ranks).tolist()


def n_patients_needed(n_positive, prevalence, probability=_PROBABILITY):
    """Number of patients among whom there are so many positive ones, with a probability.

    Parameters
    ----------
    n_positive : int
        Number of positive patients.
    prevalence : float
        Proportion of positive patients.
    probability : float, default=0.9
        With which at least so many are found.

    Returns
    -------
    int
    """
    low, high = n_positive - 1, n_positive
    while binom.sf(n_positive - 1, high, prevalence) < probability:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = binom.sf(n_positive - 1, middle, prevalence) >= probability
        low, high = (low, middle) if enough else (middle, high)
    return high


def _row(n_positive, reference, prevalence, min_recall, confidence):
    n_patients = n_patients_needed(n_positive, prevalence)
    rank = certified_ranks(n_positive, min_recall, confidence)[0]
    whole = _expected(rank, n_positive, reference)
    row = {
        "n_positive": n_positive,
        "n_patients": n_patients,
        "mean_n_patients": n_positive / prevalence,
        **whole._asdict(),
    }
    return row | _certifier_row(n_patients, whole, reference, prevalence, min_recall, confidence)


def _certifier_row(n_patients, whole, reference, prevalence, min_recall, confidence):
    if n_patients < MIN_PATIENTS_TO_PLAN:
        estimate, n_labels, certified = None, n_patients, whole
    else:
        estimate = estimate_plan(n_patients - PILOT_SIZE, min_recall, confidence, prevalence)
        n_labels = min(estimate.n_labels + PILOT_SIZE, n_patients)
        n_positive = int(prevalence * n_patients)
        certified = whole
        if not np.isnan(estimate.miss_rate):
            certified = _expected(estimate.miss_rate * (n_positive + 1), n_positive, reference)
    return {
        "plan": "random sample" if estimate is None else estimate.kind,
        "n_labels": round(n_labels),
        "certifier_recall": certified.recall,
        "certifier_specificity": certified.specificity,
    }


def _expected(rank, n_positive, reference):
    """Of a threshold of this rank, over samples of so many positive patients."""
    misses = beta(rank, n_positive - rank + 1)
    thresholds = np.quantile(reference.positive, misses.ppf(_QUANTILES), method="inverted_cdf")
    negative = np.sort(reference.negative)
    specificities = np.searchsorted(negative, thresholds) / len(negative)
    low, high = np.quantile(specificities, (0.025, 0.975))
    return _Sample(
        recall=float(1 - misses.mean()),
        specificity=float(specificities.mean()),
        specificity_low=float(low),
        specificity_high=float(high),
    )
