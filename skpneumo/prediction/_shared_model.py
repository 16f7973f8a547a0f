"""A fitted model that each worker loads or receives once, not with each of its tasks."""

import os
import pickle
import threading
import uuid
from functools import partial

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.caching import NETWORKS
from skpneumo._utils.model_file import read_manifest
from skpneumo.persistence import load_model

_LOAD_LOCK = threading.Lock()


def share_model(model):
    """Make a model that can be sent to workers cheaply.

    Parameters
    ----------
    model : classifier, str or path
        Fitted, or the path of a model file that all workers can read.

    Returns
    -------
    SharedFile or SharedModel
        Its method `get` returns the model.

    Raises
    ------
    ModelFileError
        If the path leads to no model file.
    NotFittedError
        If the model is not fitted.
    """
    if isinstance(model, (str, os.PathLike)):
        read_manifest(model)  # an error now is better than one of each worker
        return SharedFile(model)
    check_is_fitted(model)
    return SharedModel(model, uuid.uuid4().hex)


class SharedFile:
    """A model file, loaded once by each process.

    Parameters
    ----------
    path : str or path
        Where it is, on each machine.
    """

    def __init__(self, path):
        self.path = os.path.abspath(path)
        status = os.stat(self.path)
        # A file that was replaced is another model.
        self._key = "model file", self.path, status.st_size, status.st_mtime_ns
        self._n_bytes = status.st_size

    def get(self):
        """The model."""
        return _load_once(self._key, partial(load_model, self.path), self._n_bytes)


class SharedModel:
    """A fitted model, unpickled once by each process.

    Parameters
    ----------
    model : classifier
        Fitted.
    key : str
        Its name among the processes.
    """

    def __init__(self, model, key):
        self._model, self._key = model, key
        self._packed = None

    def get(self):
        """The model."""
        return self._model

    def _pack(self):
        # As an array: joblib lets its processes on one machine map the memory of one copy.
        if self._packed is None:
            self._packed = np.frombuffer(pickle.dumps(self._model), dtype=np.uint8)
        return self._packed

    def __sizeof__(self):
        # By which Dask decides to send an object once to each worker, and not with each task.
        return self._pack().nbytes

    def __reduce__(self):
        return _receive, (self._key, self._pack())


def _receive(key, packed):
    model = _load_once(("model", key), partial(pickle.loads, packed), packed.nbytes)
    return SharedModel(model, key)


def _load_once(key, load, n_bytes):
    """A model of this process by its key, which is loaded if it is not there."""
    with _LOAD_LOCK:
        model = NETWORKS.get(key)
        if model is None:
            model = load()
            # Kept also if it is larger than the cache, since it is needed again for the next files.
            NETWORKS.put(key, model, min(n_bytes, NETWORKS.max_bytes))
    return model
