"""Train a network that comes with the package.

    python tests/benchmarks/pretrain.py FILE [--model cnn|inception|mean] [--memory FOLDER]

It learns from `chest_xray/train` and `val` alone, and is measured on `chest_xray/test` once, at
the threshold that was chosen on out-of-fold scores; both are written into FILE. The kernels of
Inception are rounded to 8 bits first. The mean of both holds no networks, but the names of the two
that are in the package, which are to be trained before; with the same `--memory` they are not
trained again, and a training that was killed is resumed. `shipped.py` measures a network again, and
on shifted copies.
"""

import argparse
import os
import tempfile
import time
import warnings

import numpy as np
from _measure import machine
from _xrays import evaluate_on_test, load_folder, photographs
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayOutlierDetector,
    load_model,
    save_model,
)
from skpneumo._utils.model_file import (
    find_networks,
    read_manifest,
    read_model_file,
    write_model_file,
)
from skpneumo._utils.unwrap import unwrap
from skpneumo.exceptions import OutlierWarning
from skpneumo.model_selection import LogOddsMeanClassifier
from skpneumo.persistence import pretrained_path

SEED = 0
N_FOLDS = 3
EPOCHS = 56
# Half as wide again as the default, which has to fit in five minutes.
FILTERS = (48, 56, 112, 224)
MIN_RECALL = {"cnn": 0.98, "inception": 0.92, "mean": 0.92}
# The collection has three positive images for each negative one, unlike any hospital.
PREVALENCE = 0.25
INITIAL_WEIGHTS = (
    "InceptionV3 learnt on ImageNet and then as an image classifier, published as npm package "
    "nsfwjs 4.3.0, where it is stored in 8 bits (MIT licence, copyright Infinite Red)"
)
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


def make_classifier(name, memory=None):
    """The network, not fitted."""
    if name == "mean":
        members = [(member, make_classifier(member, memory)) for member in ("cnn", "inception")]
        return LogOddsMeanClassifier(members, prevalence=PREVALENCE)
    options = {"random_state": SEED, "memory": memory}
    if name == "inception":
        return InceptionPneumoniaClassifier((150, 150), weights=photographs(), **options)
    return CNNPneumoniaClassifier((96, 96), filters=FILTERS, epochs=EPOCHS, **options)


def make_folds():
    """The folds of patients."""
    return StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED)


def train(classifier, min_recall, data):
    """Fit the model; return it, and the recipe in words."""
    X, y, groups = data
    model = make_pipeline(
        XRayOutlierDetector(),
        OperatingPointClassifierCV(
            classifier,
            min_recall=min_recall,
            confidence=0.95,
            cv=make_folds(),
            refit=True,  # one network is a third of the size, and of the time
        ),
    )
    start = time.perf_counter()
    model.fit(X, y, xrayoutlierdetector__groups=groups, operatingpointclassifiercv__groups=groups)
    minutes = (time.perf_counter() - start) / 60
    return model, f"{minutes:.0f} minutes on {machine()}."


def round_weights(model):
    """The model as it is loaded from a file with weights in 8 bits, computing in float32.

    float32 gives the same probabilities on all processors, is faster on those without instructions
    for bfloat16, and for single images on those with them, where casting the weights takes longest.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rounded.skpneumo")
        save_model(model, path, weights_dtype="int8")
        manifest, arrays = read_model_file(path)
        for network in find_networks(manifest["estimator"]):
            network["fitted"]["precision"] = "float32"
        write_model_file(path, manifest, arrays, quantize=True)
        return load_model(path)


def name_packaged_networks(path):
    """Replace the networks of a mean in a file by the names of those in the package."""
    manifest, arrays = read_model_file(path)
    (_, point) = manifest["estimator"]["steps"][-1]
    point["estimator_"]["averaged_estimators_"] = [
        {
            "class": "PretrainedNetwork",
            "name": name,
            "fingerprint": read_manifest(pretrained_path(name))["model"]["fingerprint"],
        }
        for name in ("cnn", "inception")
    ]
    others = {name: array for name, array in arrays.items() if not name.startswith("weights/")}
    write_model_file(path, manifest, others)


def describe_recipe(model, how):
    """How it was trained, in words."""
    trained = ", ".join(
        f"{classifier} ({len(classifier.history_['loss'])} epochs)"
        for classifier in unwrap(model).classifiers
    )
    return (
        f"tests/benchmarks/pretrain.py: {trained}, seed {SEED} for weights, order and the "
        f"{N_FOLDS} folds of patients that the threshold was chosen on; {how}"
    )


def save(model, path, data, folder, how, *, rounded):
    """Measure the model once, and write it with its notes."""
    point = model[-1]
    recipe = describe_recipe(model, how)
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
    if rounded:
        notes["Initial weights"] = INITIAL_WEIGHTS
    save_model(
        model,
        path,
        training_data=data[:2],
        evaluation=report,
        notes=notes,
        # Weights that were rounded already stay as they are.
        weights_dtype="int8" if rounded else "float32",
    )


def main():
    """Fit, measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="to be written, such as cnn.skpneumo")
    parser.add_argument("--model", choices=MIN_RECALL, default="cnn")
    parser.add_argument("--memory", help="folder of the states of a training")
    options = parser.parse_args()
    folder = load_folder()
    train_rows = folder.split != "test"
    data = tuple(folder[name][train_rows] for name in ("paths", "target", "groups"))
    classifier = make_classifier(options.model, options.memory)
    model, how = train(classifier, MIN_RECALL[options.model], data)
    rounded = options.model != "cnn"
    if rounded:
        model = round_weights(model)
    save(model, options.file, data, folder, how, rounded=rounded)
    if options.model == "mean":
        name_packaged_networks(options.file)


if __name__ == "__main__":
    main()
