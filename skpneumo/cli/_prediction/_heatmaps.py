"""Heatmaps of predicted files, as pictures in a folder."""

import os
import tempfile
import warnings
from pathlib import Path

from skpneumo._utils.files import atomic_write
from skpneumo._utils.heatmap_marks import HEATMAP_METADATA
from skpneumo.exceptions import ImageReadError, OutlierWarning
from skpneumo.images import read_xray
from skpneumo.inspection import GradCAM, GradCAMDisplay

_MAX_STEM = 80  # characters of the name of a file that are kept in that of its heatmap


def prepare_folder(folder):
    """Create a folder to write to, and test that it can be written to.

    Parameters
    ----------
    folder : path
        The folder.

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


def write_heatmaps(model, rows, folder, written):
    """Write a heatmap of each file that was predicted.

    Parameters
    ----------
    model : classifier
        Fitted, with a network inside.
    rows : list of dict
        Returned by `predict_files`.
    folder : path
        An existing folder.
    written : list
        What the command has written; its last item counts the heatmaps, also if one fails.
    """
    n_files = len(written)
    for n, _ in enumerate(draw_heatmaps(model, rows, folder), 1):
        written[n_files:] = [f"{n} heatmap{'s' * (n > 1)} in {folder}"]


def draw_heatmaps(model, rows, folder):
    """Draw and save heatmaps one by one.

    Parameters
    ----------
    model : classifier
        Fitted, with a network inside.
    rows : list of dict
        Returned by `predict_files`.
    folder : path
        An existing folder. Pictures are numbered by row, and marked: later runs do not take them
        for X-rays.

    Yields
    ------
    Path
        Each picture, once it is written.
    """
    try:
        cam = GradCAM(model)
    except TypeError as error:
        raise ValueError(f"No heatmap can be drawn. {error}") from None
    for i, row in enumerate(rows):
        if row["probability"] is None:
            continue
        try:
            display = _plot_heatmap(cam, row, str(model.classes_[1]))
        except ImageReadError as error:  # the file was removed after its prediction
            warnings.warn(f"There is no heatmap of {error}", UserWarning, stacklevel=2)
            continue
        path = Path(folder, f"{i:04}-{Path(row['file']).stem[:_MAX_STEM]}.png")
        _save_figure(display.figure_, path)
        yield path


def _plot_heatmap(cam, row, label):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        heatmaps = cam.transform([row["file"]])
    return GradCAMDisplay(
        [read_xray(row["file"])],
        heatmaps,
        probability=[row["probability"]],
        label=label,
        method_name=cam.method_name,
    ).plot()


def _save_figure(figure, path):
    from matplotlib import pyplot as plt

    with atomic_write(path) as file:
        figure.savefig(file, format="png", metadata=HEATMAP_METADATA)
    plt.close(figure)  # pyplot keeps every figure in memory until then
