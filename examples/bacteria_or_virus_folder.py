"""
Bacterial or viral pneumonia
============================

For the public collection of Kermany et al., whose file names state the pathogen: the gallery does
not run it. The same classifiers learn another question, on the images with pneumonia alone::

    python bacteria_or_virus_folder.py chest_xray --weights inception_v3_notop.h5
    python bacteria_or_virus_folder.py chest_xray --weights FILE --elsewhere other_hospital

``--weights`` is a file of InceptionV3 weights without the top; without it they are downloaded. The
training takes about ten minutes on two cores. Kermany et al. (Cell 172, 2018) report an area under
the ROC curve of .940 for this question on the official test split.
"""

import argparse

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.datasets import load_xray_folder
from skpneumo.evaluation import evaluate

# %%
# Images with pneumonia, by pathogen
# ----------------------------------
#
# ``subtype`` is "bacteria", "virus", or empty. Viral pneumonia is the positive class; patients are
# kept together by ``groups``.


def select_pneumonia(data, rows):
    """Return paths, targets (1 is viral) and patients of the images with pneumonia among rows."""
    rows = rows & (data.target == "PNEUMONIA")
    return data.paths[rows], (data.subtype[rows] == "virus").astype(int), data.groups[rows]


def make_classifier(model, weights):
    """Create the network."""
    if model == "cnn":
        return CNNPneumoniaClassifier(image_size=(96, 96), random_state=0, verbose=2)
    return InceptionPneumoniaClassifier(
        image_size=(150, 150), weights=weights, random_state=0, verbose=2
    )


def print_auc(name, classifier, images):
    """Print the area under the ROC curve, with its interval by patients."""
    X, y, groups = images
    auc = evaluate(classifier, X, y, groups=groups).metrics["roc_auc"]
    print(f"{name}: {len(y)} images, AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]")


# %%
# Training and evaluation
# -----------------------


def main():
    """Train on all but the test split, and evaluate there and elsewhere."""
    parser = argparse.ArgumentParser(description="Distinguish bacterial from viral pneumonia.")
    parser.add_argument("folder")
    parser.add_argument("--elsewhere", help="folder of another hospital")
    parser.add_argument("--model", choices=["inception", "cnn"], default="inception")
    parser.add_argument("--weights", default="imagenet")
    options = parser.parse_args()
    data = load_xray_folder(options.folder)
    X, y, groups = select_pneumonia(data, data.split != "test")
    classifier = make_classifier(options.model, options.weights).fit(X, y, groups=groups)
    print_auc("test", classifier, select_pneumonia(data, data.split == "test"))
    if options.elsewhere:
        other = load_xray_folder(options.elsewhere)
        print_auc("elsewhere", classifier, select_pneumonia(other, other.target != ""))


if __name__ == "__main__":
    main()
