import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV, XRayAugmenter, XRayResizer
from skpneumo._utils.unwrap import layers_of
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import evaluate
from skpneumo.evaluation._unwrap import (
    data_fingerprint,
    describe_model,
    model_fingerprint,
    reported_params,
    threshold_origin,
    uncalibrated_scores,
)
from skpneumo.images import XRaySequence
from skpneumo.metrics import specificity_score

DEFAULT = "scikit-learn's default"
SCORER = make_scorer(specificity_score, pos_label="PNEUMONIA")


def pipeline():
    return make_pipeline(StandardScaler(), LogisticRegression())


WRAPPED = {
    "plain": (LogisticRegression(), ["LogisticRegression"], 0.5, DEFAULT),
    "decision values": (LinearSVC(), ["LinearSVC"], 0.0, DEFAULT),
    "pipeline": (pipeline(), ["Pipeline", "LogisticRegression"], 0.5, DEFAULT),
    "search": (
        GridSearchCV(pipeline(), {"logisticregression__C": [0.1, 1]}, cv=2),
        ["GridSearchCV", "Pipeline", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "fixed": (
        FixedThresholdClassifier(pipeline(), threshold=0.3),
        ["FixedThresholdClassifier", "Pipeline", "LogisticRegression"],
        0.3,
        "parameter of FixedThresholdClassifier",
    ),
    "fixed by default": (
        FixedThresholdClassifier(
            FixedThresholdClassifier(LogisticRegression(), threshold=0.3), threshold="auto"
        ),
        ["FixedThresholdClassifier", "FixedThresholdClassifier", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "tuned": (
        TunedThresholdClassifierCV(LogisticRegression(), scoring=SCORER, cv=2),
        ["TunedThresholdClassifierCV", "LogisticRegression"],
        None,
        "chosen by TunedThresholdClassifierCV",
    ),
    "calibrated, whatever was set inside": (
        CalibratedClassifierCV(FixedThresholdClassifier(LogisticRegression(), threshold=0.3), cv=2),
        ["CalibratedClassifierCV", "FixedThresholdClassifier", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "bagging is no wrapper": (
        BaggingClassifier(n_estimators=2),
        ["BaggingClassifier"],
        0.5,
        DEFAULT,
    ),
    "operating point": (
        OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3, refit=True),
        ["OperatingPointClassifierCV", "Pipeline", "LogisticRegression"],
        None,
        "a recall of 90% of images certified approximately with 95% confidence on 60 positive "
        "images, by out-of-fold scores",
    ),
    "operating point of folds": (
        OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3),
        ["OperatingPointClassifierCV", "FoldMeanClassifier", "Pipeline", "LogisticRegression"],
        None,
        "a recall of 90% of images certified approximately with 95% confidence on 60 positive "
        "images, by out-of-fold scores",
    ),
    "operating point by specificity": (
        OperatingPointClassifierCV(
            LogisticRegression(), min_recall=None, min_specificity=0.8, confidence=None, cv=3
        ),
        ["OperatingPointClassifierCV", "FoldMeanClassifier", "LogisticRegression"],
        None,
        "a specificity of 80% on 30 negative images, by out-of-fold scores; nothing certified",
    ),
    "operating point by cost": (
        OperatingPointClassifierCV(LogisticRegression(), min_recall=None, missed_cost=7, cv=3),
        ["OperatingPointClassifierCV", "FoldMeanClassifier", "LogisticRegression"],
        None,
        "least cost, with a false negative as bad as 7 false positives, by out-of-fold scores",
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_layers_and_threshold(name, learnt, new):
    model, layers, threshold, origin = WRAPPED[name]
    model.fit(learnt.X, learnt.y)
    frozen = FrozenEstimator(model)
    found = [type(layer).__name__ for layer in layers_of(frozen)]
    assert found == layers
    if threshold is None:
        threshold = model.best_threshold_
    assert threshold_origin(frozen).startswith(origin)
    # It is the threshold that predict uses: else it would be NaN.
    assert evaluate(frozen, new.X, new.y).threshold == threshold


def test_of_a_frozen_model_the_promise_is_valid_and_of_patients(learnt, linear):
    model = OperatingPointClassifierCV(FrozenEstimator(linear), min_recall=0.8, confidence=0.925)
    origin = threshold_origin(model.fit(learnt.X, learnt.y, groups=learnt.groups))
    expected = "a recall of 80% of patients certified with 92.5% confidence on 30 positive patients"
    assert origin == expected
    origin = threshold_origin(model.fit(learnt.X, learnt.y))
    assert origin == expected.replace("patients", "images").replace("30", "60")


def test_description_names_what_stands_around(learnt):
    model = OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3).fit(learnt.X, learnt.y)
    told = describe_model(model)
    assert told["name"] == "LogisticRegression"
    assert told["layers"] == [
        "OperatingPointClassifierCV",
        "FoldMeanClassifier",
        "Pipeline(StandardScaler)",
    ]
    assert told["params"]["C"] == "1.0"


def test_probabilities_before_calibration_see_what_the_pipeline_makes(learnt, new):
    base = LogisticRegression().fit(StandardScaler().fit_transform(learnt.X), learnt.y)
    plain = make_pipeline(StandardScaler(), base).fit(learnt.X, learnt.y)
    calibrated = make_pipeline(StandardScaler(), CalibratedClassifierCV(FrozenEstimator(base)))
    calibrated.fit(learnt.X, learnt.y)
    before = uncalibrated_scores(FrozenEstimator(calibrated), 9 * new.X)
    np.testing.assert_allclose(before, plain.predict_proba(9 * new.X)[:, 1])
    assert uncalibrated_scores(plain, new.X) is None
    values = CalibratedClassifierCV(LinearSVC(), cv=2).fit(learnt.X, learnt.y)
    assert uncalibrated_scores(values, new.X) is None


def test_fingerprint_of_data_is_of_pixels_or_of_files(tmp_path):
    xrays = make_xrays(6, image_size=(40, 33), random_state=0)
    X, y = xrays.images, xrays.target
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for image, path in zip(X, paths, strict=True):
        Image.fromarray(image).save(path)
    print_ = data_fingerprint(paths, y)
    assert print_ == data_fingerprint(XRaySequence(paths), y) == data_fingerprint(paths, list(y))
    assert data_fingerprint(X, y) == data_fingerprint(X.copy(), y) != print_
    assert data_fingerprint(X, y[::-1]) != data_fingerprint(X, y)
    assert data_fingerprint(X[::-1], y) != data_fingerprint(X, y)
    moved = [path.rename(tmp_path / f"new-{path.name}") for path in paths]
    assert data_fingerprint(moved, y) == print_
    moved[0].write_bytes(b"other")
    assert data_fingerprint(moved, y) != print_


def test_fingerprint_of_a_network_is_of_its_weights_and_what_it_does(tmp_path):
    xrays = make_xrays(24, image_size=(40, 33), random_state=0)
    X, y = xrays.images, xrays.target
    tiny = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0, memory=tmp_path)
    cnn = tiny.fit(X, y)
    print_ = model_fingerprint(cnn)
    assert print_ == model_fingerprint(pickle.loads(pickle.dumps(cnn)))
    assert print_ == model_fingerprint(FrozenEstimator(cnn))
    cnn.set_params(verbose=1, memory=None)
    assert model_fingerprint(cnn) == print_
    cnn.set_params(threshold=0.4)
    assert model_fingerprint(cnn) != print_
    small, large = (
        make_pipeline(XRayResizer(size), FrozenEstimator(cnn)) for size in ((32, 32), (40, 32))
    )
    assert model_fingerprint(small) != model_fingerprint(large)
    other = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=1).fit(X, y)
    assert model_fingerprint(other) != print_
    calibrated = CalibratedClassifierCV(FrozenEstimator(cnn)).fit(X, y)
    again = pickle.loads(pickle.dumps(calibrated))
    assert model_fingerprint(calibrated) == model_fingerprint(again) != print_


def test_fingerprint_of_the_models_of_folds_is_of_all_of_them(learnt):
    model = OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3, refit=False)
    print_ = model_fingerprint(model.fit(learnt.X, learnt.y))
    last = model.estimator_.fold_estimators_[-1]
    coef = last[-1].coef_
    last[-1].coef_ = coef + 1
    assert model_fingerprint(model) != print_
    last[-1].coef_ = coef
    assert model_fingerprint(model) == print_
    last[0].mean_ = last[0].mean_ + 1
    assert model_fingerprint(model) != print_


def test_parameters_are_told_without_folders():
    model = CNNPneumoniaClassifier(
        memory="/home/jane/cache", verbose=1, augmentation=XRayAugmenter(rotation=3)
    )
    told = reported_params(model)
    assert not {"memory", "verbose"} & told.keys()
    assert "rotation=3" in told["augmentation"]
    assert reported_params("passthrough") == {}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("/home/jane/weights.h5", "'weights.h5'"),
        ("C:\\jane\\weights.h5", "'weights.h5'"),
        ("imagenet", "'imagenet'"),
        ({"file": "data/jane doe/x.h5", "n": 1}, "{'file': 'x.h5', 'n': 1}"),
        (0.5, "0.5"),
    ],
)
def test_of_a_path_the_last_part_alone_is_told(value, told):
    assert reported_params(LogisticRegression(C=value))["C"] == told
