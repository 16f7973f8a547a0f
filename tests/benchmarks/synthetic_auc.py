"""How well global statistics, a linear model and the CNN do on `make_xrays`, by patient.

    python tests/benchmarks/synthetic_auc.py [seed ...]

Wanted at the default difficulty and 600 images: classifiers of a histogram and 16 global statistics
at most 0.65, logistic regression on raw pixels at most 0.80, the CNN at least 0.93, in under a
minute on two cores.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from scipy.stats import entropy, kurtosis, skew
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays


def global_statistics(images):
    """Histogram of 32 bins and 16 global statistics of each image."""
    scaled = images / 255.0
    flat = scaled.reshape(len(images), -1)
    bins = (32 * flat).astype(int).clip(max=31)
    histogram = np.stack([np.bincount(row, minlength=32) for row in bins]) / flat.shape[1]
    steps = np.hypot(*np.gradient(scaled, axis=(1, 2))).reshape(flat.shape)
    statistics = [
        *(flat.mean(axis=1), flat.std(axis=1), skew(flat, axis=1), kurtosis(flat, axis=1)),
        *np.quantile(flat, [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99], axis=1),
        *(steps.mean(axis=1), steps.std(axis=1), entropy(histogram, axis=1)),
    ]
    return np.column_stack([histogram, *statistics])


for seed in map(int, sys.argv[1:] or ["0"]):
    xrays = make_xrays(random_state=seed)
    cv = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    options = {"groups": xrays.groups, "cv": cv, "scoring": "roc_auc"}
    pixels = xrays.images.reshape(len(xrays.images), -1) / 255.0
    statistics = global_statistics(xrays.images)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    for name, model, X in (
        ("statistics, linear", scaled, statistics),
        ("statistics, forest", RandomForestClassifier(300, random_state=seed), statistics),
        (
            "statistics, boosting",
            HistGradientBoostingClassifier(random_state=seed),
            statistics,
        ),
        ("pixels, linear", LogisticRegression(C=0.1, max_iter=1000), pixels),
        ("CNN", CNNPneumoniaClassifier(random_state=seed), xrays.images),
    ):
        start = time.perf_counter()
        scores = cross_val_score(model, X, xrays.target, **options)
        print(
            f"seed {seed} {name:<20} AUC {scores.mean():.3f} "
            f"± {scores.std():.3f}, {time.perf_counter() - start:.0f} s",
            flush=True,
        )
