"""How many images to label, before any is."""

import json

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skpneumo import OperatingPointClassifierCV
from skpneumo.sites import plan_labels
from skpneumo.sites._plan_labels import n_patients_needed, numbers_at_ranks
from skpneumo.sites._reference import get_reference, get_reference_scores


@pytest.fixture(scope="module")
def model(by_first_column):
    rng = np.random.default_rng(0)
    y = np.repeat(["NORMAL", "PNEUMONIA"], [2000, 3000])
    scores = rng.normal(size=5000) + 3.3 * (y == "PNEUMONIA")
    return OperatingPointClassifierCV(FrozenEstimator(by_first_column())).fit(scores[:, None], y)


def test_the_number_of_patients_is_reached_with_the_probability():
    assert n_patients_needed(149, 0.2) == 816
    for n_positive, prevalence in ((59, 0.05), (1, 0.9), (400, 0.5)):
        n = n_patients_needed(n_positive, prevalence)
        assert binom.sf(n_positive - 1, n, prevalence) >= 0.9
        assert binom.sf(n_positive - 1, n - 1, prevalence) < 0.9


def test_the_numbers_at_which_the_rank_rises():
    assert numbers_at_ranks((1, 2, 3), 0.98, 0.95) == [149, 236, 313]
    assert numbers_at_ranks((1, 2), 0.95, 0.95) == [59, 93]


def test_the_table(model):
    table = plan_labels(model, prevalence=0.2, min_recall=0.98)
    first = table.rows[0]
    assert (first["n_positive"], first["n_patients"]) == (149, 816)
    assert first["mean_n_patients"] == pytest.approx(745)
    for name in ("n_positive", "n_patients", "specificity", "specificity_low"):
        assert np.all(np.diff([row[name] for row in table.rows]) > 0)
    for row in table.rows:
        assert 0.98 < row["recall"] < 1
        assert row["specificity_low"] <= row["specificity"] <= row["specificity_high"]
        assert row["n_labels"] <= row["n_patients"]
        assert row["certifier_specificity"] > row["specificity"] - 0.05


def test_specificity_is_that_of_the_reference(model):
    """Recall and specificity of random samples of the size of a row."""
    row = plan_labels(model, prevalence=0.5).rows[3]
    rng = np.random.default_rng(1)
    positive, negative = get_reference_scores(get_reference(model))
    n = row["n_positive"]
    thresholds = np.sort(rng.choice(positive, (4000, n)))[:, 4]
    assert row["recall"] == pytest.approx(1 - 5 / (n + 1), abs=1e-3)
    specificity = np.mean(negative[:, None] < thresholds, axis=0)
    error = specificity.std() / np.sqrt(4000)
    assert row["specificity"] == pytest.approx(specificity.mean(), abs=4 * error + 1e-3)
    inside = (specificity >= row["specificity_low"]) & (specificity <= row["specificity_high"])
    assert 0.93 <= inside.mean() <= 0.98


def test_reference_scores_are_those_of_the_patients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1)).round(1)
    y, groups = np.repeat([0, 1], 150), np.arange(300) // 2
    model = LogisticRegression().fit(X, y)
    point = OperatingPointClassifierCV(FrozenEstimator(model), min_recall=0.9)
    scores = model.predict_proba(X)[:, 1].reshape(-1, 2)
    found = get_reference_scores(get_reference(point.fit(X, y, groups=groups)))
    np.testing.assert_array_equal(found.positive, np.sort(scores[75:].min(axis=1)))
    np.testing.assert_array_equal(found.negative, np.sort(scores[:75].max(axis=1)))


def test_the_table_as_text_html_and_dict(model):
    table = plan_labels(model, prevalence=0.25)
    text, page = str(table), table._repr_html_()
    assert max(map(len, text.splitlines())) <= 79
    for row in table.to_dict()["rows"]:
        assert f"{row['n_patients']:,}" in text
        assert f"{row['n_labels']:,}" in page
    assert json.loads(json.dumps(table.to_dict()))["prevalence"] == 0.25


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prevalence": 0}, "prevalence must lie between 0 and 1"),
        ({"prevalence": 0.2, "min_recall": 1}, "min_recall must lie"),
        ({"prevalence": 0.2, "confidence": 95}, "confidence must be a number from 0 to 1"),
    ],
)
def test_wrong_numbers(model, params, message):
    with pytest.raises(ValueError, match=message):
        plan_labels(model, **params)


def test_a_model_without_reference(by_first_column):
    with pytest.raises(ValueError, match="holds no reference scores"):
        plan_labels(by_first_column(), prevalence=0.2)
