"""Ranks of certified recall, their joint calibration with a sample, and the choice of a plan."""

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from skpneumo._utils.bounds import highest_rank, min_sample_size
from skpneumo.sites._label_plans import (
    PILOT_SIZE,
    _hypergeometric,
    _risks,
    certified_ranks,
    choose_plan,
    expected_miss_rates,
    upward_ranks,
    whole_rank,
)

TARGETS = [(0.95, 0.95), (0.98, 0.95), (0.9, 0.9), (0.5, 0.99)]


def get_risks(ranks, n_patients, min_recall, confidence):
    """Risk of a recall below ``min_recall`` at such ranks, by the number of positive patients."""
    n_positive = np.arange(n_patients + 1)[:, None]
    probability = _hypergeometric(n_patients, len(ranks) - 1)
    risks = binom.cdf(np.arange(-1, max(ranks) + 1), n_positive, 1 - min_recall)
    return _risks(np.asarray(ranks), probability, risks, confidence)


@pytest.mark.parametrize(("min_recall", "confidence"), TARGETS)
def test_ranks_of_a_labelled_sample(min_recall, confidence):
    n_positive = np.arange(400)
    ranks = certified_ranks(n_positive, min_recall, confidence)
    expected = [highest_rank(n, min_recall, confidence) for n in n_positive]
    np.testing.assert_array_equal(np.floor(ranks + 1e-9), expected)
    # The whole risk is used: of the two ranks, each in its proportion.
    below, at_most = (
        binom.cdf(np.floor(ranks) - less, n_positive, 1 - min_recall) for less in (1, 0)
    )
    risk = below + (ranks % 1) * (at_most - below)
    used = ranks >= 1
    np.testing.assert_allclose(risk[used], 1 - confidence, atol=1e-6)
    assert np.all(np.diff(ranks) >= 0)
    assert n_positive[used][0] == min_sample_size(min_recall, confidence)


def test_a_draw_decides_between_two_ranks():
    draws = (np.arange(1000) + 0.5) / 1000
    assert {whole_rank(2.0, draw) for draw in draws} == {2}
    assert np.mean([whole_rank(2.3, draw) for draw in draws]) == pytest.approx(2.3)
    assert whole_rank(0.0, 0.5) == 0
    for draw in (0.01, 0.5, 0.99):
        ranks = [whole_rank(rank, draw) for rank in np.linspace(1, 4, 61)]
        assert np.all(np.diff(ranks) >= 0)


@pytest.mark.parametrize(("min_recall", "confidence"), TARGETS)
@pytest.mark.parametrize(("n_patients", "sample_size"), [(180, 50), (600, 50), (1180, 59)])
def test_the_risk_is_at_most_that_allowed_for_each_number_of_positive_patients(
    n_patients, sample_size, min_recall, confidence
):
    ranks = upward_ranks(n_patients, sample_size, min_recall, confidence)
    assert len(ranks) == sample_size + 1
    assert np.all(np.diff(ranks) >= 0)
    risks = get_risks(ranks, n_patients, min_recall, confidence)
    assert risks.max() <= (1 - confidence) * (1 + 1e-9)


def test_the_risk_is_the_sum_of_the_theorem():
    n, m, min_recall = 300, 50, 0.95
    ranks = np.array(upward_ranks(n, m, min_recall, 0.95))
    risks = get_risks(ranks, n, min_recall, 0.95)
    for n_positive in (120, 200, 280):
        x = np.arange(m + 1)
        whole, fraction = ranks.astype(int), ranks % 1
        given = np.where(
            ranks >= 1,
            (1 - fraction) * binom.cdf(whole - 1, n_positive, 1 - min_recall)
            + fraction * binom.cdf(whole, n_positive, 1 - min_recall),
            0.005,
        )
        expected = np.sum(hypergeom.pmf(x, n, n_positive, m) * given)
        assert risks[n_positive] == pytest.approx(expected)


def test_the_risk_is_not_wasted():
    risks = get_risks(upward_ranks(1180, 59, 0.95, 0.95), 1180, 0.95, 0.95)
    assert risks[100:1000].min() > 0.038


@pytest.mark.parametrize(("prevalence", "kind"), [(0.05, "random sample"), (0.8, "upwards")])
def test_the_plan_follows_the_prevalence_of_the_pilot(prevalence, kind):
    pilot = (round(prevalence * PILOT_SIZE), 1.0, 1.0)
    plan = choose_plan(1180, 0.95, 0.95, pilot)
    assert plan.kind == kind
    assert choose_plan(1180, 0.95, 0.95, pilot) == plan


def test_a_random_sample_ends_where_little_is_lost():
    plan = choose_plan(1180, 0.95, 0.95, (5, 1.0, 1.0))
    assert plan.kind == "random sample"
    assert 59 <= plan.n_positive < 0.25 * 1180
    sample, full = expected_miss_rates([plan.n_positive, int(5.5 / 21 * 1180)], 0.95, 0.95)
    assert full - 0.006 <= sample < full


def test_many_images_per_negative_patient_make_reading_upwards_dear():
    few, many = (choose_plan(1180, 0.95, 0.95, (14, 1.2, images)) for images in (1.0, 3.0))
    assert (few.kind, many.kind) == ("upwards", "random sample")


def test_large_pools_are_read_in_part():
    plan = choose_plan(50_000, 0.95, 0.95, (18, 1.0, 1.0))
    assert plan.n_patients <= 50_000
    assert max(plan.n_positive, plan.sample_size) < 1500


def test_small_pools_are_read_as_a_whole():
    plan = choose_plan(150, 0.95, 0.95, None)
    assert (plan.kind, plan.n_positive) == ("random sample", 150)
