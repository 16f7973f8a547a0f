"""Which patients to read so that a threshold has a certified recall, and its rank.

Ranks are real numbers: 2.3 stands for the third lowest score with probability 0.3, else for the
second lowest, as in `skpneumo._utils.bounds.randomised_rank`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

# Patients who are read to choose the plan. They are not counted in what is certified, so the choice
# may depend on them in any way.
PILOT_SIZE = 20
# With fewer patients a pilot costs more than it saves: all are read.
MIN_PATIENTS_TO_PLAN = 10 * PILOT_SIZE
# More patients hardly raise the threshold, and reading upwards costs labels in proportion to them.
MAX_PATIENTS_UPWARDS = 2000
_MIN_SAMPLE_SIZE = 50
_SAMPLED_FRACTION = 0.05
# A plan may lose this part of the misses that are allowed, compared with reading every patient.
_LOST_FRACTION = 0.12
# Part of the risk that is left to samples with too few positive patients for any rank.
RISK_WITHOUT_RANK = 0.1
# Of the negative images below the threshold. It decides between the plans and certifies nothing.
_EXPECTED_SPECIFICITY = 0.9


class LabelPlan(NamedTuple):
    """A plan of which patients to read; it is not changed by what is read."""

    kind: str
    """"upwards" or "random sample"."""
    n_patients: int
    """Number of patients after the pilot, in random order, that the plan extends over."""
    n_positive: int
    """Random sample: number of positive patients at which it ends."""
    sample_size: int
    """Upwards: number of patients of the sample that estimates the number of positive ones."""
    ranks: tuple
    """Upwards: rank of the threshold by number of positive patients in that sample."""


def certified_ranks(n_positive, min_recall, confidence):
    """Rank of the threshold by the number of positive patients, if all of them are read.

    Parameters
    ----------
    n_positive : int or array-like of int
        Number of positive patients.
    min_recall : float
        The recall to certify, below 1.
    confidence : float
        Confidence level.

    Returns
    -------
    ndarray of float
        The risk of a recall below ``min_recall`` is ``1 - confidence``; 0 where even the lowest
        score has a greater risk. Between 1 and 2 the rank is randomised too.
    """
    n_positive, risk = np.atleast_1d(n_positive), 1 - confidence
    # The least count that is exceeded with a probability of at most `confidence`.
    whole = np.where(n_positive > 0, binom.ppf(risk, n_positive, 1 - min_recall), 0)
    below, at_most = (binom.cdf(whole - less, n_positive, 1 - min_recall) for less in (1, 0))
    fraction = np.clip((risk - below) / (at_most - below), 0, 1 - 1e-9)
    return np.where(whole >= 1, whole + fraction, 0.0)


def whole_rank(rank, draw):
    """Integer rank of a randomised one.

    Parameters
    ----------
    rank : float
        See `certified_ranks`.
    draw : float
        Uniform between 0 and 1, independent of all scores and labels.

    Returns
    -------
    int
        It does not decrease if ``rank`` increases.
    """
    return int(np.floor(rank + (1 - draw))) if rank >= 1 else 0


def expected_miss_rates(n_positive, min_recall, confidence):
    """Expected proportion of new positive patients below the threshold, if all are read.

    Parameters
    ----------
    n_positive : int or array-like of int
        Number of positive patients.
    min_recall, confidence : float
        See `certified_ranks`.

    Returns
    -------
    ndarray of float
        NaN where nothing can be certified.
    """
    ranks = certified_ranks(n_positive, min_recall, confidence)
    return np.where(ranks >= 1, ranks, np.nan) / (np.atleast_1d(n_positive) + 1)


@lru_cache(maxsize=16)
def upward_ranks(n_patients, sample_size, min_recall, confidence):
    """Rank of the threshold by the number of positive patients in a simple random sample.

    With ``x`` positive patients among the ``m`` of the sample, the rank is that of
    `certified_ranks` for a lower bound ``L(x)`` of the number of all positive patients. The level
    of this bound is the lowest at which the risk, over sample and scores, is at most
    ``1 - confidence`` for every number of positive patients.

    Parameters
    ----------
    n_patients : int
        Number of patients, of which an unknown number is positive.
    sample_size : int
        Number of them in the sample.
    min_recall, confidence : float
        See `certified_ranks`.

    Returns
    -------
    tuple of float, of length ``sample_size + 1``
        In ascending order. 0 where ``L(x)`` patients certify nothing: for these samples a tenth of
        the risk is left.
    """
    n_positive, x = np.arange(n_patients + 1), np.arange(sample_size + 1)
    probability = _hypergeometric(n_patients, sample_size)
    at_least = np.cumsum(probability[:, ::-1], axis=1)[:, ::-1]
    rank_by_number = certified_ranks(n_positive, min_recall, confidence)
    # Column k holds the risk of rank k.
    risks = binom.cdf(np.arange(-1, rank_by_number.max() + 1), n_positive[:, None], 1 - min_recall)

    low, high = 0.0, 1.0
    ranks = rank_by_number[x]  # of level 0: the sample alone
    for _ in range(20):
        level = (low + high) / 2
        tried = rank_by_number[np.argmax(at_least > level, axis=0)]
        if _risks(tried, probability, risks, confidence).max() <= 1 - confidence:
            low, ranks = level, tried
        else:
            high = level
    return tuple(ranks.tolist())


def _hypergeometric(n_patients, sample_size):
    """Probability of each number in the sample (columns) by number of positive patients (rows)."""
    # By a table of log factorials: scipy's pmf of as many numbers takes seconds.
    log_factorial = gammaln(np.arange(n_patients + 2) + 1.0)
    n_positive, x = np.arange(n_patients + 1)[:, None], np.arange(sample_size + 1)
    n_other, other = n_patients - n_positive, sample_size - x
    possible = (x <= n_positive) & (other <= n_other)
    rest, other_rest = np.maximum(n_positive - x, 0), np.maximum(n_other - other, 0)
    log_ways = log_factorial[n_positive] - log_factorial[x] - log_factorial[rest]
    log_ways += log_factorial[n_other] - log_factorial[other] - log_factorial[other_rest]
    log_ways = np.where(possible, log_ways, -np.inf)
    ways = np.exp(log_ways - log_ways.max(axis=1, keepdims=True))
    return ways / ways.sum(axis=1, keepdims=True)


def _risks(ranks, probability, risks, confidence):
    """Mean over the sample, by number of positive patients."""
    whole = ranks.astype(int)
    above = np.minimum(whole + 1, risks.shape[1] - 1)
    fraction = ranks - whole
    risk = (1 - fraction) * risks[:, whole] + fraction * risks[:, above]
    without_rank = RISK_WITHOUT_RANK * (1 - confidence)
    return np.sum(probability * np.where(ranks >= 1, risk, without_rank), axis=1)


class PlanEstimate(NamedTuple):
    """What is expected of a plan."""

    kind: str
    """"upwards" or "random sample"."""
    n_labels: float
    """Number of images to be labelled, without the pilot."""
    miss_rate: float
    """Proportion of new positive patients below the threshold; NaN if nothing is certified."""
    n_positive: int
    """Random sample: number of positive patients at which it ends."""


def choose_plan(n_patients, min_recall, confidence, pilot):
    """Choose the plan that is expected to need fewer labels.

    Parameters
    ----------
    n_patients : int
        Number of patients after the pilot.
    min_recall, confidence : float
        See `certified_ranks`.
    pilot : tuple of (int, float, float) or None
        Number of positive patients of the pilot, mean number of images that were read of each of
        its patients, and mean number of images of its negative ones. None without a pilot: all
        patients are read.

    Returns
    -------
    LabelPlan
    """
    everyone = LabelPlan("random sample", n_patients, n_patients, 0, ())
    if pilot is None:
        return everyone
    n_pilot_positive, images, negative_images = pilot
    prevalence = (n_pilot_positive + 0.5) / (PILOT_SIZE + 1)
    estimate = estimate_plan(
        n_patients, min_recall, confidence, prevalence, images, negative_images
    )
    if estimate.kind == "random sample":
        return everyone._replace(n_positive=estimate.n_positive)
    n_upwards, size = _sizes(n_patients)
    ranks = upward_ranks(n_upwards, size, min_recall, confidence)
    return LabelPlan("upwards", n_upwards, 0, size, ranks)


def estimate_plan(n_patients, min_recall, confidence, prevalence, images=1.0, negative_images=1.0):
    """Estimate the labels of both plans, and return the one that needs fewer.

    Parameters
    ----------
    n_patients : int
        Number of patients after the pilot.
    min_recall, confidence : float
        See `certified_ranks`.
    prevalence : float
        Proportion of positive patients.
    images, negative_images : float, default=1.0
        Mean number of images that are read of a patient, and of a negative one.

    Returns
    -------
    PlanEstimate
    """
    n_upwards, size = _sizes(n_patients)
    miss_rates = expected_miss_rates(np.arange(n_upwards + 1), min_recall, confidence)
    n_all = prevalence * n_upwards
    # If even all are too few, the sample ends where the lowest score is certified.
    required = np.nan_to_num(miss_rates[int(n_all)]) - _LOST_FRACTION * (1 - min_recall)
    n_positive = int(np.append(np.flatnonzero(miss_rates >= required), n_upwards)[0])
    sample = PlanEstimate(
        "random sample",
        min(images * n_positive / prevalence, images * n_patients),
        miss_rates[min(n_positive, int(prevalence * n_patients))],
        n_positive,
    )
    rank = upward_ranks(n_upwards, size, min_recall, confidence)[round(prevalence * size)]
    if rank < 1 or rank / (n_all + 1) < required:
        return sample
    negative = (1 - prevalence) * n_upwards * negative_images
    below = _EXPECTED_SPECIFICITY * negative + rank
    n_labels = images * size + (1 - size / n_upwards) * below
    upwards = PlanEstimate("upwards", n_labels, rank / (n_all + 1), 0)
    return min(upwards, sample, key=lambda plan: plan.n_labels)


def _sizes(n_patients):
    """Number of patients of the plan upwards, and of its sample."""
    n_upwards = min(n_patients, MAX_PATIENTS_UPWARDS)
    return n_upwards, max(_MIN_SAMPLE_SIZE, round(_SAMPLED_FRACTION * n_upwards))
