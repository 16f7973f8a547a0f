"""How many images are probably still to be labelled."""

import numpy as np

from skpneumo.sites._label_plans import certified_ranks, estimate_plan
from skpneumo.sites._reading import POSITIVE, UNREAD, lowest_scores, read_sample


def remaining_before_plan(pool, labels, pilot, min_recall, confidence):
    """Estimate the number of labels until the end, before the pilot is complete.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    pilot : ndarray of int
        Its patients.
    min_recall, confidence : float
        See `RecallCertifier`.

    Returns
    -------
    float
    """
    prevalence = _prevalence(pool, labels, pilot)
    n_patients = len(pool.order) - len(pilot)
    estimate = estimate_plan(n_patients, min_recall, confidence, prevalence)
    return estimate.n_labels + len(read_sample(pool, labels.tolist(), pilot).unread)


def remaining_of_sample(pool, labels, patients, n_positive):
    """Estimate the number of labels until so many patients of a random sample are positive.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    patients : ndarray of int
        In the order in which they are read.
    n_positive : int
        Number of positive patients at which the sample ends.

    Returns
    -------
    float
    """
    sample = read_sample(pool, labels.tolist(), patients, n_positive)
    known = np.flatnonzero(np.bincount(pool.patients, labels != UNREAD) > 0)
    needed = (n_positive - sample.n_positive) / _prevalence(pool, labels, known)
    return min(needed, len(sample.unread))


def remaining_upwards(pool, labels, patients, known, rank, min_recall, confidence):
    """Estimate the number of labels until the threshold is reached from below.

    The positive patients of pilot and sample show how many images score below the threshold.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    patients, known : ndarray of int
        All of the plan, and those of the pilot and of the sample, in random order.
    rank : int
        Rank of the threshold, 0 while the sample is read.
    min_recall, confidence : float
        See `RecallCertifier`.

    Returns
    -------
    float
    """
    unread = read_sample(pool, labels.tolist(), known).unread
    n_positive = _prevalence(pool, labels, known) * len(patients)
    rank = rank or certified_ranks(int(n_positive), min_recall, confidence)[0]
    scores = lowest_scores(pool, labels, known)
    waiting = np.isin(pool.patients, patients) & (labels == UNREAD)
    if not len(scores):
        return np.sum(waiting)
    # A proportion of the positive scores, interpolated: a sample has few below the threshold.
    threshold = np.quantile(scores, min(rank / max(n_positive, 1), 1))
    return len(unread) + np.sum(waiting & (pool.scores <= threshold))


def _prevalence(pool, labels, patients):
    """Proportion of positive patients of a sample, as far as it is read; 0.5 to begin with."""
    read = np.bincount(pool.patients, labels != UNREAD, minlength=len(pool.order))[patients] > 0
    positive = (
        np.bincount(pool.patients, labels == POSITIVE, minlength=len(pool.order))[patients] > 0
    )
    return (positive.sum() + 0.5) / (read.sum() + 1)
