"""TriageClassifierCV: two thresholds that hold together, and three answers."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from skpneumo._utils.bounds import min_score_per_patient
from skpneumo.inspection import ThresholdCurveDisplay
from skpneumo.model_selection import FoldMeanClassifier, OperatingPointClassifierCV
from skpneumo.sites import TriageClassifierCV
from skpneumo.sites._triage_thresholds import choose_triage_point

LABELS = np.array(["NORMAL", "PNEUMONIA"])


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    with threadpool_limits(1):
        yield


class FirstColumn(ClassifierMixin, BaseEstimator):
    """Returns the first column as decision values."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]


def triage_by_column(scores, y, *, groups=None, **params):
    """A triage that is chosen by these very scores."""
    scores = np.asarray(scores)
    model = FrozenEstimator(FirstColumn().fit(scores[:2, None], np.unique(y)))
    return TriageClassifierCV(model, **params).fit(scores[:, None], y, groups=groups)


def draw(rng, n_negative=300, n_positive=250, distance=3):
    """Scores and labels, the negative ones first."""
    y = np.repeat([0, 1], [n_negative, n_positive])
    return rng.normal(distance * y, 1), LABELS[y]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_three_answers_by_two_thresholds(rng):
    scores, y = draw(rng)
    model = triage_by_column(scores, y)
    low, high = model.rule_out_threshold_, model.rule_in_threshold_
    assert low < high
    X = np.array([low, np.nextafter(low, -9), high, np.nextafter(high, -9)])[:, None]
    assert model.predict_triage(X).tolist() == ["to be read", "ruled out", "ruled in", "to be read"]
    assert model.predict(X).tolist() == ["PNEUMONIA", "NORMAL", "PNEUMONIA", "PNEUMONIA"]


def test_attributes_describe_the_sample(rng):
    scores, y = draw(rng)
    model = triage_by_column(scores, y)
    answers, positive = model.predict_triage(scores[:, None]), y == "PNEUMONIA"
    assert model.n_positive_ruled_out_ == np.sum(positive & (answers == "ruled out"))
    assert model.n_negative_ruled_in_ == np.sum(~positive & (answers == "ruled in"))
    assert (model.n_positive_units_, model.n_negative_units_) == (250, 300)
    assert model.recall_ == pytest.approx(1 - model.n_positive_ruled_out_ / 250)
    assert model.recall_ == recall_score(y, model.predict(scores[:, None]), pos_label="PNEUMONIA")
    assert model.specificity_ == pytest.approx(1 - model.n_negative_ruled_in_ / 300)
    assert (model.recall_lower_bound_, model.specificity_lower_bound_) == (0.98, 0.95)
    to_read = answers == "to be read"
    assert model.proportion_to_read_ == pytest.approx(to_read.mean())
    np.testing.assert_allclose(
        model.to_read_by_class_, [to_read[~positive].mean(), to_read[positive].mean()]
    )
    assert model.proportion_to_read_ < model.proportion_to_read_upper_bound_ < 1
    assert (model.unit_, np.isnan(model.images_per_patient_)) == ("image", True)


def test_each_threshold_is_an_operating_point_at_its_own_confidence(rng):
    scores, y = draw(rng)
    model = triage_by_column(scores, y)
    frozen = model.estimator
    at = {"confidence": model.confidence_of_each_}
    low = OperatingPointClassifierCV(frozen, min_recall=0.98, **at).fit(scores[:, None], y)
    high = OperatingPointClassifierCV(frozen, min_recall=None, min_specificity=0.95, **at)
    assert model.rule_out_threshold_ == low.best_threshold_
    assert model.rule_in_threshold_ == high.fit(scores[:, None], y).best_threshold_


def test_the_confidence_of_each_threshold(rng):
    scores, y = draw(rng)
    assert triage_by_column(scores, y).confidence_of_each_ == pytest.approx(np.sqrt(0.95))
    own = np.arange(len(y))
    assert triage_by_column(scores, y, groups=own).confidence_of_each_ == np.sqrt(0.95)
    shared = np.where(own == 549, 0, own)  # one patient has images of both classes
    assert triage_by_column(scores, y, groups=shared).confidence_of_each_ == 0.975
    by_folds = TriageClassifierCV(LogisticRegression()).fit(scores[:, None], y)
    assert by_folds.confidence_of_each_ == 0.975
    assert isinstance(by_folds.estimator_, FoldMeanClassifier)


def test_both_hold_together_and_the_bounds_of_those_to_be_read(rng):
    n_runs, held, bounded = 1500, [], []
    for _ in range(n_runs):
        y = np.repeat([False, True], [90, 70])
        point = choose_triage_point(
            y,
            rng.normal(3 * y, 1),
            None,
            min_recall=0.94,
            min_specificity=0.95,
            confidence=(np.sqrt(0.95), 0.95),
        )
        recall, specificity = norm.sf(point.rule_out - 3), norm.cdf(point.rule_in)
        held.append(recall >= 0.94 and specificity >= 0.95)
        to_read = [
            norm.cdf(point.rule_in - mean) - norm.cdf(point.rule_out - mean) for mean in (0, 3)
        ]
        bounded.append(np.all(to_read <= point.to_read_by_class_upper_bound))
    error = np.sqrt(0.05 * 0.95 / n_runs)
    assert 0.95 - 3 * error < np.mean(held) < 0.95 + 3 * error
    assert np.mean(bounded) > 0.95 - 3 * error


@pytest.mark.parametrize("distance", [6, 8])
def test_well_separated_classes_leave_nothing_to_be_read(rng, distance):
    scores, y = draw(rng, distance=distance)
    model = triage_by_column(scores, y)
    assert model.rule_out_threshold_ == model.rule_in_threshold_
    assert (model.proportion_to_read_, model.proportion_to_read_upper_bound_) == (0, 0)
    assert set(model.predict_triage(scores[:, None])) == {"ruled in", "ruled out"}
    # It is the lowest threshold with both properties, so that it misses the fewest.
    high = OperatingPointClassifierCV(
        model.estimator, min_recall=None, min_specificity=0.95, confidence=np.sqrt(0.95)
    ).fit(scores[:, None], y)
    assert model.rule_out_threshold_ == high.best_threshold_
    assert model.recall_ >= 0.98
    assert model.specificity_ >= 0.95


def test_patients_count_by_their_worst_image(rng):
    scores, y = draw(rng, n_negative=400, n_positive=400)
    groups = np.arange(800) // 2
    model = triage_by_column(scores, y, groups=groups, min_recall=0.95, min_specificity=0.9)
    assert (model.n_positive_units_, model.n_negative_units_) == (200, 200)
    assert (model.unit_, model.images_per_patient_) == ("patient", 2)
    lowest = min_score_per_patient(scores[400:], groups[400:])
    highest = -min_score_per_patient(-scores[:400], groups[:400])
    assert model.n_positive_ruled_out_ == np.sum(lowest < model.rule_out_threshold_)
    assert model.n_negative_ruled_in_ == np.sum(highest >= model.rule_in_threshold_)


@pytest.mark.parametrize(("n_negative", "n_positive"), [(71, 300), (300, 181)])
def test_too_few_patients_are_refused(rng, n_negative, n_positive):
    scores, y = draw(rng, n_negative, n_positive)
    message = (
        rf"at least 182 positive and 72 negative images are needed, got {n_positive} and "
        rf"{n_negative}\. Add images, or lower"
    )
    with pytest.raises(ValueError, match=message):
        triage_by_column(scores, y)
    scores, y = draw(rng, 72, 182)
    triage_by_column(scores, y)


def test_scores_are_compared_in_the_type_they_were_chosen_in(rng):
    scores, y = draw(rng)
    model = triage_by_column(scores.astype(np.float32), y)
    assert model.rule_in_threshold_.dtype == np.float32
    answers = model.predict_triage(scores.astype(np.float32)[:, None])
    assert np.sum((answers == "ruled in") & (y == "NORMAL")) == model.n_negative_ruled_in_


def test_equal_scores_are_all_to_be_read():
    y = LABELS[np.repeat([0, 1], [100, 200])]
    model = triage_by_column(np.full(300, 0.5), y)
    assert set(model.predict_triage(np.full((3, 1), 0.5))) == {"to be read"}
    assert model.proportion_to_read_upper_bound_ == 1


def test_the_thresholds_in_words(rng):
    scores, y = draw(rng)
    model = triage_by_column(scores, y)
    assert model.describe_threshold() == (
        f"images below {model.best_threshold_:.4g} are ruled out, those from "
        f"{model.rule_in_threshold_:.4g} on are ruled "
        "in, those between are to be read; a recall of 98% of images not ruled out and a "
        "specificity of 95% of images not ruled in are certified, jointly with 95% confidence, on "
        "250 positive and 300 negative images"
    )
    assert model.get_certified_target() == ("recall", 0.98)
    own = triage_by_column(scores, y, groups=np.arange(550))
    assert own.get_certified_target() == ("recall_of_patients", 0.98)
    by_folds = TriageClassifierCV(LogisticRegression()).fit(scores[:, None], y)
    assert "certified approximately" in by_folds.describe_threshold()
    with pytest.raises(NotFittedError):
        TriageClassifierCV(LogisticRegression()).predict_triage(scores[:, None])


def test_the_curve_can_be_drawn(rng):
    scores, y = draw(rng)
    display = ThresholdCurveDisplay.from_operating_point(triage_by_column(scores, y))
    assert "recall" in display.ax_.get_title()


def test_a_fitted_model_is_warned_of_by_the_name_of_this_class():
    X, y = make_classification(1000, flip_y=0, random_state=0)
    with pytest.warns(UserWarning, match=r"Pass the search itself, TriageClassifierCV\(search\)"):
        TriageClassifierCV(LogisticRegression().fit(X, y), min_recall=0.9).fit(X, y)


@pytest.mark.parametrize(
    "params", [{"min_recall": 1}, {"min_specificity": 0}, {"confidence": 1}, {"confidence": None}]
)
def test_odd_parameters_are_refused(rng, params):
    scores, y = draw(rng)
    with pytest.raises(ValueError, match=next(iter(params))):
        triage_by_column(scores, y, **params)


# scikit-learn's checks fit on as few as ten rows.
TABLE = TriageClassifierCV(
    LogisticRegression(), min_recall=0.3, min_specificity=0.3, confidence=0.3, cv=2
)
EXEMPT = {
    "check_classifiers_train": "It requires a higher accuracy than a recall of .3 allows.",
    "check_classifiers_classes": "It requires labels that change at a decision value of 0.",
}


# One check has labels 1 and 2.
@pytest.mark.filterwarnings("ignore:Of the sorted labels .1, 2.")
@parametrize_with_checks([TABLE], expected_failed_checks=lambda _: EXEMPT)
def test_estimator_checks_of_scikit_learn(estimator, check):
    check(estimator)
