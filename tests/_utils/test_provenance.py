import pickle

import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV, XRayAugmenter, XRayResizer
from skpneumo._utils.provenance import (
    data_fingerprint,
    describe_model,
    describe_threshold,
    get_certified_target,
    model_fingerprint,
    reported_params,
)
from skpneumo.datasets import make_xrays
from skpneumo.images import XRaySequence


def pipeline():
    return make_pipeline(StandardScaler(), LogisticRegression())


def test_the_certificate_of_a_frozen_model_names_patients_or_images(train, linear):
    model = OperatingPointClassifierCV(FrozenEstimator(linear), min_recall=0.8, confidence=0.925)
    origin = describe_threshold(model.fit(train.X, train.y, groups=train.groups))
    expected = "a recall of 80% of patients certified with 92.5% confidence on 30 positive patients"
    assert origin == expected
    origin = describe_threshold(model.fit(train.X, train.y))
    assert origin == expected.replace("patients", "images").replace("30", "60")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"min_recall": 0.8}, ("recall_of_patients", 0.8)),
        ({"min_recall": None, "min_specificity": 0.7}, ("specificity_of_patients", 0.7)),
        ({"min_recall": 0.8, "confidence": None}, None),
        ({"min_recall": None, "missed_cost": 3}, None),
    ],
)
def test_certified_target(train, linear, options, expected):
    model = OperatingPointClassifierCV(FrozenEstimator(linear), **options)
    model.fit(train.X, train.y, groups=train.groups)
    assert get_certified_target(model) == expected
    assert get_certified_target(linear) is None


def test_description_names_the_wrappers(train):
    model = OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3).fit(train.X, train.y)
    description = describe_model(model)
    assert description["name"] == "LogisticRegression"
    assert description["layers"] == [
        "OperatingPointClassifierCV",
        "FoldMeanClassifier",
        "Pipeline(StandardScaler)",
    ]
    assert description["params"]["C"] == "1.0"


def test_fingerprint_of_data_is_of_pixels_or_of_files(tmp_path):
    xrays = make_xrays(6, image_size=(40, 33), random_state=0)
    X, y = xrays.images, xrays.target
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for image, path in zip(X, paths, strict=True):
        Image.fromarray(image).save(path)
    fingerprint = data_fingerprint(paths, y)
    assert (
        fingerprint == data_fingerprint(XRaySequence(paths), y) == data_fingerprint(paths, list(y))
    )
    assert data_fingerprint(X, y) == data_fingerprint(X.copy(), y) != fingerprint
    assert data_fingerprint(X, y[::-1]) != data_fingerprint(X, y)
    assert data_fingerprint(X[::-1], y) != data_fingerprint(X, y)
    moved = [path.rename(tmp_path / f"new-{path.name}") for path in paths]
    assert data_fingerprint(moved, y) == fingerprint
    moved[0].write_bytes(b"other")
    assert data_fingerprint(moved, y) != fingerprint


def test_fingerprint_of_a_network_is_of_its_weights_and_what_it_does(tmp_path):
    xrays = make_xrays(24, image_size=(40, 33), random_state=0)
    X, y = xrays.images, xrays.target
    tiny = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0, memory=tmp_path)
    cnn = tiny.fit(X, y)
    fingerprint = model_fingerprint(cnn)
    assert fingerprint == model_fingerprint(pickle.loads(pickle.dumps(cnn)))
    assert fingerprint == model_fingerprint(FrozenEstimator(cnn))
    cnn.set_params(verbose=1, memory=None)
    assert model_fingerprint(cnn) == fingerprint
    cnn.set_params(threshold=0.4)
    assert model_fingerprint(cnn) != fingerprint
    small, large = (
        make_pipeline(XRayResizer(size), FrozenEstimator(cnn)) for size in ((32, 32), (40, 32))
    )
    assert model_fingerprint(small) != model_fingerprint(large)
    other = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=1).fit(X, y)
    assert model_fingerprint(other) != fingerprint
    calibrated = CalibratedClassifierCV(FrozenEstimator(cnn)).fit(X, y)
    again = pickle.loads(pickle.dumps(calibrated))
    assert model_fingerprint(calibrated) == model_fingerprint(again) != fingerprint


def test_fingerprint_of_the_models_of_folds_is_of_all_of_them(train):
    model = OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3, refit=False)
    fingerprint = model_fingerprint(model.fit(train.X, train.y))
    last = model.estimator_.fold_estimators_[-1]
    coef = last[-1].coef_
    last[-1].coef_ = coef + 1
    assert model_fingerprint(model) != fingerprint
    last[-1].coef_ = coef
    assert model_fingerprint(model) == fingerprint
    last[0].mean_ = last[0].mean_ + 1
    assert model_fingerprint(model) != fingerprint


def test_parameters_are_reported_without_folders():
    model = CNNPneumoniaClassifier(
        memory="/home/jane/cache", verbose=1, augmentation=XRayAugmenter(rotation=3)
    )
    reported = reported_params(model)
    assert not {"memory", "verbose"} & reported.keys()
    assert "rotation=3" in reported["augmentation"]
    assert reported_params("passthrough") == {}


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        ("/home/jane/weights.h5", "'weights.h5'"),
        ("C:\\jane\\weights.h5", "'weights.h5'"),
        ("imagenet", "'imagenet'"),
        ({"file": "data/jane doe/x.h5", "n": 1}, "{'file': 'x.h5', 'n': 1}"),
        (0.5, "0.5"),
    ],
)
def test_of_a_path_the_file_name_alone_is_reported(value, reported):
    assert reported_params(LogisticRegression(C=value))["C"] == reported


def test_a_model_that_cannot_be_pickled_is_described(train):
    steps = FunctionTransformer(lambda X: X), LogisticRegression()
    model = make_pipeline(*steps).fit(train.X, train.y)
    described = describe_model(model)
    assert described["fingerprint"] == "none, as a part of the model cannot be pickled"
    assert described["layers"] == ["Pipeline(FunctionTransformer)"]
