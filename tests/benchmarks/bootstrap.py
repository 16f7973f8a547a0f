"""Seconds for the intervals of an evaluation: 2,000 resamples of the patients of 624 images.

python tests/benchmarks/bootstrap.py
"""

import statistics

import numpy as np
from _measure import report, seconds
from sklearn.linear_model import LogisticRegression

from skpneumo.evaluation import evaluate

N_IMAGES = 624
rng = np.random.default_rng(0)
ill = rng.random(2 * N_IMAGES) < 0.62
X = rng.normal(ill[:, None], 1, (2 * N_IMAGES, 3))
model = LogisticRegression().fit(X[:N_IMAGES], ill[:N_IMAGES])
subtype = np.where(rng.random(N_IMAGES) < 0.6, "bacteria", "virus")


def evaluated(n_resamples):
    """Evaluate with as many resamples."""
    groups = np.arange(N_IMAGES) // 2
    return evaluate(
        model, X[N_IMAGES:], ill[N_IMAGES:], groups=groups, subtype=subtype, n_resamples=n_resamples
    )


n_figures = len(evaluated(100).figures)
taken = statistics.median(seconds(lambda: evaluated(2000)) for _ in range(5))
report(
    "seconds for 2,000 resamples", taken, "below 2", f"{n_figures} figures of {N_IMAGES} images."
)
