"""What a group with few images of its own should train: from scratch, or from a trained network.

    python tests/benchmarks/few_images.py home|elsewhere [--ways NAME ...] [--splits N]
                                          [--images N ...] [--memory FOLDER]

`elsewhere`: each split trains on patients of one half of `new_site` and measures on the other half;
nothing of it is kept. This is the one benchmark that may train on `new_site`. `home`: the patients
are of `chest_xray/train`, one fifth of them measures and two fifths have the images to train on;
the starting networks are trained on the other two fifths, once if `--memory` names a folder. Each
cell is the mean AUC over splits, with its standard error, and the specificity at a recall of .98.
"no training" is the starting network as it is.
"""

import argparse
import os
import tempfile
import time

import numpy as np
from _xrays import load_other_data, load_training_images, photographs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    XRayResizer,
    save_model,
)
from skpneumo.metrics import specificity_at_recall_score
from skpneumo.persistence import pretrained_path

# Steps of 32 images: fits on few images have as many epochs as that takes.
MIN_STEPS = 100
RECALL = 0.98


def flatten(images):
    """Pixels as features."""
    return np.asarray(images).reshape(len(images), -1) / 255


def make_ways(starts, n_images, seed):
    """Estimators by name, not fitted; those without training as (estimator, None)."""
    epochs = -(-MIN_STEPS * 32 // n_images)
    cnn = {"image_size": (96, 96), "random_state": seed}
    inception = {"image_size": (150, 150), "random_state": seed}
    tuned = {"epochs": max(3, epochs // 2)}
    return {
        "logistic regression": make_pipeline(
            XRayResizer((32, 32)),
            FunctionTransformer(flatten),
            LogisticRegression(C=0.01, max_iter=1000),
        ),
        "cnn, scratch": CNNPneumoniaClassifier(**cnn, epochs=max(20, epochs)),
        "cnn, started": CNNPneumoniaClassifier(**cnn, **tuned, weights=starts["cnn"]),
        "cnn, started, head": CNNPneumoniaClassifier(
            **cnn, epochs=30, trainable="head", weights=starts["cnn"]
        ),
        "inception, photographs": InceptionPneumoniaClassifier(
            **inception, epochs=max(5, epochs), weights=photographs()
        ),
        "inception, started": InceptionPneumoniaClassifier(
            **inception, **tuned, weights=starts["inception"]
        ),
        "inception, started, head": InceptionPneumoniaClassifier(
            **inception, epochs=30, trainable="head", weights=starts["inception"]
        ),
    }


def measure(model, X, y):
    """AUC, and specificity at the recall."""
    score = model.predict_proba(X)[:, 1]
    return roc_auc_score(y, score), specificity_at_recall_score(y, score, min_recall=RECALL)


def draw_images(rows, y, groups, n_images, seed):
    """Rows of about so many images, of whole patients, of both classes in proportion."""
    n_parts = round(len(rows) / n_images)
    if n_parts < 2:
        return rows
    cv = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    _, drawn = next(cv.split(rows, y[rows], groups[rows]))
    return rows[drawn]


def show(way, n_images, results, seconds):
    """One line: means with standard errors."""
    means = np.mean(results, axis=0)
    errors = np.std(results, axis=0, ddof=1) / np.sqrt(len(results)) if len(results) > 1 else [0, 0]
    cells = " | ".join(f"{m:.3f} ± {e:.3f}" for m, e in zip(means, errors, strict=True))
    print(f"| {n_images} | {way} | {cells} | {seconds:.0f} |", flush=True)


def run(X, y, groups, splits, starts, options):
    """Print a row for each number of images and way."""
    print("| images | way | AUC | specificity | seconds a fit |")
    print("| --- " * 5 + "|")
    for way in ("cnn", "inception"):
        untrained = load_start(starts[way], way, X[:2])
        show(f"{way}, no training", 0, [measure(untrained, X[b], y[b]) for _, b in splits], 0)
    for n_images in options.images:
        for way in options.ways or make_ways(starts, n_images, 0):
            results, start = [], time.perf_counter()
            for seed, (pool, test) in enumerate(splits):
                rows = draw_images(pool, y, groups, n_images, seed)
                model = make_ways(starts, len(rows), seed)[way].fit(X[rows], y[rows])
                results.append(measure(model, X[test], y[test]))
            show(way, n_images, results, (time.perf_counter() - start) / len(splits))


def load_start(path, way, X):
    """The starting network as it is."""
    kinds = {"cnn": CNNPneumoniaClassifier, "inception": InceptionPneumoniaClassifier}
    sizes = {"cnn": (96, 96), "inception": (150, 150)}
    return kinds[way](sizes[way], weights=path).initialize(X, [0, 1])


def split_elsewhere(y, groups, n_splits):
    """Halves of the patients, each split drawn again."""
    for seed in range(n_splits):
        cv = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
        yield next(cv.split(y, y, groups))


def train_starts(X, y, folder, memory):
    """Starting networks of the other patients of the same hospital."""
    starts = {}
    for way, clf in (
        ("cnn", CNNPneumoniaClassifier((96, 96))),
        ("inception", InceptionPneumoniaClassifier((150, 150), weights=photographs())),
    ):
        starts[way] = os.path.join(folder, f"{way}.skpneumo")
        save_model(clf.set_params(random_state=0, memory=memory).fit(X, y), starts[way])
    return starts


def main():
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("where", choices=["home", "elsewhere"])
    parser.add_argument("--ways", nargs="+", help="some of the rows")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--images", type=int, nargs="+", default=[50, 100, 200, 400, 1600])
    parser.add_argument("--memory", help="folder for the starting networks of `home`")
    options = parser.parse_args()
    if options.where == "elsewhere":
        X, y, groups = load_other_data()
        starts = {name: pretrained_path(name) for name in ("cnn", "inception")}
        run(X, y, groups, list(split_elsewhere(y, groups, options.splits)), starts, options)
        return
    X, y, groups = load_training_images()
    cv = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    fifths = [rows for _, rows in cv.split(y, y, groups)]
    first, pool, test = np.concatenate(fifths[:2]), np.concatenate(fifths[2:4]), fifths[4]
    with tempfile.TemporaryDirectory() as folder:
        starts = train_starts(X[first], y[first], folder, options.memory)
        run(X, y, groups, [(pool, test)] * options.splits, starts, options)


main()
