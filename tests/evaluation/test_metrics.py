"""Each metric is what scikit-learn, or this library's score, gives on the same images.

The influence of an image is how the metric changes as the image gains weight.
"""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import ncf
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

from skpneumo.evaluation._calibration import (
    _noncentrality,
    bins_of_equal_size,
    brier,
    calibration_error,
    calibration_intercept,
    calibration_slope,
)
from skpneumo.evaluation._metrics import RECALLS, compute_metrics
from skpneumo.evaluation._predictions import Predictions
from skpneumo.evaluation._statistics import (
    average_precision,
    f2,
    proportions,
    roc_auc,
)
from skpneumo.metrics import (
    decision_curve,
    negative_predictive_value_score,
    specificity_at_recall_score,
    specificity_score,
)

N = 137
Y_TRUE = np.arange(N) >= 37  # sorted by class, more positive than negative


def draw_scores(decimals, seed=0):
    """Probabilities, many of them equal if there are few decimals."""
    rng = np.random.default_rng(seed)
    scores = 1 / (1 + np.exp(-rng.normal(np.where(Y_TRUE, 1.0, -0.5), 1.3)))
    return scores.round(decimals).astype(np.float32)


def resample(seed):
    """Rows of a sample with replacement, sorted, with both classes."""
    return np.sort(np.random.default_rng(seed).integers(0, N, N))


def predict(scores, rows=slice(None), threshold=0.6, groups=None, subtype=None):
    y_true, scores = Y_TRUE[rows], scores[rows]
    return Predictions(y_true, scores >= threshold, scores, groups, subtype)


def values(predictions):
    return {name: one.value for name, one in compute_metrics(predictions, 0.95).items()}


def balanced_to(prevalence, y_true):
    """Weights under which a proportion of the images is positive."""
    return prevalence * y_true / y_true.sum() + (1 - prevalence) * ~y_true / (~y_true).sum()


def npv_at(prevalence, y_true, y_pred):
    weight = balanced_to(prevalence, y_true)
    return negative_predictive_value_score(y_true, y_pred, sample_weight=weight)


def ppv_at(prevalence, y_true, y_pred):
    return precision_score(y_true, y_pred, sample_weight=balanced_to(prevalence, y_true))


def net_benefit(p, y_true, y_pred):
    return decision_curve(y_true, y_true, y_pred=y_pred, thresholds=[p]).net_benefit_at_threshold[0]


OF_LABELS = {
    "recall": recall_score,
    "specificity": specificity_score,
    "positive_predictive_value": precision_score,
    "negative_predictive_value": negative_predictive_value_score,
    "positive_likelihood_ratio": lambda y, p: class_likelihood_ratios(y, p)[0],
    "negative_likelihood_ratio": lambda y, p: class_likelihood_ratios(y, p)[1],
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "f1": f1_score,
    "f2": lambda y, p: fbeta_score(y, p, beta=2),
    "ppv_at_prevalence_0.05": lambda y, p: ppv_at(0.05, y, p),
    "ppv_at_prevalence_0.40": lambda y, p: ppv_at(0.40, y, p),
    "npv_at_prevalence_0.10": lambda y, p: npv_at(0.10, y, p),
    "npv_at_prevalence_0.20": lambda y, p: npv_at(0.20, y, p),
    "net_benefit_at_0.05": lambda y, p: net_benefit(0.05, y, p),
    "net_benefit_at_0.20": lambda y, p: net_benefit(0.20, y, p),
}


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_labels_are_those_of_scikit_learn(seed):
    predictions = predict(draw_scores(6), resample(seed))
    found = values(predictions)
    for name, score in OF_LABELS.items():
        expected = score(predictions.y_true, predictions.y_pred)
        assert found[name] == pytest.approx(expected, abs=1e-12), name


def test_metrics_are_undefined_where_a_proportion_is_of_nothing():
    nobody = values(predict(draw_scores(6), threshold=2))
    assert np.isnan(nobody["positive_predictive_value"])
    assert (nobody["recall"], nobody["specificity"]) == (0, 1)
    perfect = Predictions(Y_TRUE, Y_TRUE, Y_TRUE * 0.8 + 0.1)
    assert values(perfect)["positive_likelihood_ratio"] == np.inf


def test_recall_of_each_subtype_counts_its_positive_images():
    subtype = np.resize(np.array(["virus", "bacteria", "", "virus"]), N)
    predictions = predict(draw_scores(6), subtype=subtype)
    found = values(predictions)
    assert [name for name in found if name.startswith("recall_of_")] == [
        "recall_of_kind_bacteria",
        "recall_of_kind_virus",
    ]
    rows = Y_TRUE & (subtype == "virus")
    assert found["recall_of_kind_virus"] == pytest.approx(predictions.y_pred[rows].mean())


def test_a_patient_is_right_only_if_every_image_of_the_class_is():
    patients = np.random.default_rng(0).integers(0, 60, N)  # some have images of both classes
    _, patients = np.unique(patients, return_inverse=True)
    predictions = predict(draw_scores(6), threshold=0.4, groups=patients)
    found = values(predictions)
    for name, rows, right in (
        ("recall", Y_TRUE, predictions.y_pred),
        ("specificity", ~Y_TRUE, ~predictions.y_pred),
    ):
        own = [np.flatnonzero(rows & (patients == patient)) for patient in np.unique(patients)]
        expected = np.mean([right[images].all() for images in own if len(images)])
        assert found[f"{name}_of_patients"] == pytest.approx(expected)
        assert found[f"{name}_of_patients"] < found[name]


@pytest.mark.parametrize("decimals", [7, 2, 1, 0])
@pytest.mark.parametrize("seed", range(2))
def test_metrics_of_scores_are_those_of_scikit_learn(decimals, seed):
    predictions = predict(draw_scores(decimals), resample(seed))
    y_true, scores = predictions.y_true, predictions.y_score
    found = values(predictions)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(y_true, scores))
    assert found["average_precision"] == pytest.approx(average_precision_score(y_true, scores))
    for recall in RECALLS:
        expected = specificity_at_recall_score(y_true, scores, min_recall=recall)
        assert found[f"specificity_at_recall_{recall:.2f}"] == pytest.approx(expected), recall


def test_metrics_of_scores_where_all_are_equal():
    found = values(predict(np.full(N, 0.3)))
    assert found["roc_auc"] == 0.5
    assert found["specificity_at_recall_0.95"] == 0


def test_decision_values_need_not_be_probabilities():
    scores = draw_scores(2)
    plain = compute_metrics(predict(scores)._replace(is_probability=False), 0.95)
    moved = predict(scores)._replace(y_score=100 * scores - 50, is_probability=False)
    for name, estimate in compute_metrics(moved, 0.95).items():
        assert estimate == pytest.approx(plain[name], nan_ok=True), name
    assert "brier" not in plain


def change_with_weight(score, row, step=1e-5):
    """How much a score of scikit-learn changes as an image gains weight."""
    weight = np.ones(N)
    weight[row] += step
    return (score(weight) - score(np.ones(N))) / step


@pytest.mark.parametrize("decimals", [6, 1])
def test_the_influence_of_an_image_is_how_the_metric_changes_as_it_gains_weight(decimals):
    scores = np.float64(draw_scores(decimals))
    predictions = predict(scores)
    y_pred, of_labels = predictions.y_pred, proportions(predictions)
    for statistic, score in (
        (of_labels["recall"], lambda w: recall_score(Y_TRUE, y_pred, sample_weight=w)),
        (
            of_labels["positive_predictive_value"],
            lambda w: precision_score(Y_TRUE, y_pred, sample_weight=w),
        ),
        (of_labels["accuracy"], lambda w: accuracy_score(Y_TRUE, y_pred, sample_weight=w)),
        (f2(predictions), lambda w: fbeta_score(Y_TRUE, y_pred, beta=2, sample_weight=w)),
        (roc_auc(Y_TRUE, scores), lambda w: roc_auc_score(Y_TRUE, scores, sample_weight=w)),
        (
            average_precision(Y_TRUE, scores),
            lambda w: average_precision_score(Y_TRUE, scores, sample_weight=w),
        ),
        (brier(Y_TRUE, scores), lambda w: brier_score_loss(Y_TRUE, scores, sample_weight=w)),
    ):
        assert abs(statistic.influence.sum()) < 1e-12
        for row in (0, 5, 36, 37, 80, N - 1):
            expected = change_with_weight(score, row)
            assert statistic.influence[row] == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_the_influence_on_slope_and_intercept_is_how_they_change():
    scores = np.clip(np.float64(draw_scores(6)), 0.01, 0.99)
    for compute in (calibration_slope, calibration_intercept):
        statistic = compute(Y_TRUE, scores)
        for row in (0, 36, 37, 80):
            # One more image like this one; what is of second order remains.
            rows = np.append(np.arange(N), row)
            change = compute(Y_TRUE[rows], scores[rows]).value - statistic.value
            assert statistic.influence[row] == pytest.approx(change, rel=0.1, abs=1e-3)


@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_probabilities_are_those_of_scikit_learn(decimals, seed):
    rows = resample(seed)
    y_true, scores = Y_TRUE[rows], np.clip(draw_scores(decimals), 0.01, 0.99)[rows]
    assert brier(y_true, scores).value == pytest.approx(brier_score_loss(y_true, scores), abs=1e-7)
    log_odds = np.log(scores / (1 - scores)).astype(np.float64)[:, None]
    fit = LogisticRegression(C=1e12, solver="newton-cholesky", tol=1e-10).fit(log_odds, y_true)
    assert calibration_slope(y_true, scores).value == pytest.approx(fit.coef_[0, 0], abs=1e-4)


def test_the_calibration_intercept_makes_the_mean_probability_the_prevalence():
    scores = np.float64(draw_scores(6))
    intercept = calibration_intercept(Y_TRUE, scores).value
    assert expit(logit(scores) + intercept).mean() == pytest.approx(Y_TRUE.mean())


@pytest.mark.parametrize("slope", [0.6, 1, 1.6])
@pytest.mark.parametrize("shift", [-0.8, 0.8])
def test_the_intercept_is_below_0_where_probabilities_are_too_high(slope, shift):
    rng = np.random.default_rng(0)
    log_odds = rng.normal(2.5, 1, 20_000)
    y_true = rng.random(20_000) < expit(slope * (log_odds - 2.5) + 2.5 + shift)
    probability = expit(log_odds)
    too_high = probability.mean() > y_true.mean()
    assert too_high == (shift < 0)
    assert (calibration_intercept(y_true, probability).value < 0) == too_high
    assert calibration_slope(y_true, probability).value == pytest.approx(slope, abs=0.1)


@pytest.mark.parametrize("n_images", [1, 3])
def test_calibration_error_by_hand(n_images):
    """Over all pairs of different patients that share a bin."""
    scores = draw_scores(6)
    patients = np.arange(N) // n_images
    bins, residual = bins_of_equal_size(scores), Y_TRUE - scores.astype(float)
    pairs = patients[:, None] != patients
    squares = []
    for i in range(10):
        rows = bins == i
        part = pairs[np.ix_(rows, rows)]
        squares.append(np.sum(part * np.outer(residual[rows], residual[rows])) / part.sum())
    expected = np.sqrt(max(0, np.average(squares, weights=np.bincount(bins))))
    value, low, high = calibration_error(Y_TRUE, scores, patients, 0.95)
    assert value == pytest.approx(expected, abs=1e-9)
    assert value > 0.05
    assert low < value < high


@pytest.mark.parametrize("n_images", [1, 3])
def test_perfect_probabilities_have_no_calibration_error_on_average(n_images):
    """And those that are too extreme have theirs: a square of 0.0125 here."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), n_images)
    found = {"perfect": [], "too extreme": []}
    for _ in range(150):
        log_odds = rng.normal(1, 2, 200)
        uniform = rng.random(200)
        for name, factor in (("perfect", 1), ("too extreme", 0.5)):
            y_true = (uniform < expit(factor * log_odds))[groups]
            found[name].append(calibration_error(y_true, expit(log_odds)[groups], groups, 0.95))
    value, low, high = np.transpose(found["perfect"])
    assert np.mean(value == 0) > 0.4
    assert np.mean(np.square(value)) < 0.0025
    assert np.mean(low == 0) >= 0.93
    value, low, high = np.transpose(found["too extreme"])
    assert np.mean(np.square(value)) == pytest.approx(0.0125, abs=0.0025)
    assert np.mean((low <= np.sqrt(0.0125)) & (np.sqrt(0.0125) <= high)) >= 0.9


@pytest.mark.parametrize("temperature", [0.15, 0.5, 3])
@pytest.mark.parametrize("n", [80, 800])
def test_the_interval_of_a_large_calibration_error_contains_it(temperature, n):
    """Probabilities that are much less or more certain than they may be."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        y_true = rng.random(n) < 0.6
        log_odds = rng.normal(np.where(y_true, 4, -4), np.sqrt(8))
        probability = expit(temperature * log_odds)
        value, low, high = calibration_error(y_true, probability, np.arange(n), 0.95)
        assert low <= value <= high
        assert high > low


def test_the_calibration_error_of_one_bin_is_the_mean_residual_with_the_interval_of_its_t():
    y_true = np.arange(30) >= 8
    _, low, high = calibration_error(y_true, np.full(30, 0.5), np.arange(30), 0.95)
    residual = y_true - 0.5
    squared_t = 30 * residual.mean() ** 2 / residual.var(ddof=1)
    for end, level in ((low, 0.975), (high, 0.025)):
        noncentrality = 30 * end**2 / residual.var(ddof=1)
        assert ncf.cdf(squared_t, 1, 29, noncentrality) == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize("level", [0.025, 0.975])
@pytest.mark.parametrize("n_free", [60, 2000])
def test_a_large_noncentrality_by_the_normal_distribution(level, n_free):
    """Above the number of squares up to which the F distribution is inverted."""
    found = _noncentrality(360 / 9, 9, n_free, level)
    assert ncf.cdf(360 / 9, 9, n_free, found) == pytest.approx(level, abs=0.005)


def test_calibration_error_needs_two_patients_in_a_bin():
    found = calibration_error(np.arange(10) > 4, np.linspace(0.1, 0.9, 10), np.arange(10), 0.95)
    assert np.isnan(found).all()


def test_bins_are_of_equal_size_and_never_part_equal_probabilities():
    assert set(np.bincount(bins_of_equal_size(draw_scores(7)))) <= {13, 14}
    few = np.array([0.1] * 50 + [0.9] * 7)
    bins = bins_of_equal_size(few)
    assert len(set(bins[:50])) == len(set(bins[50:])) == 1
    assert bins[0] != bins[-1]


def test_calibration_slope_is_infinite_for_separated_classes():
    separated = np.where(Y_TRUE, 0.8, 0.3) + np.linspace(0, 0.1, N)
    for probability, slope in (
        (separated, np.inf),
        (1 - separated, -np.inf),
        (np.where(Y_TRUE, 0.8, 0.3), np.inf),
    ):
        assert calibration_slope(Y_TRUE, probability).value == slope
        assert np.isfinite(calibration_intercept(Y_TRUE, probability).value)


def test_calibration_slope_is_undefined_for_one_probability():
    assert np.isnan(calibration_slope(Y_TRUE, np.full(N, 0.7)).value)


def test_calibration_slope_of_very_sure_and_of_hardly_sure_probabilities():
    scores = np.float64(draw_scores(7))
    plain = calibration_slope(Y_TRUE, scores).value
    for factor in (0.05, 4):
        moved = expit(factor * logit(scores))
        assert calibration_slope(Y_TRUE, moved).value == pytest.approx(plain / factor, rel=1e-3)


def test_probabilities_of_0_and_1_are_taken():
    scores = draw_scores(0)
    assert {0.0, 1.0} == set(scores.tolist())
    for compute in (brier, calibration_slope, calibration_intercept):
        assert np.isfinite(compute(Y_TRUE, scores).value)
