"""``skpneumo certify``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._console import print_paragraphs
from skpneumo.cli._errors import ExitCode
from skpneumo.cli._labels_file import match_rows, read_labels, write_labels
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Model,
    Output,
    Quiet,
    SiteFolder,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import Number
from skpneumo.cli._run import quote, start_run
from skpneumo.cli._site import find_pool
from skpneumo.exceptions import DatasetError

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
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Certify the recall at a new site with a part of the labels.

    The first run lists images in the table. Type a label (or unsure) beside each, and run the same
    command again: it takes the labels and lists more, until the recall is certified. The exit
    status is 4 while labels are wanted. What is known is kept beside the table, in a file that ends
    in .state.
    """
    with start_run("The certification", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Certifying"):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo.cli._models import open_model
            from skpneumo.cli._timing import time_predictions

            classifier = open_model(model)
            pool = find_pool(folder, views_to_load(all_views), run)
            run.announce(time_predictions(classifier, pool[0]), "The certification")
            certifier = _open_certifier(classifier, pool, labels, min_recall, confidence)
            typed = read_labels(labels, certifier.classes_.tolist()) if labels.exists() else {}
            names = [os.path.relpath(file, folder) for file in pool[0]]
            _record(certifier, match_rows(typed, names, labels), labels)
            if certifier.finished_:
                _save_certified(certifier, save)
                run.written.append(save)
            else:
                listed = dict.fromkeys((names[row] for row in certifier.next_images(images)), "")
                typed |= _new(listed, typed)
                write_labels(typed, labels)
                certifier.save(_state_file(labels))
                run.written.append(labels)
        n_wanted = sum(label == "" for label in typed.values())
        text = (
            _describe(certifier)
            if certifier.finished_
            else _describe_wanted(certifier, labels, n_wanted, len(names))
        )
        result = _describe_as_dict(certifier, n_wanted, len(names))
        run.deliver(result, lambda: print_paragraphs(text))
        if not certifier.finished_:
            run.next_step = f"type the labels into {labels}, and run the command again."
            raise typer.Exit(ExitCode.LABELS_WANTED)
        run.next_step = f"skpneumo predict {quote(save)} {quote(folder)}"


def _record(certifier, rows_and_labels, table):
    """Record the whole table: labels that were corrected in it replace the earlier ones."""
    try:
        certifier.reset().record(*rows_and_labels)
    except ValueError as error:
        raise DatasetError(
            f"{table} does not fit: {error} Rows count the files of the folder by name, from 0."
        ) from None


def _describe_wanted(certifier, labels, n_wanted, n_images):
    negative, positive = certifier.classes_.tolist()
    return (
        f"Labelled images: {certifier.n_labelled_:,} of {n_images:,}; still needed: "
        f"about {certifier.n_remaining_:,}. Type {negative}, {positive} or unsure beside "
        f"each image without a label in {labels} ({n_wanted}), and run the command again."
    )


def _describe_as_dict(certifier, n_wanted, n_images):
    result = {
        "finished": bool(certifier.finished_),
        "min_recall": certifier.min_recall,
        "confidence": certifier.confidence,
        "n_images": n_images,
        "n_labelled": int(certifier.n_labelled_),
    }
    if not certifier.finished_:
        return result | {"n_remaining": int(certifier.n_remaining_), "n_listed": n_wanted}
    return result | {
        "plan": certifier.plan_,
        "threshold": float(certifier.threshold_),
        "certified_recall": float(certifier.recall_lower_bound_),
    }


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
