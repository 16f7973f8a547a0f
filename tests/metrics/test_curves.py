"""The curves, against each threshold counted by itself."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import recall_score

from skpneumo.metrics import decision_curve, specificity_score, threshold_curve

LABELS = np.array(["NORMAL", "PNEUMONIA"])


def draw(seed, n_negative=23, n_positive=61):
    """Class-sorted, imbalanced labels, tied scores in [0, 1], and patients of up to 4 images."""
    rng = np.random.default_rng(seed)
    y_true = np.repeat([0, 1], [n_negative, n_positive])
    scores = np.round(1 / (1 + np.exp(-rng.normal(1.5 * y_true))), 2)
    patients = np.array([f"patient {i // 4}" for i in range(len(y_true))])
    return LABELS[y_true], scores, patients


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recall_and_specificity_are_those_of_each_threshold(seed, dtype):
    y, scores, _ = draw(seed)
    scores = scores.astype(dtype)
    curve = threshold_curve(y, scores)
    np.testing.assert_array_equal(curve.threshold, np.unique(scores))
    for t, recall, specificity in zip(
        curve.threshold, curve.recall, curve.specificity, strict=True
    ):
        y_pred = LABELS[(scores >= t).astype(int)]
        assert recall == pytest.approx(recall_score(y, y_pred, pos_label="PNEUMONIA"))
        assert specificity == pytest.approx(specificity_score(y, y_pred, pos_label="PNEUMONIA"))


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_bound_is_the_clopper_pearson_bound(confidence):
    y, scores, _ = draw(0)
    curve = threshold_curve(y, scores, confidence=confidence)
    for t, bound in zip(curve.threshold, curve.recall_lower_bound, strict=True):
        tp = int(np.sum(scores[y == "PNEUMONIA"] >= t))
        exact = binomtest(tp, 61, alternative="greater").proportion_ci(confidence)
        assert bound == pytest.approx(exact.low, abs=1e-9)
    assert np.isnan(threshold_curve(y, scores, confidence=None).recall_lower_bound).all()


def test_patients_count_by_their_lowest_positive_and_highest_negative_score():
    y, scores, patients = draw(1)
    curve = threshold_curve(y, scores, groups=patients)
    positive = y == "PNEUMONIA"
    lowest = [scores[positive & (patients == p)].min() for p in np.unique(patients[positive])]
    expected = [np.mean(lowest >= t) for t in curve.threshold]
    np.testing.assert_allclose(curve.recall, expected)
    negative = y == "NORMAL"
    highest = [scores[negative & (patients == p)].max() for p in np.unique(patients[negative])]
    expected = [np.mean(highest < t) for t in curve.threshold]
    np.testing.assert_allclose(curve.specificity, expected)
    images = threshold_curve(y, scores)
    for name in ("recall", "specificity"):
        assert (curve[name] <= images[name]).all()
        assert (curve[name] < images[name]).any()


def test_pos_label_may_be_the_lesser():
    y, scores, _ = draw(2)
    swapped = threshold_curve(y, -scores, pos_label="NORMAL")
    np.testing.assert_allclose(swapped.recall[0], 1)
    np.testing.assert_allclose(swapped.specificity[-1], np.mean(scores[y == "PNEUMONIA"] > 0.14))


def net_benefit(y, y_pred, p):
    """Written out as in Vickers and Elkin: true less false positives, these times the odds."""
    tp = sum(t == "PNEUMONIA" and c for t, c in zip(y, y_pred, strict=True))
    fp = sum(t == "NORMAL" and c for t, c in zip(y, y_pred, strict=True))
    return tp / len(y) - fp / len(y) * (p / (1 - p))


@pytest.mark.parametrize("seed", range(3))
def test_net_benefit_is_that_of_each_threshold(seed):
    y, scores, _ = draw(seed)
    y_pred = LABELS[(scores >= 0.3).astype(int)]
    grid = [0, 0.07, 0.3, 0.5, 0.93]
    curve = decision_curve(y, scores, y_pred=y_pred, thresholds=grid)
    for i, p in enumerate(grid):
        assert curve.threshold[i] == p
        assert curve.net_benefit[i] == pytest.approx(net_benefit(y, scores >= p, p))
        assert curve.net_benefit_all[i] == pytest.approx(net_benefit(y, [True] * len(y), p))
        assert curve.net_benefit_at_threshold[i] == pytest.approx(
            net_benefit(y, y_pred == "PNEUMONIA", p)
        )
    assert curve.net_benefit[2] == curve.net_benefit_at_threshold[2]


def test_net_benefit_of_default_thresholds_and_of_constant_predictions():
    y, scores, _ = draw(0)
    curve = decision_curve(y, scores)
    assert curve.net_benefit_at_threshold is None
    assert (curve.threshold[0], curve.threshold[-1], len(curve.threshold)) == (0, 0.5, 101)
    prevalence = np.mean(y == "PNEUMONIA")
    assert curve.net_benefit[0] == curve.net_benefit_all[0] == pytest.approx(prevalence)
    # predicting all positive has no net benefit if the threshold probability is the prevalence
    crossing = decision_curve(y, scores, thresholds=[prevalence])
    assert crossing.net_benefit_all[0] == pytest.approx(0)
    all_negative = np.full(len(y), "NORMAL")
    assert not decision_curve(y, scores, y_pred=all_negative).net_benefit_at_threshold.any()


@pytest.mark.parametrize("curve", [threshold_curve, decision_curve])
@pytest.mark.parametrize(("label", "missing"), [("NORMAL", "positive"), ("PNEUMONIA", "negative")])
def test_both_classes_are_needed(curve, label, missing):
    with pytest.raises(
        ValueError, match=f"both classes, but y_true holds no image of the {missing}"
    ):
        curve([label] * 3, [0.1, 0.2, 0.3], pos_label="PNEUMONIA")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 1}, "confidence must lie between 0 and 1, got 1"),
        ({"confidence": 95}, "confidence must be a number from 0 to 1, got 95"),
        ({"groups": ["a", None, "b", "c"]}, "groups holds no value for 1 of 4 images"),
        ({"groups": ["a", "b"]}, "inconsistent numbers of samples"),
        ({"pos_label": 2}, "pos_label=2 is not among the labels of y_true"),
    ],
)
def test_errors_of_a_threshold_curve(options, message):
    with pytest.raises(ValueError, match=message):
        threshold_curve([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], **options)


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        (
            [-1.5, 0, 0.5, 2],
            {},
            "needs probabilities, got values from -1.5 to 2. Pass predict_proba",
        ),
        ([0.1, 0.2, np.nan, 0.4], {}, "contains NaN"),
        ([0.1, 0.2, 0.3, 0.4], {"thresholds": [0.5, 1]}, "at least 0 and below 1, got"),
        ([0.1, 0.2, 0.3, 0.4], {"thresholds": []}, "at least 0 and below 1, got"),
        ([0.1, 0.2, 0.3, 0.4], {"thresholds": 0.5}, "a 1-D array of probabilities"),
        ([0.1, 0.2, 0.3, 0.4], {"y_pred": [0, 1]}, "y_true has 4, y_pred has 2"),
    ],
)
def test_errors_of_a_decision_curve(scores, options, message):
    with pytest.raises(ValueError, match=message):
        decision_curve([0, 0, 1, 1], scores, **options)
