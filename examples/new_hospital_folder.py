"""
Certifying a model on a folder of X-rays
========================================

For a folder of your own, so the gallery does not run it. Save it and call it with the folder::

    python new_hospital_folder.py scans/ --prevalence 0.25 --save local.skpneumo

It checks the site, shows how many labels are needed, and asks for the label of one file after
the other: n for normal, p for pneumonia, u where you are unsure, q to stop. Called again, it
goes on. With ``--labels labels.csv``, a table with the columns file and label, it takes the labels
from there. Labels should come from radiologists who do not see the predictions.

``skpneumo check-site`` and ``skpneumo certify`` do the same on the command line.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator

from skpneumo import load_model, load_pretrained, save_model
from skpneumo.datasets import load_xray_folder
from skpneumo.sites import RecallCertifier, check_site, plan_labels

# %%
# Labels
# ------
#
# From a table, or typed. None is an unsure label.

ANSWERS = {"n": "NORMAL", "p": "PNEUMONIA", "u": None}


def read_labels(path):
    """Read the labels of a table by the name of the file."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        return {row["file"]: row["label"] or None for row in csv.DictReader(file)}


def ask(path):
    """Ask for the label of a file."""
    while True:
        answer = input(f"{path} [n/p/u/q]: ").strip().lower()
        if answer == "q":
            raise SystemExit("Stopped. Call the script again to go on.")
        if answer in ANSWERS:
            return ANSWERS[answer]


# %%
# From the folder to a certified model
# ------------------------------------
#
# The state of the certification lies beside the model, so that the labels of one evening are not
# lost.


def open_certifier(model, paths, groups, min_recall, state):
    """Go on with a certification, or begin."""
    if state.exists():
        return RecallCertifier.load(state, FrozenEstimator(model), paths, groups=groups)
    certifier = RecallCertifier(FrozenEstimator(model), min_recall=min_recall, random_state=0)
    return certifier.fit(paths, groups=groups)


def main():
    """Check, plan, certify and save."""
    parser = argparse.ArgumentParser(description="Certify the recall of a model on a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="a file of save_model; without it the pretrained network")
    parser.add_argument("--prevalence", type=float, default=0.25)
    parser.add_argument("--min-recall", type=float, default=0.95)
    parser.add_argument("--labels", type=Path, help="CSV with the columns file and label")
    parser.add_argument("--save", type=Path, default=Path("local.skpneumo"))
    options = parser.parse_args()

    model = load_model(options.model) if options.model else load_pretrained("cnn")
    data = load_xray_folder(options.folder)
    print(check_site(model, data.paths, groups=data.groups), end="\n\n")
    print(plan_labels(model, prevalence=options.prevalence, min_recall=options.min_recall))

    state = options.save.with_suffix(".state.json")
    certifier = open_certifier(model, data.paths, data.groups, options.min_recall, state)
    labels = read_labels(options.labels) if options.labels else None
    while not certifier.finished_:
        print(f"\nAbout {certifier.n_remaining_} images are still to be labelled.")
        for row in certifier.next_images(10):
            path = data.paths[row]
            label = ask(path) if labels is None else labels[Path(path).name]
            certifier.record([row], np.array([label], dtype=object))
            certifier.save(state)
    save_model(certifier.classifier_, options.save)
    print(f"{options.save}: decision threshold {certifier.threshold_:.4g}; ", end="")
    print(f"{certifier.classifier_.describe_threshold()}.")


if __name__ == "__main__" and "__file__" in globals():
    main()
