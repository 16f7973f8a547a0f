"""Each figure is what scikit-learn, or this library's score, gives with the same weights."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    class_likelihood_ratios,
    f1_score,
    fbeta_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from skpneumo.evaluation._figures import (
    bins_of_equal_size,
    figures_of_calls,
    figures_of_probabilities,
    figures_of_scores,
)
from skpneumo.metrics import (
    decision_curve,
    negative_predictive_value_score,
    specificity_at_recall_score,
    specificity_score,
)

N = 137
TRUTH = np.arange(N) >= 37  # sorted by class, more ill than healthy


def sample(decimals, seed=0):
    """Probabilities, many of them equal, and weights of some resamples."""
    rng = np.random.default_rng(seed)
    scores = 1 / (1 + np.exp(-rng.normal(np.where(TRUTH, 1.0, -0.5), 1.3)))
    weights = np.vstack([np.ones(N), rng.multinomial(N, np.full(N, 1 / N), size=6)])
    return scores.round(decimals).astype(np.float32), weights


def npv_at(share, truth, called, w):
    w = balanced_to(share, truth, w)
    return negative_predictive_value_score(truth, called, sample_weight=w)


def ppv_at(share, truth, called, w):
    return precision_score(truth, called, sample_weight=balanced_to(share, truth, w))


def balanced_to(share, truth, w):
    """Weights under which a share of the images is ill."""
    ill, healthy = w * truth, w * ~truth
    return share * ill / ill.sum() + (1 - share) * healthy / healthy.sum()


def net_benefit(p, truth, called, w):
    rows = np.repeat(np.arange(N), w.astype(int))
    curve = decision_curve(truth[rows], truth[rows], y_pred=called[rows], thresholds=[p])
    return curve.net_benefit_calls[0]


OF_CALLS = {
    "recall": lambda y, c, w: recall_score(y, c, sample_weight=w),
    "specificity": lambda y, c, w: specificity_score(y, c, sample_weight=w),
    "positive_predictive_value": lambda y, c, w: precision_score(y, c, sample_weight=w),
    "negative_predictive_value": lambda y, c, w: negative_predictive_value_score(
        y, c, sample_weight=w
    ),
    "positive_likelihood_ratio": lambda y, c, w: class_likelihood_ratios(y, c, sample_weight=w)[0],
    "negative_likelihood_ratio": lambda y, c, w: class_likelihood_ratios(y, c, sample_weight=w)[1],
    "accuracy": lambda y, c, w: accuracy_score(y, c, sample_weight=w),
    "balanced_accuracy": lambda y, c, w: balanced_accuracy_score(y, c, sample_weight=w),
    "f1": lambda y, c, w: f1_score(y, c, sample_weight=w),
    "f2": lambda y, c, w: fbeta_score(y, c, beta=2, sample_weight=w),
    "ppv_at_prevalence_0.05": lambda y, c, w: ppv_at(0.05, y, c, w),
    "ppv_at_prevalence_0.40": lambda y, c, w: ppv_at(0.40, y, c, w),
    "npv_at_prevalence_0.10": lambda y, c, w: npv_at(0.10, y, c, w),
    "npv_at_prevalence_0.20": lambda y, c, w: npv_at(0.20, y, c, w),
    "net_benefit_at_0.05": lambda y, c, w: net_benefit(0.05, y, c, w),
    "net_benefit_at_0.20": lambda y, c, w: net_benefit(0.20, y, c, w),
}


@pytest.mark.parametrize("name", OF_CALLS)
def test_figures_of_calls_are_those_of_scikit_learn(name):
    scores, weights = sample(6)
    called = scores >= 0.6
    expected = [OF_CALLS[name](TRUTH, called, w) for w in weights]
    np.testing.assert_allclose(figures_of_calls(TRUTH, called, weights)[name], expected, atol=1e-12)


def test_figures_of_calls_are_undefined_where_a_share_is_of_nothing():
    weights = np.stack([np.ones(N), TRUTH.astype(float), (~TRUTH).astype(float)])
    nobody = figures_of_calls(TRUTH, np.zeros(N, dtype=bool), weights)
    assert np.isnan(nobody["positive_predictive_value"]).all()
    np.testing.assert_array_equal(nobody["recall"], [0, 0, np.nan])
    np.testing.assert_array_equal(nobody["specificity"], [1, np.nan, 1])
    right = figures_of_calls(TRUTH, TRUTH, weights)
    assert right["positive_likelihood_ratio"][0] == np.inf


def test_recall_of_each_kind_counts_the_ill_of_that_kind():
    scores, weights = sample(6)
    called = scores >= 0.6
    kind = np.resize(np.array(["virus", "bacteria", "", "virus"]), N)
    figures = figures_of_calls(TRUTH, called, weights, kind)
    assert [name for name in figures if name.startswith("recall_of_")] == [
        "recall_of_kind_bacteria",
        "recall_of_kind_virus",
    ]
    rows = TRUTH & (kind == "virus")
    expected = [recall_score(TRUTH[rows], called[rows], sample_weight=w[rows]) for w in weights]
    np.testing.assert_allclose(figures["recall_of_kind_virus"], expected)


def test_a_patient_is_right_only_if_every_image_of_the_class_is():
    called = sample(6)[0] >= 0.4
    patients = np.random.default_rng(0).integers(0, 60, N)  # some have images of both classes
    weights = np.random.default_rng(1).integers(0, 3, (5, 60))[:, patients].astype(float)
    figures = figures_of_calls(TRUTH, called, weights, groups=patients)
    for name, rows, right in (
        ("recall", TRUTH, called),
        ("specificity", ~TRUTH, ~called),
    ):
        own = [np.flatnonzero(rows & (patients == patient)) for patient in np.unique(patients)]
        own = [images for images in own if len(images)]
        for w, share in zip(weights, figures[f"{name}_of_patients"], strict=True):
            counts = [w[images[0]] for images in own]
            expected = np.average([right[images].all() for images in own], weights=counts)
            assert share == pytest.approx(expected)
        assert (figures[f"{name}_of_patients"] < figures[name]).all()


@pytest.mark.parametrize("decimals", [7, 2, 1, 0])
def test_figures_of_scores_are_those_of_scikit_learn(decimals):
    scores, weights = sample(decimals)
    figures = figures_of_scores(TRUTH, scores, weights)
    expected = {
        "roc_auc": [roc_auc_score(TRUTH, scores, sample_weight=w) for w in weights],
        "average_precision": [
            average_precision_score(TRUTH, scores, sample_weight=w) for w in weights
        ],
    }
    for share in (0.95, 0.97, 0.99):
        expected[f"specificity_at_recall_{share:.2f}"] = [
            specificity_at_recall_score(TRUTH, scores, min_recall=share, sample_weight=w)
            for w in weights
        ]
    assert figures.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(figures[name], expected[name], atol=1e-9, err_msg=name)


def test_figures_of_scores_where_all_are_equal():
    _, weights = sample(1)
    figures = figures_of_scores(TRUTH, np.full(N, 0.3), weights)
    np.testing.assert_allclose(figures["roc_auc"], 0.5)
    np.testing.assert_allclose(figures["specificity_at_recall_0.95"], 0)


def test_decision_values_need_not_be_probabilities():
    scores, weights = sample(2)
    plain = figures_of_scores(TRUTH, scores, weights)
    moved = figures_of_scores(TRUTH, 100 * scores - 50, weights)
    for name in plain:
        np.testing.assert_allclose(plain[name], moved[name])


@pytest.mark.parametrize("decimals", [6, 1])
def test_figures_of_probabilities_are_those_of_scikit_learn(decimals):
    scores, weights = sample(decimals)
    scores = np.clip(scores, 0.01, 0.99)
    figures = figures_of_probabilities(TRUTH, scores, weights)
    log_odds = np.log(scores / (1 - scores)).astype(np.float64)[:, None]
    for i, w in enumerate(weights):
        brier = brier_score_loss(TRUTH, scores, sample_weight=w)
        np.testing.assert_allclose(figures["brier"][i], brier, atol=1e-7)
        fit = LogisticRegression(C=1e12, solver="newton-cholesky", tol=1e-10)
        fit.fit(log_odds, TRUTH, sample_weight=w)
        np.testing.assert_allclose(figures["calibration_slope"][i], fit.coef_[0, 0], atol=1e-4)


def test_the_calibration_intercept_makes_the_mean_probability_the_share():
    scores, weights = sample(6)
    log_odds = logit(scores.astype(float))
    intercepts = figures_of_probabilities(TRUTH, scores, weights)["calibration_intercept"]
    for w, intercept in zip(weights, intercepts, strict=True):
        moved = expit(log_odds + intercept)
        assert np.average(moved, weights=w) == pytest.approx(np.average(TRUTH, weights=w))


@pytest.mark.parametrize("slope", [0.6, 1, 1.6])
@pytest.mark.parametrize("shift", [-0.8, 0.8])
def test_the_intercept_is_below_0_where_probabilities_are_too_high(slope, shift):
    rng = np.random.default_rng(0)
    log_odds = rng.normal(2.5, 1, 20_000)
    truth = rng.random(20_000) < expit(slope * (log_odds - 2.5) + 2.5 + shift)
    probability = expit(log_odds)
    figures = figures_of_probabilities(truth, probability, np.ones((1, 20_000)))
    too_high = probability.mean() > truth.mean()
    assert too_high == (shift < 0)
    assert (figures["calibration_intercept"][0] < 0) == too_high
    assert figures["calibration_slope"][0] == pytest.approx(slope, abs=0.1)


@pytest.mark.parametrize("n_images", [1, 3])
def test_calibration_error_by_hand(n_images):
    """Over all pairs of different patients that share a bin, copies counting as the patient."""
    scores, weights = sample(6)
    groups = np.arange(N) // n_images
    weights = weights[:, groups]
    bins, residual = bins_of_equal_size(scores), TRUTH - scores.astype(float)
    other = groups[:, None] != groups
    expected = []
    for w in weights:
        pairs = np.outer(w, w) * other
        squares, counts = [], []
        for i in range(10):
            rows = bins == i
            part = pairs[np.ix_(rows, rows)]
            squares.append(np.sum(part * np.outer(residual[rows], residual[rows])) / part.sum())
            counts.append(w[rows].sum())
        expected.append(np.sqrt(max(0, np.average(squares, weights=counts))))
    error = figures_of_probabilities(TRUTH, scores, weights, groups)["calibration_error"]
    np.testing.assert_allclose(error, expected, atol=1e-9)
    assert error.max() > 0.05


@pytest.mark.parametrize("n_images", [1, 3])
def test_perfect_probabilities_have_no_calibration_error_on_average(n_images):
    """And those that are too sure have theirs: a square of 0.0125 here."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), n_images)
    found = {"perfect": [], "too sure": []}
    for _ in range(150):
        log_odds = rng.normal(1, 2, 200)
        ill = rng.random(200)
        for name, factor in (("perfect", 1), ("too sure", 0.5)):
            truth = (ill < expit(factor * log_odds))[groups]
            probability = expit(log_odds)[groups]
            one = np.ones((1, len(truth)))
            error = figures_of_probabilities(truth, probability, one, groups)["calibration_error"]
            found[name].append(error[0])
    assert np.mean(np.array(found["perfect"]) == 0) > 0.4
    assert np.mean(np.square(found["perfect"])) < 0.0025
    assert np.mean(np.square(found["too sure"])) == pytest.approx(0.0125, abs=0.0025)


def test_calibration_error_needs_two_patients_in_a_bin():
    truth, probability = np.arange(10) > 4, np.linspace(0.1, 0.9, 10)
    assert np.isnan(
        figures_of_probabilities(truth, probability, np.ones((1, 10)))["calibration_error"][0]
    )


def test_bins_are_of_equal_size_and_never_part_equal_probabilities():
    scores, _ = sample(7)
    assert set(np.bincount(bins_of_equal_size(scores))) <= {13, 14}
    few = np.array([0.1] * 50 + [0.9] * 7)
    bins = bins_of_equal_size(few)
    assert len(set(bins[:50])) == len(set(bins[50:])) == 1
    assert bins[0] != bins[-1]


def test_calibration_slope_is_infinite_for_separated_classes():
    _, weights = sample(6)
    separated = np.where(TRUTH, 0.8, 0.3) + np.linspace(0, 0.1, N)
    for probability, slope in (
        (separated, np.inf),
        (1 - separated, -np.inf),
        (np.where(TRUTH, 0.8, 0.3), np.inf),
    ):
        figures = figures_of_probabilities(TRUTH, probability, weights)
        np.testing.assert_array_equal(figures["calibration_slope"], slope)
        assert np.isfinite(figures["calibration_intercept"]).all()
        assert np.isfinite(figures["brier"]).all()


def test_calibration_slope_is_undefined_for_one_probability_and_for_one_class():
    figures = figures_of_probabilities(TRUTH, np.full(N, 0.7), sample(6)[1])
    assert np.isnan(figures["calibration_slope"]).all()
    weights = np.stack([TRUTH, ~TRUTH]).astype(float)
    figures = figures_of_probabilities(TRUTH, sample(6)[0], weights)
    assert np.isnan(figures["calibration_slope"]).all()
    np.testing.assert_array_equal(figures["calibration_intercept"], [np.inf, -np.inf])


def test_calibration_slope_of_very_sure_and_of_hardly_sure_probabilities():
    scores, weights = sample(7)
    log_odds = np.log(scores / (1 - scores))
    plain = figures_of_probabilities(TRUTH, scores, weights)["calibration_slope"]
    for factor in (0.05, 4):
        moved = 1 / (1 + np.exp(-factor * log_odds.astype(np.float64)))
        slope = figures_of_probabilities(TRUTH, moved, weights)["calibration_slope"]
        np.testing.assert_allclose(slope, plain / factor, rtol=1e-3)


def test_probabilities_of_0_and_1_are_taken():
    scores, weights = sample(0)
    assert {0.0, 1.0} == set(scores.tolist())
    figures = figures_of_probabilities(TRUTH, scores, weights)
    assert np.isfinite(figures["calibration_slope"]).all()
