"""The networks that come with the package."""

import warnings

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from skpneumo import OperatingPointClassifierCV, load_model, load_pretrained, save_model
from skpneumo._utils.model_file import read_model_file, write_model_file
from skpneumo._utils.unwrap import unwrap
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import ModelFileError, OutlierWarning
from skpneumo.inspection import GradCAM
from skpneumo.persistence import model_card, pretrained_path
from skpneumo.sites import check_site

NAMES = ["cnn", "inception", "mean"]
CERTIFIED = {"cnn": 0.98, "inception": 0.92, "mean": 0.92}


@pytest.fixture(scope="module")
def models():
    return {name: load_pretrained(name) for name in NAMES}


@pytest.fixture(scope="module")
def model(models):
    return models["cnn"]


@pytest.mark.parametrize("name", NAMES)
def test_its_card_states_data_and_licences(name):
    card = model_card(pretrained_path(name))
    for text in ("CC BY 4.0", "Kermany", "Not a medical device", "seed 0", "| Specificity |"):
        assert text in card
    assert ("MIT licence" in card) == (name != "cnn")
    # Folders of the machine that trained it.
    assert "/work" not in card
    assert "/home" not in card


def test_the_mean_is_the_default():
    assert pretrained_path() == pretrained_path("mean")


def test_all_together_are_small():
    sizes = {name: pretrained_path(name).stat().st_size for name in NAMES}
    assert sizes["cnn"] < 5e6
    assert sizes["inception"] < 27e6
    assert sizes["mean"] < 5e5


@pytest.mark.parametrize("name", NAMES)
def test_its_threshold_is_certified(models, name):
    point = models[name][-1]
    assert isinstance(point, OperatingPointClassifierCV)
    assert point.recall_lower_bound_ == pytest.approx(CERTIFIED[name], abs=1e-4)
    assert (point.confidence, point.unit_) == (0.95, "patient")
    assert "approximately" in point.describe_threshold()


def test_another_recall_gives_another_threshold(model):
    other = load_pretrained("cnn", min_recall=0.95)[-1]
    assert other.best_threshold_ > model[-1].best_threshold_
    assert other.recall_lower_bound_ == 0.95
    assert 0.95 < other.recall_ < model[-1].recall_
    assert "95%" in other.describe_threshold()
    with pytest.raises(ValueError, match="cannot be certified"):
        load_pretrained("cnn", min_recall=0.9999)
    same = load_pretrained("cnn", min_recall=0.98)[-1]
    assert same.best_threshold_ == model[-1].best_threshold_


def test_the_mean_is_of_the_other_two(models):
    xrays = make_xrays(5, image_size=(130, 110), random_state=0).images
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        cnn, inception, mean = (models[name].predict_proba(xrays)[:, 1] for name in NAMES)
    shift = models["mean"][-1].estimator_.shift_
    # From three positive images for each negative one to one for three.
    assert -2.3 < shift < -2.1
    expected = expit((logit(cnn.astype(float)) + logit(inception.astype(float))) / 2 + shift)
    np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-6)


def test_a_mean_that_was_saved_again_holds_its_networks(models, tmp_path):
    path = tmp_path / "mean.skpneumo"
    save_model(models["mean"], path, weights_dtype="int8")
    assert path.stat().st_size > 2e7
    xrays = make_xrays(3, image_size=(130, 110), random_state=0).images
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        before, after = (one.predict_proba(xrays) for one in (models["mean"], load_model(path)))
    # The kernels of the CNN are rounded by this.
    np.testing.assert_allclose(after, before, atol=0.02)


@pytest.mark.parametrize(
    ("name", "fingerprint", "cause"),
    [
        ("cnn", "0", "it needs the network 'cnn' of another version"),
        ("vit", None, "one that is not there"),
        ("mean", None, "one that is not there"),
        ("../../x", None, "one that is not there"),
        ("inception", None, "names a packaged network twice"),
    ],
)
def test_a_mean_of_networks_that_are_not_there(tmp_path, name, fingerprint, cause):
    manifest, arrays = read_model_file(pretrained_path("mean"))
    members = manifest["estimator"]["steps"][-1][1]["estimator_"]["averaged_estimators_"]
    members[0]["name"] = name
    if fingerprint is not None:
        members[0]["fingerprint"] = fingerprint
    path = tmp_path / "model.skpneumo"
    write_model_file(path, manifest, arrays)
    with pytest.raises(ModelFileError, match=cause):
        load_model(path)


@pytest.mark.parametrize("name", NAMES)
def test_noise_is_out_of_distribution(models, name):
    noise = np.random.default_rng(0).integers(0, 256, (3, 60, 50), dtype=np.uint8)
    with pytest.warns(OutlierWarning, match="^3 of 3"):
        models[name].predict(noise)


def test_an_unknown_name():
    with pytest.raises(
        ModelFileError, match=r"No network named 'vit' .* one of \['cnn', 'inception', 'mean'\]"
    ):
        load_pretrained("vit")


@pytest.mark.parametrize("name", ["cnn", "mean"])
def test_its_heatmaps_can_be_drawn(models, name):
    xrays = make_xrays(2, image_size=(60, 50), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        heat = GradCAM(models[name]).transform(xrays.images)
    assert heat.shape == (2, 60, 50)
    assert heat.max() == 1


def test_a_site_is_compared_with_the_scores_of_the_mean(models):
    xrays = make_xrays(40, image_size=(60, 50), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check = check_site(models["mean"], xrays.images, groups=xrays.groups)
    assert "40" in str(check)
    assert unwrap(models["mean"]).threshold == models["mean"][-1].best_threshold_


# Lowest area under the ROC curve and recall, and the false positives of 165 that its card states.
METRICS = {"cnn": (0.993, 329, 13), "inception": (0.99, 318, 6), "mean": (0.998, 322, 3)}


@pytest.mark.parametrize("name", NAMES)
def test_on_patients_that_it_does_not_know(models, xray_data, name):
    test = load_xray_folder(xray_data / "chest_xray" / "test")
    if len(test.paths) != 496:
        pytest.skip("its metrics are of 496 images split off from the official training split")
    model = models[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        probability = model.predict_proba(test.paths)[:, 1]
        predicted = model.predict(test.paths) == "PNEUMONIA"
    is_positive = test.target == "PNEUMONIA"
    auc, n_true_positives, n_false_positives = METRICS[name]
    assert roc_auc_score(is_positive, probability) >= auc
    assert predicted[~is_positive].sum() == pytest.approx(n_false_positives, abs=3)
    assert predicted[is_positive].sum() >= n_true_positives
    assert np.mean(model[0].outlier_score(test.paths) > 1) <= 0.05
