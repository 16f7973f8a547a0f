"""Everything of scikit-learn that takes a classifier takes these, with arrays and with paths."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn import config_context, get_config, set_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.fixes import parse_version

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayLoader,
    XRayResizer,
)
from skpneumo.metrics import SCORERS, recall_scorer, roc_auc_scorer
from skpneumo.model_selection import HighestSpecificity

CALIBRATIONS = ["sigmoid", "isotonic"]
if parse_version(sklearn.__version__) >= parse_version("1.8"):
    CALIBRATIONS.append("temperature")
WEIGHTS = [None, {"PNEUMONIA": 4}]
THRESHOLDS = [0.2, 0.4, 0.6]


@pytest.fixture(params=["arrays", "paths"])
def X(request, xrays, paths):
    return xrays.X if request.param == "arrays" else paths


@pytest.fixture
def pipe(tiny):
    return make_pipeline(XRayLoader(), XRayResizer((33, 36)), tiny())


@pytest.mark.parametrize("classifier", [CNNPneumoniaClassifier, InceptionPneumoniaClassifier])
def test_they_are_classifiers(classifier, xrays):
    assert is_classifier(classifier())
    splitter = check_cv(3, xrays.y, classifier=is_classifier(classifier()))
    assert isinstance(splitter, StratifiedKFold)
    assert repr(classifier(threshold=0.3)) == f"{classifier.__name__}(threshold=0.3)"


@pytest.mark.parametrize("classifier", [CNNPneumoniaClassifier, InceptionPneumoniaClassifier])
def test_html(classifier, estimator_html):
    assert classifier.__name__ in estimator_html(classifier(threshold=0.3))


def test_grid_search_over_weights_and_thresholds(X, xrays, pipe, trained_epochs):
    grid = {
        "cnnpneumoniaclassifier__class_weight": WEIGHTS,
        "cnnpneumoniaclassifier__threshold": THRESHOLDS,
    }
    cv = StratifiedGroupKFold(2)
    search = GridSearchCV(pipe, grid, scoring=SCORERS, refit=HighestSpecificity(), cv=cv)
    search.fit(X, xrays.y, groups=xrays.groups)
    assert sum(trained_epochs) == pytest.approx(len(WEIGHTS) * 2 + 1)
    assert np.isfinite(search.cv_results_["mean_test_recall"]).all()
    for i, params in enumerate(search.cv_results_["params"]):
        for k, (rows, held_out) in enumerate(cv.split(X, xrays.y, xrays.groups)):
            one = clone(pipe).set_params(**params).fit(X[rows], xrays.y[rows])
            score = recall_scorer(one, X[held_out], xrays.y[held_out])
            assert search.cv_results_[f"split{k}_test_recall"][i] == score
    assert search.predict(X).shape == (50,)
    assert search.classes_.tolist() == ["NORMAL", "PNEUMONIA"]


def test_groups_reach_a_grouped_validation_without_routing(xrays, tiny):
    search = GridSearchCV(
        make_pipeline(XRayLoader(), tiny(validation=0.25)),
        {"cnnpneumoniaclassifier__threshold": THRESHOLDS},
        scoring=recall_scorer,
        cv=StratifiedGroupKFold(2),
    )
    groups = xrays.groups
    search.fit(xrays.X, xrays.y, groups=groups, cnnpneumoniaclassifier__groups=groups)
    alone = clone(search.best_estimator_).fit(
        xrays.X, xrays.y, cnnpneumoniaclassifier__groups=groups
    )
    np.testing.assert_array_equal(alone.predict_proba(xrays.X), search.predict_proba(xrays.X))


def test_folds_of_sorted_labels_are_stratified(X, xrays, pipe):
    recalls = cross_val_score(pipe, X, xrays.y, cv=2, scoring=recall_scorer)
    aucs = cross_val_score(pipe, X, xrays.y, cv=2, scoring="roc_auc")
    assert recalls.shape == aucs.shape == (2,)
    assert np.isfinite(aucs).all()  # each fold holds both classes


def test_thresholds_tuned_and_fixed(X, xrays, pipe):
    tuned = TunedThresholdClassifierCV(pipe, scoring=SCORERS["f2"], cv=2).fit(X, xrays.y)
    pneumonia = tuned.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(
        tuned.predict(X) == "PNEUMONIA", pneumonia >= tuned.best_threshold_
    )
    fixed = FixedThresholdClassifier(pipe, threshold=0.47, pos_label="PNEUMONIA").fit(X, xrays.y)
    pneumonia = fixed.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(fixed.predict(X) == "PNEUMONIA", pneumonia >= 0.47)


def test_calibrated(X, xrays, pipe):
    for method in CALIBRATIONS:
        calibrated = CalibratedClassifierCV(pipe, method=method, cv=2).fit(X, xrays.y)
        probability = calibrated.predict_proba(X)
        assert probability.shape == (50, 2)
        np.testing.assert_allclose(probability.sum(axis=1), 1)


class Given(ClassifierMixin, BaseEstimator):
    """Its input is what it answers."""

    classes_ = np.array(["NORMAL", "PNEUMONIA"])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


def test_a_network_is_calibrated_by_its_probabilities(xrays, fitted):
    frozen = FrozenEstimator(fitted)
    given = frozen.predict_proba(xrays.X)
    for method in CALIBRATIONS:
        found = CalibratedClassifierCV(frozen, method=method).fit(xrays.X, xrays.y)
        expected = CalibratedClassifierCV(FrozenEstimator(Given()), method=method)
        expected.fit(given, xrays.y)
        probability = found.predict_proba(xrays.X)
        np.testing.assert_allclose(probability, expected.predict_proba(given), atol=1e-4)
        assert np.abs(probability - given).max() > 0.01


@pytest.fixture
def operating_point(tiny):
    clf = tiny(class_weight={"PNEUMONIA": 2})
    return OperatingPointClassifierCV(clf, min_recall=0.8, confidence=0.8, cv=2)


def test_an_operating_point_of_arrays_paths_and_sequences(xrays, paths, operating_point):
    thresholds = []
    for X in (xrays.X, paths, XRayLoader().transform(paths)):
        model = clone(operating_point).fit(X, xrays.y, groups=xrays.groups)
        pneumonia = model.predict_proba(X)[:, 1]
        assert pneumonia.dtype == model.best_threshold_.dtype == np.float32
        called = model.predict(X)
        np.testing.assert_array_equal(called == "PNEUMONIA", pneumonia >= model.best_threshold_)
        thresholds.append(model.best_threshold_)
    np.testing.assert_allclose(thresholds, thresholds[0], atol=1e-5)
    assert model.recall_lower_bound_ >= 0.8
    assert model.n_positive_units_ == len(np.unique(xrays.groups[xrays.y == "PNEUMONIA"]))
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(X), called)


def test_an_operating_point_around_a_pipeline_in_a_cross_validation(xrays, paths, pipe):
    model = OperatingPointClassifierCV(pipe, min_recall=0.8, confidence=0.8, cv=2)
    groups, cv = xrays.groups, StratifiedGroupKFold(2)
    recalls = cross_val_score(
        model, paths, xrays.y, groups=groups, params={"groups": groups}, cv=cv,
        scoring=recall_scorer,
    )  # fmt: skip
    assert np.isfinite(recalls).all()


def test_a_frozen_network_is_not_trained_for_its_operating_point(
    xrays, tiny, operating_point, trained_epochs
):
    frozen = FrozenEstimator(tiny().fit(xrays.X[::2], xrays.y[::2]))
    del trained_epochs[:]
    X, y = xrays.X[1::2], xrays.y[1::2]
    model = operating_point.set_params(estimator=frozen).fit(X, y)
    assert trained_epochs == []
    out = frozen.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    called = model.predict(X) == "PNEUMONIA"
    assert called[y == "PNEUMONIA"].mean() == model.recall_


@pytest.mark.parametrize("routing", [False, True])
def test_an_operating_point_hands_groups_to_early_stopping(xrays, tiny, operating_point, routing):
    with config_context(enable_metadata_routing=routing):
        clf = tiny(validation=0.25)
        model = operating_point.set_params(estimator=clf, refit=True)
        model.fit(xrays.X, xrays.y, groups=xrays.groups)
        alone = clone(clf).fit(xrays.X, xrays.y, groups=xrays.groups)
    np.testing.assert_array_equal(model.predict_proba(xrays.X), alone.predict_proba(xrays.X))


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("routing", [False, True])
def test_a_search_over_a_pipeline_inside_an_operating_point(
    xrays, tiny, operating_point, routing, refit
):
    grid = {"cnnpneumoniaclassifier__threshold": [0.3, 0.6]}
    search = GridSearchCV(
        make_pipeline(XRayResizer((36, 34)), tiny()),
        grid,
        scoring=SCORERS["specificity_at_recall"],
        cv=StratifiedGroupKFold(2),
        error_score="raise",
    )
    model = operating_point.set_params(estimator=search, refit=refit)
    with config_context(enable_metadata_routing=routing):
        model.fit(xrays.X, xrays.y, groups=xrays.groups)
    assert model.unit_ == "patient"
    called = model.predict_proba(xrays.X)[:, 1] >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(xrays.X) == "PNEUMONIA", called)


def test_grouped_tuning_and_calibration_need_routing(xrays, tiny):
    with config_context(enable_metadata_routing=True):
        clf = tiny(validation=0.25).set_fit_request(groups=True)
        cv = StratifiedGroupKFold(2)
        for outer in (
            TunedThresholdClassifierCV(clf, scoring=SCORERS["f2"], cv=cv),
            CalibratedClassifierCV(clf, cv=cv),
        ):
            outer.fit(xrays.X, xrays.y, groups=xrays.groups)
            assert outer.predict(xrays.X).shape == (50,)
            with pytest.raises(ValueError, match="groups"):
                clone(outer).fit(xrays.X, xrays.y)


def test_out_of_fold_probabilities_and_learning_curves(xrays, tiny):
    options = {"cv": StratifiedGroupKFold(2), "groups": xrays.groups}
    out = cross_val_predict(tiny(), xrays.X, xrays.y, method="predict_proba", **options)
    assert out.shape == (50, 2)
    sizes, _, scores = learning_curve(
        tiny(), xrays.X, xrays.y, train_sizes=[0.8, 1.0], scoring=roc_auc_scorer, **options
    )
    assert scores.shape == (len(sizes), 2)


def test_a_folder_s_own_val_stops_a_fit(X, xrays, tiny):
    val = np.full(50, -1)
    val[::4] = 0
    clf = tiny(image_size=(33, 36), validation=PredefinedSplit(val), epochs=2).fit(X, xrays.y)
    assert len(clf.history_["val_loss"]) == 2


def test_pandas_output_leaves_images_untouched(xrays, paths, pipe):
    pytest.importorskip("pandas")
    before = get_config()["transform_output"]
    expected = clone(pipe).fit(paths, xrays.y).predict_proba(paths)
    set_config(transform_output="pandas")
    try:
        probability = clone(pipe).fit(paths, xrays.y).predict_proba(paths)
    finally:
        set_config(transform_output=before)
    assert type(probability) is np.ndarray
    np.testing.assert_array_equal(probability, expected)


def test_labels_in_a_series_are_taken(xrays, tiny):
    pandas = pytest.importorskip("pandas")
    y = pandas.Series(xrays.y, index=range(100, 150))
    scores = cross_validate(tiny(), xrays.X, y, scoring=SCORERS, cv=2)
    assert np.isfinite(scores["test_recall"]).all()


def test_scikit_learn_s_classifiers_follow_in_the_same_pipeline(paths, xrays):
    flatten = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1) / 255)
    flat = make_pipeline(XRayLoader(), XRayResizer((8, 7)), flatten, LogisticRegression())
    assert flat.fit(paths, xrays.y).predict(paths).shape == (50,)
