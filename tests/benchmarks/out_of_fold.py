"""How often a recall certified by out-of-fold scores is not reached, by our networks.

    python tests/benchmarks/out_of_fold.py [--quick] [--settings NAME ...] [--runs N] [--seed N]
                                           [--log FILE]

`OperatingPointClassifierCV` selects its threshold on the scores of five networks, each fitted
without a fold. It then applies the threshold either to one network fitted on all images
(`refit=True`) or to the mean of the log odds of the five (`refit=False`). Each run draws patients
from `chest_xray/train` and `val` of the folder that SKPNEUMO_TEST_DATA names, does both on the
same five networks, and computes recall and specificity of both thresholds on the patients that
were not drawn. A patient with pneumonia counts by the lowest score of the images, a patient
without by the highest.

Two rates are given. "Counted" is the proportion of runs whose true recall is below the certified
one, with its Clopper-Pearson interval; the rate of a frozen model, by the beta-binomial
distribution, accounts for the finite number of patients that were not drawn. "Given the networks"
draws 2,000 calibration samples per run from those patients, each scored by the network of its
fold, and averages over runs. Its standard error is far smaller, but it is an approximation that
errs in either direction: it leaves out that the patients of one fold took part in the fit of the
other networks.

The setting "logistic", a logistic regression of 50 simulated numbers, is fast enough to compare the
two rates.

Runs are appended to the file that --log names, one JSON object a line, and those in it are not
repeated. The settings on InceptionV3 need the weights in the folder `weights` beside `chest_xray`.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from _xrays import load_training_images
from scipy.special import logit
from scipy.stats import betabinom
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo._utils.bounds import clopper_pearson_interval, highest_rank, min_scores_per_class

CONFIDENCE = 0.95
RECALLS = (0.95, 0.98)
EPS = np.finfo(np.float32).eps
N_CALIBRATION_SAMPLES = 2000
TRAINED_WEIGHTS = "inception_v3_photographs_notop.weights.h5"
SMALL = {"filters": (8, 16, 32), "augmentation": None}
WAYS = {"refit": "refitted", "mean": "mean of folds"}


@dataclass(frozen=True)
class Setting:
    """A network, and the sample that it is fitted on.

    With 153 patients with pneumonia the error allowed is used up to .049 at a recall of .95 and
    to .046 at .98, with 386 to .049 at both: ranks are whole numbers.
    """

    what: str
    network: str
    params: dict = field(default_factory=dict)
    image_size: tuple = (48, 40)
    n_positive: int = 153
    n_negative: int = 100
    n_runs: int = 100
    n_unseen: int = 1000

    def estimator(self, seed):
        if self.network == "logistic":
            return LogisticRegression(**self.params)
        if self.network == "cnn":
            return CNNPneumoniaClassifier(**self.params, random_state=seed)
        weights = Path(os.environ["SKPNEUMO_TEST_DATA"]) / "weights" / TRAINED_WEIGHTS
        return InceptionPneumoniaClassifier(weights=weights, **self.params, random_state=seed)


FEW_EPOCHS = SMALL | {"epochs": 10, "learning_rate": 3e-3}
HEAD, PIXELS = {"trainable": "head"}, (80, 76)
# Without dropout and at ten times the rate: the head separates the images that it is fitted on.
SEPARABLE = HEAD | {"epochs": 50, "dropout": 0.0, "learning_rate": 1e-2}
MANY_EPOCHS = SMALL | {"epochs": 40, "dropout": 0.0, "learning_rate": 3e-3}
SETTINGS = {
    "cnn": Setting("CNN, defaults", "cnn", n_runs=12),
    "cnn-small": Setting("CNN, small, 10 epochs", "cnn", FEW_EPOCHS, n_runs=50),
    "cnn-small-large": Setting(
        "CNN, small, 10 epochs", "cnn", FEW_EPOCHS, n_positive=386, n_negative=250, n_runs=12
    ),
    "cnn-underfitted": Setting("CNN, small, 1 epoch", "cnn", SMALL | {"epochs": 1}),
    "cnn-overfitted": Setting("CNN, small, 40 epochs, no dropout", "cnn", MANY_EPOCHS, n_runs=12),
    "head": Setting("InceptionV3, head", "inception", HEAD, PIXELS, n_runs=100),
    "head-large": Setting("InceptionV3, head", "inception", HEAD, PIXELS, 386, 250, n_runs=50),
    "head-underfitted": Setting(
        "InceptionV3, head, 1 epoch", "inception", HEAD | {"epochs": 1}, PIXELS
    ),
    "head-overfitted": Setting(
        "InceptionV3, head, 50 epochs, no dropout", "inception", SEPARABLE, PIXELS, n_runs=30
    ),
    "upper": Setting(
        "InceptionV3, upper blocks",
        "inception",
        {"trainable": "upper"},
        PIXELS,
        n_runs=10,
        n_unseen=300,
    ),
    "all": Setting(
        "InceptionV3, all layers",
        "inception",
        {"trainable": "all", "epochs": 4, "fine_tune_learning_rate": 1e-3},
        PIXELS,
        n_runs=10,
        n_unseen=300,
    ),
    "logistic": Setting(
        "logistic regression, C=1e4",
        "logistic",
        {"C": 1e4, "max_iter": 300},
        None,
        n_negative=153,
        n_runs=1000,
        n_unseen=4000,
    ),
}
QUICK = {"head-underfitted": 5, "cnn-underfitted": 10}


@cache
def load(image_size):
    """Images, 1 for pneumonia, and patients; rows of 50 numbers if there is no size."""
    if image_size is not None:
        return load_training_images(image_size)
    y = np.repeat([0, 1], [4000, 12000])
    X = np.random.default_rng(0).standard_normal((len(y), 50))
    X[:, :5] += 0.75 * (2 * y[:, None] - 1)
    return X, y, np.arange(len(y))


def draw(y, groups, setting, rng):
    """Rows of the patients drawn, in random order, and of patients that were not."""
    drawn, unseen = [], []
    for label, n_drawn in ((1, setting.n_positive), (0, setting.n_negative)):
        patients = rng.permutation(np.unique(groups[y == label]))
        drawn.append(patients[:n_drawn])
        n_unseen = setting.n_unseen if label else setting.n_unseen // 4
        unseen.append(patients[n_drawn:][:n_unseen])
    rows = rng.permutation(np.flatnonzero(np.isin(groups, np.concatenate(drawn))))
    return rows, np.flatnonzero(np.isin(groups, np.concatenate(unseen)))


def log_odds(clf, X):
    """Log odds of pneumonia; finite."""
    probability = clf.predict_proba(X)[:, 1].astype(float)
    return logit(np.clip(probability, EPS, 1 - EPS))


def reached(threshold, scores):
    """Proportion of sorted scores that reach each threshold."""
    return 1 - np.searchsorted(scores, threshold, side="left") / len(scores)


def run(setting, seed):
    """Draw, fit six networks, and compare the two ways. One row for each certified recall."""
    start, rng = time.perf_counter(), np.random.default_rng([seed, setting.n_positive])
    X, y, groups = load(setting.image_size)
    rows, unseen = draw(y, groups, setting, rng)
    X_new, y_new, groups_new = X[unseen], y[unseen] == 1, groups[unseen]
    X, y, groups = X[rows], y[rows], groups[rows]
    out_of_fold, by_network, fold_sizes = np.empty(len(y)), [], []
    for train, test in StratifiedGroupKFold(5).split(X, y, groups):
        clf = setting.estimator(seed).fit(X[train], y[train])
        out_of_fold[test] = log_odds(clf, X[test])
        by_network.append(log_odds(clf, X_new))
        fold_sizes.append(len(np.unique(groups[test][y[test] == 1])))
    refitted = log_odds(clone(clf).fit(X, y), X_new)
    calibration, _ = map(np.sort, min_scores_per_class(y == 1, out_of_fold, groups))
    by_fold = [np.sort(min_scores_per_class(y_new, scores, groups_new)[0]) for scores in by_network]
    # Each fold has its own network: its patients are replaced by others, scored by that network.
    drawn_again = np.concatenate(
        [
            rng.choice(scores, (N_CALIBRATION_SAMPLES, n_patients))
            for scores, n_patients in zip(by_fold, fold_sizes, strict=True)
        ],
        axis=1,
    )
    drawn_again.sort(axis=1)
    final = {"refit": refitted, "mean": np.mean(by_network, axis=0)}
    results = []
    for recall in RECALLS:
        rank = highest_rank(len(calibration), recall, CONFIDENCE)
        if not rank:
            continue
        row = {"certified": recall, "rank": rank, "n_unseen": len(by_fold[0])}
        for way, scores in final.items():
            positive, negative = map(np.sort, min_scores_per_class(y_new, scores, groups_new))
            threshold = calibration[rank - 1]
            row[way] = {
                "recall": reached(threshold, positive),
                "specificity": 1 - np.mean(-negative >= threshold),
                "not_reached": np.mean(reached(drawn_again[:, rank - 1], positive) < recall),
                "auc": roc_auc_score(y_new, scores),
            }
        results.append(row)
    took = time.perf_counter() - start
    return [row | {"n_images": len(y), "seconds": round(took, 1)} for row in results]


def frozen_rate(setting, row):
    """How often a frozen model falls short on so many unseen patients."""
    n, n_unseen, rank = setting.n_positive, row["n_unseen"], row["rank"]
    allowed = np.floor(n_unseen * (1 - row["certified"]) + 1e-9)
    return betabinom.sf(allowed, n_unseen, rank, n - rank + 1)


def show(name, rows):
    """Lines of the table for one setting."""
    setting = SETTINGS[name]
    for recall in RECALLS:
        some = [row for row in rows if row["certified"] == recall]
        if not some:
            continue
        n = len(some)
        for way, label in WAYS.items():
            found = {key: np.array([row[way][key] for row in some]) for key in some[0][way]}
            n_short = int(np.sum(found["recall"] < recall))
            low, high = clopper_pearson_interval(n_short, n, 0.95)
            given = found["not_reached"]
            error = f" ± {np.std(given, ddof=1) / np.sqrt(n):.3f}" if n > 1 else ""
            cells = [
                setting.what,
                setting.n_positive,
                recall,
                label,
                n,
                f"{frozen_rate(setting, some[0]):.3f}",
                f"{n_short / n:.3f} [{low:.3f}, {high:.3f}]",
                f"{np.mean(given):.3f}{error}",
                f"{np.mean(found['recall']):.4f}",
                f"{np.mean(found['specificity']):.3f}",
                f"{np.mean(found['auc']):.3f}",
            ]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


def logged(path):
    """Rows of earlier runs, by setting and seed."""
    found = {}
    if path.exists():
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            found[entry["setting"], entry["seed"]] = entry["rows"]
    return found


def order(names, options):
    """Settings and seeds, interleaved: if the study is stopped, each setting has some runs."""
    tasks = []
    for name in names:
        n_runs = QUICK[name] if options.quick else SETTINGS[name].n_runs
        n_runs = n_runs if options.runs is None else options.runs
        tasks += [(i / n_runs, name, options.seed + i) for i in range(n_runs)]
    return [(name, seed) for _, name, seed in sorted(tasks)]


def main():
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=[*SETTINGS])
    parser.add_argument("--runs", type=int, help="of each setting; 0 prints the log alone")
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--log", type=Path, help="file that runs are appended to")
    parser.add_argument("--quick", action="store_true", help="two settings, a few runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = options.log or Path(folder) / "runs.jsonl"
        names = list(QUICK) if options.quick else options.settings
        runs = logged(log)
        for name, seed in order(names, options):
            if (name, seed) in runs:
                continue
            runs[name, seed] = run(SETTINGS[name], seed)
            with open(log, "a") as file:
                entry = {"setting": name, "seed": seed, "rows": runs[name, seed]}
                file.write(json.dumps(entry) + "\n")
        print(
            "| network | positive patients | certified recall | final score | runs | frozen model "
            "| counted | given the networks | true recall | true specificity | AUC |"
        )
        print("| --- " * 11 + "|")
        for name in names:
            show(name, [row for key, rows in runs.items() if key[0] == name for row in rows])


main()
