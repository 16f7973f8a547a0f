import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayResizer,
)
from skpneumo.datasets import make_xrays
from skpneumo.inspection import LearningHistoryDisplay


@pytest.fixture(scope="module")
def data():
    xrays = make_xrays(40, image_size=(48, 40), prevalence=0.7, random_state=0)
    order = np.argsort(xrays.target, kind="stable")
    return xrays.images[order], xrays.target[order]


@pytest.fixture(scope="module")
def network(data):
    clf = CNNPneumoniaClassifier(
        filters=(2, 4), epochs=3, batch_size=16, validation=0.3, patience=3, random_state=0
    )
    return clf.fit(*data)


def test_the_losses_are_those_of_the_classifier(network):
    display = LearningHistoryDisplay.from_estimator(network)
    losses = network.history_["val_loss"]
    np.testing.assert_array_equal(display.loss_line_.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(display.loss_line_.get_ydata(), network.history_["loss"])
    np.testing.assert_array_equal(display.val_loss_line_.get_ydata(), losses)
    assert display.best_epoch_ == np.argmin(losses) + 1
    np.testing.assert_array_equal(
        np.ravel(display.best_line_.get_data()), [display.best_epoch_, min(losses)]
    )
    assert display.stage_line_ is None


def test_a_nested_network(data, network):
    X, y = data
    pipe = make_pipeline(XRayResizer((48, 40)), FrozenEstimator(network))
    search = GridSearchCV(pipe, {"xrayresizer__aspect": ["pad"]}, cv=2).fit(X, y)
    model = OperatingPointClassifierCV(FrozenEstimator(search), confidence=None).fit(X, y)
    assert LearningHistoryDisplay.from_estimator(model).history is network.history_


def test_several_networks_are_refused(data, network):
    calibrated = CalibratedClassifierCV(FrozenEstimator(network)).fit(*data)
    assert LearningHistoryDisplay.from_estimator(calibrated).history is network.history_
    calibrated.calibrated_classifiers_ *= 2
    with pytest.raises(TypeError, match="holds 2 networks side by side"):
        LearningHistoryDisplay.from_estimator(calibrated)


def test_without_validation_data_there_is_no_best_epoch():
    display = LearningHistoryDisplay({"loss": [0.5, 0.4]}).plot()
    assert display.best_epoch_ is None
    assert display.val_loss_line_ is None
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["training"]


def test_one_epoch_has_one_tick():
    display = LearningHistoryDisplay({"loss": [0.5]}).plot()
    low, high = display.ax_.get_xlim()
    assert [tick for tick in display.ax_.get_xticks() if low <= tick <= high] == [1]


def test_epochs_after_early_stopping_have_no_validation():
    history = {"loss": [0.5, 0.4, 0.3, 0.2], "val_loss": [0.5, 0.6]}  # as partial_fit leaves it
    display = LearningHistoryDisplay(history).plot()
    np.testing.assert_array_equal(display.val_loss_line_.get_xdata(), [1, 2])
    assert display.best_epoch_ == 1


def trained_inception(history, **params):
    """Fitted as far as its history goes: InceptionV3 itself takes too long here."""
    clf = InceptionPneumoniaClassifier(**params)
    clf.history_ = history
    return clf


def test_the_second_stage_of_inception():
    history = {"loss": [0.6, 0.5, 0.4, 0.3, 0.2], "val_loss": [0.1, 0.5, 0.4, 0.3, 0.35]}
    clf = trained_inception(history, head_epochs=2, patience=5)
    assert clf.get_stages()[0][0] == 2
    display = LearningHistoryDisplay.from_estimator(clf)
    assert set(display.stage_line_.get_xdata()) == {2.5}
    # the weights kept are those of the second stage, although the first had a lower loss
    assert display.best_epoch_ == 4


@pytest.mark.parametrize(
    "params",
    [
        {"head_epochs": 2, "patience": 1},
        {"head_epochs": 5},
        {"head_epochs": 2, "weights": None},
        {"head_epochs": 2, "trainable": "head"},
    ],
)
def test_no_border_without_a_second_stage_or_if_it_is_not_known(params):
    history = {"loss": [0.6, 0.5, 0.4, 0.3, 0.2], "val_loss": [0.1, 0.5, 0.4, 0.3, 0.35]}
    display = LearningHistoryDisplay.from_estimator(trained_inception(history, **params))
    assert display.stage_line_ is None
    assert display.best_epoch_ == 1


def test_two_models_in_one_figure(network):
    _, ax = pyplot.subplots()
    one = LearningHistoryDisplay.from_estimator(network, ax=ax, name="a", curve_kwargs={"lw": 4})
    two = LearningHistoryDisplay({"loss": np.linspace(1, 0, 7)}, name="b").plot(ax)
    assert one.ax_ is two.ax_ is ax
    assert one.figure_ is ax.figure
    assert one.loss_line_.get_linewidth() == 4
    assert one.loss_line_.get_label() == "a: training"
    assert two.loss_line_.get_label() == "b: training"
    assert ax.get_xlim() == (0.5, 7.5)


def test_invalid_input_is_refused():
    with pytest.raises(NotFittedError):
        LearningHistoryDisplay.from_estimator(CNNPneumoniaClassifier())
    fitted = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(ValueError, match=r"LogisticRegression has no history_\. Pass a fitted CNN"):
        LearningHistoryDisplay.from_estimator(make_pipeline("passthrough", fitted))
