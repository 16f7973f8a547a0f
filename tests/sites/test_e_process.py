"""The bets gain nothing from a model that is good enough, and find one that is not."""

import numpy as np
import pytest

from skpneumo.sites._e_process import (
    ODDS_RATIOS,
    Capital,
    bet,
    initial_capital,
    log_e_value,
    log_payoffs,
    reserve,
)


def simulate(is_missed, is_verified=True, *, min_recall=0.95, verified_with=1.0):
    """Logarithms of the e-values of many sequences: (n_sequences, n_patients) in and out."""
    payoffs = log_payoffs(min_recall, verified_with)
    capital, log_e_values = initial_capital(is_missed.shape[:1]), []
    is_observed = ~is_missed | is_verified
    for missed, observed in zip(is_missed.T, is_observed.T, strict=True):
        after = bet(capital, missed, payoffs)
        capital = Capital(
            np.where(observed, after.n_observed, capital.n_observed),
            np.where(observed[:, None], after.log_bets, capital.log_bets),
        )
        log_e_values.append(log_e_value(capital))
    return np.transpose(log_e_values)


@pytest.mark.parametrize("min_recall", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("p", [1.0, 0.1, 1e-4])
def test_no_bet_gains_in_expectation(min_recall, p):
    true_positive, false_negative = map(np.exp, log_payoffs(min_recall, p))

    def expected_factors(recall):
        missed = 1 - recall
        return recall * true_positive + missed * (p * false_negative + 1 - p)

    np.testing.assert_allclose(expected_factors(min_recall), 1, rtol=1e-12)
    for recall in (min_recall + 0.3 * (1 - min_recall), 1.0):
        assert (expected_factors(recall) < 1).all()
    assert (expected_factors(0.9 * min_recall) > 1).all()


@pytest.mark.parametrize("p", [1.0, 0.1])
def test_each_bet_is_one_on_the_payoff_of_the_notes(p):
    r = 0.9
    true_positive, false_negative = map(np.exp, log_payoffs(r, p))
    b = (1 - true_positive) / (1 - r)  # 1 + b Z, with Z = -(1 - r) for a true positive
    assert (b > 0).all()
    assert (b < 1 / (1 - r)).all()
    np.testing.assert_allclose(false_negative, 1 + b * r / p)
    np.testing.assert_allclose(false_negative / true_positive, ODDS_RATIOS)


def test_the_e_value_is_the_weighted_sum_of_processes_that_start_at_each_patient():
    rng = np.random.default_rng(0)
    missed = rng.random(25) < 0.2
    payoffs = np.exp(log_payoffs(0.95))
    capital = initial_capital()
    for is_missed in missed:
        capital = bet(capital, is_missed, np.log(payoffs))
    factors = payoffs[missed.astype(int)]
    by_definition = reserve(25) + sum(
        (reserve(j) - reserve(j + 1)) * factors[j:].prod(axis=0).mean() for j in range(25)
    )
    assert log_e_value(capital) == pytest.approx(np.log(by_definition))


def test_the_stakes_are_positive_and_sum_to_one():
    left = np.array([reserve(n) for n in range(5000)])
    assert left[0] == 1
    assert left[1] == 0.5
    assert left[301] == 0.25
    assert (np.diff(left) < 0).all()
    assert 0 < left[-1] < 0.03


def test_the_mean_e_value_is_one_at_the_required_recall():
    # By enumeration of all outcomes of ten patients: a martingale exactly.
    missed = (np.arange(2**10)[:, None] >> np.arange(10)) % 2 == 1
    probability = np.where(missed, 0.2, 0.8).prod(axis=1)
    e_values = np.exp(simulate(missed, min_recall=0.8))
    np.testing.assert_allclose(probability @ e_values, 1, rtol=1e-9)
    too_good = np.where(missed, 0.1, 0.9).prod(axis=1)
    assert (np.diff(too_good @ e_values) < 0).all()


@pytest.mark.parametrize("p", [1.0, 0.1])
def test_false_alarms_are_rare_and_low_recalls_found(p):
    rng = np.random.default_rng(0)
    alarm = np.log(20)

    def ever(recall, n_sequences=1000, n_patients=800):
        shape = n_sequences, n_patients
        found = simulate(rng.random(shape) > recall, rng.random(shape) < p, verified_with=p)
        return np.mean(found.max(axis=1) >= alarm)

    # At most .05, and three standard errors of 1,000 sequences more.
    assert ever(0.95) <= 0.05 + 0.021
    assert ever(0.99) < 0.01
    assert ever(0.75) > 0.95


def test_a_late_change_is_found_soon():
    rng = np.random.default_rng(0)
    good, bad = rng.random((500, 1000)) < 0.02, rng.random((500, 400)) < 0.15
    alarms = simulate(np.concatenate([good, bad], axis=1)) >= np.log(20)
    delay = np.where(alarms.any(axis=1), alarms.argmax(axis=1) - 1000, 400)
    assert alarms[:, :1000].any(axis=1).mean() < 0.01
    assert np.median(delay) < 140


def test_long_runs_neither_overflow_nor_underflow():
    payoffs = log_payoffs(0.95)
    for is_missed, expected in ((True, 2000), (False, -5)):
        capital = initial_capital()
        for _ in range(3000):
            capital = bet(capital, is_missed, payoffs)
        value = log_e_value(capital)
        assert np.isfinite(value)
        assert value > expected
