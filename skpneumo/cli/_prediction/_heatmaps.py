"""Heatmaps of predicted files, as pictures in a folder."""

import hashlib
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


class HeatmapFolder:
    """A folder of heatmaps, which are marked: they are no X-rays.

    The name of each is that of its file, and a hash of path, model and method: other files of the
    same name, and other models, have pictures of their own.

    Parameters
    ----------
    model : classifier
        Fitted, with a network inside.
    folder : path
        An existing folder.
    fingerprint : str
        Of the model.
    method : {"integrated", "gradcam"}, default="integrated"
        See `GradCAM`.

    Attributes
    ----------
    n_written : int
        Number of heatmaps that were written.

    Raises
    ------
    ValueError
        If there is no network whose evidence can be drawn.
    """

    def __init__(self, model, folder, fingerprint, *, method="integrated"):
        try:
            self._cam = GradCAM(model, method=method)
        except TypeError as error:
            raise ValueError(f"No heatmap can be drawn. {error}") from None
        self._label = str(model.classes_[1])
        self._origin = f"{fingerprint}\0{method}"
        self.folder = folder
        self.n_written = 0

    def draw(self, row, *, again=True):
        """Draw the heatmap of a row.

        Parameters
        ----------
        row : dict
            Returned by `predict_batch`.
        again : bool, default=True
            Whether a heatmap that is there is replaced.

        Returns
        -------
        Path or None
            None for a row without a probability, or a file that has vanished.
        """
        path = Path(self.folder, self._make_name(row["file"]))
        if row["probability"] is None:
            return None
        if path.exists() and not again:
            return path
        try:
            display = _plot_heatmap(self._cam, row, self._label)
        except ImageReadError as error:  # the file was removed after its prediction
            warnings.warn(f"There is no heatmap of {error}", UserWarning, stacklevel=2)
            return None
        _save_figure(display.figure_, path)
        self.n_written += 1
        return path

    def _make_name(self, file):
        text = f"{os.path.abspath(file)}\0{self._origin}"
        digest = hashlib.blake2b(os.fsencode(text), digest_size=4).hexdigest()
        return f"{Path(file).stem[:_MAX_STEM]}-{digest}.png"


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
