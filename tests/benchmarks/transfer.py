"""When a pretrained InceptionV3 is worth it: against from scratch, on an equal number of images.

    python tests/benchmarks/transfer.py [--pretraining synthetic|patches] [--seeds N]
                                        [--ways scratch head upper all]

ImageNet weights cannot be fetched everywhere, so the backbone is pretrained on synthetic X-rays
(`make_xrays`), of which none is real, or on the training images without their labels: it learns to
tell those into which a patch of another was blended (after Tan et al., "Detecting Outliers with
Foreign Patch Interpolation", MELBA 2022). Each way then sees as many real images as the others, few
or many, with the augmentation that it has by default, none over a frozen part; the head alone, for
which the features are computed once, sees them twenty times as often in less time. Measured on a
fifth of the patients of `chest_xray/train` and `val`.
"""

import argparse
import os
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
    "scratch": {"weights": None, "epochs": EPOCHS},
    "head": {"trainable": "head", "epochs": 20 * EPOCHS},
    "upper": {"trainable": "upper", "head_epochs": 2, "epochs": EPOCHS - 2},
    "all": {"trainable": "all", "head_epochs": 2, "epochs": EPOCHS - 2},
}


def blend_patches(X, rng):
    """Copies of images, each with a patch of another one blended in at its place."""
    sides, blended = np.array(X.shape[1:]), X.copy()
    for i, j in enumerate(rng.permutation(len(X))):
        rows, columns = (sides * rng.uniform(0.15, 0.4, size=2)).astype(int)
        top, left = rng.integers(sides - (rows, columns))
        place = slice(top, top + rows), slice(left, left + columns)
        share = rng.uniform(0.3, 0.9)
        blended[i][place] = np.rint((1 - share) * X[i][place] + share * X[j][place])
    return blended


def pretrain(X, path):
    """Write a backbone that has learnt from these images, or from synthetic ones where X is None.

    Returns the seconds that took.
    """
    start = time.perf_counter()
    if X is None:
        xrays = make_xrays(3000, image_size=SIZE, random_state=0)
        X, y, epochs = xrays.images, xrays.target, 6
    else:
        y = np.repeat([0, 1], len(X))
        X, epochs = np.concatenate([X, blend_patches(X, np.random.default_rng(0))]), 4
    clf = InceptionPneumoniaClassifier(SIZE, weights=None, epochs=epochs, random_state=0)
    clf.fit(X, y)
    clf.model_.get_layer("inception_v3").save_weights(path)
    return time.perf_counter() - start


def main():
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pretraining", choices=["synthetic", "patches"], default="synthetic")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[*WAYS])
    options = parser.parse_args()
    X, y, groups = load_training_images(SIZE)
    learn, held_out = held_out_patients(y, groups, seed=0)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pretrained.weights.h5")
        took = pretrain(X[learn] if options.pretraining == "patches" else None, path)
        print(f"pretraining, {options.pretraining}: {took:.0f} s", flush=True)
        print(f"{'':8s}" + "".join(f"{n:>26d} images" for n in N_IMAGES))
        for way in options.ways:
            cells = []
            for n in N_IMAGES:
                scores, start = [], time.perf_counter()
                for seed in range(options.seeds):
                    rows = np.random.default_rng(seed).permutation(learn)[:n]
                    clf = InceptionPneumoniaClassifier(
                        SIZE, **{"weights": path, "fine_tune_learning_rate": 1e-3, **WAYS[way]}
                    ).set_params(random_state=seed)
                    clf.fit(X[rows], y[rows])
                    scores.append(roc_auc_score(y[held_out], clf.predict_proba(X[held_out])[:, 1]))
                seconds = (time.perf_counter() - start) / options.seeds
                told = "/".join(f"{score:.3f}" for score in scores)
                cells.append(f"AUC {told}, {seconds:.0f} s")
            print(f"{way:8s}" + "".join(f"{cell:>33s}" for cell in cells), flush=True)


main()
