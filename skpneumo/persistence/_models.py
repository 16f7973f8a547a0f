"""`save_model` and `load_model`."""

from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
from sklearn.utils.validation import check_is_fitted

import skpneumo
from skpneumo._utils.files import check_parent_dir
from skpneumo._utils.fork import check_process
from skpneumo._utils.provenance import (
    data_fingerprint,
    describe_model,
    describe_threshold,
    package_versions,
)
from skpneumo._utils.unwrap import unwrap
from skpneumo.evaluation import Evaluation
from skpneumo.exceptions import ModelFileError
from skpneumo.persistence._archive import read_archive, write_archive
from skpneumo.persistence._description import build, describe

FORMAT = 1
_CONTRACT = (
    "Grey chest X-rays as uint8, rows x columns, 0 = black = air, 255 = white = bone; files as "
    "skpneumo.images.read_xray reads them. Other sizes are resized to the network's."
)


def save_model(estimator, path, *, training_data=None, evaluation=None, notes=None):
    """Write a fitted model into one file, by custom named ``.skpneumo``.

    The file holds a manifest (JSON) and the weights. `load_model` builds the estimator out of a
    fixed list of classes and hands it the weights: nothing in the file is ever run, unlike in a
    pickle. It is written beside ``path`` first, and put there when it is whole.

    Parameters
    ----------
    estimator : estimator
        Fitted: a classifier of skpneumo, a :class:`~sklearn.pipeline.Pipeline` of skpneumo's steps
        with one at the end, or an :class:`~skpneumo.OperatingPointClassifierCV` around either. A
        search, such as :class:`~sklearn.model_selection.GridSearchCV`, is saved as its
        ``best_estimator_``, also inside an operating point.
    path : str or path
        Where to.
    training_data : tuple of (X, y), default=None
        What it was fitted on, to be told by its SHA-256.
    evaluation : Evaluation, default=None
        Its figures go into the manifest.
    notes : dict of str to str, default=None
        What else users should know, such as "data", "licence" and "recipe".

    Raises
    ------
    ModelFileError
        If a part of the estimator is none of those, or its network has weights that are NaN or
        infinite, more than 12 ``filters``, or images of more than 4,096 rows or columns. It is a
        ValueError.
    ValueError
        If ``training_data``, ``evaluation`` or ``notes`` is something else.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    load_model : Read the file.
    skpneumo.persistence.model_card : What the manifest tells, for people.

    Notes
    -----
    Not saved are ``memory``, ``n_jobs`` and ``verbose``, and parameters that are objects
    (splitters, random states): the loaded estimator has their defaults. Of a weights file the name
    is kept without its folder. Of a search the candidates that it did not select are not saved, so
    that a loaded operating point, fitted again, does not search; with ``refit=False`` its
    ``estimator`` is the candidate of the first fold.

    Examples
    --------
    >>> import os, tempfile
    >>> from skpneumo import CNNPneumoniaClassifier, load_model, save_model
    >>> from skpneumo.datasets import make_xrays
    >>> xrays = make_xrays(60, image_size=(34, 32), random_state=0)
    >>> clf = CNNPneumoniaClassifier(epochs=1, random_state=0).fit(xrays.images, xrays.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.skpneumo")
    ...     save_model(clf, path)
    ...     loaded = load_model(path)
    >>> bool((loaded.predict_proba(xrays.images) == clf.predict_proba(xrays.images)).all())
    True
    """
    check_parent_dir(path)
    _check_told(training_data, evaluation, notes)
    check_is_fitted(estimator)
    arrays = {}
    manifest = {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": package_versions(estimator),
        "estimator": describe(estimator, arrays),
        "model": describe_model(estimator),
        "classes": np.asarray(estimator.classes_).tolist(),
        "threshold": unwrap(estimator).threshold,
        "threshold_origin": describe_threshold(estimator),
        "image_contract": _CONTRACT,
        "data_fingerprint": None if training_data is None else data_fingerprint(*training_data),
        "metrics": None if evaluation is None else evaluation.to_dict(),
        "notes": notes or {},
    }
    write_archive(path, manifest, arrays)


def _check_told(training_data, evaluation, notes):
    if training_data is not None and not (
        isinstance(training_data, tuple) and len(training_data) == 2
    ):
        raise ValueError(
            "training_data must be a tuple of two, (X, y): the images or paths, and their labels; "
            f"got a {type(training_data).__name__}."
        )
    if evaluation is not None and not isinstance(evaluation, Evaluation):
        raise ValueError(
            f"evaluation must be what evaluate returns; got a {type(evaluation).__name__}."
        )
    if notes is None:
        return
    if not isinstance(notes, dict):
        raise ValueError(
            'notes must be a dict of texts, such as {"licence": "CC BY 4.0"}; got a '
            f"{type(notes).__name__}."
        )
    for name, text in notes.items():
        if not (isinstance(name, str) and isinstance(text, str)):
            raise ValueError(f"notes must hold texts by name; got {name!r}: {text!r}. Use str().")


def load_model(path):
    """Read a model that `save_model` wrote; no code of the file is run.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    estimator
        As it was saved: it predicts the same to the last bit on the same kind of machine, keeps the
        precision that it was fitted in, and can be fitted on.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged or changed, was written by a newer version, or holds
        anything else than such a model. It is a ValueError.
    RuntimeError
        If this process was forked after TensorFlow ran, where the model would hang.

    Notes
    -----
    Hashes tell a damaged file from a whole one. They do not tell who wrote it: take models from
    people you trust, as a model of others may well be wrong on purpose, though it cannot do harm to
    your machine.
    """
    check_process()
    manifest, arrays = read_archive(path)
    check_format(manifest, path)
    with reraise_as_model_file_error(path):
        estimator = build(manifest["estimator"], arrays)
        check_is_fitted(estimator)
        told = manifest["classes"], manifest["threshold"]
        if told != (np.asarray(estimator.classes_).tolist(), unwrap(estimator).threshold):
            raise ModelFileError("it tells other classes or another threshold than its model has")
    return estimator


@contextmanager
def reraise_as_model_file_error(path):
    """Tell whatever a manifest of odd content leads to as one kind of error."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error}.") from None
    except MemoryError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{path} is refused: what it tells of the model makes none ({type(error).__name__})."
        ) from error


def check_format(manifest, path):
    """Refuse a file that this version cannot understand, and say which can."""
    found = manifest.get("format")
    if type(found) is int and found == FORMAT:
        return
    versions = manifest.get("versions")
    version = versions.get("skpneumo") if isinstance(versions, dict) else None
    if version in (None, skpneumo.__version__):
        advice = "It tells no other version that could read it: save the model again"
    else:
        advice = (
            f"It was written by skpneumo {str(version)[:20]}: install that version or a newer one"
        )
    raise ModelFileError(
        f"{path} has format {str(found)[:20]!r}; this is skpneumo {skpneumo.__version__}, which "
        f"reads format {FORMAT}. {advice}."
    )
