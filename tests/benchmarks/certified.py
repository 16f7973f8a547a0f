"""How often the true recall is below the certified one, in populations whose truth is known.

    python tests/benchmarks/certified.py [runs]

Prints a Markdown table. The true recall of each threshold follows from the population in closed
form, or from many patients drawn from it where the model is a forest or a neural network. On one
core it takes about ten minutes with 1,000 runs.
"""

import sys
import time
import warnings
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skpneumo import OperatingPointClassifierCV
from skpneumo._utils.bounds import (
    draw_by_order,
    lower_bound,
    min_score_per_patient,
    randomised_rank,
)
from skpneumo._utils.response import positive_scores

CONFIDENCE = 0.95
NOMINAL = 1 - CONFIDENCE
# Of positive patients, in standard deviations of the score.
SHIFT = 3
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(101)


class Row(NamedTuple):
    """One line of the table.

    Parameters
    ----------
    what, setting : str
        The certified metric, and the population and model.
    claim : {"valid", "approximate", "none"}
        What the documentation claims; "none" for uses that it warns of.
    nominal, found : float
        Fractions of runs in which it may be too low, and was.
    n_runs : int
        Number of simulated samples.
    """

    what: str
    setting: str
    claim: str
    nominal: float
    found: float
    n_runs: int


def certified_rows(n_runs=1000, seed=0):
    """Simulate every certified metric of `OperatingPointClassifierCV`.

    Parameters
    ----------
    n_runs : int, default=1000
        Samples for each row.
    seed : int, default=0
        Of the generators.

    Returns
    -------
    list of Row
    """
    parts = (frozen_rows, clustered_rows, other_side_rows, misuse_rows, fold_rows, search_rows)
    seeds = np.random.SeedSequence(seed).spawn(len(parts))
    with threadpool_limits(1):  # for fits of a few milliseconds
        return [
            row
            for part, child in zip(parts, seeds, strict=True)
            for row in part(n_runs, np.random.default_rng(child))
        ]


# -- frozen models ----------------------------------------------------------------------------


class FirstColumn(ClassifierMixin, BaseEstimator):
    """A model that is fitted beforehand: it scores by the first column."""

    classes_ = np.array([0, 1])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def decision_function(self, X):
        return X[:, 0]


def certified_threshold(units, share):
    """Threshold that is chosen by the scores of the units of one class."""
    rank = randomised_rank(len(units), share, CONFIDENCE, draw_by_order(units))
    return np.sort(units)[rank - 1]


def frozen_rows(n_runs, rng):
    """Independent patients with one image each."""
    what = "recall, frozen model"
    for share, sizes in ((0.98, (149, 200, 235, 236, 600, 3000)), (0.95, (59, 92, 93, 600))):
        for n in sizes:
            chosen = [certified_threshold(rng.random(n), share) for _ in range(n_runs)]
            broken = 1 - np.array(chosen) < share
            yield _row(what, f"{share:g}, n={n}, continuous scores", "valid", broken)
    for digits in (1, 2):
        chosen = [certified_threshold(rng.random(149).round(digits), 0.98) for _ in range(n_runs)]
        recall = 1 - np.maximum(np.array(chosen) - 0.5 / 10**digits, 0)
        setting = f"0.98, n=149, scores rounded to {0.1**digits:g}"
        yield _row(what, setting, "valid", recall < 0.98 - 1e-12)
    for name, shift in (("perfect", 40), ("good", SHIFT), ("poor", 0.2)):
        for prevalence in (0.1, 0.6):
            yield _end_to_end(n_runs, rng, "min_recall", name, shift, prevalence)
            yield _end_to_end(n_runs, rng, "min_specificity", name, shift, prevalence)


def _end_to_end(n_runs, rng, target, name, shift, prevalence, share=0.95, n_images=800):
    """By the estimator itself, with probabilities of float32, of which those near 1 are equal."""
    targets = {"min_recall": None, target: share}
    model = OperatingPointClassifierCV(FrozenEstimator(FirstColumn()), **targets)
    broken = []
    while len(broken) < n_runs:
        y = (rng.random(n_images) < prevalence).astype(int)
        if np.sum(y == (target == "min_recall")) < 59:
            continue  # too few to certify anything
        scores = expit(rng.normal(shift * (y - 0.5), 1)).astype(np.float32)
        edge = _float32_edge(model.fit(scores[:, None], y).best_threshold_)
        recall, specificity = norm.sf(edge - shift / 2), norm.cdf(edge + shift / 2)
        broken.append((recall if target == "min_recall" else specificity) < share)
    side = target.removeprefix("min_")
    setting = f"{share:g}, {name} model, prevalence {prevalence:g}, float32 probabilities"
    return _row(f"{side}, frozen model", setting, "valid", broken)


def _float32_edge(threshold):
    """Log odds from which the probability, rounded to float32, reaches the threshold."""
    below = np.nextafter(threshold, np.float32(-1))
    middle = (np.float64(threshold) + np.float64(below)) / 2
    return np.inf if middle >= 1 else logit(max(middle, 0))


# -- patients with several images -------------------------------------------------------------

CLUSTERS = ((10, 10, 0.7), (20, 10, 0.85), (60, 4, 0.95), (60, 5, 0.95), (200, 3, 0.98))


def patient_scores(rng, n_patients, n_images, icc):
    """Scores of the images of patients, of mean 0 and variance 1: (n_patients, n_images)."""
    patient = rng.normal(size=(n_patients, 1)) * np.sqrt(icc)
    return patient + rng.normal(size=(n_patients, n_images)) * np.sqrt(1 - icc)


def patient_recall(threshold, n_images, icc):
    """Fraction of the patients whose images all reach the threshold."""
    threshold = np.asarray(threshold)[..., None]
    image = norm.sf((threshold - np.sqrt(icc) * _NODES) / np.sqrt(1 - icc))
    return image**n_images @ _WEIGHTS / _WEIGHTS.sum()


def clustered_rows(n_runs, rng):
    """The patient is the unit."""
    for n, m, share in CLUSTERS:
        for icc in (0.3, 0.8):
            chosen = []
            for _ in range(n_runs):
                scores = patient_scores(rng, n, m, icc).ravel()
                units = min_score_per_patient(scores, np.repeat(np.arange(n), m))
                chosen.append(certified_threshold(units, share))
            setting = f"{share:g}, {n} patients x {m} images, ICC {icc:g}"
            broken = patient_recall(chosen, m, icc) < share
            yield _row("recall of patients, frozen model", setting, "valid", broken)


def other_side_rows(n_runs, rng):
    """The lower bound of the specificity, where the recall was certified."""
    for n_negative, shared, claim in ((60, 0, "valid"), (600, 0, "valid"), (149, 0.9, "none")):
        broken = []
        for _ in range(n_runs):
            patient = rng.normal(size=149) * np.sqrt(shared)
            positive = SHIFT + patient + rng.normal(size=149) * np.sqrt(1 - shared)
            negative = rng.normal(size=n_negative) * np.sqrt(1 - shared)
            negative += np.resize(patient, n_negative)
            threshold = certified_threshold(positive, 0.98)
            bound = lower_bound(n_negative, np.sum(negative >= threshold), CONFIDENCE)
            broken.append(norm.cdf(threshold) < bound)
        of = "patients with images of both classes" if shared else "patients of one class"
        setting = f"149 positive, {n_negative} negative, {of}"
        yield _row("lower bound of specificity, frozen model", setting, claim, broken)


def misuse_rows(n_runs, rng):
    """Uses that the documentation warns of."""
    for n, m, icc in ((60, 4, 0.3), (60, 4, 0.8), (60, 5, 0.8), (100, 10, 0.8)):
        chosen = [
            certified_threshold(patient_scores(rng, n, m, icc).ravel(), 0.98) for _ in range(n_runs)
        ]
        setting = f"0.98, {n} patients x {m} images, ICC {icc:g}"
        yield _row("recall of images, groups=None", setting, "none", norm.sf(chosen) < 0.98)
    for n, icc in ((149, 0.3), (149, 0.8), (600, 0.3), (600, 0.8)):
        chosen = [certified_threshold(rng.normal(size=n), 0.98) for _ in range(n_runs)]
        setting = f"0.98, n={n}, certified with 1 image per patient, used with 3, ICC {icc:g}"
        broken = patient_recall(chosen, 3, icc) < 0.98
        yield _row("recall of patients, frozen model", setting, "none", broken)


# -- out-of-fold scores -----------------------------------------------------------------------


def draw(rng, n_positive, n_features):
    """Draw patients, two of three positive, which differ in the first feature."""
    y = np.repeat([0, 1], [n_positive // 2, n_positive])
    X = rng.normal(size=(len(y), n_features))
    X[:, 0] += SHIFT * y
    return X, y


def fold_rows(n_runs, rng):
    """Threshold by out-of-fold scores, model refitted or the mean of the folds."""
    forest = RandomForestClassifier(30, min_samples_leaf=3, random_state=0)
    network = MLPClassifier((16,), max_iter=5, batch_size=16, learning_rate_init=0.01)
    settings = (
        ("logistic regression, C=1e4, 50 features", LogisticRegression(C=1e4), 50, None),
        ("logistic regression, C=1e4, 50 features, cv=20", LogisticRegression(C=1e4), 50, 20),
        ("logistic regression, C=1e4, 20 features", LogisticRegression(C=1e4), 20, None),
        ("logistic regression, C=1, 50 features", LogisticRegression(), 50, None),
        ("logistic regression, C=1, 20 features", LogisticRegression(), 20, None),
        ("logistic regression, C=.001, 50 features", LogisticRegression(C=1e-3), 50, None),
        ("neural network, 5 epochs, 20 features", network, 20, None),
        ("random forest, 20 features", forest, 20, None),
    )
    for name, estimator, n_features, cv in settings:
        broken = {True: [], False: []}
        for _ in range(n_runs):
            X, y = draw(rng, 124, n_features)
            if "random_state" in estimator.get_params():
                estimator.set_params(random_state=int(rng.integers(2**31)))
            model = OperatingPointClassifierCV(estimator, min_recall=0.95, cv=cv, refit=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(X, y)
                # With refit=True the threshold is the same.
                refitted = clone(estimator).fit(X, y)
            for refit, final in ((True, refitted), (False, model.estimator_)):
                recall = true_recall(final, model.best_threshold_, rng, n_features)
                broken[refit].append(recall < 0.95)
        for refit, found in broken.items():
            what = f"recall, out of fold, refit={refit}"
            yield _row(what, f"0.95, n=124, {name}", "approximate", found)


def true_recall(model, threshold, rng, n_features, n_drawn=10_000):
    """Recall in the population: of linear models in closed form, of others over a large sample."""
    members = getattr(model, "fold_estimators_", [model])
    if not isinstance(members[0], LogisticRegression):
        X = rng.normal(size=(n_drawn, n_features))
        X[:, 0] += SHIFT
        return np.mean(positive_scores(model, X) >= threshold)
    weight = np.mean([member.coef_[0] for member in members], axis=0)
    edge = logit(threshold) - np.mean([member.intercept_[0] for member in members])
    return norm.sf((edge - SHIFT * weight[0]) / np.linalg.norm(weight))


# -- searches ---------------------------------------------------------------------------------


def search_rows(n_runs, rng):
    """Candidates are columns that are equally good: their best score is chance."""
    for n_candidates in (7, 15, 40):
        broken = {"before, on the same images": [], "inside, refit=True": [], "inside": []}
        for _ in range(n_runs):
            y = np.repeat([0, 1], [62, 124])
            X = rng.normal(size=(len(y), n_candidates)) + 2 * y[:, None]
            scores, chosen = np.empty(len(y)), []
            for train, test in StratifiedKFold(5).split(X, y):
                chosen.append(_best_column(X[train], y[train]))
                scores[test] = X[test, chosen[-1]]
            before = X[:, _best_column(X, y)]
            threshold = certified_threshold(scores[y == 1], 0.95)
            # The mean of the models of the folds: of columns, some of them chosen twice.
            spread = np.linalg.norm(np.bincount(chosen) / len(chosen))
            for found, at, width in zip(
                broken.values(),
                (certified_threshold(before[y == 1], 0.95), threshold, threshold),
                (1, 1, spread),
                strict=True,
            ):
                found.append(norm.sf((at - 2) / width) < 0.95)
        for where, found in broken.items():
            claim = "none" if where.startswith("before") else "approximate"
            setting = f"0.95, n=124, best of {n_candidates}, search {where}"
            yield _row("recall, out of fold", setting, claim, found)


def _best_column(X, y):
    """Column of the highest mean specificity at recall 0.95, over five folds."""
    specificity = 0
    for _, test in StratifiedKFold(5).split(X, y):
        positive, negative = np.sort(X[test][y[test] == 1], axis=0), X[test][y[test] == 0]
        threshold = positive[int(0.05 * len(positive) + 1e-9)]
        specificity = specificity + np.mean(negative < threshold, axis=0)
    return np.argmax(specificity)


def _row(what, setting, claim, broken):
    return Row(what, setting, claim, NOMINAL, float(np.mean(broken)), len(broken))


def main(n_runs):
    """Print the table."""
    start = time.perf_counter()
    print("| What | Setting | Claim | Nominal | Broken | Standard error | Runs |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    for row in certified_rows(n_runs):
        error = np.sqrt(row.found * (1 - row.found) / row.n_runs)
        cells = (row.what, row.setting, row.claim, f"{row.nominal:.3f}", f"{row.found:.3f}")
        print(f"| {' | '.join(cells)} | {error:.3f} | {row.n_runs} |")
    print(f"\n{time.perf_counter() - start:.0f} seconds.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
