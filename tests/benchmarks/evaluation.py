"""Seconds of an evaluation of 624 images, beside 2,000 resamples of three of its metrics.

python tests/benchmarks/evaluation.py
"""

import statistics

import numpy as np
from _measure import report, seconds
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.utils import resample

from skpneumo.evaluation import evaluate
from skpneumo.metrics import specificity_score

N_IMAGES, N_RESAMPLES = 624, 2000
rng = np.random.default_rng(0)
positive = rng.random(2 * N_IMAGES) < 0.62
X = rng.normal(positive[:, None], 1, (2 * N_IMAGES, 3))
model = LogisticRegression().fit(X[:N_IMAGES], positive[:N_IMAGES])
X, y = X[N_IMAGES:], positive[N_IMAGES:]
groups = np.arange(N_IMAGES) // 2
subtype = np.where(rng.random(N_IMAGES) < 0.6, "bacteria", "virus")


def evaluate_model():
    """Evaluate with intervals by patient."""
    return evaluate(model, X, y, groups=groups, subtype=subtype)


def bootstrap():
    """Resample patients by hand, with the functions of scikit-learn."""
    y_pred, y_score = model.predict(X), model.predict_proba(X)[:, 1]
    patients = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    for seed in range(N_RESAMPLES):
        rows = np.concatenate(resample(patients, random_state=seed))
        recall_score(y[rows], y_pred[rows])
        specificity_score(y[rows], y_pred[rows])
        roc_auc_score(y[rows], y_score[rows])


n_metrics = len(evaluate_model().metrics)
taken = statistics.median(seconds(evaluate_model) for _ in range(5))
by_hand = seconds(bootstrap)
report(
    "seconds for an evaluation with intervals",
    taken,
    "below 2",
    f"{n_metrics} metrics of {N_IMAGES} images.",
)
report(
    "of the time of a bootstrap of recall, specificity and AUC",
    taken / by_hand,
    "below 0.1",
    f"{N_RESAMPLES:,} resamples by hand: {by_hand:.1f} s.",
)
