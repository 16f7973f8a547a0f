"""Certified operating points, and their check on the test split."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.tree import DecisionTreeClassifier

from skpneumo import OperatingPointClassifierCV
from skpneumo.cli._training import load_folder, run
from skpneumo.cli._training._certification import check_on_test
from skpneumo.evaluation import evaluate
from skpneumo.model_selection import choose_candidate

N_FOLDS = 2


@pytest.fixture(scope="module")
def certified(three_splits, make_options, make_tiny_classifier):
    """Result, model and reports of progress of a job with a confidence."""
    reports = []
    result, model = run(
        load_folder(three_splits),
        make_tiny_classifier(random_state=29),
        make_options(confidence=0.9, random_state=29),
        on_progress=lambda *report: reports.append(report),
    )
    return result, model, reports


def test_the_search_is_inside_the_certified_operating_point(certified):
    result, model, _ = certified
    assert isinstance(model, OperatingPointClassifierCV)
    assert isinstance(model.estimator, GridSearchCV)
    assert (model.min_recall, model.confidence, model.unit_) == (0.8, 0.9, "patient")
    searches = model.estimator_.fold_estimators_
    selected = [choose_candidate(search.cv_results_, min_recall=0.8)[0] for search in searches]
    assert result["selected"]["indices"] == selected
    assert f"candidates {', '.join(map(str, selected))}." in result["selected"]["reason"]
    for i, candidate in enumerate(result["candidates"]):
        for name in ("recall", "roc_auc"):
            for kind in ("mean", "std"):
                values = [search.cv_results_[f"{kind}_test_{name}"][i] for search in searches]
                assert candidate[name][kind] == pytest.approx(np.mean(values))


def test_each_search_is_fitted_without_the_patients_that_its_model_scores(certified, data):
    _, model, _ = certified
    X, y, groups = data.train.X, data.train.y, data.train.groups
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=29)
    searches = model.estimator_.fold_estimators_
    scores = np.empty(len(y))
    for (rows, left_out), search in zip(folds.split(X, y, groups), searches, strict=True):
        again = clone(model.estimator).fit(X[rows], y[rows], groups=groups[rows])
        assert again.best_params_ == search.best_params_
        scores[left_out] = again.predict_proba(X[left_out])[:, 1]
    assert np.isclose(scores, model.best_threshold_).any()


def test_the_certified_operating_point_is_in_the_result(certified, data):
    result, model, _ = certified
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["confidence"] == 0.9
    point, train, test = result["operating_point"], data.train, data.test
    for label, key in (("PNEUMONIA", "n_positive_patients"), ("NORMAL", "n_negative_patients")):
        assert point[key] == len(set(train.groups[train.y == label]))
        assert f" {point[key]} " in point["reason"]
    assert point["threshold"] == model.best_threshold_
    assert point["certified_recall"] >= 0.8
    n_positive = (train.y == "PNEUMONIA").sum()
    assert point["images_per_patient"] == n_positive / point["n_positive_patients"]
    for text in (
        "the recall of new patients is at least 80%",
        "90% confidence",
        "This is approximate",
    ):
        assert text in point["reason"]
    y_true, y_pred = test.y == "PNEUMONIA", model.predict_proba(test.X)[:, 1] >= point["threshold"]
    summary = result["test"]["model"]
    assert summary["false_negatives"] == (~y_pred & y_true).sum()
    assert summary["false_positives"] == (y_pred & ~y_true).sum()
    assert point["test"]["metric"] == "recall_of_patients"
    assert point["test"]["value"] == summary["recall_of_patients"]["value"]


def test_progress_counts_the_fits_of_all_searches(certified):
    _, _, reports = certified
    fractions, doing = zip(*reports, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1
    names = [f"Search {i} of {N_FOLDS}" for i in range(1, N_FOLDS + 1)]
    assert [*dict.fromkeys(doing)] == [*names, "Baseline", "Test", "Done"]
    last = max(fraction for fraction, name in reports if name == names[-1])
    assert fractions[doing.index("Baseline")] == pytest.approx(last)


@pytest.mark.parametrize(
    ("n_true_positives", "verdict"),
    [(100, "90% is reached"), (85, "the interval contains"), (40, "90% is not reached")],
)
def test_the_certified_recall_is_compared_with_the_test_split(n_true_positives, verdict):
    """Of 100 patients with pneumonia of two images each, some have one false negative."""
    scores = np.full((200, 2), 0.9)
    scores[n_true_positives:100, 1] = 0.1
    scores[100:] = 0.1
    X, y = scores.reshape(-1, 1), np.repeat(["PNEUMONIA", "NORMAL"], 200)
    model = DecisionTreeClassifier(max_depth=1).fit([[0.1], [0.9]], ["NORMAL", "PNEUMONIA"])
    report = evaluate(model, X, y, groups=np.repeat(np.arange(200), 2))
    found = check_on_test(report, 0.9)
    assert found["metric"] == "recall_of_patients"
    assert found["value"] == n_true_positives / 100
    assert verdict in found["verdict"]
