import numpy as np
import pytest
from scipy.stats import binomtest

from skpneumo.evaluation import _bootstrap
from skpneumo.evaluation._bootstrap import exact_interval, percentile_interval, resampled


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


def test_percentile_interval_leaves_out_what_is_undefined_and_keeps_the_infinite():
    values = np.array([np.nan] * 50 + [1.0] * 90 + [np.inf] * 10)
    assert percentile_interval(values, 0.9) == (1.0, np.inf)
    assert np.isnan(percentile_interval(np.full(5, np.nan), 0.9)).all()


@pytest.mark.parametrize(("n_right", "n"), [(0, 17), (17, 17), (5, 17), (1, 1)])
def test_exact_interval_is_that_of_clopper_and_pearson(n_right, n):
    expected = binomtest(n_right, n).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(exact_interval(n_right, n, 0.9), expected, atol=1e-9)


def test_intervals_hold_what_they_promise_where_patients_have_several_images():
    """Recall of 200 samples of 80 patients, half of whom have four images called alike."""
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(80), np.tile([1, 4], 40))
    held = {"patients": 0, "images": 0}
    for repeat in range(200):
        called = (rng.random(80) < 0.8)[units]

        def recall(weights, called=called):
            return {"recall": weights @ called / weights.sum(axis=1)}

        for name, codes in (("patients", units), ("images", np.arange(len(units)))):
            values = resampled(recall, len(units), codes, 200, repeat)["recall"]
            low, high = percentile_interval(values[1:], 0.9)
            held[name] += low <= 0.8 <= high
    assert 0.84 <= held["patients"] / 200 <= 0.95
    assert held["images"] / 200 < 0.75
