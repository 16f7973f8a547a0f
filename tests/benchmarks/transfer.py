"""When a pretrained InceptionV3 is worth it: against from scratch, on an equal number of images.

    python tests/benchmarks/transfer.py [n_seeds]

ImageNet weights cannot be fetched everywhere, so the backbone is pretrained on synthetic X-rays
(`make_xrays`): no real image is in it. Each way then sees as many real images as the others, few
or many, with the augmentation that it has by default, none over a frozen part; it is measured on a
fifth of the patients of `chest_xray/train` and `val`.
"""

import os
import sys
import tempfile
import time

import numpy as np
from _xrays import held_out_patients, load_training_images
from sklearn.metrics import roc_auc_score

from skpneumo import InceptionPneumoniaClassifier
from skpneumo.datasets import make_xrays

SIZE = (80, 80)
EPOCHS = 10
N_IMAGES = (100, 400, 1600)
WAYS = {
    "from scratch": {"weights": None, "epochs": EPOCHS},
    "transfer, head alone": {"trainable": "head", "epochs": EPOCHS},
    "transfer, upper blocks": {"trainable": "upper", "head_epochs": 2, "epochs": EPOCHS - 2},
    "transfer, all": {"trainable": "all", "head_epochs": 2, "epochs": EPOCHS - 2},
}


def pretrain(path):
    """Write a backbone that has learnt from synthetic X-rays; seconds that took."""
    start = time.perf_counter()
    xrays = make_xrays(3000, image_size=SIZE, random_state=0)
    clf = InceptionPneumoniaClassifier(SIZE, weights=None, epochs=6, random_state=0)
    clf.fit(xrays.images, xrays.target)
    clf.model_.get_layer("inception_v3").save_weights(path)
    return time.perf_counter() - start


def main(n_seeds=2):
    """Print one table."""
    X, y, groups = load_training_images(SIZE)
    learn, held_out = held_out_patients(y, groups, seed=0)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "synthetic.weights.h5")
        print(f"pretraining on 3,000 synthetic X-rays: {pretrain(path):.0f} s", flush=True)
        print(f"{'':24s}" + "".join(f"{n:>26d} images" for n in N_IMAGES))
        for way, params in WAYS.items():
            cells = []
            for n in N_IMAGES:
                scores, start = [], time.perf_counter()
                for seed in range(n_seeds):
                    rows = np.random.default_rng(seed).permutation(learn)[:n]
                    clf = InceptionPneumoniaClassifier(
                        SIZE, **{"weights": path, "fine_tune_learning_rate": 1e-3, **params}
                    ).set_params(random_state=seed)
                    clf.fit(X[rows], y[rows])
                    scores.append(roc_auc_score(y[held_out], clf.predict_proba(X[held_out])[:, 1]))
                seconds = (time.perf_counter() - start) / n_seeds
                told = "/".join(f"{score:.3f}" for score in scores)
                cells.append(f"AUC {told}, {seconds:.0f} s")
            print(f"{way:24s}" + "".join(f"{cell:>33s}" for cell in cells), flush=True)


main(*map(int, sys.argv[1:]))
