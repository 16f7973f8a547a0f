"""Train the network that comes with the package.

    python tests/benchmarks/pretrain.py FILE [--reference]

It learns from `chest_xray/train` and `val` alone, and is measured on `chest_xray/test` once, at
the threshold that was chosen on out-of-fold scores; both are written into FILE. `shipped.py`
measures it again, and on shifted copies.
"""

import argparse
import re
import time
import warnings

import numpy as np
from _measure import machine
from _xrays import evaluate_on_test, load_folder
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayOutlierDetector,
    load_model,
    save_model,
)
from skpneumo.exceptions import OutlierWarning
from skpneumo.model_selection._out_of_fold import fit_folds
from skpneumo.model_selection._reference import make_reference
from skpneumo.persistence import model_card

SEED = 0
N_FOLDS = 3
EPOCHS = 56
# Half as wide again as the default, which has to fit in five minutes.
FILTERS = (48, 56, 112, 224)
NOTES = {
    "Data": "Chest X-rays of children one to five years old, Guangzhou Women and Children's "
    "Medical Center: Kermany, Zhang & Goldbaum, 'Labeled Optical Coherence Tomography (OCT) and "
    "Chest X-Ray Images for Classification', Mendeley Data, rscbjbr9sj. Learnt from {} images "
    "of its official training split, measured on {} others of that split, of other patients.",
    "Licence of the data": "CC BY 4.0; the images were brought to 224 x 224 pixels.",
    "Limits": "Children of one hospital, sorted into pneumonia and normal: other diseases, "
    "adults, side views and other devices were not seen. Positive and negative images of "
    "this collection also differ in how they were cut and scanned. Not a medical device: choose "
    "the threshold again on a sample of the hospital, and do not decide about a patient with it.",
}


def make_classifier():
    """The network, not fitted."""
    return CNNPneumoniaClassifier((96, 96), filters=FILTERS, epochs=EPOCHS, random_state=SEED)


def make_folds():
    """The folds of patients."""
    return StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED)


def train(data):
    """Fit the model; return it, and the recipe in words."""
    X, y, groups = data
    model = make_pipeline(
        XRayOutlierDetector(),
        OperatingPointClassifierCV(
            make_classifier(),
            min_recall=0.98,
            confidence=0.95,
            cv=make_folds(),
            refit=True,  # one network is a third of the size, and of the time
        ),
    )
    start = time.perf_counter()
    model.fit(X, y, xrayoutlierdetector__groups=groups, operatingpointclassifiercv__groups=groups)
    minutes = (time.perf_counter() - start) / 60
    return model, f"{minutes:.0f} minutes on {machine()}."


def score_out_of_fold(data):
    """Score each image by a network that was trained without its patient."""
    X, y, groups = data
    splits = list(make_folds().split(X, y, groups))
    return fit_folds(make_classifier(), X, y, splits)[1]


def add_reference(path, data):
    """Give a model that was trained before the scores that travel with it."""
    model = load_model(path)
    _, y, groups = data
    model[-1].reference_ = make_reference(y == "PNEUMONIA", score_out_of_fold(data), groups)
    trained = re.search(r"[0-9]+ minutes on [^.]*\.", model_card(path))[0]
    return model, f"{trained} Out-of-fold scores computed again on {machine()}."


def save(model, path, data, folder, how):
    """Measure the model once, and write it with its notes."""
    point = model[-1]
    recipe = (
        f"tests/benchmarks/pretrain.py: filters {FILTERS}, {EPOCHS} epochs, seed {SEED} for "
        f"weights, order and the {N_FOLDS} folds of patients that the threshold was chosen on; "
        f"{how}"
    )
    out_of_fold = (
        f"Recall {point.recall_:.3f} (certified {point.recall_lower_bound_:.3f}), specificity "
        f"{point.specificity_:.3f} of {point.n_positive_units_} positive and "
        f"{point.n_negative_units_} negative {point.unit_}s, threshold "
        f"{point.best_threshold_:.4f}."
    )
    print(recipe, out_of_fold, sep="\n", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        report = evaluate_on_test(model, folder)
    print(report)
    n_test = np.sum(folder.split == "test")
    data_note = NOTES["Data"].format(f"{len(data[1]):,}", f"{n_test:,}")
    notes = NOTES | {"Data": data_note, "Recipe": recipe, "Out of fold": out_of_fold}
    save_model(model, path, training_data=data[:2], evaluation=report, notes=notes)


def main():
    """Fit, measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="to be written, such as cnn.skpneumo")
    parser.add_argument(
        "--reference", action="store_true", help="train the folds alone, for the scores of FILE"
    )
    options = parser.parse_args()
    folder = load_folder()
    train_rows = folder.split != "test"
    data = tuple(folder[name][train_rows] for name in ("paths", "target", "groups"))
    model, how = add_reference(options.file, data) if options.reference else train(data)
    save(model, options.file, data, folder, how)


if __name__ == "__main__":
    main()
