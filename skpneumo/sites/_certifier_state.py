"""The state of a certifier as a file of JSON."""

import json
from pickle import PicklingError

import numpy as np

from skpneumo._utils.files import check_parent_dir, write_text
from skpneumo._utils.provenance import data_fingerprint, model_fingerprint
from skpneumo.sites._label_plans import LabelPlan
from skpneumo.sites._progress import Progress, Target
from skpneumo.sites._reading import NEGATIVE, POSITIVE, UNREAD, UNSURE, Pool

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
_INTEGERS = ("patients", "labels", "requested", "order")


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

    Raises
    ------
    TypeError
        If the model cannot be pickled.
    """
    try:
        model = model_fingerprint(estimator)
    except PicklingError as error:
        raise TypeError(
            f"A certifier identifies its model by a pickle, and {estimator!r} cannot be pickled "
            f"({error}). Use a function of a module instead of a lambda."
        ) from None
    return {"model": model, "pool": data_fingerprint(X, patients)}


def get_state(certifier):
    """Collect what a certifier needs to go on.

    Parameters
    ----------
    certifier : RecallCertifier
        After `RecallCertifier.fit`.

    Returns
    -------
    dict
        Of what JSON can hold.
    """
    plan = certifier._progress.plan
    return {
        **certifier._target._asdict(),
        "classes": certifier.classes_.tolist(),
        "fingerprints": certifier.fingerprints_,
        "unit": certifier.unit_,
        "dtype": certifier.pool_.scores.dtype.name,
        "scores": certifier.pool_.scores.tolist(),
        "patients": certifier.pool_.patients.tolist(),
        "order": certifier.pool_.order.tolist(),
        "plan": plan and plan._asdict(),
        "labels": certifier._labels.tolist(),
        "requested": np.flatnonzero(certifier._requested).tolist(),
    }


def set_state(certifier, state, patients):
    """Give a certifier what another one had collected.

    Parameters
    ----------
    certifier : RecallCertifier
        Not fitted.
    state : dict
        Of `read_state`.
    patients : ndarray of int of shape (n_images,)
        The patient of each image.
    """
    scores = np.array(state["scores"], dtype=state["dtype"])
    certifier.pool_ = Pool(scores, patients, np.array(state["order"]))
    certifier.unit_ = state["unit"]
    certifier._target = Target(state["min_recall"], state["confidence"], state["draw"])
    certifier.fingerprints_ = state["fingerprints"]
    certifier._progress = Progress(state["plan"] and LabelPlan(**state["plan"]), [], None)
    certifier._labels = np.array(state["labels"])
    certifier._requested = np.zeros(len(scores), dtype=bool)
    certifier._requested[state["requested"]] = True


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
                "pool": "Pass the images and groups that it was fitted to, in the same order; with "
                "files added or removed it is another pool.",
            }
            raise ValueError(f"{path} is the state of another {what}. {advice[what]}")
    return state


def _is_valid(state):
    """Whether the values have the right types, ranges and lengths."""
    if set(state) != set(_KEYS) or not all(isinstance(state[k], t) for k, t in _KEYS.items()):
        return False
    arrays = {name: np.array(state[name]) for name in _INTEGERS}
    if any(array.size and array.dtype.kind != "i" for array in arrays.values()):
        return False
    scores, n_images = np.array(state["scores"]), len(state["scores"])
    return (
        scores.dtype.kind == "f"
        and state["dtype"] in ("float16", "float32", "float64")
        and len(arrays["patients"]) == len(arrays["labels"]) == n_images
        and bool(np.isin(arrays["labels"], (UNREAD, UNSURE, NEGATIVE, POSITIVE)).all())
        and bool(np.isin(arrays["requested"], np.arange(n_images)).all())
        and np.array_equal(np.sort(arrays["order"]), np.unique(arrays["patients"]))
        and all(0 < state[name] < 1 for name in ("min_recall", "confidence", "draw"))
        and (state["plan"] is None or _is_valid_plan(state["plan"]))
    )


def _is_valid_plan(plan):
    try:
        plan = LabelPlan(**plan)
        ranks = np.array(plan.ranks, dtype=float)
    except (TypeError, ValueError):
        return False
    counts = (plan.n_patients, plan.n_positive, plan.sample_size)
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        return False
    if plan.kind == "upwards":
        return len(ranks) == plan.sample_size + 1
    return plan.kind == "random sample"
