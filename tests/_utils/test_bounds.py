"""The bounds against binomial probabilities."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, kstest

from skpneumo._utils.bounds import (
    draw_by_order,
    highest_rank,
    lower_bound,
    min_sample_size,
    min_score_per_patient,
    randomised_rank,
)

REQUIRED = [0.5, 0.8, 0.9, 0.95, 0.98, 0.995]
CONFIDENCES = [0.5, 0.8, 0.9, 0.95, 0.99]


def rank_by_binomial_probabilities(n_clusters, required, confidence):
    """Highest k for which the k-th lowest score is too high in at most 1 - confidence of samples.

    It is too high if fewer than k clusters score among the lowest 1 - required of the population.
    """
    too_high = np.cumsum(binom.pmf(np.arange(n_clusters), n_clusters, 1 - required))
    return np.sum(too_high <= 1 - confidence + 1e-12)


@pytest.mark.parametrize("required", REQUIRED)
@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_rank_is_the_highest_that_reaches_the_recall(required, confidence):
    for n_clusters in (1, 2, 5, 13, 29, 60, 149, 313):
        expected = rank_by_binomial_probabilities(n_clusters, required, confidence)
        assert highest_rank(n_clusters, required, confidence) == expected


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("n_clusters", [1, 7, 60, 200])
def test_the_bound_is_that_of_clopper_and_pearson(n_clusters, confidence):
    n_errors = np.arange(n_clusters + 1)
    bounds = lower_bound(n_clusters, n_errors, confidence)
    expected = [
        binomtest(int(n_clusters - m), n_clusters, alternative="greater")
        .proportion_ci(confidence, method="exact")
        .low
        for m in n_errors
    ]
    np.testing.assert_allclose(bounds, expected, atol=1e-9)
    assert bounds[-1] == 0
    # at the bound itself, there are so few errors in just 1 - confidence of samples
    np.testing.assert_allclose(
        binom.cdf(n_errors[:-1], n_clusters, 1 - bounds[:-1]), 1 - confidence, atol=1e-9
    )


def test_a_number_gives_a_number():
    bound = lower_bound(149, 0, 0.95)
    assert isinstance(bound, float)
    assert bound == pytest.approx(0.05 ** (1 / 149))


def test_149_clusters_certify_a_recall_of_98_percent():
    assert min_sample_size(0.98, 0.95) == 149
    assert 0.98**149 <= 0.05 < 0.98**148
    assert highest_rank(148, 0.98, 0.95) == 0
    assert highest_rank(149, 0.98, 0.95) == 1
    assert [min_sample_size(required, 0.95) for required in (0.9, 0.95, 0.99)] == [29, 59, 299]


@pytest.mark.parametrize("required", REQUIRED)
@pytest.mark.parametrize("confidence", [*CONFIDENCES, 0.75, 0.875, 1 - 0.9**7, 1 - 0.98**20])
def test_the_sample_size_is_the_smallest_that_suffices(required, confidence):
    needed = min_sample_size(required, confidence)
    assert highest_rank(needed, required, confidence) >= 1
    assert needed == 1 or highest_rank(needed - 1, required, confidence) == 0


def test_a_recall_of_1_cannot_be_certified():
    assert min_sample_size(1, 0.95) is None
    assert highest_rank(10_000, 1, 0.95) == 0


@pytest.mark.parametrize("required", [*REQUIRED, 0.1, 2 / 3, 1])
def test_without_confidence_the_recall_is_that_of_the_sample(required):
    for n_clusters in (1, 3, 10, 49, 50, 150):
        rank = highest_rank(n_clusters, required)
        n_right = n_clusters - rank + 1  # with the score of this rank as threshold
        assert n_right / n_clusters >= required - 1e-12
        assert rank == n_clusters or (n_right - 1) / n_clusters < required - 1e-12


def test_a_recall_that_rounding_misses_is_reached():
    # 1 - 3 / 10 is less than 0.7
    assert highest_rank(10, 0.7) == 4
    assert highest_rank(10, 0.9) == 2


def test_more_clusters_allow_more_errors():
    ranks = [highest_rank(n, 0.95, 0.95) for n in range(1, 400)]
    assert ranks == sorted(ranks)
    assert ranks[57:59] == [0, 1]


def test_the_lowest_score_of_each_patient():
    scores = np.array([0.9, 0.2, 0.7, 0.4, 0.3], dtype=np.float32)
    lowest = np.sort(min_score_per_patient(scores, np.array([8, 8, 3, 3, 5])))
    np.testing.assert_array_equal(lowest, np.float32([0.2, 0.3, 0.4]))
    assert lowest.dtype == np.float32
    np.testing.assert_array_equal(np.sort(min_score_per_patient(scores)), np.sort(scores))
    named = np.array(["b", "b", "a", "a", "c"])
    np.testing.assert_array_equal(np.sort(min_score_per_patient(scores, named)), lowest)
    unsorted = min_score_per_patient(scores, np.array([8, 8, 3, 3, 5]))
    np.testing.assert_array_equal(unsorted, np.float32([0.4, 0.3, 0.2]))


# -- the randomised rank ----------------------------------------------------------------------

SIZES = [*((n, 0.98, 0.95) for n in (149, 200, 235, 236, 1000)), (59, 0.95, 0.95), (92, 0.95, 0.95)]


@pytest.mark.parametrize(
    ("n_clusters", "required", "confidence"), [*SIZES, (29, 0.9, 0.95), (12, 0.5, 0.8)]
)
def test_a_uniform_draw_uses_up_the_risk_exactly(n_clusters, required, confidence):
    draws = (np.arange(100_000) + 0.5) / 100_000
    ranks = randomised_rank(n_clusters, required, confidence, draws)
    # A rank is too high if fewer clusters than that score among the lowest 1 - required.
    risk = binom.cdf(ranks - 1, n_clusters, 1 - required).mean()
    assert risk == pytest.approx(1 - confidence, abs=1e-5)
    low = highest_rank(n_clusters, required, confidence)
    assert set(ranks) <= {low, low + 1}
    assert (np.diff(ranks) <= 0).all()


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_the_sample_size_needed_is_not_randomised(draw):
    assert randomised_rank(148, 0.98, 0.95, draw) == 0
    assert randomised_rank(149, 0.98, 0.95, draw) >= 1
    assert randomised_rank(10_000, 1, 0.95, draw) == 0
    # All ranks are safe, and there is none above the last.
    assert randomised_rank(20, 0.01, 0.5, draw) == 20
    assert isinstance(int(randomised_rank(149, 0.98, 0.95, draw)), int)


def test_the_rank_of_few_clusters_is_not_randomised():
    for n_clusters in range(1, 10):
        for required in REQUIRED:
            ranks = randomised_rank(n_clusters, required, 0.5, np.array([0.0, 1.0]))
            assert set(ranks) == {highest_rank(n_clusters, required, 0.5)}


def test_the_mean_rank_increases_with_every_cluster():
    draws = (np.arange(20_000) + 0.5) / 20_000
    ranks = np.array([randomised_rank(n, 0.98, 0.95, draws).mean() for n in range(149, 320)])
    # The k-th lowest of n scores has the place k / (n + 1) among all patients on average.
    places = ranks / (np.arange(149, 320) + 1)
    assert (np.diff(places) > -1e-6).all()
    assert places[235 - 149] > 1.2 * places[0]


def test_the_draw_is_that_of_the_order_alone():
    scores = np.random.default_rng(0).random(60)
    draw = draw_by_order(scores)
    assert draw == draw_by_order(scores.astype(np.float32)) == draw_by_order(np.exp(3 * scores))
    assert draw != draw_by_order(scores[::-1])
    # The same on every machine.
    assert draw_by_order(np.arange(20.0)) == pytest.approx(0.24494611940899264, abs=1e-15)


def test_draws_are_uniform_and_independent_of_the_sorted_scores():
    samples = np.random.default_rng(0).random((4000, 30))
    draws = np.array([draw_by_order(scores) for scores in samples])
    assert kstest(draws, "uniform").pvalue > 0.001
    # Four standard errors.
    assert abs(np.corrcoef(draws, samples.min(axis=1))[0, 1]) < 4 / np.sqrt(4000)
    # Sorted scores that are the same every time, too.
    rng = np.random.default_rng(1)
    draws = [draw_by_order(rng.permutation(30).round(-1)) for _ in range(4000)]
    assert kstest(draws, "uniform").pvalue > 0.001
