"""Which patients to read so that a threshold has a certified recall, and its rank.

Ranks are real numbers: 2.3 stands for the third lowest score with probability 0.3, else for the
second lowest, as in `skpneumo._utils.bounds.randomised_rank`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, hypergeom

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
    probability = hypergeom.pmf(x, n_patients, n_positive[:, None], sample_size)
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


def get_risks(ranks, n_patients, min_recall, confidence):
    """Bound of the probability that the recall at a threshold of `upward_ranks` is too low.

    Parameters
    ----------
    ranks : tuple of float
        By the number of positive patients in the sample.
    n_patients : int
        Number of patients.
    min_recall, confidence : float
        See `certified_ranks`.

    Returns
    -------
    ndarray of shape (n_patients + 1,)
        By the number of positive patients. Without ties between scores it is the probability
        itself, but for numbers that certify nothing.
    """
    n_positive, m = np.arange(n_patients + 1)[:, None], len(ranks) - 1
    probability = hypergeom.pmf(np.arange(m + 1), n_patients, n_positive, m)
    risks = binom.cdf(np.arange(-1, max(ranks) + 1), n_positive, 1 - min_recall)
    return _risks(np.asarray(ranks), probability, risks, confidence)


def _risks(ranks, probability, risks, confidence):
    """Mean over the sample, by number of positive patients."""
    whole = ranks.astype(int)
    above = np.minimum(whole + 1, risks.shape[1] - 1)
    fraction = ranks - whole
    risk = (1 - fraction) * risks[:, whole] + fraction * risks[:, above]
    without_rank = RISK_WITHOUT_RANK * (1 - confidence)
    return np.sum(probability * np.where(ranks >= 1, risk, without_rank), axis=1)


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
    n_upwards = min(n_patients, MAX_PATIENTS_UPWARDS)
    size = max(_MIN_SAMPLE_SIZE, round(_SAMPLED_FRACTION * n_upwards))
    ranks = upward_ranks(n_upwards, size, min_recall, confidence)
    labels, n_positive = _expected_labels(n_upwards, size, ranks, min_recall, confidence, pilot)
    if labels["upwards"] < labels["random sample"]:
        return LabelPlan("upwards", n_upwards, 0, size, ranks)
    return everyone._replace(n_positive=n_positive)


def expected_labels(n_patients, min_recall, confidence, prevalence):
    """Number of labels that each plan is expected to need, with one image per patient.

    Parameters
    ----------
    n_patients : int
        Number of patients, with the pilot.
    min_recall, confidence : float
        See `certified_ranks`.
    prevalence : float
        Proportion of positive patients.

    Returns
    -------
    dict of str to float
        By kind of plan; infinite for one that is not possible, or loses too much.
    """
    if n_patients < MIN_PATIENTS_TO_PLAN:
        return {"upwards": np.inf, "random sample": float(n_patients)}
    n_upwards = min(n_patients - PILOT_SIZE, MAX_PATIENTS_UPWARDS)
    size = max(_MIN_SAMPLE_SIZE, round(_SAMPLED_FRACTION * n_upwards))
    ranks = upward_ranks(n_upwards, size, min_recall, confidence)
    pilot = (prevalence * (PILOT_SIZE + 1) - 0.5, 1.0, 1.0)
    labels, _ = _expected_labels(n_upwards, size, ranks, min_recall, confidence, pilot)
    return {kind: min(PILOT_SIZE + n, n_patients) for kind, n in labels.items()}


def _expected_labels(n_patients, size, ranks, min_recall, confidence, pilot):
    """Expected labels of each plan, and the number of positive patients of a random sample."""
    n_pilot_positive, images, negative_images = pilot
    prevalence = (n_pilot_positive + 0.5) / (PILOT_SIZE + 1)
    numbers = np.arange(n_patients + 1)
    miss_rates = expected_miss_rates(numbers, min_recall, confidence)
    n_all = prevalence * n_patients
    full = miss_rates[int(n_all)]
    if np.isnan(full):
        # Even all may be too few: the sample ends where the lowest score is certified.
        full = 0.0
    required = full - _LOST_FRACTION * (1 - min_recall)
    enough = np.flatnonzero(miss_rates >= required)
    n_positive = int(enough[0]) if len(enough) else n_patients
    rank = ranks[min(round(prevalence * size), size)]
    labels = {"upwards": np.inf, "random sample": images * n_positive / prevalence}
    if rank >= 1 and rank / (n_all + 1) >= required:
        n_negative = (1 - prevalence) * n_patients
        below = _EXPECTED_SPECIFICITY * n_negative * negative_images + rank
        sampled = size / n_patients
        labels["upwards"] = images * size + (1 - sampled) * below
    return labels, n_positive
