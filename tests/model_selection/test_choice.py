import copy
import pickle
from dataclasses import FrozenInstanceError
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skpneumo.metrics import SCORERS, recall_scorer
from skpneumo.model_selection import HighestSpecificity, choose_candidate
from skpneumo.model_selection._choice import recall_less_margin

EVERYONE_ILL, NOBODY_ILL = (1.0, 0.0), (0.0, 1.0)


def results(*candidates):
    recall, specificity = np.array(candidates, dtype=float).T
    return {
        "params": [{"i": i} for i in range(len(candidates))],
        "mean_test_recall": recall,
        "mean_test_specificity": specificity,
    }


def results_by_fold(recall, specificity):
    """As a search gives them: the recall of each candidate in each fold, and the means."""
    recall = np.array(recall, dtype=float)
    by_fold = {f"split{i}_test_recall": fold for i, fold in enumerate(recall.T)}
    return results(*zip(recall.mean(axis=1), specificity, strict=True)) | by_fold


def by_hand(candidates, min_recall, min_specificity):
    """The rule written out, for exact metrics."""
    useful = [(i, r, s) for i, (r, s) in enumerate(candidates) if r + s > 1]
    quiet = [t for t in useful if t[2] >= min_specificity]
    wanted = [t for t in quiet if t[1] >= min_recall]
    if wanted:
        return min(wanted, key=lambda t: (-t[2], -t[1], t[0]))[0]
    if quiet:
        return min(quiet, key=lambda t: (-t[1], -t[2], t[0]))[0]
    every = [(i, r, s) for i, (r, s) in enumerate(candidates)]
    return min(every, key=lambda t: (-(t[1] + t[2]), -t[1], t[0]))[0]


def test_the_highest_specificity_of_those_that_reach_both_floors():
    index, reason = choose_candidate(
        results(EVERYONE_ILL, (0.99, 0.7), (0.985, 0.81), (0.98, 0.75), (0.9, 0.95))
    )
    assert index == 2
    assert type(index) is int
    assert reason == (
        "Candidate 2 has the highest mean specificity, 81.0%, of those that reach a mean recall of "
        "98% and a mean specificity of 50% (3 of 5); its mean recall is 98.5%."
    )


def test_the_highest_recall_if_no_candidate_reaches_both():
    index, reason = choose_candidate(
        results((0.99, 0.3), (0.97, 0.6), (0.96, 0.9), EVERYONE_ILL, NOBODY_ILL)
    )
    assert index == 1
    assert reason == (
        "No useful candidate reaches both a mean recall of 98% and a mean specificity of 50%; of "
        "those that reach the latter (2 of 5), candidate 1 has the highest mean recall, 97.0%, "
        "with a mean specificity of 60.0%."
    )


def test_the_highest_sum_if_no_candidate_reaches_the_specificity():
    index, reason = choose_candidate(results(EVERYONE_ILL, (0.99, 0.2), (0.9, 0.4), NOBODY_ILL))
    assert index == 2
    assert reason == (
        "None of 4 candidates distinguishes the classes and reaches a mean specificity of 50%; "
        "candidate 2 has the highest sum of mean recall and mean specificity, 90.0% and 40.0%."
    )


def test_the_reason_if_nothing_is_better_than_chance():
    index, reason = choose_candidate(results((0.6, 0.3), EVERYONE_ILL, NOBODY_ILL))
    assert index == 1
    assert reason.startswith("None of 3 candidates is better than chance; candidate 1 has")


@pytest.mark.parametrize("min_recall", [0.0, 0.5, 0.98, 1.0])
@pytest.mark.parametrize("min_specificity", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("degenerate", [EVERYONE_ILL, NOBODY_ILL])
@pytest.mark.parametrize("first", [False, True])
def test_a_degenerate_candidate_never_beats_a_useful_one(
    min_recall, min_specificity, degenerate, first
):
    for useful in product([0.3, 0.6, 0.97, 0.99], [0.72, 0.9, 1.0]):
        candidates = [degenerate, useful] if first else [useful, degenerate]
        index, _ = choose_candidate(
            results(*candidates), min_recall=min_recall, min_specificity=min_specificity
        )
        assert candidates[index] == useful


@pytest.mark.parametrize("seed", range(40))
def test_the_rule_written_out(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 12)
    candidates = [tuple(s) for s in rng.integers(0, 9, (n, 2)) / 8]  # eighths: many exact ties
    min_recall, min_specificity = rng.integers(0, 9, 2) / 8
    index, _ = choose_candidate(
        results(*candidates), min_recall=min_recall, min_specificity=min_specificity
    )
    assert index == by_hand(candidates, min_recall, min_specificity)


def test_ties_go_to_the_other_metric_and_then_to_the_first_candidate():
    assert choose_candidate(results((0.98, 0.8), (0.99, 0.8), (0.99, 0.8)))[0] == 1
    assert choose_candidate(results((0.9, 0.8), (0.9, 0.85), (0.9, 0.85)))[0] == 1
    assert choose_candidate(results((0.875, 0.25), (1.0, 0.125), (1.0, 0.125)))[0] == 1
    # 0.1 + 0.2 is not 0.3: the last bit of a mean decides nothing
    assert choose_candidate(results((0.98, 0.1 + 0.2), (0.99, 0.3)), min_specificity=0)[0] == 1


def test_a_mean_of_folds_on_the_floor_reaches_it():
    short = np.nextafter(np.nextafter(0.98, 0), 0)
    index, reason = choose_candidate(results((short, 0.8), (1.0, 0.6)))
    assert index == 0
    assert "its mean recall is 98.0%" in reason


def test_metrics_in_the_reason_are_rounded_down():
    index, reason = choose_candidate(results((0.9796, 0.8), (0.5, 0.9)))
    assert index == 0
    assert "97.9%" in reason
    assert "No useful candidate reaches both" in reason


def test_candidates_with_nan_are_ignored():
    nan = np.nan
    assert choose_candidate(results((nan, nan), (0.99, nan), (nan, 0.99), (0.6, 0.6)))[0] == 3
    with pytest.raises(ValueError, match=r"None of the 2 candidates.*NaN.*error_score='raise'"):
        choose_candidate(results((nan, nan), (0.99, nan)))


@pytest.mark.parametrize("missing", ["recall", "specificity"])
@pytest.mark.parametrize("choose", [choose_candidate, HighestSpecificity()])
def test_missing_scores_are_named(missing, choose):
    cv_results = results((0.9, 0.9))
    del cv_results[f"mean_test_{missing}"]
    with pytest.raises(
        ValueError, match=rf"no 'mean_test_{missing}' \(it has mean_test_\w+\).*scoring=SCORERS"
    ):
        choose(cv_results)


@pytest.mark.parametrize("name", ["min_recall", "min_specificity"])
@pytest.mark.parametrize("value", [-0.1, 98, np.nan, "0.9", None, True])
def test_floors_outside_zero_to_one_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number from 0 to 1, got"):
        choose_candidate(results((0.9, 0.9)), **{name: value})
    with pytest.raises(ValueError, match=f"{name} must be a number from 0 to 1, got"):
        HighestSpecificity(**{name: value})


def test_the_callable_is_a_plain_value():
    choose = HighestSpecificity(min_recall=0.95)
    assert repr(choose) == (
        "HighestSpecificity(min_recall=0.95, min_specificity=0.5, margin='auto')"
    )
    for twin in (
        pickle.loads(pickle.dumps(choose)),
        copy.deepcopy(choose),
        clone(choose, safe=False),
    ):
        assert twin == choose
    assert choose(results((0.96, 0.8), (0.99, 0.7))) == 0
    assert HighestSpecificity()(results((0.96, 0.8), (0.99, 0.7))) == 1
    assert HighestSpecificity(min_specificity=0.9)(results((0.96, 0.91), (0.99, 0.7))) == 0
    with pytest.raises(FrozenInstanceError):
        choose.min_recall = 0.5


@pytest.mark.parametrize("labels", [["NORMAL", "PNEUMONIA"], [0, 1]])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_refits_the_selected_candidate(labels, n_jobs):
    X, y = make_classification(400, weights=[0.3], class_sep=1.5, random_state=0)
    order = np.argsort(y, kind="stable")
    X, y = X[order], np.array(labels)[y[order]]
    negative, positive = labels
    search = GridSearchCV(
        LogisticRegression(),
        {"class_weight": [{negative: 1, positive: w} for w in (1e5, 20, 4, 1, 0.1)]},
        scoring=SCORERS,
        refit=HighestSpecificity(min_recall=0.95),
        cv=3,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, y)
    index, reason = choose_candidate(search.cv_results_, min_recall=0.95)
    recall = search.cv_results_["mean_test_recall"]
    assert search.best_index_ == index
    assert recall.argmax() == 0 != index
    assert recall[index] >= 0.95 > recall[-1]
    assert reason.startswith(f"Candidate {index} has the highest mean specificity")
    assert recall_scorer(search, X, y) >= 0.9
    assert search.refit == HighestSpecificity(min_recall=0.95)


def test_a_search_of_one_metric_raises_the_missing_scores():
    X, y = make_classification(60, random_state=0)
    search = GridSearchCV(
        LogisticRegression(), {"C": [1, 10]}, scoring=recall_scorer, refit=HighestSpecificity()
    )
    with pytest.raises(ValueError, match=r"it has mean_test_score\).*scoring=SCORERS"):
        search.fit(X, y)


# -- margin ---------------------------------------------------------------------------------------

# Means of .98, .99 and 1, standard errors of .011, .004 and 0.
RECALLS = [[0.94, 0.98, 0.98, 1.0, 1.0], [0.98, 0.98, 0.99, 1.0, 1.0], [1.0] * 5]
SPECIFICITIES = [0.9, 0.8, 0.7]


def test_the_margin_is_in_standard_errors_of_the_mean():
    errors = np.std(RECALLS, axis=1, ddof=1) / np.sqrt(5)
    reached, n_errors = recall_less_margin(results_by_fold(RECALLS, SPECIFICITIES), 1.5)
    np.testing.assert_allclose(reached, np.mean(RECALLS, axis=1) - 1.5 * errors)
    assert n_errors == 1.5
    assert errors[2] == 0


@pytest.mark.parametrize(
    ("margin", "expected"), [(0, 0), (0.5, 1), (1, 1), ("auto", 1), (3, 2), (np.float32(1), 1)]
)
def test_the_mean_recall_must_exceed_the_floor_by_the_margin(margin, expected):
    cv_results = results_by_fold(RECALLS, SPECIFICITIES)
    index, reason = choose_candidate(cv_results, min_recall=0.98, margin=margin)
    assert index == expected
    assert HighestSpecificity(min_recall=0.98, margin=margin)(cv_results) == expected
    words = {0: "", 0.5: " plus 0.5 standard errors", 3: " plus 3 standard errors"}
    words = words.get(margin, " plus one standard error")
    assert f"those that reach a mean recall of 98%{words} and a mean specificity" in reason


def test_one_standard_error_is_the_default():
    cv_results = results_by_fold(RECALLS, SPECIFICITIES)
    assert choose_candidate(cv_results) == choose_candidate(cv_results, margin=1)
    assert HighestSpecificity()(cv_results) == HighestSpecificity(margin=1)(cv_results) == 1


def test_without_a_candidate_that_reaches_the_margin_the_highest_recall_is_selected():
    cv_results = results_by_fold(RECALLS[:2], SPECIFICITIES[:2])
    index, reason = choose_candidate(cv_results, min_recall=0.99)
    assert index == 1
    assert reason.startswith(
        "No useful candidate reaches both a mean recall of 99% plus one standard error and a mean"
    )


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"std_test_recall": np.array([0.02, 0.0])},  # of an unknown number of folds
        {"split0_test_recall": np.array([0.98, 0.99])},
        {"split0_test_recall_of_patients": np.zeros(2), "split1_test_specificity": np.zeros(2)},
    ],
)
def test_a_margin_needs_the_recall_of_two_folds(known):
    cv_results = results((0.98, 0.8), (0.99, 0.7)) | known
    index, reason = choose_candidate(cv_results)
    assert index == 0
    assert "standard error" not in reason
    assert choose_candidate(cv_results, margin=0) == (index, reason)
    n_folds = len({"split0_test_recall"} & known.keys())
    with pytest.raises(
        ValueError, match=rf"margin=1 needs .* cv_results holds {n_folds}\..*margin=0"
    ):
        choose_candidate(cv_results, margin=1)


def test_a_candidate_with_a_failed_fold_is_ignored():
    cv_results = results_by_fold([[np.nan, 1, 1, 1, 1], *RECALLS[1:]], SPECIFICITIES)
    assert choose_candidate(cv_results)[0] == 1


@pytest.mark.parametrize("margin", [-1, np.nan, np.inf, "1", None, True, [1], np.array([1, 2])])
def test_a_margin_that_is_not_a_number_of_standard_errors_is_refused(margin):
    wanted = "margin must be a finite number of at least 0, or 'auto', got"
    with pytest.raises(ValueError, match=wanted):
        choose_candidate(results((0.9, 0.9)), margin=margin)
    with pytest.raises(ValueError, match=wanted):
        HighestSpecificity(margin=margin)


def test_a_margin_makes_a_true_recall_below_the_floor_rarer():
    """Settings with normal scores, measured in five folds of 80 positive images each."""
    rng = np.random.default_rng(0)
    cuts = np.linspace(0, 2, 41)
    true_recall = norm.cdf(3 - cuts)
    below = {0: [], 1: [], 2: []}
    for _ in range(300):
        recall = (rng.normal(3, 1, (5, 80, 1)) >= cuts).mean(axis=1).T
        cv_results = results_by_fold(recall, norm.cdf(cuts))
        for margin, found in below.items():
            index, reason = choose_candidate(cv_results, min_recall=0.95, margin=margin)
            assert "has the highest mean specificity" in reason
            found.append(true_recall[index] < 0.95)
    rates = [np.mean(found) for found in below.values()]
    # The Monte Carlo error of each rate is below .03.
    assert rates[0] > 0.35
    assert rates[1] < 0.25
    assert rates[2] < 0.12
