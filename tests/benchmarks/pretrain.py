"""Train the network that comes with the package.

    python tests/benchmarks/pretrain.py FILE

It learns from `chest_xray/train` and `val` alone, and is measured on `chest_xray/test` once, at
the threshold that was chosen on out-of-fold scores; both are written into FILE. `shipped.py`
measures it again, and on shifted copies.
"""

import argparse
import time
import warnings

from _measure import machine
from _xrays import evaluate_on_test, load_folder
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayOutlierDetector,
    save_model,
)
from skpneumo.exceptions import OutlierWarning

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


def main():
    """Fit, measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="to be written, such as cnn.skpneumo")
    path = parser.parse_args().file
    data = load_folder()
    test = data.split == "test"
    X, y, groups = data.paths[~test], data.target[~test], data.groups[~test]
    model = make_pipeline(
        XRayOutlierDetector(),
        OperatingPointClassifierCV(
            CNNPneumoniaClassifier((96, 96), filters=FILTERS, epochs=EPOCHS, random_state=SEED),
            min_recall=0.98,
            confidence=0.95,
            cv=StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED),
            refit=True,  # one network is a third of the size, and of the time
        ),
    )
    start = time.perf_counter()
    model.fit(X, y, xrayoutlierdetector__groups=groups, operatingpointclassifiercv__groups=groups)
    minutes = (time.perf_counter() - start) / 60
    point = model[-1]
    recipe = (
        f"tests/benchmarks/pretrain.py: filters {FILTERS}, {EPOCHS} epochs, seed {SEED} for "
        f"weights, order and the {N_FOLDS} folds of patients that the threshold was chosen on; "
        f"{minutes:.0f} minutes on {machine()}."
    )
    out_of_fold = (
        f"Recall {point.recall_:.3f} (certified {point.recall_lower_bound_:.3f}), specificity "
        f"{point.specificity_:.3f} of {point.n_positive_units_} positive and "
        f"{point.n_negative_units_} negative {point.unit_}s, threshold {point.best_threshold_:.4f}."
    )
    print(recipe, out_of_fold, sep="\n", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        report = evaluate_on_test(model, data)
    print(report)
    data_note = NOTES["Data"].format(f"{len(y):,}", f"{test.sum():,}")
    notes = NOTES | {"Data": data_note, "Recipe": recipe, "Out of fold": out_of_fold}
    save_model(model, path, training_data=(X, y), evaluation=report, notes=notes)


main()
