"""Trainings that are killed resume from their last finished epoch."""

import json
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skpneumo._utils.files import atomic_write
from skpneumo.classifiers._callbacks import Callback
from skpneumo.exceptions import CacheWarning

_FOLDER = "skpneumo-checkpoints"
_LISTS = ("model", "optimizer", "best_weights")


@dataclass(frozen=True)
class SavedTraining:
    """A training after its last finished epoch.

    Attributes
    ----------
    stage : int
        Number of the stage.
    earlier : dict of str to list of float
        History of the stages before.
    history : dict of str to list of float
        History of this one.
    best_loss : float
        Lowest loss on the validation data.
    epochs_without_improvement : int
        Epochs since then.
    model, optimizer, best_weights : list of ndarray
        States of the network and of its optimizer, and weights of the best epoch.
    """

    stage: int
    earlier: dict
    history: dict
    best_loss: float
    epochs_without_improvement: int
    model: list
    optimizer: list
    best_weights: list


def get_checkpoint_path(memory, key):
    """File for the checkpoint of a fit under a memory, or None if either is missing.

    Parameters
    ----------
    memory : str, path, joblib.Memory or None
        As in :class:`~sklearn.pipeline.Pipeline`.
    key : tuple or None
        Of `get_fit_key`.

    Returns
    -------
    Path or None
    """
    location = memory.location if hasattr(memory, "location") else memory
    if key is None or not isinstance(location, (str, os.PathLike)):
        return None
    return Path(os.fspath(location), _FOLDER, f"{key[-1]}.npz")


def load_checkpoint(path):
    """Load what `Checkpoint` wrote last.

    Parameters
    ----------
    path : path or None
        The file.

    Returns
    -------
    SavedTraining or None
        None if there is nothing, or nothing whole.
    """
    if path is None:
        return None
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        values = json.loads(arrays.pop("state").item())
        for name in _LISTS:
            values[name] = [arrays[f"{name}/{i}"] for i in range(values[name])]
        return SavedTraining(**values)
    except Exception:  # of whatever kind: it would stop every fit until someone removes the file
        return None


def remove_checkpoint(path):
    """Remove a checkpoint, and the files of processes that were killed while they wrote it."""
    if path is None:
        return
    for file in [path, *path.parent.glob(f".{path.name}.*.part")]:
        with suppress(OSError):
            file.unlink()


class Checkpoint(Callback):
    """Save a training after each epoch.

    Parameters
    ----------
    path : path or None
        The file; None saves nothing.
    stage : int
        Number of the stage of the fit.
    earlier : dict of str to list of float
        History of the stages before.
    """

    def __init__(self, path, stage=0, earlier=None):
        self.path, self.stage, self.earlier = path, stage, earlier or {}

    def on_epoch_end(self, state):
        if self.path is None:
            return
        lists = {
            "model": [np.asarray(variable) for variable in state.model.variables],
            "optimizer": [np.asarray(variable) for variable in state.model.optimizer.variables],
            "best_weights": state.best_weights or [],
        }
        values = {name: len(arrays) for name, arrays in lists.items()} | {
            "stage": self.stage,
            "earlier": self.earlier,
            "history": state.history,
            "best_loss": state.best_loss,
            "epochs_without_improvement": state.epochs_without_improvement,
        }
        arrays = {f"{name}/{i}": array for name in lists for i, array in enumerate(lists[name])}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self.path) as file:
                np.savez(file, state=np.array(json.dumps(values)), **arrays)
        except FileNotFoundError:
            pass  # another process finished the same fit, and removed the file that this one wrote
        except OSError as error:
            warnings.warn(
                f"This training cannot be resumed if it is killed: {self.path.parent} cannot be "
                f"written to ({error.strerror}). Free space there, or give another memory.",
                CacheWarning,
                stacklevel=2,
            )
            # Warns once: later epochs would fail in the same way.
            self.path = None
