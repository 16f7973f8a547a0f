import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

from skpneumo.inspection import ThresholdGridDisplay
from skpneumo.metrics import SCORERS, recall_scorer
from skpneumo.model_selection import HighestSpecificity

LABELS = np.array(["NORMAL", "PNEUMONIA"])
WEIGHTS = [None, {"NORMAL": 1, "PNEUMONIA": 2}, {"PNEUMONIA": 4.5}, "balanced"]
THRESHOLDS = [0.7, 0.3, 0.5]
SOME_SCORERS = {name: SCORERS[name] for name in ("recall", "specificity", "missed_cost")}
GRID = {"estimator__class_weight": WEIGHTS, "threshold": THRESHOLDS}


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(200, 4, weights=[0.3], random_state=0)
    order = np.argsort(y, kind="stable")
    return X[order], LABELS[y[order]]


def searched(data, grid=GRID, *, estimator=None, kind=GridSearchCV, **options):
    if estimator is None:
        estimator = FixedThresholdClassifier(LogisticRegression())
    defaults = {"scoring": SOME_SCORERS, "refit": HighestSpecificity(min_recall=0.9), "cv": 2}
    return kind(estimator, grid, **defaults | options).fit(*data)


@pytest.fixture(scope="module")
def search(data):
    return searched(data)


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("metric", ["recall", "specificity", "missed_cost"])
def test_each_cell_is_the_mean_of_its_candidate(search, metric):
    display = ThresholdGridDisplay.from_search(search, metric=metric)
    assert display.class_weights == ["none", "1:2", "1:4.5", "balanced"]
    assert display.thresholds == [0.3, 0.5, 0.7]
    means = search.cv_results_[f"mean_test_{metric}"]
    for params, mean in zip(search.cv_results_["params"], means, strict=True):
        row = WEIGHTS.index(params["estimator__class_weight"])
        column = sorted(THRESHOLDS).index(params["threshold"])
        assert display.scores[row, column] == mean
        assert display.im_.get_array()[row, column] == mean
        shown = float(display.text_[row, column].get_text())
        if metric == "missed_cost":
            assert shown == pytest.approx(mean, rel=0.06)
        else:
            assert shown == np.floor(100 * mean + 1e-7)
    assert ticks(display.ax_.xaxis) == ["0.3", "0.5", "0.7"]
    assert ticks(display.ax_.yaxis) == display.class_weights
    assert display.ax_.get_ylabel() == "class weight\n(NORMAL:PNEUMONIA)"
    percent = "" if metric == "missed_cost" else ", %"
    assert display.ax_.get_title() == f"mean {metric.replace('_', ' ')}{percent}"


def test_the_frame_is_around_the_selected_candidate(search):
    display = ThresholdGridDisplay.from_search(search)
    row = WEIGHTS.index(search.best_params_["estimator__class_weight"])
    column = sorted(THRESHOLDS).index(search.best_params_["threshold"])
    assert display.selected == (row, column)
    assert display.frame_.get_xy() == (column - 0.5, row - 0.5)
    assert display.scores[row, column] == search.cv_results_["mean_test_recall"][search.best_index_]


def test_values_are_readable_on_every_colour(search):
    display = ThresholdGridDisplay.from_search(search, im_kwargs={"cmap": "gray"})
    for (row, column), text in np.ndenumerate(display.text_):
        grey = display.im_.cmap(display.im_.norm(display.scores[row, column]))[0]
        assert text.get_color() == ("black" if grey > 0.5 else "white")
    assert {text.get_color() for text in display.text_.flat} == {"black", "white"}


def test_other_parameters_are_those_of_the_selected_candidate(data):
    grid = {"estimator__class_weight": WEIGHTS[:2], "threshold": [0.6, 0.3]}
    search = searched(data, grid | {"estimator__C": [1.0, 1e-3, 0.1]}, refit=lambda cv_results: 6)
    assert search.best_params_["estimator__C"] == 1e-3
    display = ThresholdGridDisplay.from_search(search)
    alone = searched(data, grid | {"estimator__C": [1e-3]}, refit=lambda cv_results: 2)
    assert alone.best_params_ == search.best_params_
    expected = ThresholdGridDisplay.from_search(alone)
    np.testing.assert_array_equal(display.scores, expected.scores)
    assert display.selected == expected.selected


def test_names_of_a_pipeline_and_numbers_as_labels(data):
    X, y = data
    grid = {
        "fixedthresholdclassifier__estimator__class_weight": [{0: 3, 1: 1}],
        "fixedthresholdclassifier__threshold": [0.2, 0.4],
    }
    pipe = make_pipeline("passthrough", FixedThresholdClassifier(LogisticRegression()))
    search = searched((X, (y == "PNEUMONIA").astype(int)), grid, estimator=pipe)
    display = ThresholdGridDisplay.from_search(search)
    assert display.class_weights == ["3:1"]
    assert display.ax_.get_ylabel() == "class weight\n(0:1)"


@pytest.mark.parametrize(
    ("scoring", "metric", "title"),
    [
        ("accuracy", None, "mean accuracy, %"),
        ("accuracy", "accuracy", "mean accuracy, %"),
        (recall_scorer, "score", "mean score, %"),
    ],
)
def test_a_search_with_one_score(data, scoring, metric, title):
    search = searched(data, scoring=scoring, refit=True)
    display = ThresholdGridDisplay.from_search(search, metric=metric)
    np.testing.assert_array_equal(
        np.sort(display.scores.ravel()), np.sort(search.cv_results_["mean_test_score"])
    )
    assert display.ax_.get_title() == title
    assert display.selected is not None


def test_missing_candidates_stay_empty(data):
    search = searched(data, kind=RandomizedSearchCV, n_iter=5, random_state=0)
    display = ThresholdGridDisplay.from_search(search)
    assert np.isfinite(display.scores).sum() == 5
    assert sum(text is not None for text in display.text_.flat) == 5
    display.figure_.canvas.draw()


def test_grids_without_a_parameter_are_skipped(data):
    search = searched(data, [{"threshold": [0.4]}, GRID])
    display = ThresholdGridDisplay.from_search(search)
    assert display.scores.shape == (4, 3)
    assert 0.4 not in display.thresholds


def test_without_refit_there_is_no_frame(data):
    search = searched(data, refit=False)
    display = ThresholdGridDisplay.from_search(search)
    assert display.frame_ is None
    assert display.class_weights == ["none", "1:2", "1:4.5", "balanced"]
    one_named = GRID | {"estimator__class_weight": [{"PNEUMONIA": 2}]}
    display = ThresholdGridDisplay.from_search(searched(data, one_named, refit=False))
    # the other class is not known
    assert display.class_weights == ["PNEUMONIA:2"]


def test_given_axes_and_keywords(search):
    _, ax = pyplot.subplots()
    display = ThresholdGridDisplay.from_search(
        search,
        ax=ax,
        values_format=".3f",
        im_kwargs={"vmin": 0, "vmax": 2},
        text_kwargs={"size": 5, "ha": "left"},
    )
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.im_.get_clim() == (0, 2)
    text = display.text_[0, 0]
    assert text.get_text() == f"{display.scores[0, 0]:.3f}"
    assert (text.get_fontsize(), text.get_horizontalalignment()) == (5, "left")
    assert display.plot() is display
    assert display.ax_ is not ax


def test_many_columns_are_written_upright():
    few = ThresholdGridDisplay(np.full((1, 3), 0.5), ["none"], [0.1, 0.2, 0.3]).plot()
    assert few.text_[0, 0].get_rotation() == 0
    many = np.round(np.linspace(0.05, 0.95, 19), 2)
    display = ThresholdGridDisplay(np.linspace(-0.35, -0.1, 19)[None], ["none"], many).plot()
    assert display.text_[0, 0].get_rotation() == 90
    assert {label.get_rotation() for label in display.ax_.get_xticklabels()} == {90}


def test_invalid_input_is_refused(data, search):
    draw = ThresholdGridDisplay.from_search
    small = {"estimator__class_weight": [None], "threshold": [0.4]}
    with pytest.raises(NotFittedError):
        draw(GridSearchCV(LogisticRegression(), {"C": [1]}))
    with pytest.raises(ValueError, match="no score 'sensitivity': it has recall, specificity"):
        draw(search, metric="sensitivity")
    single = searched(data, small, scoring="accuracy", refit=True)
    with pytest.raises(ValueError, match=r"no score 'recall': it has score\. Pass one of these"):
        draw(single, metric="recall")
    no_weight = searched(data, {"threshold": [0.4], "estimator__C": [1, 2]}, refit="recall")
    with pytest.raises(
        ValueError, match=r"ends in 'class_weight', but it varies estimator__C, thresh"
    ):
        draw(no_weight)
    undecided = searched(data, small | {"estimator__C": [1, 2]}, refit=False)
    with pytest.raises(ValueError, match="varies estimator__C too and has selected no candidate"):
        draw(undecided)
    with pytest.warns(UserWarning, match="non-finite"):
        failed = searched(data, small, scoring=lambda *_: np.nan, refit=True)
    with pytest.raises(ValueError, match="mean score is NaN for every candidate"):
        draw(failed)
