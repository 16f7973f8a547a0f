"""PrevalenceThresholdClassifier: a threshold from a prevalence, and what to expect of it."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from skpneumo.model_selection import OperatingPointClassifierCV
from skpneumo.sites import PrevalenceThresholdClassifier, TriageClassifierCV, _prevalence_thresholds
from skpneumo.sites._prevalence_thresholds import (
    expected_ranges,
    expected_rates,
    implied_positive_rate,
    threshold_of_rate,
    threshold_of_recall,
)
from skpneumo.sites._reference import ReferenceScores

DISTANCE = 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def draw(rng, n, prevalence):
    """Rows whose first column separates the classes, and their labels."""
    y = rng.random(n) < prevalence
    return rng.normal(DISTANCE * y, 1)[:, None], y.astype(int)


@pytest.fixture(scope="module")
def make_model(by_first_column):
    """Return a function that makes a model with a reference of 1,000 images."""

    def make(dtype="float64", kind=OperatingPointClassifierCV, groups=None):
        X, y = draw(np.random.default_rng(1), 1000, 0.5)
        frozen = FrozenEstimator(by_first_column(dtype))
        frozen.estimator.classes_ = np.array([0, 1])
        return kind(frozen, min_recall=0.9).fit(X, y, groups=groups)

    return make


@pytest.fixture(scope="module")
def model(make_model):
    return make_model()


def reference_rates(model, prevalence, min_recall=0.98):
    """Proportion predicted positive at the highest threshold of a recall, in plain NumPy."""
    y, scores = model.reference_.y_true, model.reference_.y_score
    threshold = max(t for t in scores if np.mean(scores[y] >= t) >= min_recall)
    recall, false_positives = np.mean(scores[y] >= threshold), np.mean(scores[~y] >= threshold)
    return prevalence * recall + (1 - prevalence) * false_positives


# -- the threshold ----------------------------------------------------------------------------


@pytest.mark.parametrize("prevalence", [0.1, 0.5, 0.8])
def test_proportion_predicted_positive_is_the_implied_one(rng, model, prevalence):
    X, _ = draw(rng, 400, 0.4)
    local = PrevalenceThresholdClassifier(FrozenEstimator(model), prevalence=prevalence).fit(X)
    assert local.positive_rate_ == pytest.approx(reference_rates(model, prevalence))
    assert np.mean(local.predict(X)) == pytest.approx(local.positive_rate_, abs=0.5 / 400 + 1e-9)
    assert local.best_threshold_ in X
    assert (local.unit_, local.n_units_) == ("image", 400)


def test_min_recall_decides_how_many_are_predicted_positive(rng, model):
    X, _ = draw(rng, 400, 0.4)
    for min_recall in (0.5, 0.9, 0.999):
        local = PrevalenceThresholdClassifier(model, prevalence=0.4, min_recall=min_recall).fit(X)
        assert local.positive_rate_ == pytest.approx(reference_rates(model, 0.4, min_recall))


def test_an_interval_uses_its_upper_end(rng, model):
    X, _ = draw(rng, 400, 0.4)
    by_interval, by_number, by_low = (
        PrevalenceThresholdClassifier(model, prevalence=prevalence).fit(X)
        for prevalence in ((0.3, 0.5), 0.5, 0.3)
    )
    assert by_interval.best_threshold_ == by_number.best_threshold_ < by_low.best_threshold_
    # A number is known within .05 and an interval as it is.
    assert by_interval.expected_recall_range_[1] >= by_number.expected_recall_range_[1]
    assert by_interval.expected_recall_range_[0] > by_number.expected_recall_range_[0]
    at_ends = PrevalenceThresholdClassifier(model, prevalence=[0.45, 0.55]).fit(X)
    assert at_ends.best_threshold_ < by_number.best_threshold_


@pytest.mark.parametrize("change", [lambda s: s + 2, np.exp, lambda s: s**3])
def test_the_threshold_moves_with_all_scores(rng, model, change):
    X, _ = draw(rng, 400, 0.4)
    before, after = (
        PrevalenceThresholdClassifier(model, prevalence=0.4).fit(scores)
        for scores in (X, change(X))
    )
    assert after.best_threshold_ == change(before.best_threshold_)
    assert after.expected_recall_range_ == before.expected_recall_range_


def test_patients_are_counted_by_one_image_each(rng, model):
    X, _ = draw(rng, 100, 0.4)
    once = PrevalenceThresholdClassifier(model, prevalence=0.4).fit(X)
    # The same patients with several identical images, most of them of the first ones.
    times = np.where(np.arange(100) < 20, 9, 1)
    local = PrevalenceThresholdClassifier(model, prevalence=0.4)
    local.fit(np.repeat(X, times, axis=0), groups=np.repeat(np.arange(100), times))
    assert (local.unit_, local.n_units_) == ("patient", 100)
    assert local.best_threshold_ == once.best_threshold_
    assert local.fit(np.repeat(X, times, axis=0)).best_threshold_ != once.best_threshold_


def test_patients_of_the_reference_are_drawn_too(make_model, rng):
    X, _ = draw(rng, 400, 0.4)
    paired = make_model(groups=np.arange(1000) // 2)
    own = np.arange(400)
    local = PrevalenceThresholdClassifier(paired, prevalence=0.4).fit(X, groups=own)
    by_image = PrevalenceThresholdClassifier(paired, prevalence=0.4).fit(X)
    assert local.positive_rate_ != by_image.positive_rate_


def test_scores_of_single_precision(rng, make_model):
    single = make_model("float32")
    X, _ = draw(rng, 300, 0.4)
    local = PrevalenceThresholdClassifier(single, prevalence=0.4).fit(X)
    assert local.best_threshold_.dtype == np.float32
    assert np.mean(local.predict(X)) == pytest.approx(local.positive_rate_, abs=0.5 / 300 + 1e-9)


def test_ties_at_the_threshold_are_predicted_positive(model):
    X = np.zeros((60, 1))
    local = PrevalenceThresholdClassifier(model, prevalence=0.4).fit(X)
    assert local.predict(X).all()
    assert local.positive_rate_ < 0.6


# -- what to expect ---------------------------------------------------------------------------


def test_expected_rates_are_those_of_the_reference(rng):
    positive, negative = np.sort(rng.normal(3, 1, 500)), np.sort(rng.normal(0, 1, 400))
    reference = ReferenceScores(positive, negative)
    rate = implied_positive_rate(reference, 0.3, threshold_of_recall(reference.positive, 0.9))
    recall, specificity = expected_rates(reference, rate, 0.3)
    assert recall == pytest.approx(0.9)
    assert specificity == pytest.approx(np.mean(negative < positive[50]))
    # Perfectly separated: no more positive patients than are predicted positive.
    apart = ReferenceScores(positive + 99, negative)
    assert expected_rates(apart, 0.4, 0.5) == pytest.approx((0.8, 1))
    assert expected_rates(apart, 0.6, 0.5) == pytest.approx((1, 0.8))


def test_threshold_of_a_rate():
    scores = np.arange(10.0)
    assert [threshold_of_rate(scores, rate) for rate in (0, 0.1, 0.26, 1)] == [9, 9, 7, 0]


@pytest.fixture
def few_resamples(monkeypatch):
    """As many as simulations of many fits can afford."""
    monkeypatch.setattr(_prevalence_thresholds, "_N_RESAMPLES", 80)


def test_ranges_cover_the_truth_if_scores_moved_alike(rng, few_resamples):
    """Each end may fail in 2.5 % if the prevalence is known exactly."""
    n_site, prevalence, n_runs, missed = 150, 0.4, 100, []
    for _ in range(n_runs):
        reference = ReferenceScores(*(np.sort(rng.normal(mean, 1, 300)) for mean in (DISTANCE, 0)))
        X, _ = draw(rng, n_site, prevalence)
        rate = implied_positive_rate(
            reference, prevalence, threshold_of_recall(reference.positive, 0.95)
        )
        threshold = np.log(threshold_of_rate(np.exp(X[:, 0] - 5), rate)) + 5
        found = expected_ranges(reference, rate, (prevalence, prevalence), n_site, rng)
        true = norm.sf(threshold - DISTANCE), norm.cdf(threshold)
        missed.append(
            [not low <= value <= high for (low, high), value in zip(found, true, strict=True)]
        )
    assert np.mean(missed) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_runs)


def test_ranges_cover_the_truth_for_an_error_of_five_points(rng, model, few_resamples):
    n_runs, missed = 40, []
    for run in range(n_runs):
        assumed = 0.5
        X, _ = draw(rng, 200, assumed + (0.05 if run % 2 else -0.05))
        local = PrevalenceThresholdClassifier(model, prevalence=assumed).fit(X + 4)
        threshold = local.best_threshold_ - 4
        low, high = local.expected_recall_range_
        missed.append(not low <= norm.sf(threshold - DISTANCE) <= high)
        low, high = local.expected_specificity_range_
        missed.append(not low <= norm.cdf(threshold) <= high)
    assert np.mean(missed) <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / n_runs)


def test_too_low_a_prevalence_costs_recall(rng, model):
    X, y = draw(rng, 4000, 0.5)
    recalls, specificities = [], []
    for assumed in (0.4, 0.5, 0.6):
        predicted = PrevalenceThresholdClassifier(model, prevalence=assumed).fit(X).predict(X)
        recalls.append(predicted[y == 1].mean())
        specificities.append(1 - predicted[y == 0].mean())
    assert recalls[0] < 0.93 < 0.96 < recalls[1] < recalls[2]
    assert specificities[0] > specificities[1] > specificities[2] + 0.1


# -- as an estimator --------------------------------------------------------------------------


def test_the_model_is_not_fitted_again(rng, model):
    X, _ = draw(rng, 100, 0.4)
    for given in (model, FrozenEstimator(model)):
        local = PrevalenceThresholdClassifier(given, prevalence=0.4).fit(X)
        assert isinstance(local.estimator_, FrozenEstimator)
        assert local.estimator_.estimator is model
        assert local.estimator is given
        np.testing.assert_array_equal(local.decision_function(X), model.decision_function(X))
        np.testing.assert_array_equal(local.classes_, [0, 1])


def test_parameters_and_clones(rng, model):
    local = PrevalenceThresholdClassifier(
        FrozenEstimator(model), prevalence=(0.2, 0.4), min_recall=0.9
    )
    params = local.get_params(deep=False)
    assert params == {
        "estimator": local.estimator,
        "prevalence": (0.2, 0.4),
        "min_recall": 0.9,
    }
    X, _ = draw(rng, 100, 0.4)
    copy = clone(local).fit(X)
    assert copy.estimator.estimator is model
    assert copy.best_threshold_ == local.fit(X).best_threshold_
    assert local.get_params(deep=False) == params
    with pytest.raises(NotFittedError):
        clone(local).predict(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(local))


def test_by_another_classifier_with_a_reference(rng, make_model):
    triage = make_model(
        kind=lambda model, min_recall: TriageClassifierCV(
            model, min_recall=min_recall, min_specificity=0.9
        )
    )
    X, _ = draw(rng, 100, 0.4)
    expected = PrevalenceThresholdClassifier(make_model(), prevalence=0.4).fit(X)
    local = PrevalenceThresholdClassifier(triage, prevalence=0.4).fit(X)
    assert local.best_threshold_ == expected.best_threshold_


def test_the_description_certifies_nothing(rng, model):
    X, _ = draw(rng, 1000, 0.4)
    local = PrevalenceThresholdClassifier(model, prevalence=0.4).fit(X)
    assert local.get_certified_target() is None
    text = local.describe_threshold()
    assert "of 1,000 unlabelled images are predicted positive" in text
    assert "a prevalence of 40% implies; nothing certified" in text
    local = PrevalenceThresholdClassifier(model, prevalence=(0.3, 0.45)).fit(X)
    assert "a prevalence of 30% to 45% implies" in local.describe_threshold()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prevalence": 0}, "'prevalence' parameter"),
        ({"prevalence": 1.0}, "'prevalence' parameter"),
        ({"prevalence": "a half"}, "'prevalence' parameter"),
        ({"prevalence": (0.4, 0.3)}, r"interval of such numbers, got \(0.4, 0.3\)"),
        ({"prevalence": (0.4,)}, "interval of such numbers"),
        ({"prevalence": (0, 0.3)}, "interval of such numbers"),
        ({"prevalence": (0.2, np.nan)}, "interval of such numbers"),
        ({"prevalence": ("a", "b")}, "interval of such numbers"),
        ({"prevalence": 0.3, "min_recall": 1}, "'min_recall' parameter"),
    ],
)
def test_odd_parameters_are_refused(rng, model, params, message):
    with pytest.raises(ValueError, match=message):
        PrevalenceThresholdClassifier(model, **params).fit(draw(rng, 100, 0.4)[0])


def test_too_few_images_are_refused(rng, model):
    local = PrevalenceThresholdClassifier(model, prevalence=0.4)
    X, _ = draw(rng, 98, 0.4)
    with pytest.raises(ValueError, match=r"needs at least 50 images; got 49\. Collect more"):
        local.fit(X[:49])
    with pytest.raises(ValueError, match="needs at least 50 patients; got 49"):
        local.fit(X, groups=np.arange(98) // 2)
    assert local.fit(X[:50]).n_units_ == 50


def test_models_without_a_reference_are_refused(rng, model):
    X, y = draw(rng, 100, 0.4)
    plain = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="LogisticRegression holds no reference scores"):
        PrevalenceThresholdClassifier(plain, prevalence=0.4).fit(X)
    with pytest.raises(NotFittedError):
        PrevalenceThresholdClassifier(clone(model), prevalence=0.4).fit(X)
