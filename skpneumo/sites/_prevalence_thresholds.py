"""Thresholds at which the proportion predicted positive is the one that a prevalence implies."""

import numpy as np

from skpneumo.sites._reference import ReferenceScores

_N_RESAMPLES = 400
_CONFIDENCE = 0.95


def implied_positive_rate(reference, prevalence, min_recall):
    """Proportion of patients predicted positive at the highest threshold of a recall.

    Parameters
    ----------
    reference : ReferenceScores
        Scores by class, sorted.
    prevalence : float
        Proportion of positive patients.
    min_recall : float
        Recall in the reference.

    Returns
    -------
    float
    """
    threshold = reference.positive[_n_missed(len(reference.positive), min_recall)]
    recall, false_positive_rate = _rates(reference, threshold)
    return prevalence * recall + (1 - prevalence) * false_positive_rate


def _n_missed(n, min_recall):
    """Number of positive patients that may be missed."""
    return min(int(np.floor(n * (1 - min_recall) + 1e-9)), n - 1)


def _rates(reference, thresholds):
    """Proportions of the positive and of the negative patients from the thresholds on."""
    return tuple(
        1 - np.searchsorted(scores, thresholds, side="left") / len(scores) for scores in reference
    )


def threshold_of_rate(scores, rate):
    """Threshold from which on a proportion of the scores lies.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores of a site.
    rate : float
        Proportion to be predicted positive.

    Returns
    -------
    floating
        One of the scores, in their type: the lowest that is predicted positive.
    """
    ordered = np.sort(scores)[::-1]
    n_positive = int(np.clip(np.round(rate * len(scores)), 1, len(scores)))
    return ordered[n_positive - 1]


def expected_rates(reference, positive_rate, prevalence):
    """Recall and specificity if this is the prevalence at a proportion predicted positive.

    Scores are taken to have moved by one increasing transformation, so that the patients above the
    threshold are those above some threshold in the reference.

    Parameters
    ----------
    reference : ReferenceScores
        Scores by class, sorted.
    positive_rate : float
        Proportion predicted positive.
    prevalence : float
        Proportion of positive patients.

    Returns
    -------
    recall, specificity : float
    """
    thresholds = np.unique(np.concatenate(reference))
    recall, false_positive_rate = _rates(reference, thresholds)
    rate = prevalence * recall + (1 - prevalence) * false_positive_rate
    # Falls with the threshold; `interp` wants it to rise.
    recall = np.interp(positive_rate, rate[::-1], recall[::-1])
    specificity = 1 - np.interp(positive_rate, rate[::-1], false_positive_rate[::-1])
    return float(recall), float(specificity)


def expected_ranges(reference, positive_rate, prevalences, n_site, rng):
    """Ranges of recall and specificity over an interval of prevalences.

    Parameters
    ----------
    reference : ReferenceScores
        Scores by class, sorted.
    positive_rate : float
        Proportion predicted positive.
    prevalences : tuple of (float, float)
        The lowest and the highest.
    n_site : int
        Number of scores of the site.
    rng : numpy.random.Generator
        For resampling both samples.

    Returns
    -------
    recall, specificity : tuple of (float, float)
        Each end covers its sampling error with a confidence of 0.975.
    """
    drawn = {p: [] for p in prevalences}
    # Of the proportion of all patients of the site, of whom the batch is a sample.
    error = np.sqrt(positive_rate * (1 - positive_rate) / n_site)
    for _ in range(_N_RESAMPLES):
        sample = ReferenceScores(
            *(np.sort(rng.choice(scores, len(scores))) for scores in reference)
        )
        rate = np.clip(positive_rate + error * rng.standard_normal(), 0, 1)
        for p in drawn:
            drawn[p].append(expected_rates(sample, rate, p))
    tail = 100 * (1 - _CONFIDENCE) / 2
    low, high = (np.array(drawn[p]) for p in prevalences)
    # The more positive patients there are, the fewer of them are above the threshold.
    recall = np.percentile(high[:, 0], tail), np.percentile(low[:, 0], 100 - tail)
    specificity = np.percentile(low[:, 1], tail), np.percentile(high[:, 1], 100 - tail)
    return tuple(map(float, recall)), tuple(map(float, specificity))
