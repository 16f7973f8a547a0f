"""What ``skpneumo predict`` does: files in, a prediction for each out."""

import csv
import io
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from skpneumo._utils.files import atomic_write, write_text
from skpneumo._utils.heatmap_marks import HEATMAP_METADATA
from skpneumo._utils.unwrap import layers_of
from skpneumo.exceptions import (
    DatasetError,
    ImageReadError,
    NoXRayError,
    OutlierWarning,
)
from skpneumo.images import XRaySequence, read_xray
from skpneumo.inspection import GradCAM, GradCAMDisplay
from skpneumo.persistence import is_model_file, load_model, load_pretrained
from skpneumo.preprocessing import XRayOutlierDetector

DEFAULT_MODEL = "default"
LEFT_OUT = 3  # exit status
COLUMNS = ("file", "probability", "label", "outlier", "outlier_score", "error", "left_out")
_AT_ONCE = 64
_MAX_NAMED = 3  # in a message
_MAX_STEM = 80  # characters of a name kept in that of its heatmap


def open_model(path):
    """Load the model of a file, or "default": the one that comes with the package.

    Parameters
    ----------
    path : str
        As it was typed: a folder or file named "default" is "./default".

    Returns
    -------
    classifier

    Raises
    ------
    ModelFileError
        If the file is none of `save_model`, or missing.
    """
    return load_pretrained() if path == DEFAULT_MODEL else load_model(path)


def open_first_model(paths):
    """Model that is named before X-rays, or the default one, and the X-rays.

    Parameters
    ----------
    paths : list of str
        As they were typed: "default", a model file, or the first of the X-rays; then X-rays.

    Returns
    -------
    model : classifier
    paths : list of str
        Of the X-rays alone.

    Raises
    ------
    DatasetError
        If a model is named after X-rays.
    """
    model, paths = (paths[0], paths[1:]) if _is_model(paths[0]) else (DEFAULT_MODEL, paths)
    late = [path for path in paths if _is_model(path)]
    if late:
        raise DatasetError(f"{late[0]} is a model. Name one, before the X-rays.")
    return open_model(model), paths


def _is_model(path):
    return path == DEFAULT_MODEL or is_model_file(path)


def describe_skipped(skipped):
    """Which heatmaps were not taken for X-rays."""
    n = len(skipped)
    are = "heatmap is" if n == 1 else "heatmaps are"
    return f"{n} {are} skipped, which skpneumo drew: {_shorten(skipped)}."


def describe_errors(rows):
    """Which files could not be read, and why."""
    errors = [f"{row['file']} ({row['error'].rstrip('.')})" for row in rows if row["error"]]
    return f"{len(errors)} of {len(rows)} could not be read: {_shorten(errors)}."


def describe_left_out(rows):
    """Which files hold no frontal chest X-ray; the table has the reasons."""
    names = [row["file"] for row in rows if row["left_out"]]
    hold, are = ("holds", "is") if len(names) == 1 else ("hold", "are")
    return (
        f"{len(names)} of {len(rows)} {hold} no frontal chest X-ray and {are} not predicted: "
        f"{_shorten(names)}."
    )


def exit_status(rows, named):
    """Exit status of ``skpneumo predict``.

    Parameters
    ----------
    rows : list of dict
        Of `predict_files`.
    named : sequence of str
        Files that were named themselves, not found in a folder.

    Returns
    -------
    int
        1 if a file cannot be read; else 3 if files that were named, or all files, are left out;
        else 0.
    """
    if any(row["error"] for row in rows):
        return 1
    left_out = [row["file"] for row in rows if row["left_out"]]
    return LEFT_OUT if len(left_out) == len(rows) or {*left_out} & {*named} else 0


def results_as_dict(rows, *, classes, threshold, skipped):
    """Predictions, files left out and files that cannot be read: to be written as JSON.

    Parameters
    ----------
    rows : list of dict
        Of `predict_files`.
    classes : array-like of shape (2,)
        Of the model, the positive one last.
    threshold : float
        Decision threshold of the model.
    skipped : list of str
        Heatmaps of skpneumo in folders.

    Returns
    -------
    dict
        Of "predictions", "left_out", "unreadable", "skipped", "positive" and "threshold".
    """
    predicted = COLUMNS[: COLUMNS.index("error")]
    return {
        "predictions": [
            {name: row[name] for name in predicted}
            for row in rows
            if not (row["error"] or row["left_out"])
        ],
        "left_out": [
            {"file": row["file"], "reason": row["left_out"]} for row in rows if row["left_out"]
        ],
        "unreadable": [
            {"file": row["file"], "error": row["error"]} for row in rows if row["error"]
        ],
        "skipped": list(skipped),
        "positive": np.asarray(classes).tolist()[1],
        "threshold": float(threshold),
    }


def _shorten(names):
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def check_overwrites_nothing(csv, names):
    """Refuse a table that would replace the model or an X-ray.

    Parameters
    ----------
    csv : path
        Where the table is to be written.
    names : sequence of str
        Files that are read.

    Raises
    ------
    DatasetError
        If it is one of them.
    """
    place = os.path.realpath(csv)
    if any(os.path.realpath(name) == place for name in names):
        raise DatasetError(f"The table would replace {csv}, which is read. Name another file.")


def prepare_folder(folder):
    """Create a folder to write to, and try whether it can be written to.

    Parameters
    ----------
    folder : path
        Where to.

    Raises
    ------
    OSError
        If it cannot be created or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        tempfile.NamedTemporaryFile(prefix=".", suffix=".part", dir=folder).close()
    except OSError as error:
        error.filename = os.fspath(folder)
        raise


def predict_files(model, files, errors=None, left_out=None, *, label_outliers=False):
    """Predict files.

    Parameters
    ----------
    model : classifier
        Fitted; it takes paths.
    files : sequence of str
        Those that cannot be read, also those that vanish meanwhile, stop nothing.
    errors : dict of str to str, default=None
        Files of these that are known to be unreadable, and why.
    left_out : dict of str to str, default=None
        Files of these that are not predicted, since they hold no frontal chest X-ray, and why.
    label_outliers : bool, default=False
        Whether images that a detector in the model flags get a probability and a label too.

    Returns
    -------
    list of dict
        For each file the `COLUMNS`; None where there is nothing to report.
    """
    predicted, errors, left_out = {}, dict(errors or {}), dict(left_out or {})
    with warnings.catch_warnings():
        # Reported file by file.
        warnings.simplefilter("ignore", OutlierWarning)
        for start in range(0, len(files), _AT_ONCE):
            part = [
                file
                for file in files[start : start + _AT_ONCE]
                if file not in errors and file not in left_out
            ]
            predicted |= _predict_readable(model, part, errors, left_out)
    rows = []
    for file in files:
        row = dict.fromkeys(COLUMNS) | {"file": file}
        if file in predicted:
            row |= predicted[file]
            if row["outlier"] and not label_outliers:
                row |= {"probability": None, "label": None}
        elif file in errors:
            row["error"] = errors[file]
        else:
            row["left_out"] = left_out[file]
        rows.append(row)
    return rows


def _predict_readable(model, files, errors, left_out):
    """Predictions by file; the others are added to the errors, or to what is left out."""
    _add_causes(files, errors, left_out)
    while readable := [file for file in files if file not in errors and file not in left_out]:
        try:
            probability = model.predict_proba(readable)[:, 1].tolist()
            labels = np.asarray(model.predict(readable)).tolist()
            scores = _outlier_scores(model, readable)
        except ImageReadError:
            if not _add_causes(readable, errors, left_out):
                raise
            continue
        return {
            file: {
                "probability": score,
                "label": label,
                "outlier": None if outlier_score is None else outlier_score > 1,
                "outlier_score": outlier_score,
            }
            for file, score, label, outlier_score in zip(
                readable, probability, labels, scores, strict=True
            )
        }
    return {}


def _add_causes(files, errors, left_out):
    """Add files that cannot be read, or hold no X-ray; whether there are any."""
    found = XRaySequence(files).find_unreadable()
    for file, error in found.items():
        causes = left_out if isinstance(error, NoXRayError) else errors
        causes[file] = str(error).removeprefix(f"{file}: ")
    return bool(found)


def _outlier_scores(model, files):
    """Of what the detector of a pipeline is given, if there is one."""
    pipelines = (layer for layer in layers_of(model) if isinstance(layer, Pipeline))
    steps = [step for pipeline in pipelines for _, step in pipeline.steps[:-1]]
    where = [i for i, step in enumerate(steps) if isinstance(step, XRayOutlierDetector)]
    if not where:
        return [None] * len(files)
    seen = files
    for step in steps[: where[0]]:
        # Samplers and "passthrough" do nothing to what is predicted.
        if hasattr(step, "transform"):
            seen = step.transform(seen)
    return steps[where[0]].outlier_score(seen).tolist()


def write_table(rows, path):
    """Write what `predict_files` returns as CSV.

    Parameters
    ----------
    rows : list of dict
        Of `predict_files`.
    path : path
        Where to.
    """
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(lines.getvalue(), path)


def draw_heatmaps(model, rows, folder):
    """Draw where a model saw pneumonia, a picture for each file that it predicted.

    Parameters
    ----------
    model : classifier
        Fitted, with a network inside.
    rows : list of dict
        Of `predict_files`.
    folder : path
        Where to; it exists. Pictures are numbered by row, and marked: they are not taken for
        X-rays later.

    Yields
    ------
    Path
        Each picture, once it is written.
    """
    from matplotlib import pyplot as plt

    try:
        cam, label = GradCAM(model), str(model.classes_[1])
    except TypeError as error:
        raise ValueError(f"No heatmap can be drawn. {error}") from None
    for i, row in enumerate(rows):
        if row["probability"] is None:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OutlierWarning)
                heatmaps = cam.transform([row["file"]])
            image = read_xray(row["file"])
        except ImageReadError as error:  # predicted, and gone since
            warnings.warn(f"There is no heatmap of {error}", UserWarning, stacklevel=2)
            continue
        display = GradCAMDisplay(
            [image],
            heatmaps,
            probability=[row["probability"]],
            label=label,
            method_name=cam.method_name,
        ).plot()
        path = Path(folder, f"{i:04}-{Path(row['file']).stem[:_MAX_STEM]}.png")
        with atomic_write(path) as file:
            display.figure_.savefig(file, format="png", metadata=HEATMAP_METADATA)
        plt.close(display.figure_)
        yield path
