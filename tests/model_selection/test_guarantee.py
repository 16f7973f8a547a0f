"""How often the true recall is below the certified one, over thousands of samples.

The populations are so simple that the true recall of a threshold is known: unless stated otherwise,
scores of positive patients are uniform. A rate above 1 - confidence fails, and so does one far
below it, since a threshold that is too low costs specificity.
"""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import binom, norm
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from skpneumo._utils.bounds import draw_by_order, highest_rank, randomised_rank
from skpneumo.model_selection import OperatingPointClassifierCV

N_PATIENTS = 65
MIN_RECALL, CONFIDENCE = 0.9, 0.9


def standard_error(fraction, n):
    return np.sqrt(fraction * (1 - fraction) / n)


def thresholds(scores, min_recall=MIN_RECALL, confidence=CONFIDENCE):
    """The threshold chosen in each sample: a row of scores of positive patients."""
    n_patients = scores.shape[1]
    if confidence is None:
        ranks = np.full(len(scores), highest_rank(n_patients, min_recall))
    else:
        draws = np.array([draw_by_order(sample) for sample in scores])
        ranks = randomised_rank(n_patients, min_recall, confidence, draws)
    return np.take_along_axis(np.sort(scores, axis=1), ranks[:, None] - 1, axis=1)[:, 0]


@pytest.fixture
def samples(rng):
    return rng.random((20_000, N_PATIENTS))


def test_the_recall_is_too_low_at_the_nominal_rate(samples):
    rate = np.mean(1 - thresholds(samples) < MIN_RECALL)
    assert abs(rate - 0.1) < 4 * standard_error(0.1, 20_000)


@pytest.mark.parametrize(
    ("n_patients", "min_recall"),
    [(149, 0.98), (200, 0.98), (235, 0.98), (236, 0.98), (59, 0.95), (92, 0.95), (93, 0.95)],
)
def test_the_whole_risk_is_used_with_any_number_of_patients(rng, n_patients, min_recall):
    chosen = thresholds(rng.random((8000, n_patients)), min_recall, 0.95)
    rate = np.mean(1 - chosen < min_recall)
    nominal = binom.cdf(0, 59, 0.05) if n_patients == 59 else 0.05
    assert abs(rate - nominal) < 4 * standard_error(0.05, 8000)
    # Without the draw it is .009 with 235 patients, the last before the rank rises.
    fixed = highest_rank(n_patients, min_recall, 0.95)
    if n_patients in (92, 235):
        assert binom.cdf(fixed - 1, n_patients, 1 - min_recall) < 0.011 < rate


def test_more_patients_do_not_cost_specificity(rng):
    """149 patients and 236 have ranks that use up the risk; those between them do not."""
    specificity = []
    for n_patients in (149, 200, 235, 236):
        chosen = thresholds(rng.normal(2.5, 1, (4000, n_patients)), 0.98, 0.95)
        specificity.append(norm.cdf(chosen).mean())
    assert (np.diff(specificity) > -0.01).all()
    assert specificity[2] > specificity[0] + 0.02


@pytest.mark.parametrize(("digits", "min_rate"), [(1, 0), (2, 0.05)])
def test_ties_lower_the_rate(samples, digits, min_rate):
    recall = 1 - np.maximum(thresholds(samples.round(digits)) - 0.5 / 10**digits, 0)
    rate = np.mean(recall < MIN_RECALL - 1e-12)
    assert rate <= 1 - CONFIDENCE + 4 * standard_error(0.1, 20_000)
    assert rate >= min_rate  # the coarser the scores, the safer


def test_without_confidence_the_recall_is_too_low_half_of_the_time(samples):
    rate = np.mean(1 - thresholds(samples, confidence=None) < MIN_RECALL)
    # the threshold is the seventh lowest score, and too high if six or fewer are below 0.1
    expected = binom.cdf(6, N_PATIENTS, 0.1)
    assert abs(rate - expected) < 3 * standard_error(expected, 20_000)
    assert rate > 0.5


def images_of_patients(rng):
    """One to four images a patient: the lowest score is uniform, the others lie a little above."""
    lowest = rng.random(N_PATIENTS)
    groups = np.repeat(np.arange(N_PATIENTS), rng.integers(1, 5, N_PATIENTS))
    first = np.r_[True, np.diff(groups) > 0]
    above = np.where(first, 0, rng.exponential(0.02, len(groups)))
    order = rng.permutation(len(groups))
    return (lowest[groups] + above)[order], groups[order]


def test_the_rate_is_nominal_for_patients_of_several_images(by_column, rng):
    options = {"min_recall": MIN_RECALL, "confidence": CONFIDENCE}
    recalls = []
    for _ in range(2000):
        positive, groups = images_of_patients(rng)
        scores, y = np.r_[0.1, 0.9, positive], np.repeat([0, 1], [2, len(positive)])
        model = by_column(scores, y, groups=np.r_[-1, -2, groups], **options)
        recalls.append(1 - model.best_threshold_)
    rate = np.mean(np.array(recalls) < MIN_RECALL)
    assert abs(rate - 0.1) < 4 * standard_error(0.1, 2000)


def test_without_groups_repeated_patients_raise_the_rate(rng):
    """The images of a patient are not independent, and the simulation shows it."""
    drawn = [images_of_patients(rng)[0] for _ in range(2000)]
    chosen = [thresholds(scores[None])[0] for scores in drawn]
    rate = np.mean(1 - np.array(chosen) < MIN_RECALL)
    assert rate > 1 - CONFIDENCE + 10 * standard_error(rate, 2000)


def test_a_recall_certified_with_one_image_does_not_hold_with_three(rng):
    """A patient with more images is more often a false negative in one of them."""
    chosen = thresholds(rng.normal(size=(500, 600)), 0.98, 0.95)
    assert np.mean(norm.sf(chosen) ** 3 < 0.98) > 0.5


# -- out-of-fold scores -----------------------------------------------------------------------


def rates_with_and_without_refit(rng, estimator, n_runs, n_features=50, n_positive=124, shift=3):
    """Rate of a true recall below 0.95: of a refitted model, and of the mean of the folds."""
    y = np.repeat([0, 1], [n_positive // 2, n_positive])
    recalls = []
    for _ in range(n_runs):
        X = rng.normal(size=(len(y), n_features))
        X[:, 0] += shift * y
        model = OperatingPointClassifierCV(estimator, min_recall=0.95, refit=False).fit(X, y)
        found = []
        for members in ([clone(estimator).fit(X, y)], model.estimator_.fold_estimators_):
            weight = np.mean([member.coef_[0] for member in members], axis=0)
            bias = np.mean([member.intercept_[0] for member in members])
            edge = logit(model.best_threshold_) - bias - shift * weight[0]
            found.append(norm.sf(edge / np.linalg.norm(weight)))
        recalls.append(found)
    return np.mean(np.array(recalls) < 0.95, axis=0)


def test_the_mean_of_folds_holds_and_a_refitted_model_does_not_for_separable_data(rng):
    """Almost without a penalty, positive and negative patients are nearly separable."""
    refitted, mean = rates_with_and_without_refit(rng, LogisticRegression(C=1e4), 150)
    assert refitted > 0.15
    assert mean < 0.05 + 3 * standard_error(0.05, 150)


def test_both_hold_approximately_for_a_regularised_model(rng):
    refitted, mean = rates_with_and_without_refit(rng, LogisticRegression(), 100, n_features=10)
    assert max(refitted, mean) < 0.07 + 4 * standard_error(0.07, 100)


# -- searches ---------------------------------------------------------------------------------


class OneColumn(ClassifierMixin, BaseEstimator):
    """Scores by a column, whatever it is fitted on."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):
        self.classes_, self.column_ = np.unique(y), self.column
        return self

    def decision_function(self, X):
        return X[:, self.column_]


class BestColumn(OneColumn):
    """Searches for the column of the highest mean specificity at recall 0.9 over two folds."""

    def fit(self, X, y):
        super().fit(X, y)
        specificity = 0
        for _, test in StratifiedKFold(2).split(X, y):
            positive, negative = np.sort(X[test][y[test] == 1], axis=0), X[test][y[test] == 0]
            floor = positive[len(positive) // 10]
            specificity = specificity + np.mean(negative < floor, axis=0)
        self.column_ = np.argmax(specificity)
        return self


def test_a_search_inside_keeps_the_certified_recall_and_one_before_does_not(rng):
    """40 columns are equally good, so the best one in a sample is best by chance."""
    y, n_runs = np.repeat([0, 1], [25, 60]), 300
    recalls = []
    for _ in range(n_runs):
        X = rng.normal(size=(len(y), 40)) + 2 * y[:, None]
        before = OneColumn(BestColumn().fit(X, y).column_)
        models = [
            OperatingPointClassifierCV(estimator, min_recall=0.9, cv=2, refit=False).fit(X, y)
            for estimator in (before, BestColumn())
        ]
        recalls.append([norm.sf(model.best_threshold_ - 2) for model in models])
    before, inside = np.mean(np.array(recalls) < 0.9, axis=0)
    assert before > 0.05 + 5 * standard_error(0.05, n_runs)
    assert inside < 0.05 + 4 * standard_error(0.05, n_runs)
