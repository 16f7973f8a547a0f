import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV
from skpneumo._utils.formatting import percent
from skpneumo._utils.unwrap import unwrap
from skpneumo.inspection import ThresholdCurveDisplay
from skpneumo.metrics import recall_scorer, specificity_scorer, threshold_curve

LABELS = np.array(["NORMAL", "PNEUMONIA"])


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(400, weights=[0.3], class_sep=1.3, random_state=0)
    order = np.argsort(y, kind="stable")
    return X[order], LABELS[y[order]]


@pytest.fixture(scope="module")
def model(data):
    return OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9).fit(*data)


def height_at(line, x):
    """Height of a curve drawn in steps, where each holds up to its threshold."""
    xs, ys = line.get_data()
    assert line.get_drawstyle() == "steps-pre"
    return ys[np.searchsorted(xs, x)]


def test_the_curves_are_those_of_predict(data, model):
    X, y = data
    display = ThresholdCurveDisplay.from_estimator(model, X, y)
    for threshold in (0.01, 0.2, 0.5, float(model.best_threshold_), 0.97):
        moved = FixedThresholdClassifier(FrozenEstimator(model.estimator_), threshold=threshold)
        moved.fit(X, y)
        recall, specificity = recall_scorer(moved, X, y), specificity_scorer(moved, X, y)
        assert height_at(display.recall_line_, threshold) == pytest.approx(recall)
        assert height_at(display.specificity_line_, threshold) == pytest.approx(specificity)


def test_the_curves_are_those_of_threshold_curve(data):
    _, y = data
    scores = np.random.default_rng(0).uniform(size=len(y))
    groups = np.arange(len(y)) // 3
    display = ThresholdCurveDisplay.from_predictions(y, scores, groups=groups, confidence=0.8)
    curve = threshold_curve(y, scores, groups=groups, confidence=0.8)
    lines = display.recall_line_, display.bound_line_, display.specificity_line_
    names = "recall", "recall_lower_bound", "specificity"
    for line, name in zip(lines, names, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [0, *curve.threshold, 1])
        np.testing.assert_array_equal(line.get_ydata()[1:-1], curve[name])
    assert [line.get_ydata()[-1] for line in lines] == [0, 0, 1]
    assert display.bound_line_.get_label() == "recall, lower bound (80%)"
    assert display.operating_line_ is None
    assert display.ax_.get_title() == ""


def test_the_operating_point_of_a_model(model):
    display = ThresholdCurveDisplay.from_operating_point(model)
    np.testing.assert_array_equal(display.recall_line_.get_ydata()[1:-1], model.curve_.recall)
    assert set(display.operating_line_.get_xdata()) == {model.best_threshold_}
    recall, bound, specificity = (
        f"{np.floor(1000 * metric) / 10}%"
        for metric in (model.recall_, model.recall_lower_bound_, model.specificity_)
    )
    assert display.ax_.get_title() == (
        f"threshold {model.best_threshold_:.3g}, specificity {specificity},\n"
        f"recall {recall} (at least {bound})"
    )


def test_the_bound_is_that_of_the_required_metric(data):
    groups = np.arange(400) // 2
    quiet = OperatingPointClassifierCV(
        LogisticRegression(), min_recall=None, min_specificity=0.8
    ).fit(*data, groups=groups)
    display = ThresholdCurveDisplay.from_operating_point(quiet)
    specificity, bound, recall = (
        percent(metric)
        for metric in (quiet.specificity_, quiet.specificity_lower_bound_, quiet.recall_)
    )
    assert display.ax_.get_title() == (
        f"threshold {quiet.best_threshold_:.3g}, specificity {specificity} (at least {bound}),\n"
        f"recall {recall}"
    )
    assert display.bound_line_ is None
    cheap = OperatingPointClassifierCV(LogisticRegression(), min_recall=None, missed_cost=5)
    display = ThresholdCurveDisplay.from_operating_point(cheap.fit(*data))
    assert "at least" not in display.ax_.get_title()
    assert display.bound_line_ is None


def test_the_operating_point_counts_patients_of_both_classes(data):
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9)
    model.fit(*data, groups=np.arange(400) // 3)
    display = ThresholdCurveDisplay.from_operating_point(model)
    assert f"specificity {percent(model.specificity_)}," in display.ax_.get_title()
    at = np.searchsorted(model.curve_.threshold, model.best_threshold_)
    assert model.curve_.specificity[at] == model.specificity_


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 1.0, "response_method": "decision_function"},
        {"threshold": 0.3, "pos_label": "NORMAL", "response_method": "predict_proba"},
    ],
)
def test_a_threshold_of_another_score_is_not_drawn(data, options):
    model = FixedThresholdClassifier(LogisticRegression(), **options).fit(*data)
    display = ThresholdCurveDisplay.from_estimator(model, *data)
    assert display.operating_line_ is None
    assert display.ax_.get_title() == ""


def test_an_operating_point_that_predict_does_not_follow_is_refused(data, model):
    around = CalibratedClassifierCV(FrozenEstimator(model)).fit(*data)
    with pytest.raises(ValueError, match="got CalibratedClassifierCV"):
        ThresholdCurveDisplay.from_operating_point(around)


def test_the_operating_point_inside_a_frozen_pipeline(data, model):
    pipe = make_pipeline("passthrough", FrozenEstimator(model)).fit(*data)
    display = ThresholdCurveDisplay.from_operating_point(pipe)
    assert display.operating_threshold == model.best_threshold_


def test_nothing_is_certified_without_confidence(data):
    model = OperatingPointClassifierCV(LogisticRegression(), confidence=None).fit(*data)
    display = ThresholdCurveDisplay.from_operating_point(model)
    assert display.bound_line_ is None
    assert "at least" not in display.ax_.get_title()


def test_curves_of_decision_values_end_at_the_scores(data):
    X, y = data
    svm = LinearSVC().fit(X, y)
    display = ThresholdCurveDisplay.from_estimator(svm, X, y)
    scores = svm.decision_function(X)
    x = display.recall_line_.get_xdata()
    assert (x[0], x[-1]) == (scores.min(), scores.max())
    assert display.operating_threshold == 0


def test_a_threshold_above_all_scores_predicts_no_positive():
    display = ThresholdCurveDisplay.from_predictions(
        [0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.8], threshold=0.9
    )
    assert display.ax_.get_title() == (
        "threshold 0.9, specificity 100.0%,\nrecall 0.0% (at least 0.0%)"
    )


def test_two_models_in_one_figure(data, model):
    _, ax = pyplot.subplots()
    ax.set_title("mine")
    one = ThresholdCurveDisplay.from_operating_point(
        model, ax=ax, name="a", curve_kwargs={"lw": 5, "c": "k"}
    )
    two = ThresholdCurveDisplay.from_estimator(
        model, *data, ax=ax, name="b", operating_point_kwargs={"ls": ":"}
    )
    assert one.ax_ is two.ax_ is ax
    assert one.figure_ is ax.figure
    assert len(ax.lines) == 8
    assert (one.recall_line_.get_linewidth(), one.recall_line_.get_color()) == (5, "k")
    assert two.operating_line_.get_linestyle() == ":"
    assert one.recall_line_.get_label() == "a: recall"
    starts = [line.split(",")[0] for line in ax.get_title().split("\n")]
    threshold = f"{model.best_threshold_:.3g}"
    assert starts[0] == "mine"
    assert starts[1::2] == [f"a: threshold {threshold}", f"b: threshold {threshold}"]


def test_plot_returns_itself_on_new_axes(model):
    display = ThresholdCurveDisplay.from_operating_point(model)
    before = display.ax_
    assert display.plot(name="again") is display
    assert display.ax_ is not before
    assert display.recall_line_.get_label() == "again: recall"


def test_the_threshold_of_predict_is_found(data, model):
    X, y = data
    cnn = CNNPneumoniaClassifier(threshold=0.3)
    fixed = FixedThresholdClassifier(FrozenEstimator(model), threshold=0.2).fit(X, y)
    search = GridSearchCV(
        FixedThresholdClassifier(LogisticRegression()), {"threshold": [0.7]}, cv=2
    ).fit(X, y)
    assert unwrap(model).threshold == model.best_threshold_
    assert unwrap(make_pipeline("passthrough", cnn)).threshold == 0.3
    assert unwrap(fixed).threshold == 0.2
    assert unwrap(search).threshold == 0.7
    # calibrated probabilities are compared with 0.5, whatever the threshold inside
    assert unwrap(CalibratedClassifierCV(FrozenEstimator(cnn))).threshold == 0.5
    automatic = FixedThresholdClassifier(FrozenEstimator(model)).fit(X, y)
    assert unwrap(automatic).threshold == 0.5
    assert unwrap(make_pipeline(StandardScaler(), LinearSVC())).threshold == 0


def test_a_threshold_may_be_given_or_left_out(data, model):
    assert ThresholdCurveDisplay.from_estimator(model, *data).operating_line_ is not None
    given = ThresholdCurveDisplay.from_estimator(model, *data, threshold=0.25)
    assert set(given.operating_line_.get_xdata()) == {0.25}
    without = ThresholdCurveDisplay.from_estimator(model, *data, threshold=None, confidence=None)
    assert without.operating_line_ is None
    assert without.bound_line_ is None


def test_invalid_input_is_refused(data):
    X, y = data
    with pytest.raises(ValueError, match=r"fitted OperatingPointClassifierCV, got LogisticRegress"):
        ThresholdCurveDisplay.from_operating_point(LogisticRegression().fit(X, y))
    with pytest.raises(NotFittedError):
        ThresholdCurveDisplay.from_operating_point(OperatingPointClassifierCV(LogisticRegression()))
    with pytest.raises(NotFittedError):
        ThresholdCurveDisplay.from_estimator(LogisticRegression(), X, y)
    with pytest.raises(ValueError, match="both classes"):
        ThresholdCurveDisplay.from_estimator(LinearSVC().fit(X, y), X[:5], y[:5])
