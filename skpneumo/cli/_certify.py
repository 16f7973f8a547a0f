"""``skpneumo certify``."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from textwrap import wrap
from typing import Annotated

import typer

from skpneumo.cli._console import ERR, print_lines, results_width
from skpneumo.cli._labels_file import match_rows, read_labels, write_labels
from skpneumo.cli._messages import errors_as_messages, warnings_as_messages
from skpneumo.cli._options import (
    AllViews,
    Model,
    SiteFolder,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import Number
from skpneumo.cli._site import find_pool
from skpneumo.exceptions import DatasetError

LABELS_WANTED = 4  # exit status
# Fixed, so that nobody tries several orders and keeps the threshold that pleases most.
_RANDOM_STATE = 0

_MinRecall = Annotated[float, open_fraction("RECALL", "Recall of patients to certify.")]
_Confidence = Annotated[
    float, open_fraction("CONFIDENCE", "Confidence that it is reached on new patients.")
]
_Images = Annotated[
    int, typer.Option(parser=Number(int, 1), metavar="N", help="Number of images to list at once.")
]


def certify(
    model: Model,
    folder: SiteFolder,
    labels: Annotated[
        Path, output_file("Table of the images to be read, CSV; type the labels into it.")
    ],
    save: Annotated[Path, output_file("Write the model with the certified threshold here.")],
    min_recall: _MinRecall = 0.95,
    confidence: _Confidence = 0.95,
    images: _Images = 20,
    all_views: AllViews = False,
):
    """Certify the recall of a model at a new site, with labels of a part of its X-rays.

    The first run lists images in the table. Type a label (or unsure) beside each, and run the same
    command again: it takes the labels and lists more, until the recall is certified. The exit
    status is 4 while labels are wanted. What is known is kept beside the table, in a file that ends
    in .state.
    """
    with errors_as_messages("The certification", ERR) as written:
        with warnings_as_messages(ERR), ERR.status("Certifying …"), redirect_stdout(sys.stderr):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo.cli._models import open_model

            pool = find_pool(folder, views_to_load(all_views))
            certifier = _open_certifier(open_model(model), pool, labels, min_recall, confidence)
            typed = read_labels(labels, certifier.classes_.tolist()) if labels.exists() else {}
            names = [os.path.relpath(file, folder) for file in pool[0]]
            _record(certifier, match_rows(typed, names, labels), labels)
            if not certifier.finished_:
                listed = dict.fromkeys((names[row] for row in certifier.next_images(images)), "")
                write_labels(typed | _new(listed, typed), labels)
                certifier.save(_state_file(labels))
                written.append(labels)
        if not certifier.finished_:
            n_wanted = len(_new(listed, typed)) + sum(label == "" for label in typed.values())
            negative, positive = certifier.classes_.tolist()
            _print_folded(
                f"Labelled images: {certifier.n_labelled_:,} of {len(names):,}; still needed: "
                f"about {certifier.n_remaining_:,}. Type {negative}, {positive} or unsure beside "
                f"each image without a label in {labels} ({n_wanted}), and run the command again."
            )
            raise typer.Exit(LABELS_WANTED)
        _save_certified(certifier, save)
        written.append(save)
        _print_folded(_describe(certifier))


def _record(certifier, rows_and_labels, table):
    """Record the whole table: labels that were corrected in it replace the earlier ones."""
    try:
        certifier.reset().record(*rows_and_labels)
    except ValueError as error:
        raise DatasetError(
            f"{table} does not fit: {error} Rows count the files of the folder by name, from 0."
        ) from None


def _print_folded(text):
    width = results_width()
    print_lines(text if width is None else "\n".join(wrap(text, width, break_on_hyphens=False)))


def _new(listed, typed):
    return {file: label for file, label in listed.items() if file not in typed}


def _state_file(labels):
    return labels.with_name(f"{labels.name}.state")


def _open_certifier(model, pool, labels, min_recall, confidence):
    """Resume from the state beside the table, or begin."""
    from sklearn.frozen import FrozenEstimator

    from skpneumo.sites import RecallCertifier

    files, patients = pool
    frozen, state = FrozenEstimator(model), _state_file(labels)
    if not state.exists():
        if labels.exists():
            raise DatasetError(
                f"{labels} exists, but {state} does not, which holds the order of the images. "
                "Restore it, or name a new table."
            )
        return RecallCertifier(
            frozen, min_recall=min_recall, confidence=confidence, random_state=_RANDOM_STATE
        ).fit(files, groups=patients)
    certifier = RecallCertifier.load(state, frozen, files, groups=patients)
    if (certifier.min_recall, certifier.confidence) != (min_recall, confidence):
        raise DatasetError(
            f"{state} was begun with --min-recall {certifier.min_recall:g} and --confidence "
            f"{certifier.confidence:g}. Use these, or name a new table."
        )
    return certifier


def _save_certified(certifier, save):
    from skpneumo.persistence import save_model

    if certifier.recall_lower_bound_ < certifier.min_recall:
        raise DatasetError(
            "No model is written, since the recall is not certified. Begin with more images and a "
            "new table."
        )
    save_model(certifier.classifier_, save)


def _describe(certifier):
    how = {
        "upwards": "reading from the lowest score upwards",
        "random sample": "reading a random sample",
    }
    classifier = certifier.classifier_
    return (
        f"Decision threshold {certifier.threshold_:.4g}: {classifier.describe_threshold()}, "
        f"{how[certifier.plan_]}."
    )
