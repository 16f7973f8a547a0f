"""The mean of the log odds of several classifiers."""

import numpy as np
import pytest
from scipy.special import logit
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.inspection import GradCAM
from skpneumo.model_selection import LogOddsMeanClassifier, OperatingPointClassifierCV


def make_mean(*more):
    return LogOddsMeanClassifier(
        [("linear", LogisticRegression()), ("bayes", GaussianNB()), *more], n_jobs=1
    )


def test_log_odds_are_averaged(table):
    X, y, _ = table
    model = make_mean().fit(X, y)
    members = [LogisticRegression().fit(X, y), GaussianNB().fit(X, y)]
    expected = np.mean([logit(one.predict_proba(X)[:, 1]) for one in members], axis=0)
    probability = model.predict_proba(X)
    np.testing.assert_allclose(logit(probability[:, 1]), expected, atol=1e-6)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[(expected > 0).astype(int)])
    assert model.classes_.tolist() == ["NORMAL", "PNEUMONIA"]
    assert model.n_features_in_ == X.shape[1]


def test_probabilities_for_another_prevalence(table):
    X, y, _ = table
    model = make_mean().fit(X, y)
    other = clone(model).set_params(prevalence=0.2).fit(X, y)
    in_training = np.mean(y == "PNEUMONIA")
    # Bayes' rule: likelihood ratios are those of the training.
    odds, other_odds = (
        one[:, 1] / one[:, 0] for one in (model.predict_proba(X), other.predict_proba(X))
    )
    ratio = (0.2 / 0.8) / (in_training / (1 - in_training))
    np.testing.assert_allclose(other_odds, odds * ratio, rtol=1e-4)
    assert model.shift_ == 0


def test_frozen_members_and_another_prevalence(table):
    X, y, _ = table
    rows = np.concatenate([np.flatnonzero(y == "NORMAL"), np.flatnonzero(y == "PNEUMONIA")[:30]])
    member = FrozenEstimator(LogisticRegression().fit(X[rows], y[rows]))
    in_training = np.mean(y[rows] == "PNEUMONIA")
    mean = LogOddsMeanClassifier([("a", member)], prevalence=0.2)
    with pytest.raises(ValueError, match="a is frozen, so that the prevalence in its training"):
        mean.fit(X, y)
    mean.set_params(training_prevalence=in_training).fit(X, y)
    assert mean.shift_ == pytest.approx(logit(0.2) - logit(in_training))
    # Decision values of different classifiers are on different scales.
    assert not hasattr(mean, "decision_function")


def test_groups_are_routed(table):
    X, y, groups = table
    with config_context(enable_metadata_routing=True):
        mean = LogOddsMeanClassifier([("a", LogisticRegression())])
        point = OperatingPointClassifierCV(mean, min_recall=0.8, cv=2).fit(X, y, groups=groups)
    assert point.unit_ == "patient"


def test_it_is_a_classifier_with_nested_parameters(table):
    X, y, _ = table
    model = make_mean()
    assert is_classifier(model)
    assert model.get_params()["linear__C"] == 1
    twin = clone(model).set_params(linear__C=0.5, bayes=LogisticRegression(C=2))
    assert (twin.estimators[0][1].C, twin.estimators[1][1].C) == (0.5, 2)
    assert model.get_params()["linear__C"] == 1
    with pytest.raises(NotFittedError):
        model.predict(X)
    twin.fit(X, y)
    assert not hasattr(twin.estimators[0][1], "classes_")
    search = GridSearchCV(model, {"linear__C": [0.01, 1]}, cv=2).fit(X, y)
    assert {*search.cv_results_["params"][0]} == {"linear__C"}


def test_certainty_of_a_tree_does_not_overrule_the_others(table):
    X, y, _ = table
    model = make_mean(("tree", DecisionTreeClassifier(random_state=0))).fit(X, y)
    probability = model.predict_proba(X)[:, 1]
    assert np.isfinite(logit(probability)).all()
    assert len(np.unique(probability)) > len(X) / 2


def test_a_frozen_classifier_is_not_fitted_again(table):
    X, y, _ = table
    half = LogisticRegression().fit(X[::2], y[::2])
    model = LogOddsMeanClassifier([("half", FrozenEstimator(half))]).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), half.predict_proba(X))
    with pytest.raises(ValueError, match=r"y holds \[0, 1\], but half was fitted on \['NORMAL'"):
        model.fit(X, (y == "PNEUMONIA").astype(int))


def test_groups_reach_searches_and_the_rest_does_without(table):
    X, y, groups = table
    search = GridSearchCV(LogisticRegression(), {"C": [1]}, cv=StratifiedGroupKFold(2))
    mean = LogOddsMeanClassifier([("search", search), ("bayes", GaussianNB())])
    mean.fit(X, y, groups=groups)
    point = OperatingPointClassifierCV(clone(mean), min_recall=0.8, cv=2).fit(X, y, groups=groups)
    assert point.unit_ == "patient"
    pipe = make_pipeline(StandardScaler(), make_mean()).fit(X, y)
    assert pipe.predict_proba(X).shape == (len(X), 2)


@pytest.mark.parametrize("prevalence", [0, 1, 1.5, -1])
def test_a_prevalence_that_is_no_proportion_is_refused(table, prevalence):
    X, y, _ = table
    with pytest.raises(ValueError, match=r"prevalence' parameter .* in the range"):
        make_mean().set_params(prevalence=prevalence).fit(X, y)


@pytest.mark.parametrize(
    ("estimators", "message"),
    [
        ([], "at least one name and classifier"),
        ([GaussianNB()], "at least one name and classifier"),
        ("cnn", "'estimators' parameter .* must be"),
        ([("svm", LinearSVC())], "svm has no predict_proba"),
        ([("a", GaussianNB()), ("a", GaussianNB())], "not unique"),
    ],
)
def test_wrong_estimators_are_refused(table, estimators, message):
    X, y, _ = table
    with pytest.raises(ValueError, match=message):
        LogOddsMeanClassifier(estimators).fit(X, y)


def test_heatmaps_of_networks_of_two_sizes_are_averaged():
    xrays = make_xrays(30, image_size=(36, 34), random_state=0)
    small = CNNPneumoniaClassifier((32, 30), filters=(2, 4), epochs=1, random_state=0)
    other = clone(small).set_params(image_size=(38, 40))
    model = LogOddsMeanClassifier([("small", small), ("other", other)])
    model.fit(xrays.images, xrays.target)
    heat = GradCAM(model).transform(xrays.images[:3])
    assert heat.shape == (3, 36, 34)
    single = GradCAM(model.averaged_estimators_[0]).transform(xrays.images[:3])
    assert not np.allclose(heat, single)
