"""The images that were called wrong, small enough to sit in a report."""

import base64
import io
import os
import warnings
from pathlib import PureWindowsPath

import numpy as np
from PIL import Image
from sklearn.utils import _safe_indexing

from skpneumo.exceptions import OutlierWarning
from skpneumo.images import EXTENSIONS, check_xrays
from skpneumo.inspection import GradCAM

MOST = 24
_SIDE = 160
_QUALITY = 72


def misclassified(report):
    """The missed and the falsely alarmed images, the surest errors first, with heatmaps.

    Parameters
    ----------
    report : Evaluation
        The run.

    Returns
    -------
    missed, alarmed : list of dict
        At most 24 each, with ``name``, ``score``, ``patient``, ``kind``, and as data URIs
        ``image`` and ``heatmap``, each of which may be None.
    method_name : str
        What the heatmaps were made by; empty where there are none.
    note : str
        Why images or heatmaps are not shown, where they are not.

    Raises
    ------
    ImageReadError
        If a file cannot be read any more.
    """
    missed = np.flatnonzero(report.truth & ~report.called)
    alarmed = np.flatnonzero(~report.truth & report.called)
    missed = missed[np.argsort(report.scores[missed], kind="stable")][:MOST]
    alarmed = alarmed[np.argsort(-report.scores[alarmed], kind="stable")][:MOST]
    rows = np.concatenate([missed, alarmed])
    if not len(rows):
        return [], [], "", ""
    pictures, names, method_name, note = _pictures(
        report.estimator, _safe_indexing(report.images, rows)
    )
    entries = [
        {
            "name": _shown_name(name, row),
            "score": float(report.scores[row]),
            "patient": None if report.groups is None else int(report.groups[row]) + 1,
            "kind": "" if report.subtype is None else str(report.subtype[row]),
            "image": image,
            "heatmap": heatmap,
        }
        for row, name, (image, heatmap) in zip(rows.tolist(), names, pictures, strict=True)
    ]
    return entries[: len(missed)], entries[len(missed) :], method_name, note


def _pictures(estimator, X):
    """Image and heatmap of each, as data URIs, names of the files and method, what is lacking."""
    nothing = [None] * len(X)
    try:
        images = check_xrays(X)
    except ValueError:
        return [(None, None)] * len(X), nothing, "", "The data are no images, so none are shown."
    try:
        cam = GradCAM(estimator)
    except TypeError as error:  # no network inside, or several
        heatmaps, method_name, note = nothing, "", f"No heatmaps: {error}"
    else:
        with warnings.catch_warnings():
            # Told when they were evaluated, by their rows among all images.
            warnings.simplefilter("ignore", OutlierWarning)
            heatmaps, method_name, note = cam.transform(X), cam.method_name, ""
    pictures = []
    for image, heat in zip(images, heatmaps, strict=True):
        small = Image.fromarray(image)
        small.thumbnail((_SIDE, _SIDE))
        heatmap = None if heat is None else _data_uri(_overlaid(small, heat))
        pictures.append((_data_uri(small), heatmap))
    return pictures, getattr(images, "paths", nothing), method_name, note


def _shown_name(path, row):
    """Last part of an image file's path; anything else may tell who the patient is."""
    if path is not None:
        name = PureWindowsPath(os.fsdecode(path)).name  # takes / and \ for separators
        if name.lower().endswith(EXTENSIONS):
            return name
    return f"image {row}"


def _overlaid(image, heat):
    import matplotlib

    heat = Image.fromarray(np.uint8(np.rint(heat * 255))).resize(image.size)
    heat = np.asarray(heat, dtype=np.float32)[..., None] / 255
    colours = matplotlib.colormaps["inferno"](heat[..., 0])[..., :3] * 255
    grey = np.asarray(image, dtype=np.float32)[..., None]
    share = 0.65 * heat
    return Image.fromarray(np.uint8(np.rint(grey * (1 - share) + colours * share)))


def _data_uri(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
