"""`save_model` and `load_model`."""

from datetime import UTC, datetime

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.files import check_parent_dir
from skpneumo._utils.fork import check_process
from skpneumo._utils.model_file import (
    read_model_file,
    reraise_as_model_file_error,
    write_model_file,
)
from skpneumo._utils.provenance import (
    data_fingerprint,
    describe_model,
    describe_threshold,
    package_versions,
)
from skpneumo._utils.unwrap import unwrap
from skpneumo.evaluation import Evaluation
from skpneumo.exceptions import ModelFileError
from skpneumo.networks import PRECISIONS
from skpneumo.persistence._loading import build
from skpneumo.persistence._precision import convert_precision
from skpneumo.persistence._saving import describe

_WEIGHTS_DTYPES = ("float32", "int8")
_CONTRACT = (
    "Grey chest X-rays as uint8, rows x columns, 0 = black = air, 255 = white = bone; files as "
    "skpneumo.images.read_xray reads them. Other sizes are resized to the network's."
)


def save_model(
    estimator, path, *, training_data=None, evaluation=None, notes=None, weights_dtype="float32"
):
    """Write a fitted model into one file, by custom named ``.skpneumo``.

    The file is a safetensors file: it holds a manifest (JSON) and the weights. `load_model` builds
    the estimator from a fixed list of classes and sets the weights: nothing in the file is ever
    run, unlike in a pickle. It is written under another name first and then renamed, so that it
    exists whole or not at all.

    Parameters
    ----------
    estimator : estimator
        Fitted: a classifier of skpneumo, a :class:`~sklearn.pipeline.Pipeline` of skpneumo's steps
        with one at the end, or an :class:`~skpneumo.OperatingPointClassifierCV` or a
        :class:`~skpneumo.sites.TriageClassifierCV` around either. A search, such as
        :class:`~sklearn.model_selection.GridSearchCV`, is saved as its ``best_estimator_``, also
        inside an operating point.
    path : str or path
        Where to.
    training_data : tuple of (X, y), default=None
        Data of the fit; the file states their SHA-256.
    evaluation : Evaluation, default=None
        Its metrics go into the manifest.
    notes : dict of str to str, default=None
        What else users should know, such as "data", "licence" and "recipe".
    weights_dtype : {"float32", "int8"}, default="float32"
        "int8" rounds the kernels of convolutions to 8 bits with a scale for each output channel,
        those of up to 150,000 weights to 16 bits. An InceptionV3 then takes 26 MB instead of 87,
        and its probabilities change, by less than .01 in most cases: choose a threshold, or
        evaluate, after loading such a file. For computing they become float32 again.

    Raises
    ------
    ModelFileError
        If a part of the estimator is none of those, or its network has weights that are NaN or
        infinite, more than 12 ``filters``, other ``filters`` than at its fit, or images of more
        than 4,096 rows or columns. It is a ValueError.
    RuntimeError
        If this process was forked after TensorFlow ran, where Keras would hang.
    ValueError
        If ``training_data``, ``evaluation``, ``notes`` or ``weights_dtype`` is something else.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    load_model : Read the file.
    skpneumo.persistence.model_card : The manifest, for people.

    Notes
    -----
    What a training started from (``initial_network_``) is saved too, so that the card names its
    data and licence.

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
    if weights_dtype not in _WEIGHTS_DTYPES:
        raise ValueError(
            f"weights_dtype must be one of {', '.join(map(repr, _WEIGHTS_DTYPES))}; got "
            f"{weights_dtype!r}."
        )
    check_parent_dir(path)
    _check_provenance(training_data, evaluation, notes)
    check_process()
    check_is_fitted(estimator)
    arrays = {}
    manifest = {
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
    write_model_file(path, manifest, arrays, quantize=weights_dtype == "int8")


def _check_provenance(training_data, evaluation, notes):
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


def load_model(path, *, precision=None):
    """Read a model that `save_model` wrote; no code of the file is run.

    Parameters
    ----------
    path : str or path
        The file.
    precision : {"auto", "float32", "bfloat16"}, default=None
        Type in which its networks compute, ``precision_``; None leaves that of their fit, "auto" is
        the fastest of this machine. Probabilities change with it, mostly by less than .02: a
        threshold was chosen by those of the fit. The parameter ``precision``, by which a new `fit`
        chooses, stays.

    Returns
    -------
    estimator
        As it was saved: its predictions are the same to the last bit on the same kind of machine
        (but for ``weights_dtype="int8"``), it keeps the precision of its fit, and its training can
        be continued.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged or changed, was written by a newer version, or holds
        anything else than such a model. It is a ValueError.
    RuntimeError
        If this process was forked after TensorFlow ran, where Keras would hang.
    ValueError
        If ``precision`` is something else.

    Notes
    -----
    Hashes reveal a damaged file. They do not reveal who wrote it: take models from people you
    trust. A hostile one cannot harm your machine, but its predictions may be wrong on purpose.

    Files of format 1, which development versions before 0.1.0 wrote, are read too.
    """
    if precision is not None and precision not in PRECISIONS:
        raise ValueError(
            f"precision must be None or one of {', '.join(map(repr, PRECISIONS))}; got "
            f"{precision!r}."
        )
    check_process()
    manifest, arrays = read_model_file(path)
    with reraise_as_model_file_error(path):
        estimator = build(manifest["estimator"], arrays)
        # A file may describe an estimator without a fit.
        check_is_fitted(estimator)
        stated = manifest["classes"], manifest["threshold"]
        if stated != (np.asarray(estimator.classes_).tolist(), unwrap(estimator).threshold):
            raise ModelFileError("it states other classes or another threshold than its model has")
    return estimator if precision is None else convert_precision(estimator, precision)
