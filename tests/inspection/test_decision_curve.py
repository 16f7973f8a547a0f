import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skpneumo.inspection import DecisionCurveDisplay

LABELS = np.array(["NORMAL", "PNEUMONIA"])


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(300, weights=[0.3], random_state=0)
    order = np.argsort(y, kind="stable")
    return X[order], LABELS[y[order]]


@pytest.fixture(scope="module")
def model(data):
    return LogisticRegression().fit(*data)


def legend_labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_net_benefit_by_its_definition(data, model):
    X, y = data
    fixed = FixedThresholdClassifier(FrozenEstimator(model), threshold=0.2).fit(X, y)
    display = DecisionCurveDisplay.from_estimator(fixed, X, y, at_threshold=True, name="m")
    positive, p = y == "PNEUMONIA", model.predict_proba(X)[:, 1]
    x, drawn = display.line_.get_data()
    _, of_predictions = display.threshold_line_.get_data()
    assert (x[0], x[-1]) == (0, 0.5)
    assert legend_labels(display.ax_) == ["treat all", "treat none", "m", "m: at its threshold"]
    treat_all, treat_none = display.ax_.lines[:2]
    for i, t in enumerate(x):
        odds = t / (1 - t)
        predicted = p >= t
        assert drawn[i] == pytest.approx(
            (predicted & positive).mean() - odds * (predicted & ~positive).mean()
        )
        predicted = p >= 0.2
        assert of_predictions[i] == pytest.approx(
            (predicted & positive).mean() - odds * (predicted & ~positive).mean()
        )
        assert treat_all.get_ydata()[i] == pytest.approx(
            positive.mean() - odds * (~positive).mean()
        )
    assert not np.any(treat_none.get_ydata())


def test_several_models_have_common_reference_curves(data, model):
    _, ax = pyplot.subplots()
    one = DecisionCurveDisplay.from_estimator(model, *data, ax=ax)
    bayes = GaussianNB().fit(*data)
    two = DecisionCurveDisplay.from_estimator(
        bayes, *data, ax=one.ax_, curve_kwargs={"ls": "-.", "label": "Bayes"}
    )
    assert one.ax_ is two.ax_ is ax
    assert two.figure_ is ax.figure
    assert legend_labels(ax) == ["treat all", "treat none", "LogisticRegression", "Bayes"]
    assert two.line_.get_linestyle() == "-."
    assert one.line_.get_color() != two.line_.get_color()
    # another prevalence has another reference curve
    X, y = data
    DecisionCurveDisplay.from_estimator(model, X[50:], y[50:], ax=ax)
    assert legend_labels(ax).count("treat all") == 2
    assert legend_labels(ax).count("treat none") == 1


def test_treating_all_does_not_set_the_scale(data, model):
    display = DecisionCurveDisplay.from_estimator(model, *data, thresholds=np.arange(0, 1, 0.01))
    low, high = display.ax_.get_ylim()
    prevalence = np.mean(data[1] == "PNEUMONIA")
    assert display.net_benefit_all[-1] < -1
    assert -0.2 < low < 0
    assert prevalence < high < prevalence + 0.1


def test_plot_returns_itself_on_new_axes(data):
    rng = np.random.default_rng(0)
    display = DecisionCurveDisplay.from_predictions(data[1], rng.uniform(size=300))
    before = display.ax_
    assert display.threshold_line_ is None
    assert legend_labels(before) == ["treat all", "treat none", "model"]
    assert display.plot(name="again") is display
    assert display.ax_ is not before
    assert "again" in legend_labels(display.ax_)


def test_invalid_input_is_refused(data):
    X, y = data
    svm = LinearSVC().fit(X, y)
    with pytest.raises(
        ValueError, match=r"LinearSVC has no predict_proba\. Put it into Calibrated"
    ):
        DecisionCurveDisplay.from_estimator(svm, X, y)
    with pytest.raises(ValueError, match="needs probabilities, got values from -"):
        DecisionCurveDisplay.from_predictions(y, svm.decision_function(X))
    with pytest.raises(NotFittedError):
        DecisionCurveDisplay.from_estimator(LogisticRegression(), X, y)
