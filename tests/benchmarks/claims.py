"""The claims that this project started from, on `chest_xray/test`: one table with intervals.

    python tests/benchmarks/claims.py [cnn] [inception] [--epochs N] [--size N] [--seed N]

"Inception improves recall, precision and accuracy; class weights raise recall, and cost accuracy
and precision." Each network learns from `chest_xray/train` and `val`, as many images (its epochs
times their number) as the others, without and with a class weight of 4 for pneumonia. Both start
from random weights; the CNN sees 96 x 96 pixels, Inception fewer, for its time. The threshold is
.5; intervals are of 95 %, by patients.
"""

import argparse
import time

from _xrays import load_images

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.evaluation import evaluate

FIGURES = {
    "accuracy": "accuracy",
    "F1": "f1",
    "precision": "positive_predictive_value",
    "recall": "recall",
    "specificity": "specificity",
    "AUC": "roc_auc",
}


def main():
    """Train four networks and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="*", default=["cnn", "inception"])
    parser.add_argument("--epochs", type=int, default=CNNPneumoniaClassifier().epochs)
    parser.add_argument("--size", type=int, default=80, help="of what Inception sees")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sides = options.size, options.size
    networks = {
        "cnn": CNNPneumoniaClassifier(),
        "inception": InceptionPneumoniaClassifier(sides, weights=None),
    }
    if unknown := set(options.networks) - set(networks):
        parser.error(f"networks are {' and '.join(networks)}; got {', '.join(unknown)}")
    X, y, data = load_images()
    test = data.split == "test"
    print("| network | class weight | " + " | ".join(FIGURES) + " | minutes |")
    print("| --- " * (len(FIGURES) + 3) + "|")
    for network in options.networks:
        for weight in (None, {1: 4}):
            clf = networks[network].set_params(
                epochs=options.epochs, class_weight=weight, random_state=options.seed
            )
            start = time.perf_counter()
            clf.fit(X[~test], y[~test])
            minutes = (time.perf_counter() - start) / 60
            figures = evaluate(clf, X[test], y[test], groups=data.groups[test]).metrics
            cells = [
                f"{figures[name].value:.3f} [{figures[name].low:.3f}, {figures[name].high:.3f}]"
                for name in FIGURES.values()
            ]
            row = [network, "none" if weight is None else "1 : 4", *cells, f"{minutes:.1f}"]
            print("| " + " | ".join(row) + " |", flush=True)


main()
