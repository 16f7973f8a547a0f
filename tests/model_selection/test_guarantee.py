"""The promise itself, over thousands of samples: how often is the true recall too low?

Scores of the ill are uniform, so the true recall of a threshold is known. A promise that is broken
more often than 1 - confidence fails; so does one that is kept by being too careful.
"""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from skpneumo.metrics._bounds import highest_rank
from skpneumo.model_selection import OperatingPointClassifierCV

N_UNITS = 65
MIN_RECALL, CONFIDENCE = 0.9, 0.9
# How often the promise is broken on scores without ties: just under what is allowed.
EXACT = max(p for p in binom.cdf(np.arange(N_UNITS), N_UNITS, 1 - MIN_RECALL) if p <= 0.1)


def standard_error(share, n):
    return np.sqrt(share * (1 - share) / n)


def thresholds(scores, confidence=CONFIDENCE):
    """The threshold chosen in each sample: a row of scores of the ill."""
    rank = highest_rank(scores.shape[1], MIN_RECALL, confidence)
    return np.sort(scores, axis=1)[:, rank - 1]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def samples(rng):
    return rng.random((20_000, N_UNITS))


def test_continuous_scores(samples):
    broken = np.mean(1 - thresholds(samples) < MIN_RECALL)
    assert EXACT > 0.099
    assert broken <= 1 - CONFIDENCE + 3 * standard_error(broken, 20_000)
    assert abs(broken - EXACT) < 3 * standard_error(broken, 20_000)


@pytest.mark.parametrize(("digits", "least"), [(1, 0), (2, 0.05)])
def test_scores_with_ties(samples, digits, least):
    recall = 1 - np.maximum(thresholds(samples.round(digits)) - 0.5 / 10**digits, 0)
    broken = np.mean(recall < MIN_RECALL - 1e-12)
    assert broken <= 1 - CONFIDENCE + 3 * standard_error(broken, 20_000)
    assert broken >= least  # the coarser the scores, the safer


def test_without_confidence_it_is_broken_half_of_the_time(samples):
    broken = np.mean(1 - thresholds(samples, confidence=None) < MIN_RECALL)
    # the threshold is the seventh lowest score, and too high if six or fewer are below 0.1
    expected = binom.cdf(6, N_UNITS, 0.1)
    assert abs(broken - expected) < 3 * standard_error(expected, 20_000)
    assert broken > 0.5


class FirstColumn(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        raise AssertionError("a frozen model is not fitted")

    def decision_function(self, X):
        return X[:, 0]


def images_of_patients(rng):
    """One to four images a patient: the lowest score is uniform, the others lie a little above."""
    lowest = rng.random(N_UNITS)
    groups = np.repeat(np.arange(N_UNITS), rng.integers(1, 5, N_UNITS))
    first = np.r_[True, np.diff(groups) > 0]
    above = np.where(first, 0, rng.exponential(0.02, len(groups)))
    order = rng.permutation(len(groups))
    return (lowest[groups] + above)[order], groups[order]


def test_patients_of_several_images_from_end_to_end(rng):
    model = OperatingPointClassifierCV(
        FrozenEstimator(FirstColumn()), min_recall=MIN_RECALL, confidence=CONFIDENCE
    )
    recalls = []
    for _ in range(2000):
        ill, groups = images_of_patients(rng)
        X, y = np.r_[0.1, 0.9, ill][:, None], np.repeat([0, 1], [2, len(ill)])
        threshold = model.fit(X, y, groups=np.r_[-1, -2, groups]).best_threshold_
        recalls.append(1 - threshold)
    broken = np.mean(np.array(recalls) < MIN_RECALL)
    assert broken <= 1 - CONFIDENCE + 3 * standard_error(broken, 2000)
    assert abs(broken - EXACT) < 3 * standard_error(EXACT, 2000)


def test_images_taken_for_patients_break_it(rng):
    """The simulation can tell: the images of a patient are not independent."""
    drawn = [images_of_patients(rng)[0] for _ in range(2000)]
    chosen = [thresholds(scores[None])[0] for scores in drawn]
    broken = np.mean(1 - np.array(chosen) < MIN_RECALL)
    assert broken > 1 - CONFIDENCE + 10 * standard_error(broken, 2000)
