"""Saving and loading: in another process too, and whole or not at all."""

import copy
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayOverSampler,
    XRayResizer,
    load_model,
    save_model,
)
from skpneumo._utils.formatting import percent
from skpneumo._utils.model_file import (
    read_manifest,
    read_model_file,
    write_model_file,
)
from skpneumo._utils.provenance import model_fingerprint
from skpneumo._utils.unwrap import unwrap
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import evaluate
from skpneumo.exceptions import ModelFileError, OutlierWarning
from skpneumo.metrics import specificity_at_recall_scorer
from skpneumo.model_selection import LogOddsMeanClassifier
from skpneumo.persistence import model_card
from skpneumo.persistence._kinds import LEARNT, OPTIONAL
from skpneumo.sites import PrevalenceThresholdClassifier, TriageClassifierCV, check_site


@pytest.fixture(scope="module")
def xrays():
    return make_xrays(60, image_size=(34, 32), random_state=0)


def small_cnn(**params):
    return CNNPneumoniaClassifier(filters=(4, 5, 6), epochs=1, random_state=0, **params)


@pytest.fixture(scope="module")
def cnn(xrays):
    return small_cnn(threshold=0.3).fit(xrays.images, xrays.target)


def save_and_load(estimator, tmp_path):
    path = tmp_path / "model.skpneumo"
    save_model(estimator, path)
    return load_model(path)


def assert_same(loaded, estimator, X):
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert loaded.classes_.tolist() == np.asarray(estimator.classes_).tolist()
    assert loaded.classes_.dtype.kind == np.asarray(estimator.classes_).dtype.kind


@pytest.mark.parametrize("labels", [("NORMAL", "PNEUMONIA"), (0, 1), (False, True), (0.0, 1.0)])
def test_a_classifier_with_any_labels(xrays, tmp_path, labels):
    y = np.where(xrays.target == "PNEUMONIA", labels[1], labels[0])
    clf = small_cnn(class_weight={labels[1]: 2}, image_size=(40, 38)).fit(xrays.images, y)
    loaded = save_and_load(clf, tmp_path)
    assert_same(loaded, clf, xrays.images)
    assert str(loaded.get_params()) == str(clf.get_params())
    assert (loaded.history_, loaded.image_size_, loaded.precision_) == (
        clf.history_,
        clf.image_size_,
        clf.precision_,
    )


def test_a_loaded_model_can_be_trained_further(xrays, cnn, tmp_path):
    loaded = save_and_load(cnn, tmp_path)
    loaded.partial_fit(xrays.images, xrays.target)
    assert len(loaded.history_["loss"]) == 2
    again = clone(loaded).fit(xrays.images, xrays.target)
    np.testing.assert_array_equal(
        again.predict_proba(xrays.images), cnn.predict_proba(xrays.images)
    )


def test_the_bfloat16_of_a_fit_is_saved(xrays, tmp_path):
    clf = small_cnn(precision="bfloat16").fit(xrays.images, xrays.target)
    clf.set_params(precision="auto")
    loaded = save_and_load(clf, tmp_path)
    assert loaded.precision_ == "bfloat16"
    assert loaded.precision == "auto"
    assert_same(loaded, clf, xrays.images)


def test_inception_without_the_file_that_it_started_from(tmp_path):
    xrays = make_xrays(10, image_size=(75, 77), random_state=0)
    clf = InceptionPneumoniaClassifier(weights=None, trainable="head", epochs=1, random_state=0)
    clf.fit(xrays.images, xrays.target)
    clf.set_params(weights="/home/jane.doe/inception.h5")
    path = tmp_path / "model.skpneumo"
    save_model(clf, path)
    assert b"jane" not in path.read_bytes()
    loaded = load_model(path)
    assert loaded.weights == "inception.h5"
    assert_same(loaded, clf, xrays.images)
    # A fit of the loaded one starts from the file again, which is an error if it is missing.
    with pytest.raises(OSError, match=r"no weights file inception\.h5"):
        clone(loaded).fit(xrays.images, xrays.target)


def test_weights_in_8_bits(xrays, cnn, tmp_path):
    path = tmp_path / "model.skpneumo"
    save_model(cnn, path, weights_dtype="int8")
    loaded = load_model(path)
    exact, rounded = cnn._network.get_weights(), loaded._network.get_weights()
    for before, after in zip(exact, rounded, strict=True):
        if before.ndim == 4:
            assert not np.array_equal(after, before)
            np.testing.assert_allclose(after, before, atol=np.abs(before).max() / 2**14)
        else:
            np.testing.assert_array_equal(after, before)
    np.testing.assert_allclose(
        loaded.predict_proba(xrays.images), cnn.predict_proba(xrays.images), atol=0.01
    )
    assert "kernels rounded to 8 or 16 bits" in model_card(path)
    # Once more changes nothing: rounded weights round to themselves.
    save_model(loaded, path, weights_dtype="int8")
    assert_same(load_model(path), loaded, xrays.images)
    loaded.partial_fit(xrays.images, xrays.target)
    assert len(loaded.history_["loss"]) == 2


def test_another_dtype_of_weights(cnn, tmp_path):
    path = tmp_path / "model.skpneumo"
    with pytest.raises(ValueError, match=r"weights_dtype must be one of .*; got 'int4'"):
        save_model(cnn, path, weights_dtype="int4")
    assert not path.exists()


def test_a_mean_of_networks(xrays, cnn, tmp_path):
    X, y = xrays.images, xrays.target
    other = small_cnn(image_size=(40, 38))
    mean = LogOddsMeanClassifier(
        [("a", FrozenEstimator(cnn)), ("b", other)], prevalence=0.3, training_prevalence=0.6
    )
    loaded = save_and_load(mean.fit(X, y), tmp_path)
    assert_same(loaded, mean, X)
    assert loaded.get_params()["b__image_size"] == (40, 38)
    assert isinstance(loaded.estimators[0][1], FrozenEstimator)
    again = clone(loaded).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), mean.predict_proba(X))
    point = OperatingPointClassifierCV(
        LogOddsMeanClassifier([("a", small_cnn()), ("b", other)]),
        min_recall=0.8,
        confidence=None,
        cv=2,
    )
    loaded = save_and_load(make_pipeline(XRayResizer((36, 34)), point).fit(X, y), tmp_path)
    assert len(unwrap(loaded).classifiers) == 4
    assert_same(loaded[-1], point, XRayResizer((36, 34)).transform(X))


def test_a_mean_with_a_search(xrays, tmp_path):
    X, y = xrays.images, xrays.target
    search = GridSearchCV(small_cnn(), {"dropout": [0.1]}, cv=2)
    mean = LogOddsMeanClassifier([("search", search)]).fit(X, y)
    loaded = save_and_load(mean, tmp_path)
    assert_same(loaded, mean, X)
    assert loaded.get_params()["search__dropout"] == 0.1


def test_frozen_classifiers_in_a_mean_that_is_fitted_inside(xrays, cnn, tmp_path):
    mean = LogOddsMeanClassifier([("a", FrozenEstimator(cnn))])
    options = {"min_recall": 0.8, "confidence": None, "cv": 2}
    point = OperatingPointClassifierCV(mean, **options).fit(xrays.images, xrays.target)
    with pytest.raises(ModelFileError, match=r"a is frozen in a LogOddsMean.* FrozenEstimator"):
        save_model(point, tmp_path / "model.skpneumo")
    frozen = FrozenEstimator(mean.fit(xrays.images, xrays.target))
    point = OperatingPointClassifierCV(frozen, **options).fit(xrays.images, xrays.target)
    assert_same(save_and_load(point, tmp_path), point, xrays.images)


def test_pipelines(xrays, tmp_path):
    pipe = make_pipeline(
        XRayLoader(), XRayResizer((32, 36), aspect="pad"), XRayAugmenter(), small_cnn()
    ).fit(xrays.images, xrays.target)
    loaded = save_and_load(pipe, tmp_path)
    assert_same(loaded, pipe, xrays.images)
    assert loaded.named_steps["xrayresizer"].aspect == "pad"

    sampling = make_sampling_pipeline(
        XRayOverSampler(random_state=0, augmentation=XRayAugmenter(zoom=0.2)),
        small_cnn(augmentation=XRayAugmenter(rotation=3)),
    ).fit(xrays.images, xrays.target)
    loaded = save_and_load(sampling, tmp_path)
    assert type(loaded) is type(sampling)
    assert_same(loaded, sampling, xrays.images)
    assert loaded.steps[0][1].augmentation.zoom == 0.2
    assert loaded.steps[1][1].augmentation.rotation == 3


def test_a_detector_of_outliers(xrays, tmp_path):
    detector = XRayOutlierDetector(n_components=5, contamination=0)
    pipe = make_pipeline(detector, small_cnn()).fit(xrays.images, xrays.target)
    loaded = save_and_load(pipe, tmp_path)
    assert_same(loaded, pipe, xrays.images)
    others = 255 - xrays.images[:3]
    expected = pipe[0].outlier_score(others)
    np.testing.assert_array_equal(loaded[0].outlier_score(others), expected)
    with pytest.warns(OutlierWarning, match="^3 of 3"):
        loaded.predict(others)


@pytest.mark.parametrize("frozen", [False, True])
def test_operating_points(xrays, cnn, tmp_path, frozen):
    model = OperatingPointClassifierCV(
        FrozenEstimator(make_pipeline(XRayResizer((34, 32)), cnn))
        if frozen
        else small_cnn().set_params(filters=np.array([4, 5, 6])),
        min_recall=0.8,
        cv=StratifiedKFold(2),
    ).fit(xrays.images, xrays.target)
    loaded = save_and_load(model, tmp_path)
    assert_same(loaded, model, xrays.images)
    for name in ("best_threshold_", "recall_lower_bound_", "specificity_", "n_positive_units_"):
        assert getattr(loaded, name) == getattr(model, name)
    assert loaded.best_threshold_.dtype == model.best_threshold_.dtype
    for name, column in model.curve_.items():
        np.testing.assert_array_equal(loaded.curve_[name], column)
    assert loaded.cv is None  # splitters are not saved
    assert loaded.min_recall == 0.8
    if not frozen:
        np.testing.assert_array_equal(loaded.estimator.filters, [4, 5, 6])
    assert isinstance(loaded.estimator, FrozenEstimator) is frozen
    clone(loaded)


@pytest.mark.parametrize("frozen", [False, True])
def test_triage(xrays, cnn, tmp_path, frozen):
    model = TriageClassifierCV(
        FrozenEstimator(make_pipeline(XRayResizer((34, 32)), cnn)) if frozen else small_cnn(),
        min_recall=0.6,
        min_specificity=0.6,
        confidence=0.8,
        cv=2,
    ).fit(xrays.images, xrays.target, groups=xrays.groups)
    loaded = save_and_load(model, tmp_path)
    assert_same(loaded, model, xrays.images)
    np.testing.assert_array_equal(
        loaded.predict_triage(xrays.images), model.predict_triage(xrays.images)
    )
    assert loaded.rule_in_threshold_.dtype == model.rule_in_threshold_.dtype
    for name in LEARNT[TriageClassifierCV].keys() - {"curve_"} - OPTIONAL:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(model, name))
    assert loaded.describe_threshold() == model.describe_threshold()
    assert model_fingerprint(loaded) == model_fingerprint(model)
    clone(loaded)


def fit_point(xrays, cnn):
    point = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.6, confidence=0.8)
    return point.fit(xrays.images, xrays.target, groups=xrays.groups)


def test_reference_scores(xrays, cnn, tmp_path):
    model = fit_point(xrays, cnn)
    loaded = save_and_load(model, tmp_path)
    assert loaded.reference_.keys() == {"y_true", "y_score", "patient"}
    for name, column in model.reference_.items():
        assert loaded.reference_[name].dtype == column.dtype
        np.testing.assert_array_equal(loaded.reference_[name], column)
    expected, found = (check_site(one, xrays.images).to_dict() for one in (model, loaded))
    assert found == expected
    # As in files of earlier versions.
    del model.reference_
    loaded = save_and_load(model, tmp_path)
    assert not hasattr(loaded, "reference_")
    assert_same(loaded, model, xrays.images)
    with pytest.raises(ValueError, match="a file of an earlier version lacks them, and has to be"):
        check_site(loaded, xrays.images)


@pytest.mark.parametrize("prevalence", [0.6, (0.5, 0.7)])
def test_thresholds_by_prevalence(xrays, cnn, tmp_path, prevalence):
    model = PrevalenceThresholdClassifier(
        FrozenEstimator(fit_point(xrays, cnn)), prevalence=prevalence, min_recall=0.9
    ).fit(np.tile(xrays.images, (2, 1, 1)))
    loaded = save_and_load(model, tmp_path)
    assert_same(loaded, model, xrays.images)
    for name in LEARNT[PrevalenceThresholdClassifier]:
        assert getattr(loaded, name) == getattr(model, name)
        assert type(getattr(loaded, name)) is type(getattr(model, name))
    assert loaded.describe_threshold() == model.describe_threshold()
    assert loaded.get_params(deep=False).keys() == model.get_params(deep=False).keys()
    assert (loaded.prevalence, loaded.min_recall) == (prevalence, 0.9)
    assert model_fingerprint(loaded) == model_fingerprint(model)
    assert check_site(loaded.estimator_, xrays.images).n_images == len(xrays.images)
    clone(loaded).fit(np.tile(xrays.images, (2, 1, 1)))


GRID = {"xrayresizer__aspect": ["stretch", "pad"]}


def search_over(cnn):
    pipe = make_pipeline(XRayResizer((34, 32)), cnn)
    return GridSearchCV(
        pipe, GRID, scoring=specificity_at_recall_scorer, cv=StratifiedGroupKFold(2)
    )


@pytest.mark.parametrize("searched", [False, True])
def test_the_models_of_folds(xrays, tmp_path, searched):
    model = OperatingPointClassifierCV(
        search_over(small_cnn()) if searched else small_cnn(), min_recall=0.8, cv=2, refit=False
    ).fit(xrays.images, xrays.target, groups=xrays.groups)
    loaded = save_and_load(model, tmp_path)
    assert_same(loaded, model, xrays.images)
    assert loaded.refit is False
    assert len(loaded.estimator_.fold_estimators_) == 2
    assert model_fingerprint(loaded) == model_fingerprint(model)
    again = clone(loaded).fit(xrays.images, xrays.target, groups=xrays.groups)
    assert len(again.estimator_.fold_estimators_) == 2
    assert_same(save_and_load(model.estimator_, tmp_path), model.estimator_, xrays.images)


@pytest.mark.parametrize("where", ["alone", "inside", "in a pipeline", "frozen", "twice"])
def test_a_search_is_saved_as_what_it_selected(xrays, tmp_path, where):
    fit_params = {"groups": xrays.groups}
    model = search_over(small_cnn())
    if where == "in a pipeline":
        model = make_pipeline(XRayResizer((36, 34)), model)
        fit_params = {"gridsearchcv__groups": xrays.groups}
    if where != "alone":
        if where == "frozen":
            model = FrozenEstimator(model.fit(xrays.images, xrays.target, **fit_params))
        model = OperatingPointClassifierCV(model, min_recall=0.6, cv=2)
        fit_params = fit_params if where == "in a pipeline" else {"groups": xrays.groups}
    if where == "twice":
        model = OperatingPointClassifierCV(model, min_recall=0.8, cv=2)
    if where == "in a pipeline":
        fit_params = {"groups": xrays.groups, **fit_params}
    model.fit(xrays.images, xrays.target, **fit_params)
    loaded = save_and_load(model, tmp_path)
    assert_same(loaded, model, xrays.images)
    search = next(layer for layer in unwrap(model).wrappers if isinstance(layer, GridSearchCV))
    pipeline = [layer for layer in unwrap(loaded).wrappers if isinstance(layer, Pipeline)][-1]
    assert pipeline[0].aspect == search.best_params_["xrayresizer__aspect"]
    if where in ("inside", "twice"):
        again = clone(loaded).fit(xrays.images, xrays.target, groups=xrays.groups)
        np.testing.assert_array_equal(
            again.predict_proba(xrays.images), model.predict_proba(xrays.images)
        )


def test_a_search_that_selected_nothing(xrays, tmp_path):
    search = search_over(small_cnn()).set_params(refit=False)
    with pytest.raises(NotFittedError):
        save_model(search, tmp_path / "model.skpneumo")
    search.fit(xrays.images, xrays.target, groups=xrays.groups)
    with pytest.raises(ValueError, match="best_estimator_"):
        save_model(search, tmp_path / "model.skpneumo")
    assert not any(tmp_path.iterdir())


def test_a_file_without_images_per_patient(xrays, cnn, tmp_path):
    path = tmp_path / "model.skpneumo"
    model = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.8)
    model.fit(xrays.images, xrays.target, groups=xrays.groups)
    save_model(model, path)
    assert load_model(path).images_per_patient_ == model.images_per_patient_ > 1
    manifest, arrays = read_model_file(path)
    del manifest["estimator"]["fitted"]["images_per_patient_"]
    del manifest["estimator"]["params"]["refit"]
    write_model_file(path, manifest, arrays)
    old = load_model(path)
    assert np.isnan(old.images_per_patient_)
    assert old.refit is True
    assert_same(old, model, xrays.images)


def test_notes_of_a_loaded_model_are_saved_again(xrays, cnn, tmp_path):
    paths = [tmp_path / f"{i}.skpneumo" for i in range(2)]
    for path, recipe in zip(paths, ("first", "second"), strict=True):
        save_model(cnn, path, notes={"licence": "CC BY 4.0", "recipe": recipe})
    loaded = [load_model(path) for path in paths]
    point = OperatingPointClassifierCV(FrozenEstimator(loaded[0]), min_recall=0.6)
    again = tmp_path / "again.skpneumo"

    def notes_of(model, **options):
        save_model(model, again, **options)
        return read_manifest(again)["notes"]

    assert notes_of(cnn) == {}
    frozen = LogOddsMeanClassifier(
        [(n, FrozenEstimator(m)) for n, m in zip("ab", loaded, strict=True)]
    )
    assert notes_of(frozen.fit(xrays.images, xrays.target))["recipe"] == "first; second"
    assert notes_of(frozen)["licence"] == "CC BY 4.0"
    assert notes_of(point.fit(xrays.images, xrays.target))["recipe"] == "first"
    assert notes_of(loaded[0], notes={"recipe": "mine"}) == {"recipe": "mine"}
    assert notes_of(loaded[0].fit(xrays.images, xrays.target)) == {}


def test_the_manifest_and_the_card(xrays, cnn, tmp_path):
    path = tmp_path / "model.skpneumo"
    report = evaluate(cnn, xrays.images, xrays.target)
    save_model(
        cnn,
        path,
        training_data=(xrays.images, xrays.target),
        evaluation=report,
        notes={"licence": "CC BY 4.0"},
    )
    manifest = read_manifest(path)
    assert manifest["classes"] == ["NORMAL", "PNEUMONIA"]
    assert manifest["threshold"] == 0.3
    assert manifest["threshold_origin"] == report.threshold_description
    assert manifest["data_fingerprint"] == report.provenance.data_fingerprint
    assert manifest["metrics"] == report.to_dict()
    assert {array["dtype"] for array in manifest["arrays"].values()} == {"float32"}
    card = model_card(path)
    assert card.startswith("# CNNPneumoniaClassifier\n")
    recall = report.metrics["recall"]
    ends = f"{percent(recall.low)} to {percent(recall.high, up=True)}"
    assert f"| {percent(recall.value)} | {ends} |" in card
    assert f"| Area under the ROC curve | {report.metrics['roc_auc'].value:.3f} |" in card
    for text in (
        "not a medical device",
        "CC BY 4.0",
        "Threshold: 0.3",
        report.provenance.data_fingerprint,
    ):
        assert text in card


def test_a_card_of_a_file_that_names_its_metrics_figures(xrays, cnn, tmp_path):
    """As development versions before 0.1.0 wrote it."""
    report = evaluate(cnn, xrays.images, xrays.target)
    old = report.to_dict()
    old["figures"] = old.pop("metrics")
    cards = []
    for metrics in (old, report.to_dict()):
        with mock.patch.object(type(report), "to_dict", return_value=metrics):
            save_model(cnn, tmp_path / "model.skpneumo", evaluation=report)
        cards.append(model_card(tmp_path / "model.skpneumo"))
    old_card, new_card = (card[card.index("## Metrics") :] for card in cards)
    assert old_card == new_card
    assert "| Area under the ROC curve |" in old_card


def test_a_card_without_metrics(cnn, tmp_path):
    path = tmp_path / "model.skpneumo"
    save_model(cnn, path)
    assert "None were saved with the model." in model_card(path)


def test_equal_models_have_equal_weights_and_arrays_in_the_file(cnn, tmp_path):
    hashes = []
    for name in ("a", "b"):
        save_model(cnn, tmp_path / name)
        hashes.append(read_manifest(tmp_path / name)["arrays"])
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda cnn: make_pipeline(XRayResizer((30, 31)), LogisticRegression()),
        lambda cnn: type("CNNPneumoniaClassifier", (CNNPneumoniaClassifier,), {})(),
    ],
)
def test_other_estimators_are_refused(xrays, cnn, tmp_path, wrap):
    estimator = wrap(cnn)
    steps = getattr(estimator, "steps", [(None, estimator)])
    vars(steps[-1][1]).update(vars(cnn))
    with pytest.raises(ModelFileError, match=r"cannot be saved. Wanted: CNNPneumoniaClassifier"):
        save_model(estimator, tmp_path / "model.skpneumo")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"filters": range(3, 6)}, r"filters=range\(3, 6\) .* cannot be saved"),
        ({"epochs": -1}, "epochs"),
    ],
)
def test_parameters_that_could_not_be_loaded(cnn, tmp_path, params, match):
    clf = copy.copy(cnn).set_params(**params)
    with pytest.raises(ValueError, match=match):
        save_model(clf, tmp_path / "model.skpneumo")


@pytest.mark.parametrize("dtype", ["int8", "uint16", "float32"])
def test_labels_and_parameters_of_small_types(xrays, cnn, tmp_path, dtype):
    clf = copy.copy(cnn).set_params(threshold=np.longdouble(0.25), epochs=np.int16(3))
    clf.classes_ = np.array([0, 1], dtype)
    loaded = save_and_load(clf, tmp_path)
    assert loaded.classes_.dtype == dtype
    assert (loaded.threshold, loaded.epochs) == (0.25, 3)
    assert_same(loaded, clf, xrays.images)


def test_where_a_training_started_is_saved(xrays, cnn, tmp_path):
    first, second = tmp_path / "first.skpneumo", tmp_path / "second.skpneumo"
    save_model(cnn, first, notes={"Data": "ward 7", "class": "Pipeline"})
    clf = CNNPneumoniaClassifier(weights=first, epochs=1, random_state=0)
    clf.fit(xrays.images, xrays.target)
    save_model(clf, second, notes={"Data": "ward 8"})
    loaded = load_model(second)
    assert_same(loaded, clf, xrays.images)
    assert loaded.filters_ == clf.filters_ == (4, 5, 6)
    assert loaded.filters is None
    assert loaded.initial_network_ == clf.initial_network_
    assert loaded.initial_network_["notes"] == {"Data": "ward 7", "class": "Pipeline"}
    own, start = model_card(second).split("## Initial network")
    assert "ward 8" in own
    assert (
        f"- Started from: CNNPneumoniaClassifier, fingerprint `{model_fingerprint(cnn)}`." in start
    )
    assert "- Data: ward 7" in start
    assert "## Initial network" not in model_card(first)
    # A third one starts from both.
    third = CNNPneumoniaClassifier(weights=second, epochs=1).initialize(xrays.images, xrays.target)
    third.history_ = {}
    save_model(third, first)
    start = model_card(first).split("## Initial network")[1]
    assert start.index("ward 8") < start.index("Which started from") < start.index("ward 7")


def test_filters_changed_after_the_fit(cnn, tmp_path):
    clf = copy.copy(cnn).set_params(filters=(5, 5, 6))
    with pytest.raises(ModelFileError, match=r"filters=\(5, 5, 6\)(?s:.*) weights are not those"):
        save_model(clf, tmp_path / "model.skpneumo")


def test_a_network_with_nan_is_not_saved(cnn, tmp_path):
    clf = save_and_load(cnn, tmp_path)  # shares its network with none
    first, *others = clf.model_.get_weights()
    clf.model_.set_weights([first * np.float32(np.nan), *others])
    with pytest.raises(ModelFileError, match=r"NaN or infinite.* lower learning_rate"):
        save_model(clf, tmp_path / "other.skpneumo")
    assert not (tmp_path / "other.skpneumo").exists()


def test_models_that_could_not_be_loaded_are_not_saved(cnn, tmp_path):
    large = copy.copy(cnn)
    large.image_size_ = (4097, 32)
    for estimator, match in (
        (large, r"\(4097, 32\) is no image size"),
        (copy.copy(cnn).set_params(image_size=(5000, 5000)), r"\(5000, 5000\) is no image size"),
        (copy.copy(cnn).set_params(filters=[4] * 13), "filters holds 13 numbers"),
        (make_pipeline(XRayResizer((9999, 32)), cnn), r"\(9999, 32\) is no image size"),
        (make_pipeline(*[XRayLoader()] * 50, cnn), "more than 50 estimators"),
    ):
        with pytest.raises(ModelFileError, match=f"cannot be saved: .*{match}"):
            save_model(estimator, tmp_path / "model.skpneumo")


@pytest.mark.parametrize(
    ("provenance", "match"),
    [
        ({"notes": {"when": Path("x")}}, r"notes must hold texts by name; got 'when': .*Path"),
        ({"notes": {"auc": np.nan}}, "got 'auc': nan"),
        ({"notes": {1: "a"}}, "got 1: 'a'"),
        ({"notes": ["a"]}, "notes must be a dict of texts.* got a list"),
        ({"notes": "a"}, "got a str"),
        ({"training_data": ["a.png"] * 120}, r"tuple of two, \(X, y\): .* got a list"),
        ({"training_data": ("a.png",) * 3}, r"tuple of two, \(X, y\)"),
        ({"evaluation": 0.9}, "what evaluate returns; got a float"),
    ],
)
def test_provenance_is_checked(cnn, tmp_path, provenance, match):
    with pytest.raises(ValueError, match=match):
        save_model(cnn, tmp_path / "model.skpneumo", **provenance)
    assert not any(tmp_path.iterdir())


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere\. Create it first") as caught:
        save_model(small_cnn(), tmp_path / "nowhere" / "model.skpneumo")
    assert ".part" not in str(caught.value)


def test_unfitted_estimators(tmp_path):
    with pytest.raises(NotFittedError):
        save_model(small_cnn(), tmp_path / "model.skpneumo")


def test_a_save_that_fails_leaves_the_file_before_it(cnn, tmp_path, monkeypatch):
    path = tmp_path / "model.skpneumo"
    save_model(cnn, path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(cnn, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.skpneumo"]


def save_for_ever(path):
    for i in range(100_000):
        arrays = {f"weights/{k}": np.full((300, 500), i, "f4") for k in range(9)}
        write_model_file(path, {"format": 2, "i": i}, arrays)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX warns of every fork")
def test_a_save_that_is_killed_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model.skpneumo"
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(10):
        process_id = os.fork()
        if process_id == 0:
            try:
                save_for_ever(path)
            finally:
                os._exit(1)
        while not path.exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)
        manifest, arrays = read_model_file(path)
        assert len(arrays) == 9
        assert all((array == manifest["i"]).all() for array in arrays.values())
        seen.add(manifest["i"])
    assert len(seen) > 1


_LOADER = """
import sys
import numpy as np
from skpneumo import load_model
np.save(sys.argv[3], load_model(sys.argv[1]).predict_proba(np.load(sys.argv[2])))
"""


def test_another_process_predicts_the_same(xrays, cnn, tmp_path):
    path = tmp_path / "model.skpneumo"
    save_model(cnn, path)
    np.save(tmp_path / "images.npy", xrays.images)
    files = [os.fspath(tmp_path / name) for name in ("images.npy", "proba.npy")]
    subprocess.run([sys.executable, "-c", _LOADER, os.fspath(path), *files], check=True)
    np.testing.assert_array_equal(np.load(files[1]), cnn.predict_proba(xrays.images))
