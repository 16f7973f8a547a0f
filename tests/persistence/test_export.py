"""Exported files compute what the estimator computes, in the runtimes that users have."""

import json
import sys
import zipfile

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayResizer,
    load_model,
    load_pretrained,
    save_model,
)
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import ModelFileError
from skpneumo.images import read_xray, resize_xrays
from skpneumo.model_selection import LogOddsMeanClassifier
from skpneumo.persistence import export_onnx, export_tflite
from skpneumo.persistence._export import _check
from skpneumo.persistence._export._layers import apply_network
from skpneumo.persistence._export._onnx import OnnxOps
from skpneumo.persistence._export._plan import make_plan
from skpneumo.persistence._export._steps import resize
from skpneumo.persistence._export._tflite import TensorFlowOps


@pytest.fixture(scope="module")
def xrays():
    return make_xrays(30, image_size=(39, 34), random_state=0)


@pytest.fixture(scope="module")
def new():
    """Images of another size than those of the training."""
    return make_xrays(5, image_size=(61, 83), random_state=1).images


def small_cnn(image_size=(33, 30), **params):
    params = {"filters": (3, 4, 5), "epochs": 1, "learning_rate": 0.02, "random_state": 0} | params
    return CNNPneumoniaClassifier(image_size, **params)


@pytest.fixture(scope="module")
def fitted(xrays):
    return small_cnn().fit(xrays.images, xrays.target)


@pytest.fixture(scope="module")
def other(xrays):
    """A network for larger images, which pools."""
    clf = small_cnn((68, 66), random_state=1)
    return make_pipeline(XRayResizer((50, 45)), clf).fit(xrays.images, xrays.target)


def run_onnx(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"images": images})[0]


def run_tflite(path, images):
    return Interpreter(model_path=str(path)).get_signature_runner()(images=images)["probability"]


def check_export(estimator, tmp_path, images, *, export=export_onnx, run=run_onnx, atol=2e-5):
    """Probabilities and labels by a file are those of an estimator, for any number of images."""
    path = tmp_path / "model"
    metadata = export(estimator, path)
    expected = estimator.predict_proba(images)[:, 1]
    assert np.ptp(expected) > 1e-3
    for n in (1, 3, len(images)):
        found = run(path, images[:n])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected[:n], atol=atol, rtol=0)
    labels = np.array(json.loads(metadata["classes"]))[(found >= float(metadata["threshold"])) * 1]
    assert labels.tolist() == np.asarray(estimator.predict(images)).tolist()
    return metadata


def make_pipeline_of_steps(fitted, xrays):
    steps = [XRayLoader(), XRayResizer((70, 41)), XRayAugmenter(), XRayOutlierDetector()]
    steps = [step.fit(xrays.images) for step in steps]
    return make_pipeline(*steps, "passthrough", FrozenEstimator(fitted)).fit(
        xrays.images, xrays.target
    )


WRAPPED = {
    "classifier": lambda clf, other, data: clf,
    "numbers as labels": lambda clf, other, data: small_cnn(threshold=0.3).fit(
        data.images, data.target == "PNEUMONIA"
    ),
    "pipeline": lambda clf, other, data: make_pipeline_of_steps(clf, data),
    "operating point": lambda clf, other, data: OperatingPointClassifierCV(
        FrozenEstimator(other), min_recall=0.3, confidence=0.6
    ).fit(data.images, data.target),
    "mean of folds": lambda clf, other, data: OperatingPointClassifierCV(
        clone(clf), min_recall=0.3, confidence=0.6, cv=2
    ).fit(data.images, data.target),
    "mean of networks": lambda clf, other, data: LogOddsMeanClassifier(
        [("one", FrozenEstimator(clf)), ("other", FrozenEstimator(other))],
        prevalence=0.2,
        training_prevalence=0.7,
    ).fit(data.images, data.target),
    "fixed threshold": lambda clf, other, data: FixedThresholdClassifier(
        FrozenEstimator(clf), threshold=0.45
    ).fit(data.images, data.target),
    "tuned threshold": lambda clf, other, data: TunedThresholdClassifierCV(
        FrozenEstimator(clf), cv="prefit", refit=False, scoring="balanced_accuracy"
    ).fit(data.images, data.target),
    "calibrated": lambda clf, other, data: CalibratedClassifierCV(
        FrozenEstimator(other), cv=2, ensemble=True
    ).fit(data.images, data.target),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_onnx_of_every_kind_of_estimator(kind, fitted, other, xrays, new, tmp_path):
    check_export(WRAPPED[kind](fitted, other, xrays), tmp_path, new)


def test_tflite(fitted, other, xrays, new, tmp_path):
    mean = WRAPPED["mean of networks"](fitted, other, xrays)
    point = OperatingPointClassifierCV(FrozenEstimator(mean), min_recall=0.3, confidence=0.6)
    point.fit(xrays.images, xrays.target)
    metadata = check_export(point, tmp_path, new, export=export_tflite, run=run_tflite)
    with zipfile.ZipFile(tmp_path / "model") as archive:
        assert json.loads(archive.read("skpneumo.json")) == metadata
    assert float(metadata["threshold"]) == point.best_threshold_


def test_the_metadata_are_in_the_file(fitted, tmp_path):
    metadata = export_onnx(fitted, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert session.get_modelmeta().custom_metadata_map == metadata
    assert metadata["classes"] == '["NORMAL", "PNEUMONIA"]'
    assert float(metadata["threshold"]) == fitted.threshold
    assert "not a medical device" in metadata["notice"]
    assert "of any size, which is resized to 33 x 30 pixels" in metadata["input"]
    assert all(metadata[name] for name in ("fingerprint", "skpneumo_version", "versions"))
    assert float(metadata["max_difference"]) < 2e-5
    (images,) = session.get_inputs()
    assert (images.type, images.shape) == ("tensor(uint8)", ["n", "rows", "columns"])


def test_a_network_of_bfloat16_computes_in_float32(xrays, new, tmp_path):
    clf = small_cnn(precision="bfloat16").fit(xrays.images, xrays.target)
    save_model(clf, tmp_path / "model.skpneumo")
    twin = load_model(tmp_path / "model.skpneumo", precision="float32")
    assert (clf.precision_, twin.precision_) == ("bfloat16", "float32")
    assert load_model(tmp_path / "model.skpneumo").precision_ == "bfloat16"
    expected = twin.predict_proba(new)[:, 1]
    assert 0 < np.abs(expected - clf.predict_proba(new)[:, 1]).max() < 0.05
    export_onnx(clf, tmp_path / "model.onnx")
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx", new), expected, atol=1e-5)
    export_tflite(clf, tmp_path / "model.tflite")
    np.testing.assert_allclose(run_tflite(tmp_path / "model.tflite", new), expected, atol=1e-5)
    assert clf.precision_ == "bfloat16"


def test_a_precision_of_loading_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match="precision must be None or one of 'auto', 'float32'"):
        load_model(tmp_path / "model.skpneumo", precision="float16")


def test_weights_of_float16_take_half_the_space(xrays, new, tmp_path):
    clf = small_cnn(filters=(8, 16, 24)).initialize(xrays.images, xrays.target)
    sizes = {}
    for precision in ("float32", "float16"):
        path = tmp_path / precision
        metadata = export_onnx(clf, path, precision=precision)
        assert metadata["precision"] == precision
        sizes[precision] = sum(
            len(one.raw_data) for one in onnx.load(path).graph.initializer if len(one.dims) == 4
        )
        np.testing.assert_allclose(run_onnx(path, new), clf.predict_proba(new)[:, 1], atol=0.01)
    assert sizes["float16"] == sizes["float32"] / 2


def test_inception(tmp_path):
    xrays = make_xrays(4, image_size=(75, 80), random_state=0)
    clf = InceptionPneumoniaClassifier((75, 80), weights=None, random_state=0)
    clf.initialize(xrays.images, xrays.target)
    export_onnx(clf, tmp_path / "model.onnx")
    expected = clf.predict_proba(xrays.images)[:, 1]
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx", xrays.images), expected, atol=1e-5)
    # Converting it to TFLite would take 15 seconds.
    network = make_plan(clf).root
    images = xrays.images.astype(np.float32)
    logits = apply_network(TensorFlowOps(), network.model, network.weights, images)
    np.testing.assert_allclose(keras.ops.sigmoid(np.asarray(logits)), expected, atol=1e-5)


SIZES = [
    ((97, 83), (33, 30)),
    ((20, 47), (33, 30)),
    ((33, 31), (33, 30)),
    ((700, 1111), (24, 7)),
    ((70, 41), (33, 30)),
]


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_resizing_is_that_of_the_library(shape, size):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    # Of checks, most results lie in the middle between grey levels.
    images[0] = np.indices(shape).sum(axis=0) % 2 * 255
    expected = resize_xrays(images, size)
    np.testing.assert_array_equal(
        resize(TensorFlowOps(), images.astype(np.float32), size), expected
    )
    ops = OnnxOps("float32")
    result = resize(ops, "images", size)
    make_info, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        ops.nodes,
        "resize",
        [make_info("images", float32, ["n", "rows", "columns"])],
        [make_info(result, float32, None)],
        ops.constants,
    )
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (found,) = session.run(None, {"images": images.astype(np.float32)})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("aspect", ["crop", "pad"])
def test_cutting_and_padding_are_left_to_the_caller(aspect, fitted, xrays, new, tmp_path):
    resizer = XRayResizer((40, 44), aspect=aspect)
    pipe = make_pipeline(resizer, FrozenEstimator(fitted)).fit(xrays.images, xrays.target)
    metadata = export_onnx(pipe, tmp_path / "model.onnx")
    assert f"40 x 44 pixels, resized by the caller with aspect='{aspect}'" in metadata["input"]
    found = run_onnx(tmp_path / "model.onnx", resizer.transform(new))
    np.testing.assert_allclose(found, pipe.predict_proba(new)[:, 1], atol=1e-5)
    with pytest.raises(Exception, match="invalid dimensions"):
        run_onnx(tmp_path / "model.onnx", new)


def test_cutting_after_other_resizing(fitted, tmp_path):
    pipe = make_pipeline(XRayResizer((50, 44)), XRayResizer((40, 44), aspect="crop"), fitted)
    with pytest.raises(ModelFileError, match="Resize once, in the first XRayResizer"):
        export_onnx(pipe, tmp_path / "model.onnx")


def with_layer(fitted, layer):
    clf = clone(fitted)
    clf.__dict__.update(vars(fitted))
    inputs = keras.Input((33, 30, 1), dtype="uint8")
    x = keras.layers.GlobalAveragePooling2D(data_format="channels_last")(layer(inputs))
    outputs = keras.layers.Dense(1, activation="sigmoid", name="probability")(x)
    clf.model_ = keras.Model(inputs, outputs)
    return clf


REFUSED = {
    "no network": (
        lambda clf, data: LogisticRegression().fit([[0], [1]], [0, 1]),
        "LogisticRegression cannot be exported. Wanted: CNNPneumoniaClassifier",
    ),
    "a step": (
        lambda clf, data: Pipeline([("odd", FunctionTransformer()), ("clf", clf)]),
        "FunctionTransformer cannot be exported as a step of a Pipeline. Wanted: XRayResizer",
    ),
    "isotonic": (
        lambda clf, data: CalibratedClassifierCV(FrozenEstimator(clf), cv=2, method="isotonic").fit(
            data.images, data.target
        ),
        r"CalibratedClassifierCV\(method='isotonic'\) cannot be exported. Wanted: method='sigmoid'",
    ),
    "the other class": (
        lambda clf, data: FixedThresholdClassifier(
            FrozenEstimator(clf), threshold=0.2, pos_label="NORMAL"
        ).fit(data.images, data.target),
        "compares the probability of 'NORMAL' with its threshold",
    ),
    "the other class of a scorer": (
        lambda clf, data: TunedThresholdClassifierCV(
            FrozenEstimator(clf),
            cv="prefit",
            refit=False,
            scoring=make_scorer(recall_score, pos_label="NORMAL"),
        ).fit(data.images, data.target),
        "compares the probability of 'NORMAL' with its threshold",
    ),
    "a layer": (
        lambda clf, data: with_layer(clf, keras.layers.GaussianNoise(0.1, name="noise")),
        "The layer 'noise', a GaussianNoise, cannot be exported. Wanted: a network of build_cnn",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_exported(kind, fitted, xrays, tmp_path):
    make, message = REFUSED[kind]
    with pytest.raises(ModelFileError, match=message):
        export_onnx(make(fitted, xrays), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_wrong_arguments(fitted, tmp_path):
    with pytest.raises(ValueError, match="one of 'float32', 'float16'; got 'int8'"):
        export_onnx(fitted, tmp_path / "model.onnx", precision="int8")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        export_onnx(fitted, tmp_path / "missing" / "model.onnx")
    with pytest.raises(NotFittedError):
        export_onnx(small_cnn(), tmp_path / "model.onnx")


def test_a_file_that_differs_is_not_written(fitted, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    monkeypatch.setitem(_check.TOLERANCES, "float32", -1)
    with pytest.raises(
        ModelFileError, match="its probabilities differ from predict_proba by up to"
    ):
        export_onnx(fitted, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("export", "module"),
    [(export_onnx, "onnx"), (export_onnx, "onnxruntime"), (export_tflite, "ai_edge_litert")],
)
def test_a_package_that_is_missing(export, module, fitted, tmp_path, monkeypatch):
    for name in (module, f"{module}.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf'{module} is needed.*pip install "skpneumo\[export\]"'):
        export(fitted, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_the_packaged_network_on_real_files(xray_data, tmp_path):
    model = load_pretrained("cnn")
    export_onnx(model, tmp_path / "cnn.onnx")
    for path in sorted((xray_data / "chest_xray").rglob("*.jpeg"))[::900]:
        image = read_xray(path)[None]
        expected = model.predict_proba(image)[:, 1]
        np.testing.assert_allclose(run_onnx(tmp_path / "cnn.onnx", image), expected, atol=1e-4)
