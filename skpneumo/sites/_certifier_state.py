"""The state of a certifier as a file of JSON."""

import json

import numpy as np

from skpneumo._utils.files import check_parent_dir, write_text
from skpneumo._utils.provenance import data_fingerprint, model_fingerprint

_FORMAT = "skpneumo RecallCertifier 1"
_KEYS = {
    "min_recall": float,
    "confidence": float,
    "classes": list,
    "fingerprints": dict,
    "unit": str,
    "dtype": str,
    "scores": list,
    "patients": list,
    "order": list,
    "draw": float,
    "plan": (dict, type(None)),
    "labels": list,
    "requested": list,
}


def get_fingerprints(estimator, X, patients):
    """What identifies a model and a pool.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n_images, ...)
        The images, or their paths.
    patients : ndarray of int of shape (n_images,)
        The patient of each.

    Returns
    -------
    dict of str to str
    """
    return {"model": model_fingerprint(estimator), "pool": data_fingerprint(X, patients)}


def write_state(state, path):
    """Write a state.

    Parameters
    ----------
    state : dict
        Of what JSON can hold.
    path : str or path
        The file.
    """
    check_parent_dir(path)
    write_text(json.dumps({"format": _FORMAT} | state, allow_nan=False), path)


def read_state(path, fingerprints):
    """Read a state, and check that it fits a model and a pool.

    Parameters
    ----------
    path : str or path
        The file.
    fingerprints : dict of str to str
        Those of model and pool, by `get_fingerprints`.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is none, or that of another model or pool.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        state = json.loads(content)
    except ValueError:
        state = None
    if not isinstance(state, dict) or state.pop("format", None) != _FORMAT:
        raise ValueError(f"{path} holds no state of a RecallCertifier. Name a file of its save.")
    if not _is_valid(state):
        raise ValueError(
            f"{path} is damaged: it does not hold what a RecallCertifier saves. Restore a copy of "
            "it, or fit a new certifier and record the labels again."
        )
    for what, other in fingerprints.items():
        if state["fingerprints"].get(what) != other:
            advice = {
                "model": "Pass the model that it was fitted with.",
                "pool": "Pass the images and groups that it was fitted to, in the same order.",
            }
            raise ValueError(f"{path} is the state of another {what}. {advice[what]}")
    return state


def _is_valid(state):
    """Whether the values have the right types and lengths."""
    if set(state) != set(_KEYS) or not all(isinstance(state[k], t) for k, t in _KEYS.items()):
        return False
    n_images = len(state["scores"])
    numbers = [np.array(state[key]) for key in ("patients", "labels", "requested", "order")]
    if any(array.size and array.dtype.kind not in "iu" for array in numbers):
        return False
    patients, labels, requested, order = numbers
    return (
        len(patients) == len(labels) == n_images
        and np.all((labels >= -2) & (labels <= 1))
        and np.all((requested >= 0) & (requested < n_images))
        and np.array_equal(np.sort(order), np.unique(patients))
        and state["dtype"] in ("float16", "float32", "float64")
    )
