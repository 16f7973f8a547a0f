"""
Certifying a model on a folder of X-rays
========================================

For a folder of your own: the gallery does not run it. It takes the folder and a table, CSV with the
columns ``file`` (a path in the folder), ``patient`` and ``label``, which may be empty::

    python new_hospital_folder.py scans/ scans.csv --prevalence 0.25 --save local.skpneumo

It checks the site and shows how many labels are needed. Then it takes the labels from the table, or
asks for those that are missing: n for normal, p for pneumonia, u where you are unsure, q to stop.
Called again, it goes on. Labels should come from radiologists who do not see the predictions.

``skpneumo check-site`` and ``skpneumo certify`` do the same on the command line, without a table of
patients: they are identified by the headers of DICOM files, or by names of files.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator

from skpneumo import load_model, load_pretrained, save_model
from skpneumo.sites import RecallCertifier, check_site, plan_labels

# %%
# Images, patients and labels
# ---------------------------
#
# A label is NORMAL, PNEUMONIA, or None where the reader is unsure.

LABELS = {"n": "NORMAL", "p": "PNEUMONIA", "u": None}


def read_table(path, folder):
    """Read the paths, patients and labels of the images."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    paths = np.array([str(folder / row["file"]) for row in rows])
    return paths, np.array([row["patient"] for row in rows]), [row["label"] for row in rows]


def get_label(path, typed):
    """Return the label in the table, or ask for it."""
    if typed in ("NORMAL", "PNEUMONIA"):
        return typed
    while True:
        answer = input(f"{path} [n/p/u/q]: ").strip().lower()
        if answer == "q":
            raise SystemExit("Stopped. Call the script again to go on.")
        if answer in LABELS:
            return LABELS[answer]


# %%
# From the table to a certified model
# -----------------------------------
#
# The state of the certification lies beside the model and is written after each label.


def open_certifier(model, paths, patients, min_recall, state):
    """Go on with a certification, or begin."""
    if state.exists():
        return RecallCertifier.load(state, FrozenEstimator(model), paths, groups=patients)
    certifier = RecallCertifier(FrozenEstimator(model), min_recall=min_recall, random_state=0)
    return certifier.fit(paths, groups=patients)


def main():
    """Check, plan, certify and save."""
    parser = argparse.ArgumentParser(description="Certify the recall of a model on a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--model", help="file of save_model; by default load_pretrained()")
    parser.add_argument("--prevalence", type=float, default=0.25)
    parser.add_argument("--min-recall", type=float, default=0.95)
    parser.add_argument("--save", type=Path, default=Path("local.skpneumo"))
    options = parser.parse_args()

    model = load_model(options.model) if options.model else load_pretrained()
    paths, patients, labels = read_table(options.table, options.folder)
    print(check_site(model, paths, groups=patients), end="\n\n")
    print(plan_labels(model, prevalence=options.prevalence, min_recall=options.min_recall))

    state = options.save.with_suffix(".state.json")
    certifier = open_certifier(model, paths, patients, options.min_recall, state)
    while not certifier.finished_:
        print(f"\nAbout {certifier.n_remaining_} images are still to be labelled.")
        for row in certifier.next_images(10):
            certifier.record([row], [get_label(paths[row], labels[row])])
            certifier.save(state)
    save_model(certifier.classifier_, options.save)
    print(f"{options.save}: decision threshold {certifier.threshold_:.4g}")
    print(f"{certifier.classifier_.describe_threshold()}.")


if __name__ == "__main__":
    main()
