"""The misclassified images of a report, with heatmaps."""

import os
import warnings
from pathlib import PureWindowsPath
from typing import NamedTuple

import numpy as np
from PIL import Image
from sklearn.utils import _safe_indexing

from skpneumo._reporting.images import as_data_uri
from skpneumo.exceptions import OutlierWarning
from skpneumo.images import EXTENSIONS, check_xrays
from skpneumo.inspection import GradCAM

MAX_ENTRIES = 24
# Large enough to read, small enough for a report that is sent by mail.
_MAX_SIDE = 480
_MAX_OPACITY = 0.65


class Gallery(NamedTuple):
    """Misclassified images, at most 24 of each kind, the most extreme scores first."""

    false_negatives: list
    """Each a dict with ``name``, ``score``, ``patient``, ``subtype``, and as data URIs ``image``
    and ``heatmap``, each of which may be None."""
    false_positives: list
    """Likewise."""
    method_name: str
    """Name of the method of the heatmaps; empty if there are none."""
    note: str
    """Why images or heatmaps are not shown, if they are not."""


def misclassified(report):
    """Collect the misclassified images of an evaluation.

    Parameters
    ----------
    report : Evaluation
        The evaluation.

    Returns
    -------
    Gallery

    Raises
    ------
    ImageReadError
        If a file cannot be read any more.
    """
    predictions, provenance = report.predictions, report.provenance
    y_true, y_pred, y_score = predictions.y_true, predictions.y_pred, predictions.y_score
    false_negatives = np.flatnonzero(y_true & ~y_pred)
    false_positives = np.flatnonzero(~y_true & y_pred)
    order = np.argsort(y_score[false_negatives], kind="stable")
    false_negatives = false_negatives[order][:MAX_ENTRIES]
    order = np.argsort(-y_score[false_positives], kind="stable")
    false_positives = false_positives[order][:MAX_ENTRIES]
    rows = np.concatenate([false_negatives, false_positives])
    if not len(rows):
        return Gallery([], [], "", "")
    pictures, names, method_name, note = _draw_images(
        provenance.estimator, _safe_indexing(provenance.images, rows)
    )
    entries = [
        _describe_entry(predictions, row, name) | {"image": image, "heatmap": heatmap}
        for row, name, (image, heatmap) in zip(rows.tolist(), names, pictures, strict=True)
    ]
    n = len(false_negatives)
    return Gallery(entries[:n], entries[n:], method_name, note)


def _describe_entry(predictions, row, path):
    groups, subtype = predictions.groups, predictions.subtype
    return {
        "name": _shown_name(path, row),
        "score": float(predictions.y_score[row]),
        "patient": None if groups is None else int(groups[row]) + 1,
        "subtype": "" if subtype is None else str(subtype[row]),
    }


def _draw_images(estimator, X):
    """Each image and its heatmap as data URIs, paths, method, and what is lacking."""
    nothing = [None] * len(X)
    try:
        images = check_xrays(X)
    except ValueError:
        return [(None, None)] * len(X), nothing, "", "The data are not images, so none are shown."
    try:
        cam = GradCAM(estimator)
    except TypeError as error:  # no network inside, or several
        heatmaps, method_name, note = nothing, "", f"No heatmaps: {error}"
    else:
        with warnings.catch_warnings():
            # evaluate has issued it, with the rows among all images.
            warnings.simplefilter("ignore", OutlierWarning)
            heatmaps, method_name, note = cam.transform(X), cam.method_name, ""
    pictures = []
    for image, heat in zip(images, heatmaps, strict=True):
        small = Image.fromarray(image)
        small.thumbnail((_MAX_SIDE, _MAX_SIDE))
        heatmap = None if heat is None else as_data_uri(_overlay(small, heat))
        pictures.append((as_data_uri(small), heatmap))
    return pictures, getattr(images, "paths", nothing), method_name, note


def _shown_name(path, row):
    """Name of an image file; anything else in a path may identify the patient."""
    if path is not None:
        name = PureWindowsPath(os.fsdecode(path)).name  # takes / and \ for separators
        if name.lower().endswith(EXTENSIONS):
            return name
    return f"image {row}"


def _overlay(image, heat):
    """The image with the heatmap over it, more opaque where it is hot."""
    import matplotlib

    heat = Image.fromarray(np.uint8(np.rint(heat * 255))).resize(image.size)
    heat = np.asarray(heat, dtype=np.float32)[..., None] / 255
    colours = matplotlib.colormaps["inferno"](heat[..., 0])[..., :3] * 255
    grey = np.asarray(image, dtype=np.float32)[..., None]
    opacity = _MAX_OPACITY * heat
    return Image.fromarray(np.uint8(np.rint(grey * (1 - opacity) + colours * opacity)))
