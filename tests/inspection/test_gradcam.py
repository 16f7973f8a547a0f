"""Heatmaps: their size and scale, the reference, what they stand for, and that they are honest."""

import copy
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from matplotlib.text import Text
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayLoader,
    XRayOverSampler,
    XRayResizer,
)
from skpneumo.datasets import make_xrays
from skpneumo.inspection import GradCAM, GradCAMDisplay
from skpneumo.inspection._gradcam import (
    blur,
    compute_evidence,
    interpolation_weights,
    map_positions,
)
from skpneumo.networks import build_cnn, build_inception, split_at_maps

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the reference is written in TensorFlow"
)


@pytest.fixture(scope="module")
def xrays():
    return make_xrays(500, image_size=(48, 40), prevalence=0.7, difficulty=0.1, random_state=0)


@pytest.fixture(scope="module")
def clf(xrays):
    """A network that is trained so long that what it points at hangs on no seed or precision."""
    clf = CNNPneumoniaClassifier(
        filters=(16, 32, 64), epochs=20, learning_rate=3e-3, random_state=0
    )
    return clf.fit(xrays.images, xrays.target)


@pytest.fixture(scope="module")
def heatmaps(clf, xrays):
    return GradCAM(clf).transform(xrays.images[:40])


@pytest.mark.parametrize("method", ["integrated", "gradcam"])
def test_a_heatmap_has_the_size_of_its_image_and_lies_between_0_and_1(clf, xrays, method):
    heat = GradCAM(clf, method=method).transform(xrays.images[:7])
    assert heat.shape == (7, 48, 40)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert set(heat.max(axis=(1, 2)).tolist()) <= {0.0, 1.0}


def test_batches_do_not_matter(clf, xrays, heatmaps):
    again = GradCAM(clf, batch_size=3).transform(xrays.images[:40])
    np.testing.assert_allclose(again, heatmaps, atol=1e-4)


def test_other_sizes_than_that_of_the_network(clf, xrays, heatmaps):
    large = np.repeat(np.repeat(xrays.images[:40], 3, axis=1), 2, axis=2)
    heat = GradCAM(clf).transform(large)
    assert heat.shape == (40, 144, 80)
    small = heat.reshape(40, 48, 3, 40, 2).mean(axis=(2, 4))
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(small, heatmaps, strict=True)]
    assert np.median(alike) > 0.97


def test_interpolation_weights_are_highest_at_the_centers():
    centers = [3.0, 7.0, 11.0]
    weights = interpolation_weights(np.array([0.0, 3.0, 5.0, 11.5, np.nan]), centers, width=1.5)
    np.testing.assert_allclose(weights.sum(axis=1), [1, 1, 1, 1, 0])
    np.testing.assert_array_equal(weights[[0, 1, 3]].argmax(axis=1), [0, 0, 2])
    np.testing.assert_allclose(weights[2, 0], weights[2, 1])
    far = interpolation_weights(np.array([1e4]), centers, width=0.1)
    np.testing.assert_array_equal(far, [[0, 0, 1]])


@pytest.mark.parametrize("aspect", ["stretch", "crop", "pad"])
def test_positions_follow_a_line_through_resizings(aspect):
    rows, columns = map_positions((160, 120), [((60, 90), aspect), ((45, 50), "stretch")])
    assert rows.shape == (160,)
    assert columns.shape == (120,)
    for row in (60, 75, 100):
        image = np.zeros((1, 160, 120), dtype=np.uint8)
        image[:, row - 2 : row + 3] = 255
        resized = XRayResizer((60, 90), aspect=aspect).transform(image)
        profile = XRayResizer((45, 50)).transform(resized)[0].sum(axis=1, dtype=float)
        assert abs(rows[row] - profile @ np.arange(45) / profile.sum()) < 0.15


def test_cropped_pixels_are_0(clf, xrays):
    wide = np.pad(xrays.images[:4], ((0, 0), (0, 0), (9, 15)), mode="edge")
    found = GradCAM(make_pipeline(XRayResizer((48, 40), aspect="crop"), clf)).transform(wide)
    assert found.shape == (4, 48, 64)
    np.testing.assert_array_equal(found[:, :, :12], 0)
    np.testing.assert_array_equal(found[:, :, 52:], 0)
    expected = GradCAM(clf).transform(wide[:, :, 12:52])
    np.testing.assert_allclose(found[:, :, 12:52], expected, atol=1e-4)


def test_padding_is_left_out(clf, xrays):
    low = xrays.images[:4, 9:41]
    found = GradCAM(make_pipeline(XRayResizer((48, 40), aspect="pad"), clf)).transform(low)
    expected = GradCAM(clf).transform(np.pad(low, ((0, 0), (8, 8), (0, 0))))[:, 8:40]
    expected /= expected.max(axis=(1, 2), keepdims=True)
    assert found.shape == (4, 32, 40)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_classifier_is_not_modified(clf, xrays):
    weights, proba = clf.model_.get_weights(), clf.predict_proba(xrays.images)
    trainable, optimizer = clf.model_.trainable, clf.model_.optimizer
    GradCAM(clf).transform(xrays.images[:4])
    for before, after in zip(weights, clf.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert clf.model_.trainable == trainable
    assert clf.model_.optimizer is optimizer
    np.testing.assert_array_equal(clf.predict_proba(xrays.images), proba)


@needs_tensorflow
@pytest.mark.parametrize("kind", ["cnn", "inception"])
def test_grad_cam_is_that_of_tensorflow(kind):
    if kind == "cnn":
        model = build_cnn((48, 40), filters=(4, 6, 8))
        inner, size = model, (48, 40)
    else:
        model, size = build_inception((80, 76), weights=None), (80, 76)
        inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    images = np.random.default_rng(0).integers(0, 256, (2, *size), dtype=np.uint8)
    pool = [x for x in inner.layers if isinstance(x, keras.layers.GlobalAveragePooling2D)][-1]
    head = model.get_layer("probability")
    head.kernel.assign(np.abs(head.kernel.value))  # some evidence for pneumonia
    if kind == "cnn":
        maps = keras.Model(model.inputs[0], pool.input)(images[..., None])
    else:
        scaled = np.repeat(images[..., None] / np.float32(127.5) - 1, 3, axis=-1)
        maps = keras.Model(inner.inputs[0], pool.input)(scaled)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logit = tf.reduce_mean(maps, axis=(1, 2)) @ head.kernel.value + head.bias.value
    slopes = tape.gradient(logit, maps)
    expected = tf.reduce_sum(maps * tf.reduce_mean(slopes, axis=(1, 2), keepdims=True), axis=-1)
    found = compute_evidence(*split_at_maps(model, "last")[:2], images, "gradcam")
    assert found.max() > 0
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=1e-3, atol=1e-5)
    expected = keras.ops.sigmoid(logit)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-3)


@needs_tensorflow
def test_integrated_is_a_sum_along_the_path(clf, xrays):
    images = xrays.images[:3]
    # Two ways to the same sum differ by rounding, which in bfloat16 hides what they have in common.
    model = build_cnn((48, 40), filters=(16, 32, 64), precision="float32")
    model.set_weights(clf.model_.get_weights())
    first = next(x for x in model.layers if isinstance(x, keras.layers.ReLU))
    head = model.get_layer("probability")
    both = keras.Model(model.inputs[0], [first.output, model.get_layer("dropout").input])
    width = 0.05 * np.mean(images.shape[1:])
    blurred = gaussian_filter(images.astype(np.float32), (0, width, width), mode="nearest")

    def blend(fraction):
        mixed = np.rint(blurred + np.float32(fraction) * (images - blurred)).astype(np.uint8)
        with tf.GradientTape() as tape:
            maps, features = both(mixed[..., None], training=False)
            logit = features @ head.kernel.value + head.bias.value
        return maps, tape.gradient(logit, maps)

    stops = [blend(i / 6) for i in range(7)]
    expected = sum(
        tf.reduce_sum((after[0] - before[0]) * (after[1] + before[1]) / 2, axis=-1)
        for before, after in pairwise(stops)
    )
    found = compute_evidence(*split_at_maps(model, "first")[:2], images, "integrated")
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_integrated_maps_sum_to_the_difference_of_the_log_odds(clf, xrays):
    images = xrays.images[xrays.target == "PNEUMONIA"][:40]
    parts = split_at_maps(clf.model_, "first")[:2]
    total = compute_evidence(*parts, images, "integrated").sum(axis=(1, 2))

    def log_odds(images):
        p = clf.model_.predict(np.rint(images).astype(np.uint8), verbose=0)[:, 0].astype(float)
        return np.log(p / (1 - p))

    gained = log_odds(images) - log_odds(blur(images))
    # The discretization error of the integral.
    assert np.abs(total - gained).mean() < 0.05 * np.abs(gained).mean()


@pytest.mark.parametrize("method", ["integrated", "gradcam"])
def test_maps_change_with_randomized_weights(clf, xrays, method):
    """The sanity check of Adebayo et al., NeurIPS 2018."""
    images = xrays.images[xrays.target == "PNEUMONIA"][:20]
    other = copy.deepcopy(clf)
    rng = np.random.default_rng(0)
    other.model_.set_weights(
        [rng.permutation(w.ravel()).reshape(w.shape) for w in clf.model_.get_weights()]
    )
    pairs = zip(
        GradCAM(clf, method=method).transform(images),
        GradCAM(other, method=method).transform(images),
        strict=True,
    )
    alike = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in pairs if a.any() and b.any()]
    assert np.median(np.abs(alike)) < 0.5


def hits(heatmaps, masks):
    return np.mean([mask.flat[part.argmax()] for part, mask in zip(heatmaps, masks, strict=True)])


def test_it_points_at_the_opacities(clf):
    """The pointing game; `tests/benchmarks/pointing_game.py` plays it with a whole network."""
    new = make_xrays(120, image_size=(48, 40), difficulty=0.1, random_state=1)
    found = (new.target == "PNEUMONIA") & (clf.predict(new.images) == "PNEUMONIA")
    assert found.sum() > 40
    masks = new.masks[found]
    assert masks.mean(axis=(1, 2)).max() <= 0.1
    heatmaps = GradCAM(clf).transform(new.images[found])
    # By chance it would be the part of the lungs that they cover, at most a tenth.
    assert hits(heatmaps, masks) >= 0.8
    assert hits(heatmaps[:, ::-1], masks) < 0.4


def test_occluding_the_evidence_lowers_the_probability_most(clf, xrays):
    images = xrays.images[xrays.target == "PNEUMONIA"][:60]
    to_maps, to_logit, _ = split_at_maps(clf.model_)

    def log_odds(images):
        return keras.ops.convert_to_numpy(to_logit(to_maps(images[..., None])))

    def fall(heatmaps):
        hot = heatmaps >= np.quantile(heatmaps, 0.9, axis=(1, 2), keepdims=True)
        hidden = np.where(hot, np.rint(blur(images)), images).astype(np.uint8)
        return np.mean(log_odds(images) - log_odds(hidden))

    heatmaps = GradCAM(clf).transform(images)
    of_others = np.roll(heatmaps, 1, axis=0)
    assert fall(heatmaps) > 1.5 * max(fall(of_others), 1)


@pytest.mark.parametrize(
    "around", ["search", "frozen", "operating point", "calibrated", "sampler", "pipelines"]
)
def test_a_nested_network(clf, xrays, heatmaps, around):
    X, y = xrays.images, xrays.target
    frozen = FrozenEstimator(clf)
    model = {
        "search": lambda: GridSearchCV(
            make_pipeline(XRayResizer((48, 40)), frozen), {"xrayresizer__aspect": ["pad"]}, cv=2
        ),
        "frozen": lambda: frozen,
        "operating point": lambda: OperatingPointClassifierCV(frozen, min_recall=0.5),
        "calibrated": lambda: CalibratedClassifierCV(frozen, ensemble=False),
        "sampler": lambda: make_sampling_pipeline(XRayOverSampler(random_state=0), frozen),
        "pipelines": lambda: make_pipeline(XRayResizer((48, 40)), make_pipeline(None, frozen)),
    }[around]()
    np.testing.assert_array_equal(GradCAM(model.fit(X, y)).transform(X[:40]), heatmaps)


def test_a_pipeline_over_paths_gives_maps_of_the_files(xrays, tmp_path):
    paths = []
    for i, image in enumerate(xrays.images[:24]):
        paths.append(str(tmp_path / f"{i}.png"))
        Image.fromarray(np.pad(image, ((0, i % 3), (0, 4)))).save(paths[-1])
    tiny = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    pipe = make_pipeline(XRayLoader(), XRayResizer((40, 36)), tiny)
    pipe.fit(paths, xrays.target[:24])
    heat = GradCAM(pipe).transform(paths[:5])
    assert [part.shape for part in heat] == [(48 + i % 3, 44) for i in range(5)]


def test_a_map_without_evidence_is_zero(clf, xrays):
    grey = np.full((2, 48, 40), 100, dtype=np.uint8)
    heat = GradCAM(clf).transform(grey)
    np.testing.assert_array_equal(heat, 0)


def test_invalid_input_is_refused(clf, xrays):
    table = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(TypeError, match="There is no network to inspect: LogisticRegression"):
        GradCAM(table)
    with pytest.raises(ValueError, match="method must be one of 'integrated', 'gradcam'; got 'x"):
        GradCAM(clf, method="x")
    with pytest.raises(ValueError, match="batch_size must be a positive integer; got 0"):
        GradCAM(clf, batch_size=0)
    with pytest.raises(ValueError, match="has no maps to inspect"):
        split_at_maps(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    several = CalibratedClassifierCV(clone(clf).set_params(epochs=1), cv=2)
    several.fit(xrays.images[:40], xrays.target[:40])
    with pytest.raises(TypeError, match="holds 2 networks side by side"):
        GradCAM(several)


def test_heatmaps_of_the_models_of_folds_are_the_mean_of_their_evidence(clf, xrays):
    """Their log odds are averaged, so what each place adds to these is too."""
    folds = OperatingPointClassifierCV(
        make_pipeline(XRayResizer((44, 40)), clone(clf).set_params(epochs=1)),
        min_recall=0.5,
        confidence=None,
        cv=2,
    ).fit(xrays.images[:40], xrays.target[:40])
    cam = GradCAM(folds)
    X = xrays.images[:5]
    signed = [cam._compute_evidence(*network, X) for network in cam._networks]
    assert len(signed) == 2
    positive = np.maximum(np.mean(signed, axis=0), 0)
    expected = positive / np.maximum(positive.max(axis=(1, 2), keepdims=True), 1e-12)
    np.testing.assert_allclose(cam.transform(X), expected, rtol=1e-5)
    for member, evidence_of_member in zip(folds.estimator_.fold_estimators_, signed, strict=True):
        alone = np.maximum(evidence_of_member, 0)
        peaks = np.maximum(np.max(alone, axis=(1, 2), keepdims=True), 1e-12)
        np.testing.assert_allclose(GradCAM(member).transform(X), alone / peaks, rtol=1e-5)


def test_gradients_of_inception_in_bfloat16():
    model = build_inception((76, 75), weights=None, precision="bfloat16")
    images = np.random.default_rng(0).integers(0, 256, (1, 76, 75), dtype=np.uint8)
    found = compute_evidence(*split_at_maps(model, "first")[:2], images, "integrated")
    assert np.isfinite(found).all()
    assert found.any()


def test_the_display_draws_each_x_ray_under_its_heatmap(clf, xrays, heatmaps, tmp_path):
    display = GradCAMDisplay.from_estimator(clf, xrays.images[:3])
    assert len(display.axes_) == 3
    for i, panel in enumerate(display.axes_):
        image, heat = panel.get_images()
        np.testing.assert_array_equal(image.get_array(), xrays.images[i])
        np.testing.assert_allclose(heat.get_array(), heatmaps[i], atol=1e-4)
    path = tmp_path / "scan-001.png"
    Image.fromarray(xrays.images[0]).save(path)
    one = GradCAMDisplay.from_estimator(clf, str(path))
    proba = clf.predict_proba(xrays.images[:1])[0, 1]
    assert one.ax_.get_title() == f"PNEUMONIA: {proba:.3f}"
    with pytest.raises(ValueError, match="3 X-rays need 3 axes; got 1"):
        display.plot(one.ax_)


@pytest.mark.parametrize(
    ("method", "name"), [("integrated", "layer conductance"), ("gradcam", "Grad-CAM")]
)
@pytest.mark.parametrize("colorbar", [True, False])
def test_captions_name_the_method(clf, xrays, method, name, colorbar):
    assert GradCAM(clf, method=method).method_name == name
    figure = GradCAMDisplay.from_estimator(
        clf, xrays.images[:2], method=method, colorbar=colorbar
    ).figure_
    captions = [text.get_text() for text in figure.findobj(Text)]
    assert any(name in caption for caption in captions)
    other = ({"layer conductance", "Grad-CAM"} - {name}).pop()
    assert not any(other in caption for caption in captions)


_SCRIPT = """
import copy
import json
import numpy as np
from skpneumo import CNNPneumoniaClassifier
from skpneumo.inspection import GradCAM

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (3, 33, 41), dtype=np.uint8)
clf = CNNPneumoniaClassifier(filters=(3, 4, 5), precision="float32").initialize(X, [0, 1, 1])
shapes = [weight.shape for weight in clf.model_.get_weights()]
clf.model_.set_weights([rng.uniform(0, 1, shape) - 0.3 * (len(shape) > 1) for shape in shapes])
maps = [GradCAM(clf, method=m).transform(X).tolist() for m in ("integrated", "gradcam")]
print(json.dumps(maps))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_give_the_same_heatmaps(backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    found = []
    for name in ("tensorflow", backend):
        environment = os.environ | {"KERAS_BACKEND": name}
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        found.append(np.array(json.loads(done.stdout)))
    assert (found[0].max(axis=(2, 3)) == 1).all()
    np.testing.assert_allclose(*found, atol=1e-4)
