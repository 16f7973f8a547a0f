"""Trainings that are killed go on from their last finished epoch."""

import json
import os
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from skpneumo._utils.files import atomic_write
from skpneumo.exceptions import CacheWarning

_FOLDER = "skpneumo-checkpoints"


class Checkpoint:
    """What a training was after its last finished epoch, in a file.

    Parameters
    ----------
    path : path or None
        The file; None keeps nothing.
    """

    def __init__(self, path):
        self.path = path

    @classmethod
    def of_fit(cls, memory, key):
        """Checkpoint of the fit with this key, under a memory; of none where either is missing.

        Parameters
        ----------
        memory : str, path, joblib.Memory or None
            As in :class:`~sklearn.pipeline.Pipeline`.
        key : tuple or None
            Of `fit_key`.

        Returns
        -------
        Checkpoint
        """
        location = memory.location if hasattr(memory, "location") else memory
        if key is None or not isinstance(location, (str, os.PathLike)):
            return cls(None)
        return cls(Path(os.fspath(location), _FOLDER, f"{key[-1]}.npz"))

    def load(self):
        """What `save` wrote last: a dict, or None where there is nothing whole."""
        if self.path is None:
            return None
        try:
            with open(self.path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = dict(archive)
            kept = json.loads(arrays.pop("told").item())
            for name in ("model", "optimizer", "best"):
                kept[name] = [arrays[f"{name}/{i}"] for i in range(kept[name])]
        except Exception:  # of whatever kind: it would stop every fit until someone removes it
            return None
        return kept

    def save(self, model, told, best, *, stage, earlier):
        """Keep a network and its optimizer as they are, and what is told of the training.

        Parameters
        ----------
        model : keras.Model
            Compiled.
        told : dict
            What JSON can hold.
        best : list of ndarray or None
            Weights of the best epoch so far.
        stage : int
            Number of the stage of the fit.
        earlier : dict of str to list of float
            History of the stages before.
        """
        if self.path is None:
            return
        parts = {
            "model": [np.asarray(variable) for variable in model.variables],
            "optimizer": [np.asarray(variable) for variable in model.optimizer.variables],
            "best": best or [],
        }
        arrays = {f"{k}/{i}": value for k, part in parts.items() for i, value in enumerate(part)}
        told = told | {"stage": stage, "earlier": earlier}
        told |= {name: len(part) for name, part in parts.items()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self.path) as file:
                np.savez(file, told=np.array(json.dumps(told)), **arrays)
        except FileNotFoundError:
            pass  # another process finished the same fit, and removed what this one was writing
        except OSError as error:
            warnings.warn(
                f"This training cannot be continued if it is killed: {self.path.parent} cannot be "
                f"written to ({error.strerror}). Free space there, or give another memory.",
                CacheWarning,
                stacklevel=2,
            )
            self.path = None

    def remove(self):
        """Forget it, and what processes left that were killed while they wrote it."""
        if self.path is None:
            return
        for file in [self.path, *self.path.parent.glob(f".{self.path.name}.*.part")]:
            with suppress(OSError):
                file.unlink()


def restore(model, kept):
    """Bring a compiled network and its optimizer to where `Checkpoint.save` saw them.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    kept : dict
        From `Checkpoint.load`.
    """
    for part, values in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        for variable, value in zip(values, kept[part], strict=True):
            variable.assign(value)
