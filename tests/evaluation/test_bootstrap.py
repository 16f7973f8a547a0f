import numpy as np
import pytest
from scipy.stats import binomtest

from skpneumo.evaluation import _bootstrap
from skpneumo.evaluation._bootstrap import (
    percentile_interval,
    resampled,
    share_interval,
)
from skpneumo.metrics._bounds import exact_interval


def weights_of(units, n_resamples, seed=0):
    seen = []

    def compute(weights):
        seen.append(weights.copy())
        return {"sum": weights.sum(axis=1)}

    resampled(compute, len(units), units, n_resamples, seed)
    return np.vstack(seen)


def test_the_images_as_they_are_come_first_then_patients_are_drawn_whole():
    units = np.array([2, 0, 0, 1, 3, 3, 3])
    weights = weights_of(units, 50)
    assert weights.shape == (51, 7)
    np.testing.assert_array_equal(weights[0], 1)
    per_unit = np.stack([weights[:, units == unit] for unit in (0,)], axis=0)[0]
    np.testing.assert_array_equal(per_unit[:, 0], per_unit[:, 1])
    draws = np.stack([weights[:, np.flatnonzero(units == unit)[0]] for unit in range(4)], axis=1)
    np.testing.assert_array_equal(draws.sum(axis=1), 4)
    assert abs(draws[1:].mean() - 1) < 1e-12
    assert draws[1:].std() > 0.5


def test_draws_hang_on_the_seed_alone():
    units = np.arange(9)
    np.testing.assert_array_equal(weights_of(units, 20), weights_of(units, 20))
    assert not np.array_equal(weights_of(units, 20), weights_of(units, 20, seed=1))


def test_draws_are_the_same_however_many_are_made_at_once(monkeypatch):
    units = np.arange(12) // 2
    at_once = weights_of(units, 25)
    monkeypatch.setattr(_bootstrap, "_NUMBERS_AT_ONCE", 40)
    np.testing.assert_array_equal(weights_of(units, 25), at_once)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
def test_percentile_interval_is_the_middle(confidence):
    values = np.random.default_rng(0).normal(size=4001)
    tail = (1 - confidence) / 2
    expected = np.quantile(values, [tail, 1 - tail])
    np.testing.assert_allclose(percentile_interval(values, confidence), expected, atol=0.02)


def test_percentile_interval_leaves_out_what_is_seldom_undefined_and_keeps_the_infinite():
    values = np.array([np.nan] * 5 + [1.0] * 90 + [np.inf] * 10)
    assert percentile_interval(values, 0.9) == (1.0, np.inf)
    assert np.isnan(percentile_interval(np.append(values, np.nan), 0.9)).all()
    assert np.isnan(percentile_interval(np.full(5, np.nan), 0.9)).all()


@pytest.mark.parametrize("value", [0.0, 0.7, np.inf])
def test_percentile_interval_of_what_never_varies_is_none(value):
    assert np.isnan(percentile_interval(np.full(100, value), 0.9)).all()


@pytest.mark.parametrize(("n_right", "n"), [(0, 17), (17, 17), (5, 17), (1, 1)])
def test_exact_interval_is_that_of_clopper_and_pearson(n_right, n):
    expected = binomtest(n_right, n).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(exact_interval(n_right, n, 0.9), expected, atol=1e-9)


def interval_of_share(right, units, n_resamples=200, seed=0, confidence=0.95):
    values = resampled(
        lambda weights: {"share": weights @ right / weights.sum(axis=1)},
        len(units),
        units,
        n_resamples,
        seed,
    )["share"]
    return share_interval(values[0], values[1:], len(units), units.max() + 1, confidence)


@pytest.mark.parametrize("n_right", [0, 1, 7, 38, 39, 40])
def test_the_interval_of_images_that_are_patients_is_exact(n_right):
    right = np.arange(40) < n_right
    expected = exact_interval(n_right, 40, 0.95)
    np.testing.assert_allclose(interval_of_share(right, np.arange(40)), expected)


def test_the_interval_counts_patients_whose_images_are_alike_and_images_that_are_not():
    units = np.arange(1000) // 5
    alike = interval_of_share(units % 5 > 0, units, 4000)
    np.testing.assert_allclose(alike, exact_interval(160, 200, 0.95), atol=0.003)
    apart = interval_of_share(np.random.default_rng(0).permutation(1000) % 5 > 0, units, 4000)
    np.testing.assert_allclose(apart, exact_interval(800, 1000, 0.95), atol=0.003)


@pytest.mark.parametrize("n_images", [1, 2, 5])
@pytest.mark.parametrize("n_patients", [8, 60])
def test_one_miss_never_raises_the_lower_end(n_images, n_patients):
    units = np.repeat(np.arange(n_patients), n_images)
    lows = []
    for n_missed in range(len(units) // n_images):
        right = np.ones(len(units), dtype=bool)
        right[::n_images][:n_missed] = False
        lows.append(interval_of_share(right, units)[0])
    assert (np.diff(lows[:2]) <= 0).all()
    assert (np.diff(lows) <= 1e-3).all()  # the resamples are few
    if n_images == 1:
        assert (np.diff(lows) < 0).all()


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize(("share", "confidence"), [(0.98, 0.95), (0.8, 0.9)])
def test_intervals_of_shares_hold_what_they_promise_where_patients_have_several_images(
    share, confidence, alike
):
    """200 samples of 150 patients, half of whom have two images."""
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(150), np.tile([1, 2], 75))
    held = above = 0
    for repeat in range(200):
        right = rng.random(len(units)) < share
        right = right[np.searchsorted(units, units)] if alike else right
        low, high = interval_of_share(right, units, 100, repeat, confidence)
        held += low <= share <= high
        above += low > share
    assert held / 200 >= confidence - 0.03
    assert above / 200 <= (1 - confidence) / 2 + 0.025


def test_a_share_of_one_patient_and_one_that_is_not_defined():
    low, high = share_interval(0.5, np.full(9, 0.5), 2, 1, 0.95)
    assert 0 < low < 0.025 < 0.975 < high < 1
    assert np.isnan(share_interval(np.nan, np.full(9, np.nan), 0, 0, 0.95)).all()
