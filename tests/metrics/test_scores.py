import numpy as np
import pytest
from imblearn.metrics import specificity_score as imblearn_specificity_score
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from skpneumo.metrics import (
    missed_cost_score,
    negative_predictive_value_score,
    recall_at_specificity_score,
    recall_with_specificity_floor_score,
    specificity_at_recall_score,
    specificity_score,
)

OF_LABELS = [
    specificity_score,
    negative_predictive_value_score,
    missed_cost_score,
    recall_with_specificity_floor_score,
]
OF_SCORES = [specificity_at_recall_score, recall_at_specificity_score]
ALL = OF_LABELS + OF_SCORES

CODINGS = {
    "text": np.array(["NORMAL", "PNEUMONIA"]),
    "object": np.array(["NORMAL", "PNEUMONIA"], dtype=object),
    "int": np.array([0, 1]),
    "bool": np.array([False, True]),
    "signed": np.array([-1, 1]),
    "float": np.array([0.0, 1.0]),
}


def draw(seed, n_negative=23, n_positive=61, quality=1.5):
    """Class-sorted, imbalanced y_true and tied scores in [0, 1]."""
    rng = np.random.default_rng(seed)
    y_true = np.repeat([0, 1], [n_negative, n_positive])
    raw = rng.normal(quality * y_true)
    return y_true, np.round((raw - raw.min()) / np.ptp(raw), 2)


def every_threshold(y_true, score, weight=None):
    """Recall and specificity of each way to cut the scores, by counting."""
    weight = np.ones(len(y_true)) if weight is None else weight
    for cut in [-np.inf, *np.unique(score), np.inf]:
        y_pred = score >= cut
        yield (
            weight[y_pred & (y_true == 1)].sum() / weight[y_true == 1].sum(),
            weight[~y_pred & (y_true == 0)].sum() / weight[y_true == 0].sum(),
        )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("floor", [0.0, 0.35, 0.9, 0.98, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_curve_scores_are_the_best_over_all_thresholds(seed, floor, weighted):
    y_true, score = draw(seed)
    weight = np.random.default_rng(seed).integers(1, 5, len(y_true)) / 4 if weighted else None
    points = list(every_threshold(y_true, score, weight))
    assert specificity_at_recall_score(
        y_true, score, min_recall=floor, sample_weight=weight
    ) == pytest.approx(max(s for r, s in points if r >= floor))
    assert recall_at_specificity_score(
        y_true, score, min_specificity=floor, sample_weight=weight
    ) == pytest.approx(max(r for r, s in points if s >= floor))


@pytest.mark.parametrize("seed", range(8))
def test_label_scores_agree_with_counts(seed):
    y_true, score = draw(seed)
    y_pred = (score > 0.4).astype(int)
    tn, fp, fn, _ = confusion_matrix(y_true, y_pred).ravel()
    assert specificity_score(y_true, y_pred) == pytest.approx(tn / (tn + fp))
    assert specificity_score(y_true, y_pred) == pytest.approx(
        imblearn_specificity_score(y_true, y_pred)
    )
    assert negative_predictive_value_score(y_true, y_pred) == pytest.approx(tn / (tn + fn))
    assert negative_predictive_value_score(y_true, y_pred) == pytest.approx(
        precision_score(y_true, y_pred, pos_label=0)
    )
    assert missed_cost_score(y_true, y_pred) == pytest.approx(-(5 * fn + fp) / len(y_true))
    assert missed_cost_score(
        y_true, y_pred, missed_cost=0.5, false_positive_cost=3
    ) == pytest.approx(-(0.5 * fn + 3 * fp) / len(y_true))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("floor", [0.0, 0.3, 0.6, 0.95, 1.0])
def test_floor_score_is_the_recall_above_and_negative_below(seed, floor):
    y_true, score = draw(seed)
    for cut in np.linspace(0, 1, 9):
        y_pred = (score >= cut).astype(int)
        specificity = specificity_score(y_true, y_pred)
        got = recall_with_specificity_floor_score(y_true, y_pred, min_specificity=floor)
        if specificity >= floor:
            assert got == pytest.approx(recall_score(y_true, y_pred))
        else:
            assert got == pytest.approx(specificity - floor)
            assert got < 0


@pytest.mark.parametrize("score", ALL)
@pytest.mark.parametrize("coding", CODINGS)
def test_the_coding_of_the_labels_does_not_matter(score, coding):
    y_true, values = draw(3)
    labels = CODINGS[coding]
    if score in OF_LABELS:
        y_pred = (values > 0.5).astype(int)
        assert score(labels[y_true], labels[y_pred]) == score(y_true, y_pred)
        assert score(labels[y_true].tolist(), labels[y_pred].tolist()) == score(y_true, y_pred)
    else:
        assert score(labels[y_true], values) == score(y_true, values)
        assert score(labels[y_true][:, None], values.tolist()) == score(y_true, values)


@pytest.mark.parametrize("score", ALL)
def test_pos_label_may_be_the_lesser(score):
    y_true, values = draw(4)
    positive_first = np.array(["B: normal", "A: pneumonia"])
    given = values > 0.5 if score in OF_LABELS else values
    mapped = positive_first[given.astype(int)] if score in OF_LABELS else values
    right = score(positive_first[y_true], mapped, pos_label="A: pneumonia")
    assert right == score(y_true, given)
    assert right != score(positive_first[y_true], mapped)


@pytest.mark.parametrize("score", ALL)
def test_a_weight_equals_a_repetition(score):
    y_true, values = draw(5)
    given = (values > 0.45).astype(int) if score in OF_LABELS else values
    weight = np.random.default_rng(5).integers(0, 4, len(y_true))
    expected = score(np.repeat(y_true, weight), np.repeat(given, weight))
    assert score(y_true, given, sample_weight=weight) == pytest.approx(expected)
    assert score(y_true, given) != pytest.approx(expected)


@pytest.mark.parametrize("score", ALL)
def test_the_order_of_the_images_does_not_matter(score):
    y_true, values = draw(6)
    given = (values > 0.45).astype(int) if score in OF_LABELS else values
    order = np.random.default_rng(6).permutation(len(y_true))
    assert score(y_true[order], given[order]) == pytest.approx(score(y_true, given))


@pytest.mark.parametrize("score", ALL)
@pytest.mark.parametrize("text", [False, True])
def test_an_all_positive_prediction_scores_below_a_useful_one(score, text):
    y_true = np.repeat([0, 1], [26, 74])
    useful = y_true.copy()
    useful[:2], useful[-1] = 1, 0
    all_positive = np.ones_like(y_true)
    if text and score in OF_LABELS:
        y_true, useful, all_positive = (CODINGS["text"][y] for y in (y_true, useful, all_positive))
    assert score(y_true, all_positive) < score(y_true, useful)


def test_below_the_floor_closer_is_better_and_all_positive_is_worst():
    y_true = np.repeat([0, 1], [10, 30])
    predictions = [np.where(np.arange(40) < n_right, 0, 1) for n_right in range(8)]
    scores = [recall_with_specificity_floor_score(y_true, y_pred) for y_pred in predictions]
    assert scores == sorted(set(scores))
    assert scores[0] == -0.8
    assert scores[-1] < 0
    all_negative = np.zeros_like(y_true)
    assert recall_with_specificity_floor_score(y_true, all_negative) == 0 > scores[-1]


def test_a_floor_is_reached_despite_rounding_of_weights():
    y_true = np.repeat([0, 1], [50, 50])
    values = np.r_[np.linspace(0, 0.6, 50), 0.1, np.linspace(0.5, 1, 49)]
    y_pred = (values >= 0.5).astype(int)
    assert recall_score(y_true, y_pred) == 0.98
    for weight in (1.0, 0.1, 1 / 3, 0.7):
        weight = np.full(100, weight)
        assert specificity_at_recall_score(y_true, values, sample_weight=weight) == pytest.approx(
            specificity_score(y_true, y_pred)
        )
        assert recall_with_specificity_floor_score(
            1 - y_true, 1 - y_pred, min_specificity=0.98, sample_weight=weight
        ) == pytest.approx(specificity_score(y_true, y_pred))


def test_negative_predictive_value_without_predicted_negatives():
    y_true, all_positive = [0, 0, 1, 1, 1], [1] * 5
    assert negative_predictive_value_score(y_true, all_positive) == 0
    assert negative_predictive_value_score(y_true, all_positive, zero_division=1) == 1
    assert np.isnan(negative_predictive_value_score(y_true, all_positive, zero_division=np.nan))
    with pytest.raises(ValueError, match=r"zero_division must be 0\.0, 1\.0 or np\.nan, got 0\.5"):
        negative_predictive_value_score(y_true, all_positive, zero_division=0.5)
    with pytest.raises(ValueError, match=r"zero_division must be .* got 'warn'"):
        negative_predictive_value_score(y_true, all_positive, zero_division="warn")


def test_a_perfect_prediction_costs_zero_and_not_minus_zero():
    assert str(missed_cost_score([0, 1], [0, 1])) == "0.0"


@pytest.mark.parametrize("labels", [["NORMAL", "PNEUMONIA"], [0, 1]])
def test_the_positive_class_is_inferred_from_predictions_too(labels):
    negative, positive = labels
    assert specificity_score([negative] * 4, [negative, negative, negative, positive]) == 0.75
    assert negative_predictive_value_score([positive] * 3, [positive, positive, negative]) == 0
    assert missed_cost_score([positive] * 4, [positive, positive, positive, negative]) == -1.25
    assert specificity_score([negative] * 4, [negative] * 4, pos_label=positive) == 1


@pytest.mark.parametrize("score", ALL)
@pytest.mark.parametrize("label", ["NORMAL", "PNEUMONIA", 0, 1])
def test_a_single_label_needs_pos_label(score, label):
    given = [label] * 3 if score in OF_LABELS else [0.1, 0.5, 0.7]
    with pytest.raises(ValueError, match=rf"{label!r} is the only label in y_true.*pos_label"):
        score([label] * 3, given)


def test_a_single_bool_needs_no_pos_label():
    assert missed_cost_score([True] * 2, [True] * 2) == 0
    assert missed_cost_score([False] * 2, [False, True]) == -0.5
    assert specificity_score([False] * 2, [False] * 2) == 1


@pytest.mark.parametrize("score", [specificity_score, recall_with_specificity_floor_score])
def test_a_fraction_of_nothing_is_nan_with_a_warning(score):
    with pytest.warns(UndefinedMetricWarning, match="y_true holds no image of the negative"):
        assert np.isnan(score([1, 1, 1], [1, 0, 1]))


@pytest.mark.parametrize("score", OF_SCORES)
@pytest.mark.parametrize(("label", "missing"), [("NORMAL", "positive"), ("PNEUMONIA", "negative")])
def test_a_curve_of_one_class_is_nan_with_a_warning(score, label, missing):
    with pytest.warns(UndefinedMetricWarning, match=f"holds no image of the {missing} class"):
        assert np.isnan(score([label] * 3, [0.1, 0.2, 0.8], pos_label="PNEUMONIA"))


def test_a_class_without_weight_is_missing():
    with pytest.warns(UndefinedMetricWarning, match="no image of the negative class"):
        assert np.isnan(specificity_score([0, 1, 1], [0, 1, 0], sample_weight=[0, 1, 1]))


@pytest.mark.parametrize("score", ALL)
def test_errors_state_what_was_received(score):
    of_labels = score in OF_LABELS
    y_true = ["NORMAL", "NORMAL", "PNEUMONIA"]
    given = y_true if of_labels else [0.1, 0.4, 0.9]
    other = "y_pred" if of_labels else "y_score"
    with pytest.raises(ValueError, match=f"y_true has 2, {other} has 3"):
        score(y_true[1:], given)
    with pytest.raises(ValueError, match="sample_weight has 2"):
        score(y_true, given, sample_weight=[1, 2])
    with pytest.raises(ValueError, match=r"must not be negative, got -2"):
        score(y_true, given, sample_weight=[1, -2, 1])
    with pytest.raises(ValueError, match="0 everywhere"):
        score(y_true, given, sample_weight=[0, 0, 0])
    with pytest.raises(ValueError, match=r"sample_weight contains NaN"):
        score(y_true, given, sample_weight=[1, np.nan, 1])
    with pytest.raises(ValueError, match="y_true is empty"):
        score([], [])
    with pytest.raises(ValueError, match=r"there are 3 labels in y_true.*'bacteria'.*Merge"):
        score(["NORMAL", "bacteria", "virus"], ["NORMAL"] * 3 if of_labels else given)
    with pytest.raises(ValueError, match=r"y_true contains NaN"):
        score([0.0, np.nan, 1.0], [0, 1, 1])
    with pytest.raises(ValueError, match=r"NaN"):
        score(np.array(["NORMAL", np.nan, "PNEUMONIA"], dtype=object), given)
    with pytest.raises(ValueError, match=rf"{other} contains NaN"):
        score([0, 0, 1], [0.0, np.nan, 1.0])
    with pytest.raises(
        ValueError, match=r"pos_label='ILL' is not among the labels of y_true.*'PNEUMONIA'"
    ):
        score(y_true, given, pos_label="ILL")
    with pytest.raises(ValueError, match=r"pos_label=1 is not among the labels"):
        score(y_true, given, pos_label=1)
    with pytest.raises(ValueError, match=r"y_true must hold one value per image, got shape \(3, 2"):
        score(np.eye(3)[:, :2], given)


@pytest.mark.parametrize("score", OF_LABELS)
def test_probabilities_or_mixed_labels_are_refused_as_labels(score):
    with pytest.raises(ValueError, match="not probabilities"):
        score([0, 0, 1], [0.1, 0.4, 0.9])
    with pytest.raises(ValueError, match="y_true and y_pred mix text and numeric labels"):
        score(["NORMAL", "NORMAL", "PNEUMONIA"], [0, 0, 1])


@pytest.mark.parametrize("score", OF_SCORES)
def test_labels_or_two_columns_are_refused_as_scores(score):
    with pytest.raises(ValueError, match=r"must hold numbers, got dtype <U9.*predict_proba"):
        score([0, 1], ["NORMAL", "PNEUMONIA"])
    with pytest.raises(ValueError, match=r"got shape \(2, 2\).*predict_proba\(X\)\[:, 1\]"):
        score([0, 1], [[0.2, 0.8], [0.3, 0.7]])


@pytest.mark.parametrize("value", [-0.1, 1.01, 98, np.nan, "0.9", None, True])
def test_floors_outside_zero_to_one_are_refused(value):
    with pytest.raises(ValueError, match="min_recall must be a number from 0 to 1, got"):
        specificity_at_recall_score([0, 1], [0.2, 0.8], min_recall=value)
    with pytest.raises(ValueError, match="min_specificity must be a number from 0 to 1, got"):
        recall_at_specificity_score([0, 1], [0.2, 0.8], min_specificity=value)
    with pytest.raises(ValueError, match="min_specificity must be a number from 0 to 1, got"):
        recall_with_specificity_floor_score([0, 1], [0, 1], min_specificity=value)


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, "5", None, True])
@pytest.mark.parametrize("name", ["missed_cost", "false_positive_cost"])
def test_negative_and_non_numeric_costs_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be .*at least 0, got"):
        missed_cost_score([0, 1], [0, 1], **{name: value})
