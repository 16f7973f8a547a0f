"""What ``skpneumo predict`` does: files in, what a model says of each out."""

import csv
import io
import os
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from skpneumo._files import write_text
from skpneumo.datasets._entries import is_image, list_entries
from skpneumo.exceptions import DatasetError, OutlierWarning
from skpneumo.images import XRaySequence, read_xray
from skpneumo.inspection import GradCAM, GradCAMDisplay
from skpneumo.inspection._layers import layers_of
from skpneumo.persistence import load_model, load_pretrained
from skpneumo.persistence._archive import SUFFIX, is_archive
from skpneumo.preprocessing import XRayOutlierDetector

DEFAULT_MODEL = "default"
COLUMNS = ("file", "probability", "label", "outlier", "outlier_score", "error")
_AT_ONCE = 64


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
    if path == DEFAULT_MODEL or path.lower().endswith(SUFFIX):
        return True
    with suppress(OSError):  # told later, with its name
        return os.path.isfile(path) and is_archive(path)
    return False


def find_files(paths):
    """Files that are named, and the images in folders that are.

    Parameters
    ----------
    paths : sequence of path
        Files are taken as they are; folders are searched, whatever the names in them, but not
        folders that are links in them.

    Returns
    -------
    list of str

    Raises
    ------
    DatasetError
        If there is no path, one does not exist, or a folder holds no image.
    """
    if not paths:
        raise DatasetError("No X-rays are named, only a model. Name files or folders after it.")
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            images = list(_images_in(path))
            if not images:
                raise DatasetError(f"{path} holds no JPEG, PNG or DICOM file.")
            found += images
        elif path.exists():
            found.append(str(path))
        else:
            raise DatasetError(f"There is no file or folder {str(path)!r}.")
    return found


def _images_in(folder):
    for entry in list_entries(folder):
        # A link to a folder may lead back here.
        if entry.is_dir(follow_symlinks=False):
            yield from _images_in(entry.path)
        elif is_image(entry):
            yield entry.path


def predict_files(model, files):
    """Ask a model about files.

    Parameters
    ----------
    model : classifier
        Fitted; it takes paths.
    files : sequence of str
        Those that cannot be read are told, and stop nothing.

    Returns
    -------
    list of dict
        For each file the `COLUMNS`; None where there is nothing to tell.
    """
    with warnings.catch_warnings():
        # Both are told file by file.
        warnings.simplefilter("ignore", OutlierWarning)
        warnings.filterwarnings("ignore", message=".* cannot be read:")
        causes = XRaySequence(files).check("skip")
        readable = [file for file in files if file not in causes]
        told = {}
        for start in range(0, len(readable), _AT_ONCE):
            part = readable[start : start + _AT_ONCE]
            probability = model.predict_proba(part)[:, 1].tolist()
            labels = np.asarray(model.predict(part)).tolist()
            scores = _outlier_scores(model, part)
            for file, ill, label, score in zip(part, probability, labels, scores, strict=True):
                told[file] = {
                    "probability": ill,
                    "label": label,
                    "outlier": None if score is None else score > 1,
                    "outlier_score": score,
                }
    rows = []
    for file in files:
        row = dict.fromkeys(COLUMNS) | {"file": file}
        if file in told:
            row |= told[file]
        else:
            row["error"] = causes[file].removeprefix(f"{file}: ")
        rows.append(row)
    return rows


def _outlier_scores(model, files):
    """Of what the detector of a pipeline is given, if there is one."""
    pipelines = (layer for layer in layers_of(model) if isinstance(layer, Pipeline))
    steps = [step for pipeline in pipelines for _, step in pipeline.steps[:-1]]
    where = [i for i, step in enumerate(steps) if isinstance(step, XRayOutlierDetector)]
    if not where:
        return [None] * len(files)
    seen = files
    for step in steps[: where[0]]:
        # Samplers and "passthrough" do nothing to what is asked about.
        if hasattr(step, "transform"):
            seen = step.transform(seen)
    return steps[where[0]].outlier_score(seen).tolist()


def write_table(rows, path):
    """Write what `predict_files` told as CSV.

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
    """Draw where a model saw pneumonia, a picture for each file that it was asked about.

    Parameters
    ----------
    model : classifier
        Fitted, with a network inside.
    rows : list of dict
        Of `predict_files`.
    folder : path
        Where to; it exists. Pictures are numbered by row.
    """
    from matplotlib import pyplot as plt

    cam, label = GradCAM(model), str(model.classes_[1])
    for i, row in enumerate(rows):
        if row["error"] is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OutlierWarning)
                heatmaps = cam.transform([row["file"]])
            images, probability = [read_xray(row["file"])], [row["probability"]]
            display = GradCAMDisplay(images, heatmaps, probability=probability, label=label).plot()
            name = f"{i:04}-{Path(row['file']).stem}.png"
            display.figure_.savefig(Path(folder, name))
            plt.close(display.figure_)
