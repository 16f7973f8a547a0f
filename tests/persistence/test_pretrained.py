"""The network that comes with the package."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skpneumo import OperatingPointClassifierCV, load_pretrained
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import ModelFileError, OutlierWarning
from skpneumo.inspection import GradCAM
from skpneumo.persistence import model_card, pretrained_path


@pytest.fixture(scope="module")
def model():
    return load_pretrained("cnn")


def test_it_is_small_and_its_card_states_the_data():
    path = pretrained_path()
    assert path == pretrained_path("cnn")
    assert path.stat().st_size <= 8 * 2**20
    card = model_card(path)
    for text in ("CC BY 4.0", "Kermany", "Not a medical device", "seed 0", "| Specificity |"):
        assert text in card


def test_its_threshold_is_certified(model):
    point = model[-1]
    assert isinstance(point, OperatingPointClassifierCV)
    assert point.recall_lower_bound_ >= 0.98
    assert (point.min_recall, point.confidence, point.unit_) == (0.98, 0.95, "patient")


def test_another_recall_gives_another_threshold(model):
    other = load_pretrained("cnn", min_recall=0.95)[-1]
    assert other.best_threshold_ > model[-1].best_threshold_
    assert other.recall_lower_bound_ == 0.95
    assert 0.95 < other.recall_ < model[-1].recall_
    assert "95%" in other.describe_threshold()
    with pytest.raises(ValueError, match="cannot be certified"):
        load_pretrained("cnn", min_recall=0.9999)


def test_noise_is_out_of_distribution(model):
    noise = np.random.default_rng(0).integers(0, 256, (3, 60, 50), dtype=np.uint8)
    with pytest.warns(OutlierWarning, match="^3 of 3"):
        model.predict(noise)


def test_an_unknown_name():
    with pytest.raises(ModelFileError, match=r"No network named 'vit' .* one of \['cnn'\]"):
        load_pretrained("vit")


def test_its_heatmaps_can_be_drawn(model):
    xrays = make_xrays(2, image_size=(60, 50), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        heat = GradCAM(model).transform(xrays.images)
    assert heat.shape == (2, 60, 50)
    assert heat.max() == 1


def test_on_patients_that_it_does_not_know(model, xray_data):
    test = load_xray_folder(xray_data / "chest_xray" / "test")
    if len(test.paths) != 496:
        pytest.skip("its metrics are of 496 images split off from the official training split")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        probability = model.predict_proba(test.paths)[:, 1]
        predicted = model.predict(test.paths) == "PNEUMONIA"
    is_positive = test.target == "PNEUMONIA"
    assert roc_auc_score(is_positive, probability) >= 0.993
    assert predicted[is_positive].mean() >= 0.97
    # Its card states 13 false positives of 165, and no false negative of 331.
    assert predicted[~is_positive].sum() == pytest.approx(13, abs=2)
    assert predicted[is_positive].sum() >= 329
    assert np.mean(model[0].outlier_score(test.paths) > 1) <= 0.05
