import copy
import pickle
from collections import Counter
from functools import partial

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    balanced_accuracy_score,
    fbeta_score,
    get_scorer,
    make_scorer,
    recall_score,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    PredefinedSplit,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import skpneumo.metrics
from skpneumo.metrics import (
    SCORERS,
    missed_cost_score,
    recall_scorer,
    recall_with_specificity_floor_score,
    recall_with_specificity_floor_scorer,
    specificity_at_recall_scorer,
    specificity_score,
    specificity_scorer,
)

KEYS = [
    "recall",
    "specificity",
    "precision",
    "negative_predictive_value",
    "f1",
    "f2",
    "accuracy",
    "balanced_accuracy",
    "roc_auc",
    "average_precision",
    "neg_brier",
    "specificity_at_recall",
    "recall_at_specificity",
    "recall_with_specificity_floor",
    "missed_cost",
]
LABELS = {
    "text": np.array(["NORMAL", "PNEUMONIA"]),
    "object": np.array(["NORMAL", "PNEUMONIA"], dtype=object),
    "int": np.array([0, 1]),
    "bool": np.array([False, True]),
}


@pytest.fixture(scope="module")
def data():
    """Class-sorted, 74 % positive."""
    X, y = make_classification(240, 5, weights=[0.26], flip_y=0.05, class_sep=1.0, random_state=0)
    order = np.argsort(y, kind="stable")
    return X[order], y[order]


class KnownProbabilities(ClassifierMixin, BaseEstimator):
    """Knows both classes, gives the probabilities that X holds, and counts the calls."""

    classes_ = LABELS["text"]

    def __init__(self):
        self.n_calls = Counter()

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        self.n_calls["predict_proba"] += 1
        return np.column_stack([1 - X[:, 0], X[:, 0]])

    def predict(self, X):
        self.n_calls["predict"] += 1
        return self.classes_[(X[:, 0] >= 0.5).astype(int)]


def test_every_scorer_is_in_the_dict_and_exported():
    assert list(SCORERS) == KEYS
    for key in KEYS:
        assert getattr(skpneumo.metrics, f"{key}_scorer") is SCORERS[key]
    assert set(skpneumo.metrics.__all__) >= {"SCORERS", *(f"{key}_scorer" for key in KEYS)}
    assert len(set(map(repr, SCORERS.values()))) == len(KEYS)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("coding", LABELS)
def test_the_coding_of_the_labels_does_not_matter(data, key, coding):
    X, y = data
    expected = SCORERS[key](LogisticRegression().fit(X, y), X, y)
    labels = LABELS[coding]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, labels[y])
    plain = LogisticRegression().fit(X, labels[y])
    assert SCORERS[key](plain, X, labels[y]) == pytest.approx(expected)
    assert SCORERS[key](plain, X, labels[y].tolist()) == pytest.approx(expected)
    assert SCORERS[key](model, X, labels[y]) == pytest.approx(expected, abs=0.05)
    assert isinstance(SCORERS[key](plain, X, labels[y]), float)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("recall", "recall"),
        ("precision", "precision"),
        ("f1", "f1"),
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("roc_auc", "roc_auc"),
        ("average_precision", "average_precision"),
        ("neg_brier", "neg_brier_score"),
    ],
)
def test_on_zero_and_one_it_is_the_score_of_scikit_learn(data, key, name):
    X, y = data
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    model = LogisticRegression().fit(X[::2], y[::2])
    theirs = get_scorer(name)
    assert SCORERS[key](model, X, y) == pytest.approx(theirs(model, X, y))
    assert SCORERS[key](model, X, y, sample_weight=weight) == pytest.approx(
        theirs(model, X, y, sample_weight=weight)
    )


@pytest.mark.parametrize("key", KEYS)
def test_a_weight_is_a_repetition(data, key):
    X, y = data
    y = LABELS["text"][y]
    model = LogisticRegression().fit(X[::2], y[::2])
    weight = np.random.default_rng(1).integers(0, 4, len(y))
    repeated = SCORERS[key](model, np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert SCORERS[key](model, X, y, sample_weight=weight) == pytest.approx(repeated)


@pytest.mark.parametrize("label", LABELS["text"])
@pytest.mark.parametrize("key", KEYS)
def test_the_positive_class_of_a_fold_of_one_class_is_that_of_the_model(key, label):
    """The labels of the fold alone do not show which class is positive."""
    positive = label == "PNEUMONIA"
    X = np.full((4, 1), 0.9 if positive else 0.1)
    expected = {
        "recall": 1 if positive else np.nan,
        "specificity": np.nan if positive else 1,
        "precision": 1 if positive else 0,
        "negative_predictive_value": 0 if positive else 1,
        "f1": 1 if positive else np.nan,
        "f2": 1 if positive else np.nan,
        "accuracy": 1,
        "average_precision": 1 if positive else np.nan,
        "neg_brier": -0.01,
        "missed_cost": 0,
    }.get(key, np.nan)
    y = np.repeat(label, 4)
    if np.isnan(expected):
        with pytest.warns(
            UndefinedMetricWarning, match="is undefined and set to NaN: y_true holds no"
        ):
            assert np.isnan(SCORERS[key](KnownProbabilities(), X, y))
    else:
        assert SCORERS[key](KnownProbabilities(), X, y) == pytest.approx(expected)


def test_a_fold_without_positive_images_keeps_its_specificity(data):
    X, y = data
    X, y = np.r_[X, X[:20]], LABELS["text"][np.r_[y, np.zeros(20, int)]]
    fold = np.r_[np.arange(240) % 2, np.full(20, 2)]
    with pytest.warns(UndefinedMetricWarning, match="Recall is undefined"):
        got = cross_validate(
            DummyClassifier(strategy="constant", constant="NORMAL"),
            X,
            y,
            cv=PredefinedSplit(fold),
            scoring={key: SCORERS[key] for key in ("recall", "specificity", "missed_cost")},
        )
    np.testing.assert_array_equal(got["test_specificity"], [1, 1, 1])
    np.testing.assert_array_equal(got["test_recall"], [0, 0, np.nan])
    assert got["test_missed_cost"][2] == 0


@pytest.mark.parametrize("key", [k for k in KEYS if k not in ("recall", "accuracy", "precision")])
def test_an_all_positive_prediction_scores_below_a_useful_model(data, key):
    X, y = data
    y = LABELS["text"][y]
    all_positive = DummyClassifier(strategy="constant", constant="PNEUMONIA").fit(X, y)
    useful = LogisticRegression().fit(X, y)
    assert SCORERS[key](all_positive, X, y) < SCORERS[key](useful, X, y)


@pytest.mark.parametrize("constant", LABELS["text"])
def test_a_constant_prediction_neither_warns_nor_fails(data, constant):
    X, y = data
    y = LABELS["text"][y]
    model = DummyClassifier(strategy="constant", constant=constant)
    got = cross_validate(model, X, y, scoring=SCORERS, cv=3, error_score="raise")
    for key in KEYS:
        assert np.isfinite(got[f"test_{key}"]).all()


@pytest.mark.parametrize("coding", LABELS)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_over_all_scores(data, coding, n_jobs):
    X, y = data
    y = LABELS[coding][y]
    negative, positive = LABELS[coding].tolist()
    weights = [{negative: 1, positive: w} for w in (1000, 4, 1, 0.25)]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__class_weight": weights},
        scoring=SCORERS,
        refit="recall_with_specificity_floor",
        cv=3,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, y)
    results = search.cv_results_
    for key in KEYS:
        assert np.isfinite(results[f"mean_test_{key}"]).all()
    assert results["mean_test_recall"].argmax() == 0
    assert search.best_index_ not in (0, 1)
    assert search.score(X, y) == recall_with_specificity_floor_scorer(search, X, y)


def test_single_scorers_in_cross_val_score(data):
    X, y = data
    y = LABELS["text"][y]
    model = LogisticRegression()
    theirs = make_scorer(recall_score, pos_label="PNEUMONIA")
    np.testing.assert_array_equal(
        cross_val_score(model, X, y, scoring=recall_scorer),
        cross_val_score(model, X, y, scoring=theirs),
    )
    theirs = make_scorer(recall_score, pos_label="NORMAL")
    np.testing.assert_array_equal(
        cross_val_score(model, X, y, scoring=specificity_scorer, n_jobs=2),
        cross_val_score(model, X, y, scoring=theirs),
    )


@pytest.mark.parametrize("coding", LABELS)
@pytest.mark.parametrize("key", ["recall_with_specificity_floor", "f2", "missed_cost"])
def test_a_tuned_threshold_is_that_of_scikit_learn_on_zero_and_one(data, key, coding):
    X, y = data
    scores = {
        "recall_with_specificity_floor": recall_with_specificity_floor_score,
        "f2": partial(fbeta_score, beta=2),
        "missed_cost": missed_cost_score,
    }

    def tune(scorer, y):
        tuned = TunedThresholdClassifierCV(
            LogisticRegression(), scoring=scorer, thresholds=30, cv=3, store_cv_results=True
        )
        return tuned.fit(X, y)

    expected = tune(make_scorer(scores[key]), y)
    tuned = tune(SCORERS[key], LABELS[coding][y])
    np.testing.assert_allclose(tuned.cv_results_["scores"], expected.cv_results_["scores"])
    np.testing.assert_array_equal(tuned.predict(X), LABELS[coding][expected.predict(X)])


def test_a_floor_keeps_a_tuned_threshold_from_predicting_all_positive(data):
    X, y = data
    y = LABELS["text"][y]
    model = LogisticRegression()
    tuned = TunedThresholdClassifierCV(model, scoring=recall_scorer, cv=3).fit(X, y)
    assert specificity_scorer(tuned, X, y) < 0.1
    tuned.set_params(scoring=recall_with_specificity_floor_scorer, n_jobs=2).fit(X, y)
    assert specificity_scorer(tuned, X, y) > 0.7
    assert recall_scorer(tuned, X, y) > 0.4


def test_meta_estimators_without_classes_of_their_own(data):
    X, y = data
    y = LABELS["text"][y]
    model = LogisticRegression().fit(X, y)
    low = FixedThresholdClassifier(model, threshold=0.0).fit(X, y)
    assert recall_scorer(low, X, y) == 1
    assert specificity_scorer(low, X, y) == 0
    assert specificity_at_recall_scorer(low, X, y) == specificity_at_recall_scorer(model, X, y)


def test_a_model_without_probabilities_is_ranked_by_its_decision_function(data):
    X, y = data
    y = LABELS["text"][y]
    model = LinearSVC().fit(X, y)
    assert SCORERS["roc_auc"](model, X, y) == pytest.approx(get_scorer("roc_auc")(model, X, y))
    assert 0 < specificity_at_recall_scorer(model, X, y) < 1


def test_a_network_runs_once_for_labels_and_once_for_probabilities():
    rng = np.random.default_rng(0)
    X, y = rng.random((60, 1)), LABELS["text"][np.repeat([0, 1], [20, 40])]
    estimators = cross_validate(
        KnownProbabilities(),
        X,
        y,
        scoring=SCORERS,
        cv=3,
        return_estimator=True,
        error_score="raise",
    )["estimator"]
    for estimator in estimators:
        assert estimator.n_calls == {"predict": 1, "predict_proba": 1}


@pytest.mark.parametrize("key", KEYS)
def test_copies_of_a_scorer_score_the_same(data, key):
    X, y = data
    y = LABELS["text"][y]
    model = LogisticRegression().fit(X, y)
    scorer = SCORERS[key]
    for twin in (
        pickle.loads(pickle.dumps(scorer)),
        copy.deepcopy(scorer),
        clone(scorer, safe=False),
    ):
        assert twin is not scorer
        assert twin(model, X, y) == scorer(model, X, y)
        assert repr(twin) == repr(scorer)
        assert repr(twin).startswith("make_scorer(")


def test_weights_are_routed(data):
    X, y = data
    y = LABELS["text"][y]
    weight = np.where(y == "NORMAL", 1.0, np.arange(len(y)))
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = copy.deepcopy(recall_scorer).set_score_request(sample_weight=True)
        model = LogisticRegression().set_fit_request(sample_weight=False)
        got = cross_validate(
            model,
            X,
            y,
            scoring=scorer,
            cv=3,
            params={"sample_weight": weight},
            return_estimator=True,
            return_indices=True,
        )
    for score, estimator, test in zip(
        got["test_score"], got["estimator"], got["indices"]["test"], strict=True
    ):
        predicted = estimator.predict(X[test])
        assert score == pytest.approx(
            recall_score(y[test], predicted, pos_label="PNEUMONIA", sample_weight=weight[test])
        )
        assert score != recall_score(y[test], predicted, pos_label="PNEUMONIA")


def test_balanced_accuracy_of_one_class_is_nan_unlike_that_of_scikit_learn():
    X, y = np.full((4, 1), 0.9), np.repeat("PNEUMONIA", 4)
    with pytest.warns(UserWarning, match="single label"):
        assert balanced_accuracy_score(y, KnownProbabilities().predict(X)) == 1
    with pytest.warns(UndefinedMetricWarning, match="no image of the negative class"):
        assert np.isnan(SCORERS["balanced_accuracy"](KnownProbabilities(), X, y))


def test_other_floors_go_through_make_scorer(data):
    X, y = data
    y = LABELS["text"][y]
    model = LogisticRegression().fit(X, y)
    predicted = model.predict(X)
    got = specificity_score(y, predicted)
    for floor in (got - 0.01, got + 0.01):
        scorer = make_scorer(recall_with_specificity_floor_score, min_specificity=floor)
        expected = recall_scorer(model, X, y) if floor < got else got - floor
        assert scorer(model, X, y) == pytest.approx(expected)


@pytest.mark.parametrize("scorer", [recall_scorer, specificity_at_recall_scorer])
def test_estimators_other_than_binary_classifiers_are_refused(data, scorer):
    X, y = data
    with pytest.raises(ValueError, match="needs a fitted classifier of two classes, got a Ridge"):
        scorer(Ridge().fit(X, y), X, y)
    three = DummyClassifier().fit(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match=r"DummyClassifier with classes_=array\(\[0, 1, 2\]\)"):
        scorer(three, X, y)
    one = DummyClassifier().fit(X, ["PNEUMONIA"] * len(y))
    with pytest.raises(ValueError, match=r"classes_=array\(\['PNEUMONIA'\].*Fit it on both"):
        scorer(one, X, LABELS["text"][y])


def test_labels_other_than_those_of_the_fit_are_refused(data):
    X, y = data
    model = LogisticRegression().fit(X, LABELS["text"][y])
    with pytest.raises(ValueError, match="mix text and numeric labels"):
        recall_scorer(model, X, y)
    with pytest.raises(ValueError, match="'PNEUMONIA' is not among the labels of y_true"):
        specificity_at_recall_scorer(model, X, y)
