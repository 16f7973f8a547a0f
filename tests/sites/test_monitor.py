"""RecallMonitor: what may be added, when it raises an alarm, and how it is kept and drawn."""

import json
import pickle

import matplotlib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skpneumo.sites import RecallMonitor, RecallMonitorDisplay


@pytest.fixture(autouse=True)
def _no_window():
    """Draw without a screen, and close all figures."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")


def cases(recall, n=200, prevalence=0.3, seed=0):
    """Labels and predictions of patients, in the order in which they come."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < prevalence
    predicted = np.where(positive, rng.random(n) < recall, rng.random(n) < 0.1)
    labels = np.array(["NORMAL", "PNEUMONIA"])
    return labels[positive.astype(int)], labels[predicted.astype(int)]


def test_a_low_recall_raises_an_alarm_that_stays():
    monitor = RecallMonitor(min_recall=0.95)
    y_true, y_pred = cases(recall=0.5)
    assert monitor.update(y_true, y_pred) is monitor
    positive = y_true == "PNEUMONIA"
    assert monitor.n_positive_ == positive.sum()
    assert monitor.n_missed_ == np.sum(positive & (y_pred == "NORMAL"))
    assert monitor.alarm_ is True
    at, log_e_values = monitor.alarm_at_, monitor.log_e_values_
    assert log_e_values[at - 1] >= np.log(20) > log_e_values[: at - 1].max()
    monitor.update(["PNEUMONIA"] * 3000, ["PNEUMONIA"] * 3000)
    assert monitor.e_value_ < 20
    assert monitor.alarm_ is True
    assert monitor.alarm_at_ == at


def test_a_good_recall_raises_none():
    monitor = RecallMonitor().update(*cases(recall=1, n=2000))
    assert monitor.alarm_ is False
    assert monitor.alarm_at_ is None
    assert monitor.e_value_ < 1


def test_one_by_one_is_the_same_as_at_once():
    y_true, y_pred = cases(recall=0.7)
    at_once, one_by_one = RecallMonitor().update(y_true, y_pred), RecallMonitor()
    for label, prediction in zip(y_true, y_pred, strict=True):
        one_by_one.update(label, prediction)
    assert one_by_one.to_dict() == at_once.to_dict()


def test_patients_without_pneumonia_change_nothing():
    y_true, y_pred = cases(recall=0.7)
    positive = y_true == "PNEUMONIA"
    without = RecallMonitor().update(y_true[positive], y_pred[positive])
    assert RecallMonitor().update(y_true, y_pred).to_dict() == without.to_dict()


def test_a_day_without_cases_changes_nothing():
    monitor = RecallMonitor().update([], [])
    assert (monitor.e_value_, monitor.alarm_, monitor.n_positive_) == (1, False, 0)
    assert monitor.update(1, 0).update([], []).n_positive_ == 1


def test_a_miss_counts_for_those_that_were_not_verified():
    all_verified = RecallMonitor().update([1] * 20, [1] * 19 + [0])
    some_verified = RecallMonitor().update([1] * 20, [1] * 19 + [0], verified_with=0.1)
    assert some_verified.e_value_ > all_verified.e_value_
    # One verified miss in 40 true positives: recall .98 if all are verified, .80 if a tenth is.
    y_true, y_pred = [1] * 410, ([1] * 40 + [0]) * 10
    assert RecallMonitor().update(y_true, y_pred).alarm_ is False
    assert RecallMonitor().update(y_true, y_pred, verified_with=0.1).alarm_ is True


@pytest.mark.parametrize(
    ("classes", "negative", "positive"),
    [
        (None, "NORMAL", "PNEUMONIA"),
        (None, 0, 1),
        (None, False, True),
        (None, 0.0, 1.0),
        (np.array(["a", "b"]), "a", "b"),
        ([2, 1], 2, 1),
    ],
)
def test_labels(classes, negative, positive):
    monitor = RecallMonitor(classes=classes)
    monitor.update(np.array([negative, positive, positive]), [positive, positive, negative])
    assert (monitor.n_positive_, monitor.n_missed_) == (2, 1)
    assert clone(monitor).update(positive, negative).n_missed_ == 1


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        (["PNEUMONIA", "unsure"], ["NORMAL"] * 2, r"y_true holds 'unsure', .* not confirmed"),
        ([1, np.nan], [1, 1], "y_true holds nan"),
        ([1, None], [1, 1], "y_true holds None"),
        ([1], [0.7], r"y_pred holds 0\.7"),
        ([1, 2], [1, 1], "y_true holds 2"),
        (
            np.array([1, "NORMAL"], dtype=object),
            [1, 1],
            r"y_true holds .*\('NORMAL', 'PNEUMONIA'\)",
        ),
        ([1, 1], [1], "inconsistent numbers of samples"),
        ([[1, 0]], [[1, 0]], "y_true must be a label or a column of labels, got 2-D"),
    ],
)
def test_odd_cases_are_refused_and_nothing_added(y_true, y_pred, message):
    monitor = RecallMonitor().update(1, 0)
    before = monitor.to_dict()
    with pytest.raises(ValueError, match=message):
        monitor.update(y_true, y_pred)
    assert monitor.to_dict() == before


@pytest.mark.parametrize("p", [0, -0.1, 1.1, np.nan, np.inf, True, "0.1", [0.1, 0.1]])
def test_odd_probabilities_are_refused(p):
    with pytest.raises(ValueError, match="verified_with must be a probability above 0 and at most"):
        RecallMonitor().update(1, 1, verified_with=p)


@pytest.mark.parametrize(
    "params",
    [{"min_recall": 1}, {"min_recall": 0}, {"false_alarm": 0}, {"false_alarm": 1}, {"classes": 3}],
)
def test_odd_parameters_are_refused(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        RecallMonitor(**params).update(1, 1)


@pytest.mark.parametrize("classes", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_classes_are_two_labels(classes):
    with pytest.raises(ValueError, match="classes must be two labels, the second positive"):
        RecallMonitor(classes=classes).update("a", "a")


def test_state_goes_through_json_and_pickle():
    monitor = RecallMonitor(0.9, 0.01, classes=np.array(["a", "b"])).update(
        list("bbb"), list("bab")
    )
    copies = [
        RecallMonitor.from_dict(json.loads(json.dumps(monitor.to_dict(), allow_nan=False))),
        pickle.loads(pickle.dumps(monitor)),
    ]
    monitor.update("b", "a", verified_with=0.5)
    for copy in copies:
        assert copy.update("b", "a", verified_with=0.5).to_dict() == monitor.to_dict()
        assert copy.e_value_ == monitor.e_value_


def test_e_values_beyond_the_largest_float():
    monitor = RecallMonitor().update([1] * 800, [0] * 800)
    assert np.isfinite(monitor.e_value_)
    assert np.isfinite(monitor.log_e_values_).all()
    RecallMonitorDisplay.from_monitor(monitor).figure_.draw_without_rendering()


def test_without_cases_there_is_nothing_to_keep_or_draw():
    with pytest.raises(NotFittedError, match=r"has no cases yet\. Call update\(y_true, y_pred\)"):
        RecallMonitor().to_dict()
    with pytest.raises(NotFittedError, match="has no cases yet"):
        RecallMonitorDisplay.from_monitor(RecallMonitor())


def test_display_marks_the_alarm():
    monitor = RecallMonitor(false_alarm=0.1).update(*cases(recall=0.5))
    display = RecallMonitorDisplay.from_monitor(monitor, name="cnn")
    x, y = display.line_.get_data()
    assert (x[0], y[0], x[-1]) == (0, 0, monitor.n_positive_)
    np.testing.assert_allclose(y[1:], monitor.log_e_values_ / np.log(10))
    assert display.alarm_level_.get_ydata()[0] == pytest.approx(1)
    assert display.alarm_mark_.get_xdata()[0] == monitor.alarm_at_
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["cnn", "alarm, 10", f"cnn: alarm after {monitor.alarm_at_} patients"]
    assert display.ax_.get_ylabel() == "evidence: recall < 0.95"


def test_display_without_an_alarm_in_given_axes():
    from matplotlib import pyplot

    _, ax = pyplot.subplots()
    monitor = RecallMonitor().update(*cases(recall=1))
    display = RecallMonitorDisplay.from_monitor(monitor, ax=ax, curve_kwargs={"c": "black"})
    assert display.ax_ is ax
    assert display.alarm_mark_ is None
    assert display.line_.get_color() == "black"
    assert display.plot() is display
    assert display.ax_ is not ax


def test_parameters_do_not_change_after_the_first_case():
    monitor = RecallMonitor(min_recall=0.95).update([1, 1], [1, 0])
    monitor.set_params(min_recall=0.9)
    with pytest.raises(ValueError, match=r"Set them back to 0\.95 and 0\.05"):
        monitor.update([1], [1])
