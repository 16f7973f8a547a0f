"""Whether scores are a mixture: covariances, p-values and prevalences against independent ones."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import kstest

from skpneumo.sites import _mixtures
from skpneumo.sites._mixtures import MIN_P_VALUE, bin_reference, fit_mixture


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def draw(rng, n, prevalence, distance=2.0):
    """Scores of patients, and whether each is positive."""
    y = rng.random(n) < prevalence
    return y, rng.normal(distance * y, 1)


def fit(rng, scores, y_true, y_score, patient=None):
    patient = np.arange(len(y_true)) if patient is None else patient
    return fit_mixture(scores, bin_reference(y_true, y_score, patient, len(scores)), rng)


@pytest.fixture
def few_resamples(monkeypatch):
    """As many as simulations of many fits can afford, and a grid as coarse."""
    monkeypatch.setattr(_mixtures, "_N_RESAMPLES", 120)
    monkeypatch.setattr(_mixtures, "PREVALENCES", np.linspace(0, 1, 41))


# -- bins and covariances ---------------------------------------------------------------------


@pytest.mark.parametrize(("n_site", "n_bins"), [(20, 3), (30, 5), (96, 16), (5000, 16)])
def test_bins_divide_both_classes(rng, n_site, n_bins):
    y, scores = draw(rng, 1000, 0.2)
    reference = bin_reference(y, scores, np.arange(1000), n_site)
    assert reference.proportions.shape == (2, n_bins)
    np.testing.assert_allclose(reference.proportions.sum(axis=1), 1)
    # As many of each class as of the other, in equal parts.
    np.testing.assert_allclose(reference.proportions.mean(axis=0), 1 / n_bins, atol=0.02)
    found = np.histogram(scores[y], [-np.inf, *reference.edges, np.inf])[0]
    np.testing.assert_allclose(reference.proportions[1], found / y.sum())


def test_covariance_is_that_of_samples_of_patients(rng):
    """Patients with several images in the same bins vary more than images would."""
    sizes = rng.integers(1, 6, size=400)
    effects = rng.dirichlet([1, 1, 1, 1], size=400)
    counts = np.array([rng.multinomial(n, p) for n, p in zip(sizes, effects, strict=True)])
    proportions = []
    for _ in range(4000):
        drawn = counts[rng.integers(400, size=400)].sum(axis=0)
        proportions.append(drawn / drawn.sum())
    expected = np.cov(np.transpose(proportions))[:-1, :-1]
    found = _mixtures._covariance(counts)
    # The standard error of a variance of 4,000 is 2.2 %.
    np.testing.assert_allclose(np.diag(found), np.diag(expected), rtol=0.09)
    np.testing.assert_allclose(found, expected, atol=0.09 * expected.max())
    proportion = counts.sum(axis=0) / counts.sum()
    images = proportion * (1 - proportion) / counts.sum()
    assert (np.diag(found) > 1.3 * images[:-1]).all()


def test_independent_images_have_the_covariance_of_a_multinomial(rng):
    counts = np.eye(4)[rng.integers(4, size=500)]
    p = counts.mean(axis=0)
    expected = (np.diag(p) - np.outer(p, p))[:-1, :-1] / 500
    np.testing.assert_allclose(_mixtures._covariance(counts), expected, atol=1e-15)


# -- p-values ---------------------------------------------------------------------------------


@pytest.mark.parametrize("prevalence", [0.05, 0.5])
def test_p_values_of_mixtures_are_not_too_low(rng, few_resamples, prevalence):
    n_runs, p_values = 200, []
    for _ in range(n_runs):
        _, scores = draw(rng, 60, prevalence)
        p_values.append(fit(rng, scores, *draw(rng, 200, 0.6)).p_value)
    # One-sided: more p-values below a level than the level allows.
    assert kstest(p_values, "uniform", alternative="greater").pvalue > 0.005
    error = np.sqrt(0.1 * 0.9 / n_runs)
    assert np.mean(np.less_equal(p_values, 0.1)) <= 0.1 + 3 * error


def test_p_values_of_patients_with_several_images_are_not_too_low(rng, few_resamples):
    n_runs, p_values = 120, []
    for _ in range(n_runs):
        _, scores = draw(rng, 100, 0.4)
        y, patient_score = draw(rng, 60, 0.5)
        # Four images of each patient, nearly alike.
        patient = np.repeat(np.arange(60), 4)
        y_score = patient_score[patient] + 0.1 * rng.normal(size=240)
        p_values.append(fit(rng, scores, y[patient], y_score, patient).p_value)
    assert np.mean(np.less_equal(p_values, 0.1)) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / n_runs)


def test_what_is_no_mixture_has_a_low_p_value(rng):
    reference = draw(rng, 1000, 0.5, distance=4)
    _, scores = draw(rng, 200, 0.5, distance=4)
    assert fit(rng, scores, *reference).p_value > 0.05
    assert fit(rng, scores + 1, *reference).p_value == pytest.approx(MIN_P_VALUE)
    assert fit(rng, np.full(200, 2.0), *reference).p_value == pytest.approx(MIN_P_VALUE)
    assert fit(rng, scores - 99, *reference).p_value == pytest.approx(MIN_P_VALUE)


def test_positive_patients_that_look_negative_are_a_mixture(rng):
    """The shift that no unlabelled image shows."""
    _, scores = draw(rng, 300, 0.5)
    missed = rng.random(300) < 0.3
    scores[missed] = rng.normal(size=missed.sum())
    mixture = fit(rng, scores, *draw(rng, 1000, 0.5))
    assert mixture.p_value > 0.05
    assert mixture.prevalence < 0.45


# -- prevalences ------------------------------------------------------------------------------


@pytest.mark.parametrize("prevalence", [0.1, 0.5, 0.9])
def test_prevalence_is_close_to_that_of_maximum_likelihood(rng, prevalence):
    reference = bin_reference(*draw(rng, 2000, 0.5), np.arange(2000), 400)
    _, scores = draw(rng, 400, prevalence)
    mixture = fit_mixture(scores, reference, rng)
    counts = np.histogram(scores, [-np.inf, *reference.edges, np.inf])[0]
    negative, positive = reference.proportions
    best = minimize_scalar(
        lambda p: -counts @ np.log((1 - p) * negative + p * positive),
        bounds=(0, 1),
        method="bounded",
    )
    assert mixture.prevalence == pytest.approx(best.x, abs=0.02)
    assert mixture.prevalence == pytest.approx(prevalence, abs=3 * mixture.standard_error)


def test_prevalence_is_that_of_expectation_maximization(rng):
    """Saerens, Latinne & Decaestecker 2002, on the true densities."""
    y, y_score = draw(rng, 4000, 0.5)
    _, scores = draw(rng, 400, 0.3)
    ratio, prevalence = np.exp(2 * scores - 2), 0.5
    for _ in range(200):
        odds = ratio * prevalence / (1 - prevalence)
        prevalence = np.mean(odds / (1 + odds))
    assert fit(rng, scores, y, y_score).prevalence == pytest.approx(prevalence, abs=0.025)


def test_standard_error_is_that_of_new_samples(rng, few_resamples):
    estimates, errors = [], []
    for _ in range(120):
        _, scores = draw(rng, 150, 0.4)
        mixture = fit(rng, scores, *draw(rng, 400, 0.6))
        estimates.append(mixture.prevalence)
        errors.append(mixture.standard_error)
    # The standard error of a standard deviation of 120 is 6.5 %.
    assert np.std(estimates) == pytest.approx(np.mean(errors), rel=0.2)
    assert np.mean(estimates) == pytest.approx(0.4, abs=4 * np.std(estimates) / np.sqrt(120))


# -- scores of other kinds --------------------------------------------------------------------


def test_increasing_transformations_of_all_scores_change_nothing(rng):
    y, y_score = draw(rng, 500, 0.5)
    _, scores = draw(rng, 150, 0.3)
    expected = fit(np.random.default_rng(1), scores, y, y_score)
    for change in (lambda s: 3 * s - 7, np.exp, lambda s: (s.round(12) ** 3).astype(np.float64)):
        assert fit(np.random.default_rng(1), change(scores), y, change(y_score)) == expected


def test_ties(rng, few_resamples):
    """Scores of one decimal, as of a forest of ten trees: fewer bins, and p-values as before."""
    n_runs, p_values = 120, []
    for _ in range(n_runs):
        y, y_score = draw(rng, 400, 0.5)
        _, scores = draw(rng, 100, 0.3)
        p_values.append(fit(rng, scores.round(), y, y_score.round()).p_value)
    assert np.mean(np.less_equal(p_values, 0.1)) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / n_runs)


def test_two_values_are_always_a_mixture_between_those_of_the_classes(rng):
    y = rng.random(1000) < 0.5
    y_score = np.where(rng.random(1000) < 0.9, y, ~y).astype(float)
    reference = bin_reference(y, y_score, np.arange(1000), 200)
    assert len(reference.edges) == 2
    mixture = fit_mixture(np.repeat([0.0, 1.0], [116, 84]), reference, rng)
    assert mixture.prevalence == pytest.approx((0.42 - 0.1) / 0.8, abs=0.05)
    assert mixture.p_value > 0.05
    outside = fit_mixture(np.zeros(200), reference, rng)
    assert (outside.prevalence, outside.p_value) == (0, pytest.approx(MIN_P_VALUE))


def test_a_site_whose_scores_are_all_those_of_one_class(rng):
    reference = bin_reference(*draw(rng, 1000, 0.5, distance=9), np.arange(1000), 100)
    for prevalence in (0, 1):
        _, scores = draw(rng, 100, prevalence, distance=9)
        mixture = fit_mixture(scores, reference, rng)
        assert mixture.prevalence == pytest.approx(prevalence, abs=0.02)
        assert mixture.p_value > 0.05


def test_equal_scores_show_no_prevalence():
    y = np.arange(100) < 50
    with pytest.raises(ValueError, match="of positive and negative images are equal"):
        bin_reference(y, np.full(100, 0.5), np.arange(100), 50)
