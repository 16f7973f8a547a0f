"""The threshold of an operating point, against the rule written out."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import recall_score

from skpneumo.metrics import missed_cost_score, specificity_score
from skpneumo.model_selection import OperatingPointClassifierCV

LABELS = np.array(["NORMAL", "PNEUMONIA"])


def clopper_pearson(n_right, n, confidence):
    """Lower bound by SciPy."""
    interval = binomtest(int(n_right), int(n), alternative="greater")
    return interval.proportion_ci(confidence, method="exact").low


def rank_written_out(scores, required, confidence):
    """Rank of the threshold: the order of the scores decides whether it is the next one."""
    n = len(scores)
    risk = binom.cdf(np.arange(n), n, 1 - required)  # of the k-th lowest, k from 1
    rank = np.sum(risk <= 1 - confidence)
    digest = hashlib.sha256(np.argsort(scores, kind="stable").astype("<i8").tobytes()).digest()
    draw = int.from_bytes(digest[:8], "little") / 2**64
    left = (1 - confidence - risk[rank - 1]) / (risk[rank] - risk[rank - 1])
    return rank + (draw <= left)


@pytest.mark.parametrize(
    ("min_recall", "confidence"), [(0.98, 0.95), (0.9, 0.95), (0.95, 0.8), (0.5, 0.99)]
)
def test_the_threshold_is_the_highest_of_certified_recall(
    by_column, scores, y, min_recall, confidence
):
    model = by_column(scores, y, min_recall=min_recall, confidence=confidence)
    rank = rank_written_out(scores[40:], min_recall, confidence)
    positive, negative = np.sort(scores[40:]), scores[:40]
    threshold = positive[rank - 1]
    assert model.best_threshold_ == threshold
    assert model.recall_ == 1 - (rank - 1) / 200 == np.mean(positive >= threshold)
    assert model.recall_lower_bound_ == min_recall
    assert model.specificity_ == np.mean(negative < threshold)
    expected = clopper_pearson(np.sum(negative < threshold), 40, confidence)
    assert model.specificity_lower_bound_ == pytest.approx(expected)
    assert (model.n_negative_units_, model.n_positive_units_) == (40, 200)
    np.testing.assert_array_equal(model.predict(scores[:, None]) == LABELS[1], scores >= threshold)


@pytest.mark.parametrize("required", [0.98, 0.9, 0.5, 1])
def test_without_confidence_the_recall_is_reached_on_the_images_at_hand(
    by_column, scores, y, required
):
    model = by_column(scores, y, min_recall=required, confidence=None)
    assert model.recall_ >= required
    assert np.mean(scores[40:] > model.best_threshold_) < required  # no higher one reaches it
    model = by_column(scores, y, min_recall=None, min_specificity=required, confidence=None)
    assert model.specificity_ >= required
    assert np.nextafter(model.best_threshold_, -9) in scores[:40]
    assert np.mean(scores[:40] < np.nextafter(model.best_threshold_, -9)) < required
    for bound in (model.recall_lower_bound_, model.specificity_lower_bound_):
        assert np.isnan(bound)
    assert np.isnan(model.curve_.recall_lower_bound).all()


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("confidence", [0.95, None])
@pytest.mark.parametrize("digits", [9, 1])
def test_min_specificity_is_the_mirror_of_min_recall(
    by_column, rng, scores, y, grouped, confidence, digits
):
    scores = scores.round(digits)
    groups = rng.integers(0, 120, 240) if grouped else None
    model = by_column(scores, y, min_recall=0.9, confidence=confidence, groups=groups)
    mirror = by_column(
        -scores,
        LABELS[(y == "NORMAL").astype(int)],
        min_recall=None,
        min_specificity=0.9,
        confidence=confidence,
        groups=groups,
    )
    np.testing.assert_array_equal(
        mirror.predict(-scores[:, None]) == "NORMAL", model.predict(scores[:, None]) == "PNEUMONIA"
    )
    assert mirror.specificity_ == model.recall_
    assert mirror.recall_ == model.specificity_
    assert mirror.n_negative_units_ == model.n_positive_units_
    np.testing.assert_equal(mirror.specificity_lower_bound_, model.recall_lower_bound_)
    np.testing.assert_equal(mirror.recall_lower_bound_, model.specificity_lower_bound_)


@pytest.mark.parametrize("missed_cost", [0.01, 0.1, 1 / 3, 1, 2.5, 10, 1e6])
@pytest.mark.parametrize("digits", [9, 0])
def test_the_threshold_is_the_highest_of_least_cost(by_column, scores, y, missed_cost, digits):
    scores = scores.round(digits)
    model = by_column(scores, y, min_recall=None, missed_cost=missed_cost)
    positive, negative = scores[40:], scores[:40]
    costs = {
        t: missed_cost * np.sum(positive < t) + np.sum(negative >= t)
        for t in [*scores, np.nextafter(scores.max(), np.inf)]
    }
    least = min(costs.values())
    assert model.best_threshold_ == max(t for t, cost in costs.items() if cost <= least + 1e-9)
    y_pred = model.predict(scores[:, None])
    assert -240 * missed_cost_score(y, y_pred, missed_cost=missed_cost) == pytest.approx(least)
    assert np.isnan(model.recall_lower_bound_)
    assert np.isnan(model.specificity_lower_bound_)


def test_equal_costs_tie_in_spite_of_rounding(by_column):
    # 9 false negatives and 1 false positive at 1, 19 false negatives at 2; as floating-point
    # numbers, 0.1 * 19 is more than 0.1 * 9 + 1
    positive, negative = np.repeat([0.0, 1.0, 2.0], [9, 10, 3]), np.repeat([0.0, 1.5], [5, 1])
    model = by_column(
        np.r_[negative, positive], np.repeat([0, 1], [6, 22]), min_recall=None, missed_cost=0.1
    )
    assert model.best_threshold_ == 2


def test_nobody_is_predicted_positive_if_false_positives_cost_too_much(by_column):
    model = by_column(
        np.array([0.1, 0.9, 0.5, 0.6]), [0, 0, 1, 1], min_recall=None, missed_cost=0.1
    )
    assert model.best_threshold_ > 0.9
    assert not model.predict([[0.9]]).any()
    assert (model.recall_, model.specificity_) == (0, 1)


def test_a_patient_is_a_true_positive_only_if_every_positive_image_is(by_column):
    # images i and i + 30 are of one patient
    positive = np.r_[np.linspace(1, 2, 30), np.linspace(3, 4, 30)]
    negative = np.array([0.0, 1.5, 9.0, 0.5])
    groups = np.r_[[0, 0, 1, 1], np.tile(np.arange(100, 130), 2)]
    y = np.repeat([0, 1], [4, 60])
    model = by_column(np.r_[negative, positive], y, min_recall=0.9, groups=groups)
    assert (model.n_negative_units_, model.n_positive_units_) == (2, 30)
    assert model.best_threshold_ == 1.0  # the rank of 30 patients is 1
    assert model.specificity_ == 0  # each negative patient has an image of at least 1
    assert by_column(np.r_[negative, positive], y, min_recall=0.9).best_threshold_ > 1.0


def test_a_patient_with_images_of_both_classes_counts_in_both(by_column):
    scores = np.r_[np.linspace(0, 1, 20), np.linspace(1, 2, 20)]
    y, groups = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
    model = by_column(scores, y, min_recall=0.8, groups=groups)
    assert (model.n_negative_units_, model.n_positive_units_) == (20, 20)


def test_ties_only_raise_the_recall(by_column, scores, y):
    scores = scores.round(0)
    model = by_column(scores, y, min_recall=0.9)
    rank = rank_written_out(scores[40:], 0.9, 0.95)
    assert model.best_threshold_ == np.sort(scores[40:])[rank - 1]
    assert model.recall_ > 1 - (rank - 1) / 200
    assert model.recall_lower_bound_ == 0.9


@pytest.mark.parametrize(
    ("target", "recall", "specificity"),
    [
        ({"min_recall": 0.9}, 1, 0),
        ({"min_recall": None, "min_specificity": 0.9}, 0, 1),
        ({"min_recall": None, "missed_cost": 5}, 1, 0),
        ({"min_recall": None, "missed_cost": 0.1}, 0, 1),
    ],
)
def test_equal_scores_are_predicted_alike(target, recall, specificity):
    X, y = np.zeros((80, 3)), np.repeat([0, 1], [40, 40])
    model = OperatingPointClassifierCV(DummyClassifier(strategy="prior"), **target).fit(X, y)
    assert (model.predict(X) == recall).all()
    assert (model.recall_, model.specificity_) == (recall, specificity)


def test_scores_are_compared_in_the_type_they_were_chosen_in(by_column, rng, y):
    scores = rng.uniform(0, 1, 240).astype(np.float32)
    model = by_column(scores, y, min_recall=0.9)
    assert model.best_threshold_.dtype == np.float32
    at = model.best_threshold_
    below = np.nextafter(at, np.float32(0))
    np.testing.assert_array_equal(model.predict([[at], [below]]), LABELS[::-1])
    # the same network, computed in another precision
    model.estimator_.estimator.dtype = "float64"
    just_short = np.float64(at) - 1e-12
    np.testing.assert_array_equal(model.predict([[just_short], [below]]), LABELS[::-1])


@pytest.mark.parametrize("dtype", ["int64", "bool", "float16"])
@pytest.mark.parametrize("target", ["min_recall", "min_specificity", "missed_cost"])
def test_scores_of_any_type(by_column, rng, y, dtype, target):
    scores = (rng.integers(0, 4, 240) * (rng.random(240) < 0.5)).astype(dtype)
    value = 1 if target == "missed_cost" else 0.8
    groups = np.arange(240) // 2
    model = by_column(scores, y, **{"min_recall": None, target: value}, groups=groups)
    expected = by_column(
        scores.astype(float), y, **{"min_recall": None, target: value}, groups=groups
    )
    X = scores[:, None]
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("grouped", [False, True])
def test_the_curve_holds_the_metrics_of_each_threshold(by_column, rng, scores, y, grouped):
    scores = scores.round(1)
    groups = rng.integers(0, 60, 240) if grouped else None
    curve = by_column(scores, y, min_recall=0.8, groups=groups).curve_
    np.testing.assert_array_equal(curve.threshold, np.unique(scores))
    clusters = np.arange(240) if groups is None else groups
    for i, t in enumerate(curve.threshold):
        y_pred = scores >= t
        positive = [y_pred[(clusters == c) & (y == "PNEUMONIA")] for c in np.unique(clusters[40:])]
        recall = np.mean([images.all() for images in positive])
        assert curve.recall[i] == pytest.approx(recall)
        bound = clopper_pearson(round(recall * len(positive)), len(positive), 0.95)
        assert curve.recall_lower_bound[i] == pytest.approx(bound)
        negative = [y_pred[(clusters == c) & (y == "NORMAL")] for c in np.unique(clusters[:40])]
        specificity = np.mean([not images.any() for images in negative])
        assert curve.specificity[i] == pytest.approx(specificity)
        y_pred = LABELS[y_pred.astype(int)]
        if not grouped:
            assert specificity == pytest.approx(specificity_score(y, y_pred))
            assert recall == pytest.approx(recall_score(y, y_pred, pos_label="PNEUMONIA"))


def test_the_same_data_give_the_same_threshold_in_another_process():
    code = """
import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from skpneumo import OperatingPointClassifierCV
rng = np.random.default_rng(0)
y = np.repeat([0, 1], [50, 190])
X = rng.normal(size=(240, 3)) + y[:, None]
for groups in (None, np.arange(240) // 3):
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, cv=3)
    print(model.fit(X, y, groups=groups).best_threshold_.hex())
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.split()) == 2


def test_patients_in_another_order_give_the_same_threshold(by_column, rng, scores, y):
    groups = np.array([f"patient {i}" for i in rng.integers(0, 150, 240)])
    order = rng.permutation(240)
    one = by_column(scores, y, min_recall=0.9, groups=groups)
    other = by_column(scores[order], y[order], min_recall=0.9, groups=groups[order])
    assert one.best_threshold_ == other.best_threshold_


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"min_recall": 0.8}, 3.0),
        ({"min_recall": 0.8, "confidence": None}, 3.0),
        ({"min_recall": None, "min_specificity": 0.8}, 2.0),
        ({"min_recall": None, "missed_cost": 2}, np.nan),
    ],
)
def test_images_per_patient_are_those_of_the_class_that_is_certified(
    by_column, scores, y, target, expected
):
    groups = np.r_[np.arange(40) // 2, 100 + np.arange(200) // 3]
    groups[-2:] = groups[-3]
    groups[-5:-3] = groups[-6]
    model = by_column(scores, y, groups=groups, **target)
    n_patients = len(np.unique(groups[40:]))
    expected = 200 / n_patients if expected == 3 else expected
    assert model.images_per_patient_ == pytest.approx(expected, nan_ok=True)
    assert np.isnan(by_column(scores, y, **target).images_per_patient_)
