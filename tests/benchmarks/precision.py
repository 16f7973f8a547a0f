"""What bfloat16 costs in AUC: paired differences over 3 seeds x 5 grouped folds.

python tests/benchmarks/precision.py [n_images]
"""

import sys

import numpy as np
from _measure import report
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays

N_IMAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 600
differences = []
for seed in range(3):
    xrays = make_xrays(N_IMAGES, random_state=seed)
    cv = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    scores = [
        cross_val_score(
            CNNPneumoniaClassifier(precision=precision, random_state=seed),
            xrays.images,
            xrays.target,
            groups=xrays.groups,
            cv=cv,
            scoring="roc_auc",
        )
        for precision in ("float32", "bfloat16")
    ]
    differences.extend(scores[1] - scores[0])
mean, error = np.mean(differences), np.std(differences, ddof=1) / np.sqrt(len(differences))
detail = f"Mean {mean:+.4f}, standard error {error:.4f}, {len(differences)} pairs."
report("thousandths of AUC between bfloat16 and float32", 1000 * abs(mean), "at most 2", detail)
