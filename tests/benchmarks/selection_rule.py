"""How often a candidate that was selected by its mean recall has a lower true recall.

    python tests/benchmarks/selection_rule.py [--runs N]

Searches over class weights and thresholds are simulated. The scores of images without and with
pneumonia are normal with means 0 and ``SEPARATION``, one image per patient, half as many without
pneumonia as with it (but 60 or more). Each class weight has scores of its own, correlated with
those of the others, and each fit shifts its scores by a normal amount (``fit spread``). Every
candidate is measured in five folds, `choose_candidate` selects one with margins of 0, 1 and 2
standard errors and of a one-sided 95 % bound by Student's t (2.13 standard errors), and the true
recall and specificity of the final fit are those of the normal distributions.

Columns: in how many of the searches a candidate reached the floor with the margin; in how many of
these the true recall is lower than the floor; the mean true recall there; and the mean true
specificity over all searches, with the candidates that were selected as second best.
"""

import argparse
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.special import logit
from scipy.stats import norm, t

from skpneumo.model_selection import choose_candidate
from skpneumo.model_selection._choice import recall_less_margin

N_FOLDS = 5
SEPARATION = 3.0
CLASS_WEIGHTS = (1, 2, 4)
CORRELATION = 0.9
MIN_NEGATIVE = 60
MARGINS = {
    "none": 0.0,
    "1 standard error": 1.0,
    "2 standard errors": 2.0,
    "95 % bound": t.ppf(0.95, N_FOLDS - 1),
}
# By the number of candidates: thresholds as those of ``skpneumo train``, and a fine grid.
THRESHOLDS = {27: np.linspace(0.1, 0.9, 9), 120: np.linspace(0.0125, 0.4875, 40)}


class Result(NamedTuple):
    """What one rule gave in the searches of one kind."""

    fit_spread: float
    n_candidates: int
    floor: float
    n_positive: int
    margin: str
    reached: float
    below: float
    recall: float
    specificity: float


def cut_offs(thresholds):
    """Scores from which each candidate predicts positive.

    A probability is that of the two normal distributions at equal prevalences, after the class
    weight.
    """
    weights = np.repeat(CLASS_WEIGHTS, len(thresholds))
    log_odds = np.tile(logit(thresholds), len(CLASS_WEIGHTS)) - np.log(weights)
    return SEPARATION / 2 + log_odds / SEPARATION


def draw_scores(n, mean, shifts, rng):
    """Scores by fold and class weight, of shape (n_folds, n_weights, n // n_folds)."""
    shape = N_FOLDS, len(CLASS_WEIGHTS), n // N_FOLDS
    common = rng.normal(size=(N_FOLDS, 1, shape[-1]))
    own = rng.normal(size=shape)
    scores = np.sqrt(CORRELATION) * common + np.sqrt(1 - CORRELATION) * own
    return mean + scores + shifts[..., None]


def simulate_search(n_positive, thresholds, fit_spread, rng):
    """``cv_results_`` of one search, and the true recall and specificity of its candidates."""
    cuts = cut_offs(thresholds)
    by_weight = cuts.reshape(len(CLASS_WEIGHTS), -1, 1)
    shifts = fit_spread * rng.normal(size=(N_FOLDS + 1, len(CLASS_WEIGHTS)))
    positive = draw_scores(n_positive, SEPARATION, shifts[:-1], rng)
    negative = draw_scores(max(MIN_NEGATIVE, n_positive // 2), 0.0, shifts[:-1], rng)
    right = positive[:, :, None] >= by_weight, negative[:, :, None] < by_weight
    results = {}
    for name, hits in zip(("recall", "specificity"), right, strict=True):
        values = hits.mean(axis=-1).reshape(N_FOLDS, -1)
        results |= {f"split{i}_test_{name}": row for i, row in enumerate(values)}
        results[f"mean_test_{name}"] = values.mean(axis=0)
    # The final fit, on all images, has a shift of its own.
    cuts = cuts - np.repeat(shifts[-1], len(thresholds))
    return results, norm.cdf(SEPARATION - cuts), norm.cdf(cuts)


def measure(n_runs, *, fit_spread, n_candidates, floor, n_positive, seed=0):
    """Compare the margins in searches of one kind.

    Returns
    -------
    list of Result
        By margin; each sees the same searches.
    """
    rng = np.random.default_rng(seed)
    found = {name: [] for name in MARGINS}
    for _ in range(n_runs):
        results, recall, specificity = simulate_search(
            n_positive, THRESHOLDS[n_candidates], fit_spread, rng
        )
        for name, margin in MARGINS.items():
            index, _ = choose_candidate(results, min_recall=floor, margin=margin)
            reached = recall_less_margin(results, margin)[0][index] >= floor - 1e-9
            is_specific = results["mean_test_specificity"][index] >= 0.5
            found[name].append((reached and is_specific, recall[index], specificity[index]))
    return [
        _summarize((fit_spread, n_candidates, floor, n_positive, name), np.transpose(rows))
        for name, rows in found.items()
    ]


def _summarize(kind, rows):
    reached, recall, specificity = rows
    selected = recall[reached == 1]
    floor = kind[2]
    below, mean = (np.mean(selected < floor), selected.mean()) if len(selected) else (np.nan,) * 2
    return Result(*kind, reached.mean(), below, mean, specificity.mean())


def main():
    """Print a row for each rule and kind of search, and the range over all kinds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    n_runs = parser.parse_args().runs
    print("| " + " | ".join(name.replace("_", " ") for name in Result._fields) + " |")
    print("| --- " * len(Result._fields) + "|")
    every = []
    kinds = product((0.0, 0.1), THRESHOLDS, (0.95, 0.98), (60, 150, 400, 1000, 3500))
    for fit_spread, n_candidates, floor, n_positive in kinds:
        options = {"n_candidates": n_candidates, "floor": floor, "n_positive": n_positive}
        for row in measure(n_runs, fit_spread=fit_spread, **options):
            every.append(row)
            cells = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row)
            print("| " + " | ".join(cells) + " |", flush=True)
    print()
    plain = np.array([row.specificity for row in every if row.margin == "none"])
    for name in MARGINS:
        rows = [row for row in every if row.margin == name]
        below = [row.below for row in rows]
        cost = plain - [row.specificity for row in rows]
        print(
            f"{name}: true recall below the floor in {min(below):.3f} to {max(below):.3f} "
            f"(median {np.median(below):.3f}); reached in {min(r.reached for r in rows):.3f} or "
            f"more; specificity lower by {cost.min():.3f} to {cost.max():.3f} "
            f"(median {np.median(cost):.3f})"
        )


if __name__ == "__main__":
    main()
