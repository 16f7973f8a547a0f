"""The pointing game: does the hottest place of a heatmap lie inside an opacity?

python tests/benchmarks/pointing_game.py [n_seeds]
"""

import sys

import numpy as np
from _measure import report

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.inspection import GradCAM

N_SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
hits, chance = {"integrated": [], "gradcam": []}, []
for seed in range(N_SEEDS):
    train, test = (make_xrays(random_state=seed + part) for part in (0, 1000))
    clf = CNNPneumoniaClassifier(random_state=seed).fit(train.images, train.target)
    found = (test.target == "PNEUMONIA") & (clf.predict(test.images) == "PNEUMONIA")
    masks = test.masks[found].reshape(found.sum(), -1)
    chance.append(masks.mean())
    for method, shares in hits.items():
        heat = GradCAM(clf, method=method).transform(test.images[found]).reshape(masks.shape)
        shares.append(np.take_along_axis(masks, heat.argmax(axis=1)[:, None], axis=1).mean())
for method, shares in hits.items():
    told = ", ".join(f"{share:.2f}" for share in shares)
    report(
        f"pointing game, {method}: share of the true positives",
        np.mean(shares),
        "at least 0.80" if method == "integrated" else "told for comparison",
        f"By seed {told}; chance {np.mean(chance):.3f}.",
    )
