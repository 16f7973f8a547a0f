"""The baseline, against scikit-learn by hand."""

from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedGroupKFold

from skpneumo.cli._training._baseline import fit_baseline, select_threshold
from skpneumo.images import read_xray
from skpneumo.model_selection import choose_candidate

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)
SCORES = {
    "recall": partial(recall_score, pos_label="PNEUMONIA"),
    "specificity": partial(recall_score, pos_label="NORMAL"),
}


@pytest.mark.parametrize("min_recall", [0.0, 0.9, 1.0])
def test_the_baseline_is_what_scikit_learn_does_by_hand(data, make_options, min_recall):
    train = data.train
    options = make_options(min_recall=min_recall, thresholds=THRESHOLDS, random_state=1)
    model, summary = fit_baseline(train, options)
    pixels = np.array([read_xray(path, size=(32, 32)).ravel() / 255 for path in train.X])
    regression = LogisticRegression(max_iter=1000)
    scores = {"recall": [], "specificity": []}
    ranking = {"roc_auc": [], "specificity_at_recall": []}
    folds = StratifiedGroupKFold(2, shuffle=True, random_state=1)
    for rows, left_out in folds.split(pixels, train.y, train.groups):
        fold = regression.fit(pixels[rows], train.y[rows])
        y_true, y_score = train.y[left_out], fold.predict_proba(pixels[left_out])[:, 1]
        ranking["roc_auc"].append(roc_auc_score(y_true, y_score))
        fpr, tpr, _ = roc_curve(y_true, y_score, pos_label="PNEUMONIA", drop_intermediate=False)
        ranking["specificity_at_recall"].append((1 - fpr[tpr >= min_recall]).max())
        predictions = [np.where(y_score >= t, "PNEUMONIA", "NORMAL") for t in THRESHOLDS]
        for name, values in scores.items():
            values.append([SCORES[name](y_true, y_pred) for y_pred in predictions])
    means = {f"mean_test_{name}": np.mean(values, axis=0) for name, values in scores.items()}
    by_fold = {f"split{i}_test_recall": np.array(v) for i, v in enumerate(scores["recall"])}
    index, _ = choose_candidate(means | by_fold, min_recall=min_recall)
    recall, specificity = (means[f"mean_test_{name}"][index] for name in SCORES)
    error = np.std([fold[index] for fold in scores["recall"]], ddof=1) / np.sqrt(2)
    assert summary == {
        "threshold": THRESHOLDS[index],
        "mean_recall": pytest.approx(recall),
        "mean_specificity": pytest.approx(specificity),
        "met": recall - error >= min_recall - 1e-9 and specificity >= 0.5,
        "mean_roc_auc": pytest.approx(np.mean(ranking["roc_auc"])),
        "mean_specificity_at_recall": pytest.approx(np.mean(ranking["specificity_at_recall"])),
    }
    expected = regression.fit(pixels, train.y).predict_proba(pixels)
    np.testing.assert_allclose(model.predict_proba(train.X), expected)
    np.testing.assert_array_equal(
        model.predict(train.X) == "PNEUMONIA", expected[:, 1] >= THRESHOLDS[index]
    )


@pytest.mark.parametrize("min_specificity", [0.5, 0.0])
def test_the_baseline_meets_the_rule_only_with_its_minimum_of_specificity(
    data, make_options, min_specificity
):
    # At this threshold every image is predicted positive.
    options = make_options(min_recall=0.9, thresholds=(0.0,), min_specificity=min_specificity)
    _, summary = fit_baseline(data.train, options)
    assert (summary["mean_recall"], summary["mean_specificity"]) == (1, 0)
    assert summary["met"] == (min_specificity == 0)


@pytest.mark.parametrize(("recall", "met"), [((0.95, 0.95), True), ((0.9, 1.0), False)])
def test_the_recall_exceeds_its_minimum_by_one_standard_error(recall, met, make_options):
    results = {"recall": np.array(recall)[:, None], "specificity": np.full((2, 1), 0.8)}
    results |= dict.fromkeys(("roc_auc", "specificity_at_recall"), np.array([0.9, 0.9]))
    index, summary = select_threshold(results, make_options(min_recall=0.94, thresholds=(0.3,)))
    assert index == 0
    assert summary["mean_recall"] == pytest.approx(0.95)
    assert summary["met"] == met


def test_each_fit_is_reported(data, make_options):
    fits = []
    fit_baseline(data.train, make_options(), on_fit=lambda: fits.append(1))
    assert len(fits) == 2 + 1
