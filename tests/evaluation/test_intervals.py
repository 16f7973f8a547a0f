"""Intervals: equal to known methods where these apply, and true as often as they state."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta, binom, binomtest, norm, rankdata, t

from skpneumo.evaluation._differences import compute_differences
from skpneumo.evaluation._intervals import (
    clustered_variance,
    correlation,
    difference_interval,
    n_contributing,
    proportion_interval,
    ratio_interval,
    student_half_width,
)
from skpneumo.evaluation._metrics import compute_metrics
from skpneumo.evaluation._predictions import Predictions
from skpneumo.evaluation._specificity_at_recall import specificity_at_recalls
from skpneumo.evaluation._statistics import Statistic, ratio, roc_auc


def clopper_pearson(n_right, n, confidence=0.95):
    return tuple(binomtest(n_right, n).proportion_ci(confidence, method="exact"))


def interval_of_proportion(right, patients, confidence=0.95):
    right = np.asarray(right, dtype=bool)
    every = np.ones(len(right), dtype=bool)
    return proportion_interval(ratio(right, every), patients, confidence)


def evaluate_labels(y_true, y_pred, patients=None, confidence=0.95):
    """Metrics of labels alone: the scores are the predictions."""
    return compute_metrics(
        Predictions(y_true, y_pred, y_pred * 1.0, groups=patients, is_probability=False), confidence
    )


def with_errors(n_false_negatives, n_false_positives, n_positive=150, n_negative=120):
    """Labels and predictions with so many errors of each kind."""
    y_true = np.arange(n_positive + n_negative) >= n_negative
    y_pred = y_true.copy()
    y_pred[n_negative : n_negative + n_false_negatives] = False
    y_pred[:n_false_positives] = True
    return y_true, y_pred


# Proportions


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("n_right", [0, 1, 7, 38, 39, 40])
def test_one_image_a_patient_gives_the_interval_of_clopper_and_pearson(n_right, confidence):
    right = np.arange(40) < n_right
    found = interval_of_proportion(right, np.arange(40), confidence)
    assert found == pytest.approx(clopper_pearson(n_right, 40, confidence))


def test_images_that_are_alike_count_as_one_and_images_that_are_not_count_each():
    patients = np.arange(1000) // 5
    alike = interval_of_proportion(patients % 5 > 0, patients)
    assert alike == pytest.approx(clopper_pearson(160, 200), abs=0.002)
    apart = np.random.default_rng(0).permutation(1000) % 5 > 0
    assert interval_of_proportion(apart, patients) == pytest.approx(
        clopper_pearson(800, 1000), abs=0.004
    )


def test_few_patients_make_an_interval_wider_than_their_variance_does():
    """By the quantiles of Student's t for 9 and for 99 degrees of freedom (Korn and Graubard)."""
    patients = np.arange(100) // 10
    right = np.arange(100) % 10 < np.array([9, 10, 4, 8, 10, 9, 10, 7, 10, 10])[patients]
    every = np.ones(100, dtype=bool)
    variance, freedom = clustered_variance(ratio(right, every), every, patients)
    assert freedom == pytest.approx(9)
    means = right.reshape(10, 10).mean(axis=1)
    assert variance == pytest.approx(means.var(ddof=1) / 10)
    n = right.mean() * (1 - right.mean()) / variance * (1.98422 / 2.26216) ** 2
    low, high = interval_of_proportion(right, patients)
    x = n * right.mean()
    expected = beta.ppf(0.025, x, n - x + 1), beta.ppf(0.975, x + 1, n - x)
    assert (low, high) == pytest.approx(expected, rel=1e-4)
    assert high - low > 1.2 * np.subtract(*clopper_pearson(int(right.sum()), 100)[::-1])


@pytest.mark.parametrize("n_images", [1, 2, 5])
@pytest.mark.parametrize("n_patients", [8, 60])
def test_one_more_error_never_raises_the_lower_end(n_images, n_patients):
    patients = np.repeat(np.arange(n_patients), n_images)
    lows = []
    for n_wrong in range(n_patients):
        right = np.ones(len(patients), dtype=bool)
        right[::n_images][:n_wrong] = False
        lows.append(interval_of_proportion(right, patients)[0])
    assert (np.diff(lows) <= 1e-9).all()


def test_one_error_among_many_patients_does_not_make_an_interval_useless():
    """The images predicted negative are of one patient with pneumonia, and of many without."""
    patients = np.arange(600) // 2
    y_true = patients >= 150
    widths = []
    for n_false_negatives in range(6):
        y_pred = y_true.copy()
        y_pred[300 : 300 + 2 * n_false_negatives : 2] = False
        metrics = evaluate_labels(y_true, y_pred, patients)
        names = ("negative_predictive_value", "f1", "f2", "accuracy", "recall", "brier")
        widths.append([metrics[n].high - metrics[n].low for n in names if n in metrics])
    assert (np.diff(widths, axis=0) < 0.012).all()
    assert np.max(widths) < 0.06


def test_a_proportion_of_one_patient_and_one_of_nothing():
    low, high = interval_of_proportion([True, False], np.zeros(2, dtype=int))
    assert 0 <= low < 0.025 < 0.975 < high <= 1
    nothing = np.zeros(3, dtype=bool)
    found = proportion_interval(ratio(nothing, nothing), np.arange(3), 0.95)
    assert np.isnan(found).all()


# Ratios and differences


@pytest.mark.parametrize("correlated", [-0.4, 0.0, 0.7])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0.95, 0.9, 0.98), (0.2, 0.12, 0.3)),
        ((0.0, 0.0, 0.03), (0.9, 0.83, 0.95)),
        ((0.03, 0.01, 0.08), (0.98, 0.9, 1.0)),
        ((0.5, 0.2, 0.8), (0.1, 0.01, 0.6)),
    ],
)
def test_at_the_ends_of_a_ratio_the_interval_of_the_difference_just_contains_0(
    one, other, correlated
):
    for side, end in enumerate(ratio_interval(one, other, correlated)):
        scaled = tuple(end * value for value in other)
        assert difference_interval(one, scaled, correlated)[side] == pytest.approx(0, abs=1e-9)


def test_a_ratio_to_what_may_be_0_has_no_upper_end():
    assert ratio_interval((0.9, 0.8, 1.0), (0.0, 0.0, 0.1))[1] == np.inf


def test_difference_of_proportions_of_the_same_images_is_the_method_of_newcombe():
    """Method 10 of Newcombe (1998) without its continuity correction, from scores of Wilson."""
    both, one, other, none = 36, 12, 2, 0
    n = both + one + other + none
    ends = [
        (right / n, *binomtest(right, n).proportion_ci(method="wilson"))
        for right in (both + one, both + other)
    ]
    phi = (both * none - one * other) / np.sqrt(48 * 2 * 38 * 12)
    low, high = difference_interval(*ends, phi)
    assert (low, high) == pytest.approx((0.0569, 0.3404), abs=0.002)


def test_the_correlation_of_two_proportions_is_that_of_their_images():
    rng = np.random.default_rng(0)
    one = rng.random(200) < 0.7
    other = one ^ (rng.random(200) < 0.2)
    every = np.ones(200, dtype=bool)
    influences = [ratio(part, every).influence for part in (one, other)]
    expected = np.corrcoef(one, other)[0, 1]
    assert correlation(*influences, np.arange(200)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name", ["negative_likelihood_ratio", "npv_at_prevalence_0.05", "balanced_accuracy"]
)
def test_one_miss_never_makes_a_metric_more_certain(name):
    """With 0 of 150 false negatives LR- was up to .0295, with 1 up to .0250."""
    worst = [evaluate_labels(*with_errors(n, 6))[name] for n in range(6)]
    bad_ends = [one.high if name.startswith("negative") else 1 - one.low for one in worst]
    assert (np.diff(bad_ends) > 0).all()


def test_likelihood_ratios_and_predictive_values_agree():
    metrics = evaluate_labels(*with_errors(4, 9))
    positive, negative = (metrics[f"{s}_likelihood_ratio"] for s in ("positive", "negative"))
    odds = 0.2 / 0.8
    for found, end in zip(metrics["ppv_at_prevalence_0.20"], positive, strict=True):
        assert found == pytest.approx(end * odds / (1 + end * odds))
    for found, end in zip(
        metrics["npv_at_prevalence_0.20"], np.take(negative, [0, 2, 1]), strict=True
    ):
        assert found == pytest.approx(1 / (1 + end * odds))


# Area under the ROC curve


def obuchowski(y_true, scores, patients):
    """Variance of the area, written out after Obuchowski (1997)."""
    pairs = (scores[y_true][:, None] > scores[~y_true]) + 0.5 * (
        scores[y_true][:, None] == scores[~y_true]
    )
    area = pairs.mean()
    n_pos, n_neg = pairs.shape
    names = np.unique(patients)
    v10 = [np.sum(pairs.mean(axis=1)[patients[y_true] == name] - area) for name in names]
    v01 = [np.sum(pairs.mean(axis=0)[patients[~y_true] == name] - area) for name in names]
    i10, i01 = (len(np.unique(patients[rows])) for rows in (y_true, ~y_true))
    s10 = i10 / ((i10 - 1) * n_pos) * np.sum(np.square(v10))
    s01 = i01 / ((i01 - 1) * n_neg) * np.sum(np.square(v01))
    s11 = len(names) / (len(names) - 1) * np.sum(np.multiply(v10, v01))
    return s10 / n_pos + s01 / n_neg + 2 * s11 / (n_pos * n_neg)


@pytest.mark.parametrize("n_images", [1, 3])
@pytest.mark.parametrize("decimals", [1, 8])
@pytest.mark.parametrize("mixed", [False, True])
def test_the_variance_of_the_area_is_that_of_obuchowski(n_images, decimals, mixed):
    rng = np.random.default_rng(1)
    patients = np.arange(90) // n_images
    y_true = rng.random(90) < 0.6 if mixed else np.arange(90) >= 36
    scores = (rng.normal(size=90) + y_true).round(decimals)
    variance, _ = clustered_variance(roc_auc(y_true, scores), y_true, patients)
    assert variance == pytest.approx(obuchowski(y_true, scores, patients))


def test_without_groups_the_variance_of_the_area_is_that_of_delong():
    rng = np.random.default_rng(2)
    y_true = np.arange(80) >= 30
    scores = rng.normal(size=80) + y_true
    ranks = rankdata(scores)
    v10 = (ranks[y_true] - rankdata(scores[y_true])) / 30
    v01 = 1 - (ranks[~y_true] - rankdata(scores[~y_true])) / 50
    expected = v10.var(ddof=1) / 50 + v01.var(ddof=1) / 30
    variance, freedom = clustered_variance(roc_auc(y_true, scores), y_true, np.arange(80))
    assert variance == pytest.approx(expected)
    assert 29 <= freedom <= 78


def test_an_area_of_1_is_bounded_by_the_pairs_of_patients():
    y_true = np.arange(90) >= 30
    scores = np.where(y_true, 0.9, 0.1)
    patients = np.arange(90) // 3
    metrics = compute_metrics(Predictions(y_true, y_true, scores, patients), 0.95)
    assert metrics["roc_auc"] == (1, pytest.approx(0.025 ** (1 / 10)), 1)
    reversed_metrics = compute_metrics(Predictions(y_true, ~y_true, 1 - scores, patients), 0.95)
    assert reversed_metrics["roc_auc"] == (0, 0, pytest.approx(1 - 0.025 ** (1 / 10)))
    precision = metrics["average_precision"]
    assert precision.value == precision.high == 1
    # The worst that the bounds on recall and false positives leave.
    recall, false_positives = 0.0125 ** (1 / 20), (1 - 0.0125 ** (1 / 10)) / 2
    at = (np.arange(100_000) + 0.5) / 100_000 * recall
    assert precision.low == pytest.approx(np.mean(at / (at + false_positives)) * recall, abs=1e-4)
    one_wrong = np.where(np.arange(90) == 0, 0.95, scores)
    wrong = compute_metrics(Predictions(y_true, y_true, one_wrong, patients), 0.95)
    for name in ("roc_auc", "average_precision"):
        assert wrong[name].low <= metrics[name].low


# Specificity at a required recall


@pytest.mark.parametrize("recall", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("n_positive", [60, 240])
def test_thresholds_of_independent_images_are_the_ranks_of_order_statistics(recall, n_positive):
    y_true = np.arange(n_positive + 100) >= 100
    rng = np.random.default_rng(0)
    scores = np.r_[rng.normal(size=100), rng.normal(2, 1, n_positive)]
    ((value, low, high),) = specificity_at_recalls(
        y_true, scores, np.arange(len(scores)), [recall], 0.95
    )
    # Ranks between which the quantile of the positive scores lies with a confidence of .95.
    n_false_negatives = np.arange(n_positive + 1)
    too_few = binom.sf(n_false_negatives - 1, n_positive, 1 - recall) < 0.025
    too_many = binom.cdf(n_false_negatives, n_positive, 1 - recall) < 0.025
    may_be = np.flatnonzero(~too_few & ~too_many)
    ordered = np.sort(scores[y_true])
    below = ordered[may_be[0] - 1] if may_be[0] else -np.inf
    least, most = (np.mean(scores[:100] < end) for end in (below, ordered[may_be[-1]]))
    own = clopper_pearson(int(np.round(100 * value)), 100)
    assert low == pytest.approx(max(0, value - np.hypot(value - least, value - own[0])))
    assert high == pytest.approx(min(1, value + np.hypot(most - value, own[1] - value)))
    if n_positive * (1 - recall) < 1:
        assert low == 0  # no positive score is low enough to bound it


# Differences of two models


def test_where_both_predict_the_same_no_image_disagrees_but_others_might():
    rng = np.random.default_rng(0)
    y_true, patients = np.arange(120) >= 40, np.arange(120) // 2
    scores = expit(rng.normal(size=120) + 2 * y_true)
    predictions = Predictions(y_true, scores > 0.6, scores, patients)
    differences = compute_differences(predictions, predictions, 0.95)
    for name, n in (("recall", 40), ("specificity", 20), ("accuracy", 60), ("roc_auc", 20)):
        bound = 1 - 0.025 ** (1 / n)
        assert differences[name] == (0, pytest.approx(-bound), pytest.approx(bound)), name
    for name in ("calibration_slope", "average_precision", "negative_likelihood_ratio"):
        assert differences[name].value == 0
        assert np.isnan(differences[name][1:]).all()


def test_patients_differ_if_any_of_their_images_does():
    """The first image of each is predicted the same."""
    y_true, patients = np.arange(120) >= 40, np.arange(120) // 2
    one, other = y_true.copy(), y_true.copy()
    other[[41, 43, 45, 61, 63, 65]] = False
    given = [Predictions(y_true, p, p * 1.0, patients, is_probability=False) for p in (one, other)]
    difference = compute_differences(*given, 0.95)["recall_of_patients"]
    assert difference.value == pytest.approx(6 / 40)
    assert difference.low > 0
    assert difference.high > 1 - 0.025 ** (1 / 40)


def test_the_correlation_of_labels_is_corrected_for_continuity():
    """As in Newcombe's method 10: by half a patient in the table of both models."""
    y_true = np.arange(120) >= 40
    one, other = y_true.copy(), y_true.copy()
    one[40:47], other[44:56] = False, False
    given = [Predictions(y_true, p, p * 1.0, is_probability=False) for p in (one, other)]
    found = compute_differences(*given, 0.95)["recall"]
    n, p, q = 80, 73 / 80, 68 / 80
    # True positives of both: 64; false negatives: 4 of one only, 9 of the other only, 3 of both.
    phi = (64 * 3 - 4 * 9 - n / 2) / (n**2 * np.sqrt(p * (1 - p) * q * (1 - q)))
    ends = [(r / n, *clopper_pearson(r, n)) for r in (73, 68)]
    assert found == (pytest.approx(5 / 80), *map(pytest.approx, difference_interval(*ends, phi)))


def test_few_large_contributions_leave_few_degrees_of_freedom():
    """Four patients make up nearly all of the variance, of 60."""
    clusters, y_true = np.arange(60), np.arange(60) >= 20
    every = np.ones(60, dtype=bool)
    influence = np.where(np.arange(60) % 15 == 0, 1.0, 0.01) * np.resize([1, -1], 60)
    variance, freedom = clustered_variance(Statistic(0.5, influence, every), y_true, clusters)
    half = student_half_width(Statistic(0.5, influence, every), y_true, clusters, 0.95)
    assert n_contributing(influence, clusters) == pytest.approx(4, abs=0.02)
    assert half > 1.1 * t.ppf(0.975, freedom) * np.sqrt(variance)
    expected = 2 / (1 / n_contributing(influence, clusters) - 1 / 60)
    assert half == pytest.approx(t.ppf(0.975, expected) * np.sqrt(variance))


def test_a_model_that_predicts_more_positives_has_another_precision():
    """Its positives are among those of the other, which does not make them the same."""
    y_true = np.arange(100) >= 40
    y_pred, more = (np.arange(100) >= start for start in (38, 30))
    given = [Predictions(y_true, p, p * 1.0, is_probability=False) for p in (y_pred, more)]
    difference = compute_differences(*given, 0.95)["positive_predictive_value"]
    assert 0 < difference.low < difference.value == pytest.approx(60 / 62 - 60 / 70)


# Coverage


def draw(rng, n_patients, n_images, correlated, distance=2.5):
    """Calibrated scores of patients, six in ten with pneumonia, and those of another model."""
    positive = np.arange(n_patients) >= 0.4 * n_patients
    patients = np.repeat(np.arange(n_patients), n_images)
    noise = []
    for _ in range(2):
        of_patient, of_image = rng.normal(size=n_patients)[patients], rng.normal(size=len(patients))
        noise.append(np.sqrt(correlated) * of_patient + np.sqrt(1 - correlated) * of_image)
    y_true = positive[patients]
    drawn = []
    for other in (0, 0.5):
        score = distance * y_true + np.sqrt(1 - other) * noise[0] + np.sqrt(other) * noise[1]
        probability = expit(distance * (score - distance / 2) + np.log(1.5))
        drawn.append(Predictions(y_true, score >= distance - 1.5, probability, patients))
    return drawn


@pytest.mark.parametrize(
    "sample", [(60, 1, 0), (20, 10, 0.8), (60, 4, 0.3)], ids=["60", "20 x 10", "60 x 4"]
)
def test_intervals_contain_the_true_value(sample):
    """The full table is made by tests/benchmarks/coverage.py."""
    rng = np.random.default_rng(0)
    recall, specificity = norm.cdf(1.5), norm.cdf(1.0)
    truth = {
        "recall": recall,
        "specificity": specificity,
        "negative_likelihood_ratio": (1 - recall) / specificity,
        "npv_at_prevalence_0.05": 0.95 * specificity / (0.95 * specificity + 0.05 * (1 - recall)),
        "balanced_accuracy": (recall + specificity) / 2,
        "roc_auc": norm.cdf(2.5 / np.sqrt(2)),
        "specificity_at_recall_0.99": norm.cdf(2.5 - norm.ppf(0.99)),
        "calibration_slope": 1,
    }
    n_runs = 120
    covered = dict.fromkeys([*truth, "difference"], 0)
    for _ in range(n_runs):
        predictions, other = draw(rng, *sample)
        metrics = compute_metrics(predictions, 0.95)
        for name, value in truth.items():
            _, low, high = metrics[name]
            covered[name] += np.isnan(low) or low <= value <= high
        # Both models have the same recall.
        _, low, high = compute_differences(predictions, other, 0.95)["recall"]
        covered["difference"] += low <= 0 <= high
    error = 3 * np.sqrt(0.95 * 0.05 / n_runs)
    for name, n in covered.items():
        assert n / n_runs >= 0.95 - error, name


def test_intervals_by_image_do_not_contain_it_where_patients_have_several():
    """The simulation can find what is wrong: the images of a patient are not independent."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        predictions, _ = draw(rng, 20, 10, 0.8)
        by_image = predictions._replace(groups=None)
        _, low, high = compute_metrics(by_image, 0.95)["recall"]
        covered += low <= norm.cdf(1.5) <= high
    assert covered / 100 < 0.75


def test_an_estimate_without_variance_has_none():
    statistic = Statistic(1.0, np.zeros(4), np.ones(4, dtype=bool))
    assert clustered_variance(statistic, np.arange(4) > 1, np.arange(4))[0] == 0
