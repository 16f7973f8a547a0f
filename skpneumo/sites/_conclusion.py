"""The threshold that follows from the labels, once a plan is complete."""

from typing import NamedTuple

import numpy as np

from skpneumo._utils.bounds import min_sample_size
from skpneumo._utils.formatting import percent
from skpneumo.sites._reading import POSITIVE, lowest_scores


class Conclusion(NamedTuple):
    """A threshold, and what is certified of it."""

    threshold: np.floating
    """NaN without a positive patient."""
    recall_lower_bound: float
    """``min_recall``, or less if there are too few positive patients; 0 without any."""
    n_positive: int
    """Number of patients with an image that is labelled positive."""
    images_per_patient: float
    """Mean number of images of the positive patients of the random sample."""


def conclude(pool, labels, patients, sampled, rank, *, min_recall, risk):
    """Choose the threshold.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Complete for the plan.
    patients : ndarray of int
        Those whose positive images have ranks.
    sampled : ndarray of int
        Those of the random sample.
    rank : int
        Of the threshold. If it is 0, or more than there are positive patients, the threshold is
        the lowest score.
    min_recall : float
        The recall that is certified by the rank.
    risk : float
        Probability with which the lowest score may break what is certified of it.

    Returns
    -------
    Conclusion
    """
    scores = lowest_scores(pool, labels, patients)
    is_positive = np.zeros(len(pool.order), dtype=bool)
    is_positive[pool.patients[labels == POSITIVE]] = True
    n_positive = int(is_positive[patients].sum())
    bound = min_recall
    if not 1 <= rank <= len(scores):
        # The recall at the lowest of n scores is below b with a probability of b ** n.
        rank, bound = 1, min(min_recall, risk ** (1 / n_positive)) if n_positive else 0.0
    n_images = np.bincount(pool.patients)[sampled[is_positive[sampled]]]
    return Conclusion(
        threshold=scores[rank - 1] if n_positive else pool.scores.dtype.type(np.nan),
        recall_lower_bound=float(bound),
        n_positive=n_positive,
        images_per_patient=float(n_images.mean()) if len(n_images) else np.nan,
    )


def describe_shortfall(conclusion, unit, min_recall, confidence):
    """Describe what is certified where there are too few positive patients.

    Parameters
    ----------
    conclusion : Conclusion
        With a bound below ``min_recall``.
    unit : {"patient", "image"}
        What was counted.
    min_recall, confidence : float
        What was to be certified.

    Returns
    -------
    str
    """
    bound = conclusion.recall_lower_bound
    certified = f"a recall of {percent(bound)} is" if bound else "nothing is"
    return (
        f"The {conclusion.n_positive} positive {unit}s of the pool are too few to certify "
        f"min_recall={min_recall:g} with confidence={confidence:g}: {certified} certified. Fit the "
        "certifier to a pool with more images (at least "
        f"{min_sample_size(min_recall, confidence)} positive {unit}s), or with a lower min_recall."
    )
