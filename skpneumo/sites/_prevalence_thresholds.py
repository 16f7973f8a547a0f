"""Thresholds at which the proportion predicted positive is the one that a prevalence implies."""

import numpy as np

from skpneumo.sites._reference import ReferenceScores

_N_RESAMPLES = 400
_CONFIDENCE = 0.95


def threshold_of_recall(scores, min_recall):
    """Highest threshold at which the recall of the reference is reached.

    Parameters
    ----------
    scores : ndarray of shape (n_patients,)
        Lowest score of each positive patient, sorted.
    min_recall : float
        Recall of patients.

    Returns
    -------
    floating
    """
    n_missed = int(np.floor(len(scores) * (1 - min_recall) + 1e-9))
    return scores[min(n_missed, len(scores) - 1)]


def implied_positive_rate(reference, prevalence, threshold):
    """Proportion predicted positive at a threshold, if this is the prevalence.

    Parameters
    ----------
    reference : ReferenceScores
        Scores by class, sorted.
    prevalence : float
        Proportion of positive patients, or images.
    threshold : float
        Of reference scores.

    Returns
    -------
    float
    """
    recall, false_positive_rate = _rates(reference, threshold)
    return prevalence * recall + (1 - prevalence) * false_positive_rate


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
    prevalence = np.mean(prevalences)
    return (
        _round_outwards(recall, n_site * prevalence),
        _round_outwards(specificity, n_site * (1 - prevalence)),
    )


def _round_outwards(interval, n):
    """Ends as proportions of n patients, who are whole: else none of 200 would not be covered."""
    n, (low, high) = max(1, round(n)), interval
    return float(np.floor(low * n + 1e-9) / n), float(np.ceil(high * n - 1e-9) / n)
