"""A search over class weights inside a certified operating point: refitted, or mean of the folds.

    python tests/benchmarks/search_inside.py [--runs N]

Logistic regressions on two normal distributions, so that the true recall of every model is known.
In each of five folds a search over the class weights 1, 2 and 4 selects one on the other folds; the
scores of the patients left out set the threshold, as in `OperatingPointClassifierCV`. Searches
select by `choose_candidate`, over thresholds too, or by the mean specificity at that recall.
Columns: in how many of the runs the true recall is lower than the one certified, and the mean true
specificity, of the search repeated on all images (``refit=True``) and of the mean of the models of
the folds; and in how many runs the searches selected different class weights.
"""

import argparse
import warnings

import numpy as np
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from skpneumo._utils.bounds import draw_by_order, randomised_rank
from skpneumo.metrics import specificity_at_recall_score
from skpneumo.model_selection import choose_candidate

CLASS_WEIGHTS = (1, 2, 4)
THRESHOLDS = np.linspace(0.1, 0.9, 9)
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
MIN_RECALL = CONFIDENCE = 0.9
PREVALENCE = 0.6
# Patients, features, inverse regularization, distance of the means, and rule of the search.
SETTINGS = (
    (400, 20, 1.0, 2.5, "choose_candidate"),
    (400, 20, 1.0, 2.5, "specificity at recall"),
    (400, 50, 1e4, 3.0, "choose_candidate"),
    (400, 50, 1e-3, 3.0, "choose_candidate"),
    (150, 10, 1.0, 2.5, "choose_candidate"),
)


def fit(X, y, weight, C):
    """One logistic regression."""
    return LogisticRegression(C=C, class_weight={1: weight}, max_iter=300).fit(X, y)


def select_weight(X, y, C, rule):
    """The class weight that a search selects."""
    recall, specificity, at_recall = [], [], []
    for rows, left_out in FOLDS.split(X, y):
        models = [fit(X[rows], y[rows], weight, C) for weight in CLASS_WEIGHTS]
        positive = y[left_out] == 1
        scores = [model.predict_proba(X[left_out])[:, 1] for model in models]
        predicted = np.concatenate([score[:, None] >= THRESHOLDS for score in scores], axis=1)
        recall.append(predicted[positive].mean(axis=0))
        specificity.append(1 - predicted[~positive].mean(axis=0))
        at_recall.append(
            [
                specificity_at_recall_score(positive, score, min_recall=MIN_RECALL, pos_label=True)
                for score in scores
            ]
        )
    if rule == "specificity at recall":
        return CLASS_WEIGHTS[int(np.argmax(np.mean(at_recall, axis=0)))]
    results = {f"split{i}_test_recall": values for i, values in enumerate(recall)}
    results["mean_test_recall"] = np.mean(recall, axis=0)
    results["mean_test_specificity"] = np.mean(specificity, axis=0)
    index, _ = choose_candidate(results, min_recall=MIN_RECALL)
    return CLASS_WEIGHTS[index // len(THRESHOLDS)]


def run(rng, n, n_features, C, distance, rule):
    """True recall and specificity, refitted and by the mean, and whether class weights differ."""
    y = (rng.random(n) < PREVALENCE).astype(int)
    means = np.full(n_features, distance / np.sqrt(n_features))
    X = rng.normal(size=(n, n_features)) + y[:, None] * means
    scores, models, weights = np.empty(n), [], []
    for rows, left_out in FOLDS.split(X, y):
        weights.append(select_weight(X[rows], y[rows], C, rule))
        models.append(fit(X[rows], y[rows], weights[-1], C))
        scores[left_out] = models[-1].decision_function(X[left_out])
    positive = scores[y == 1]
    rank = randomised_rank(len(positive), MIN_RECALL, CONFIDENCE, draw_by_order(positive))
    threshold = np.sort(positive)[rank - 1]
    weights.append(select_weight(X, y, C, rule))
    refitted = [fit(X, y, weights[-1], C)]
    found = []
    for members in (refitted, models):
        slope = np.mean([model.coef_[0] for model in members], axis=0)
        cut = threshold - np.mean([model.intercept_[0] for model in members])
        spread = np.linalg.norm(slope)
        found += [norm.sf((cut - slope @ means) / spread), norm.cdf(cut / spread)]
    return *found, len(set(weights)) > 1


def main():
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=300)
    n_runs = parser.parse_args().runs
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"At most {1 - CONFIDENCE:.2f} of the runs may fall below a recall of {MIN_RECALL}.\n")
    print("| patients | features | C | distance | rule | refit: below | specificity |", end="")
    print(" mean: below | specificity | class weights differ |")
    print("| --- " * 10 + "|")
    for setting in SETTINGS:
        rng = np.random.default_rng(0)
        rows = np.array([run(rng, *setting) for _ in range(n_runs)])
        numbers = (
            np.mean(rows[:, 0] < MIN_RECALL),
            rows[:, 1].mean(),
            np.mean(rows[:, 2] < MIN_RECALL),
            rows[:, 3].mean(),
            rows[:, 4].mean(),
        )
        cells = [*map(str, setting), *(f"{number:.3f}" for number in numbers)]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
