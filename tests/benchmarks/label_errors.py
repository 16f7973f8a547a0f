"""Labels of the training images that both networks contradict, out of fold.

    python tests/benchmarks/label_errors.py [--memory FOLDER] [--list] [--images N]

Each packaged network is fitted on two of three folds of patients of `chest_xray/train` and `val`,
with the recipe, seed and folds of `pretrain.py`, and scores the third: with the same `--memory` its
fits are not repeated. A label is contradicted if both out-of-fold probabilities of it are below one
minus the level. `--list` prints the files, `--images` uses the first of shuffled patients alone.
"""

import argparse
import os

import numpy as np
from _xrays import load_folder
from pretrain import make_classifier, make_folds
from sklearn.model_selection import cross_val_predict

LEVELS = (0.5, 0.9)


def score_out_of_fold(data, memory):
    """Probability of pneumonia by each network: array of shape (2, n)."""
    X, y, groups = data
    return np.stack(
        [
            cross_val_predict(
                make_classifier(name, memory),
                X,
                y,
                groups=groups,
                cv=make_folds(),
                method="predict_proba",
            )[:, 1]
            for name in ("cnn", "inception")
        ]
    )


def draw_patients(groups, n_images):
    """Rows of as many whole patients as hold at least so many images."""
    names, numbers = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(names))
    n_patients = np.searchsorted(np.cumsum(np.bincount(numbers)[order]), n_images) + 1
    return np.flatnonzero(np.isin(numbers, order[:n_patients]))


def main():
    """Print a table, and the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--memory", help="folder of the fits")
    parser.add_argument("--list", action="store_true", dest="lists_files")
    parser.add_argument("--images", type=int)
    options = parser.parse_args()
    folder = load_folder()
    rows = np.flatnonzero(folder.split != "test")
    if options.images is not None:
        rows = rows[draw_patients(folder.groups[rows], options.images)]
    paths, target, groups = (folder[name][rows] for name in ("paths", "target", "groups"))
    scores = score_out_of_fold((paths, target, groups), options.memory)
    is_positive = target == "PNEUMONIA"
    of_label = np.where(is_positive, scores, 1 - scores).max(axis=0)
    print("| label | images |", *(f"contradicted at {level} |" for level in LEVELS))
    print("| --- " * (len(LEVELS) + 2) + "|")
    for name, one in (("PNEUMONIA", is_positive), ("NORMAL", ~is_positive)):
        counts = [np.sum(one & (of_label < 1 - level)) for level in LEVELS]
        print(f"| {name} | {one.sum():,} |", *(f"{count} |" for count in counts))
    if options.lists_files:
        for i in np.flatnonzero(of_label < 1 - LEVELS[0]):
            print(f"{of_label[i]:.3f} {os.path.basename(paths[i])}")


main()
