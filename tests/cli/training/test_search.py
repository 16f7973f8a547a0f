"""The search over class weights and thresholds."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import Bunch

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.cli._training import SearchOptions, get_weights_warning, load_folder, make_classifier
from skpneumo.cli._training._search import search
from skpneumo.datasets import load_xray_folder
from skpneumo.model_selection import choose_candidate

SIZE = (36, 40)
SCORES = {
    "recall": partial(recall_score, pos_label="PNEUMONIA"),
    "specificity": partial(recall_score, pos_label="NORMAL"),
    "f1": partial(f1_score, pos_label="PNEUMONIA", zero_division=0),
    "precision": partial(precision_score, pos_label="PNEUMONIA", zero_division=0),
    "accuracy": accuracy_score,
}


@pytest.mark.parametrize(
    ("model", "expected"),
    [("cnn", CNNPneumoniaClassifier), ("inception", InceptionPneumoniaClassifier)],
)
def test_a_classifier_has_the_defaults_of_its_class(model, expected):
    made = make_classifier(model, random_state=5)
    assert type(made) is expected
    assert made.get_params() == expected(random_state=5).get_params()
    assert make_classifier(model, epochs=4).epochs == 4


@pytest.mark.parametrize("model", ["cnn", "inception"])
@pytest.mark.parametrize("weights", [None, "imagenet", "pretrained", "file.h5"])
def test_a_classifier_starts_from_the_weights_given(model, weights):
    assert make_classifier(model, weights=weights).weights == weights


@pytest.mark.parametrize("weights", [None, "imagenet", "file.h5"])
def test_estimates_over_other_weights_are_not_optimistic(weights):
    assert get_weights_warning(make_classifier("inception", weights=weights)) is None


@pytest.fixture
def fitted(data, make_options, make_tiny_classifier):
    return search(make_tiny_classifier(), data.train, make_options())


def test_a_search_is_what_scikit_learn_does_by_hand(fitted, data):
    """Fits and predictions by fold, scored by scikit-learn's own functions."""
    X, y, groups = data.train.X, data.train.y, data.train.groups
    found = fitted.cv_results_
    assert len(found["params"]) == 2 * 3
    folds = StratifiedGroupKFold(2, shuffle=True, random_state=0)
    for i, params in enumerate(found["params"]):
        scores = {name: [] for name in (*SCORES, "roc_auc")}
        for rows, left_out in folds.split(X, y, groups):
            pipe = clone(fitted.estimator).set_params(**params).fit(X[rows], y[rows])
            y_true, y_pred = y[left_out], pipe.predict(X[left_out])
            for name, score in SCORES.items():
                scores[name].append(score(y_true, y_pred))
            y_score = pipe.predict_proba(X[left_out])[:, 1]
            scores["roc_auc"].append(roc_auc_score(y_true, y_score))
        for name, values in scores.items():
            np.testing.assert_allclose(found[f"mean_test_{name}"][i], np.mean(values))
            np.testing.assert_allclose(found[f"std_test_{name}"][i], np.std(values))


def test_the_selected_candidate_is_fitted_on_all_training_images(fitted, data):
    train = data.train
    assert fitted.best_index_ == choose_candidate(fitted.cv_results_, min_recall=0.8)[0]
    again = clone(fitted.estimator).set_params(**fitted.best_params_).fit(train.X, train.y)
    np.testing.assert_array_equal(
        fitted.predict_proba(train.X), again.predict_proba(train.X), strict=True
    )
    classifier = fitted.best_estimator_[-1]
    assert classifier.image_size_ == SIZE
    assert 100 * classifier.threshold in {30, 50, 70}
    assert classifier.class_weight in [{"NORMAL": 1, "PNEUMONIA": w} for w in (1, 4)]


def test_epochs_are_reported_as_they_are_done(data, make_options):
    epochs = []
    # A batch is about a tenth of an epoch.
    classifier = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=3, random_state=7)
    options = make_options(class_weights=(1,))
    search(classifier, data.train, options, on_epochs=epochs.append)
    assert sum(epochs) == pytest.approx(options.n_fits)
    assert 0 < sorted(epochs)[len(epochs) // 2] < 0.1


def test_fits_are_counted():
    assert SearchOptions(image_size=SIZE).n_fits == 3 * 5 + 1
    assert SearchOptions(image_size=SIZE, confidence=0.95).n_fits == 5 * 16


def images_of(groups, y):
    X = np.zeros((len(y), *SIZE), dtype=np.uint8)
    return Bunch(X=X, y=np.asarray(y), groups=np.asarray(groups))


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (
            ["a"] * 8 + ["b", "c", "d", "e"],
            r"8 images of NORMAL from 1 patient\(s\), up to 8 of one",
        ),
        ([*"aaaabbbb", *"cdef"], r"NORMAL from 2 patient\(s\), up to 4"),
        ([*"abcdefgh", *"iiii"], r"4 images of PNEUMONIA from 1 patient\(s\), up to 4 of one"),
    ],
)
def test_folds_that_lack_a_class_are_refused_before_training(groups, found, make_options):
    train = images_of(groups, np.repeat(["NORMAL", "PNEUMONIA"], [8, 4]))
    epochs = []
    with pytest.raises(ValueError, match=f"3 folds cannot all hold both classes.*{found}"):
        search(make_classifier("cnn"), train, make_options(n_folds=3), epochs.append)
    assert epochs == []


def test_folds_inside_folds_hold_both_classes_or_nothing_is_trained(make_options):
    """Three negative patients are enough for three folds, but not for three in each of them."""
    groups = [f"n{i}" for i in range(3)] + [f"p{i}" for i in range(27)]
    train = images_of(groups, np.repeat(["NORMAL", "PNEUMONIA"], [3, 27]))
    options = make_options(n_folds=3, min_recall=0.5, confidence=0.9)
    with pytest.raises(ValueError, match="in the training part of a fold there are 2 images of N"):
        search(make_classifier("cnn"), train, options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_recall": 0.98, "confidence": 0.95}, "cannot be certified with .* at least 149"),
        ({"min_recall": 0.8, "confidence": 0.9, "n_folds": 30}, "30 folds cannot all hold both"),
    ],
)
def test_what_cannot_be_certified_is_an_error_before_training(data, make_options, options, message):
    epochs = []
    with pytest.raises(ValueError, match=message):
        search(make_classifier("cnn"), data.train, make_options(**options), epochs.append)
    assert epochs == []


def test_no_real_patient_is_in_two_folds(xray_data):
    """By the fine key of patients, which the folds do not see."""
    listed = load_xray_folder(xray_data / "chest_xray")
    patients = dict(zip(listed.paths, listed.patient, strict=True))
    data = load_folder(xray_data / "chest_xray")
    X, y, groups = data.train.X, data.train.y, data.train.groups
    left_out_rows = []
    for rows, left_out in SearchOptions(image_size=SIZE).make_folds().split(X, y, groups):
        assert not {patients[path] for path in X[rows]} & {patients[path] for path in X[left_out]}
        left_out_rows += left_out.tolist()
    assert sorted(left_out_rows) == list(range(len(y)))
    assert not {patients[path] for path in X} & {patients[path] for path in data.test.X}
