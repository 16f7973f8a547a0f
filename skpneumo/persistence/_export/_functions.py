"""`export_onnx` and `export_tflite`."""

import json
from datetime import UTC, datetime

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.files import atomic_write, check_parent_dir
from skpneumo._utils.fork import check_process
from skpneumo._utils.optional import import_optional
from skpneumo._utils.provenance import describe_model, describe_threshold, package_versions
from skpneumo._utils.unwrap import unwrap
from skpneumo.persistence._export import _onnx, _tflite
from skpneumo.persistence._export._check import (
    TOLERANCES,
    check_difference,
    compare,
    in_float32,
)
from skpneumo.persistence._export._plan import list_networks, make_plan

_NOTICE = (
    "Research software, not a medical device: it must not decide about a patient. Detects "
    "pneumonia in chest X-rays of children."
)


def export_onnx(estimator, path, *, precision="float32"):
    """Write a fitted model as an ONNX file, which onnxruntime runs without skpneumo.

    The file takes X-rays, ``images``, of shape (n, rows, columns) and type uint8, and returns
    ``probability`` of shape (n,), float32: that of the positive class. Resizing, equalization and
    the mean of several networks are part of it. Before it is written, its probabilities are
    compared with those of ``predict_proba`` on images of several kinds.

    Parameters
    ----------
    estimator : estimator
        Fitted: a classifier of skpneumo, a :class:`~sklearn.pipeline.Pipeline` of skpneumo's steps
        with one at the end, or a wrapper of either: an operating point, a mean of models, a search,
        :class:`~sklearn.frozen.FrozenEstimator`,
        :class:`~sklearn.model_selection.FixedThresholdClassifier`,
        :class:`~sklearn.model_selection.TunedThresholdClassifierCV`, or
        :class:`~sklearn.calibration.CalibratedClassifierCV` with ``method="sigmoid"``.
    path : str or path
        Where to, by custom named ``.onnx``. It is written whole or not at all.
    precision : {"float32", "float16"}, default="float32"
        Type of the weights. With "float16" the file takes half the space; it computes in float32
        all the same.

    Returns
    -------
    dict of str to str
        The metadata of the file, see the notes.

    Raises
    ------
    ModelFileError
        If a part of the estimator cannot be exported, or a probability differs by more than 1e-3
        (float32) or 2e-2 (float16). It is a ValueError. No file is written.
    ImportError
        If onnx or onnxruntime is not installed: ``pip install "skpneumo[export]"``.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    export_tflite : The same for TensorFlow Lite.
    skpneumo.save_model : A file from which the estimator itself is loaded.

    Notes
    -----
    The metadata are texts by name: "classes" (a JSON list, the second is positive), "threshold"
    (the positive class is predicted if its probability is at least this), "rule_in_threshold" (of a
    `~skpneumo.sites.TriageClassifierCV` only), "threshold_origin",
    "input", "precision", "max_difference" (largest difference from ``predict_proba`` that was
    found), "model", "fingerprint", "versions", "skpneumo_version", "created" and "notice". With
    onnxruntime they are ``session.get_modelmeta().custom_metadata_map``.

    Images of any size are resized as skpneumo does, to the last grey level, unless a
    `~skpneumo.XRayResizer` has another ``aspect`` than "stretch": then the file takes images of the
    size that it makes, and "input" says so. The caller decodes files. skpneumo decodes large JPEG
    files at a reduced size, so that its probabilities for files differ slightly from those for
    arrays. An `~skpneumo.XRayOutlierDetector` is left out.

    A network that was trained in bfloat16 is exported in float32, and compared with itself
    computing in float32.

    Examples
    --------
    >>> import os, tempfile
    >>> import onnxruntime
    >>> from skpneumo import load_pretrained
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.persistence import export_onnx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "cnn.onnx")
    ...     metadata = export_onnx(load_pretrained("cnn"), path)
    ...     session = onnxruntime.InferenceSession(path)
    >>> metadata["classes"], float(metadata["max_difference"]) < 1e-4
    ('["NORMAL", "PNEUMONIA"]', True)
    >>> images = make_xrays(3, image_size=(130, 120), random_state=0).images
    >>> session.run(["probability"], {"images": images})[0].shape
    (3,)
    """
    return _export(estimator, path, precision, _onnx)


def export_tflite(estimator, path, *, precision="float32"):
    """Write a fitted model as a TensorFlow Lite file, for phones and small devices.

    Like `export_onnx`, but for the format: the signature ``serving_default`` takes ``images`` and
    returns ``probability``, and the metadata are ``skpneumo.json`` in the ZIP archive at the end of
    the file, which :class:`zipfile.ZipFile` opens.

    Parameters
    ----------
    estimator : estimator
        Fitted, as for `export_onnx`.
    path : str or path
        Where to, by custom named ``.tflite``. It is written whole or not at all.
    precision : {"float32", "float16"}, default="float32"
        Type of the weights. With "float16" the file takes half the space; processors compute in
        float32 all the same.

    Returns
    -------
    dict of str to str
        The metadata of the file, those of `export_onnx`.

    Raises
    ------
    ModelFileError
        If a part of the estimator cannot be exported, or a probability differs by more than 1e-3
        (float32) or 2e-2 (float16). It is a ValueError. No file is written.
    ImportError
        If ai-edge-litert is not installed: ``pip install "skpneumo[export]"``.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    export_onnx : The same for ONNX.

    Notes
    -----
    TensorFlow converts, whatever the backend of Keras is. The operations are those of TensorFlow
    Lite itself; none needs TensorFlow's select operators.

    Examples
    --------
    >>> import json, os, tempfile, zipfile
    >>> from skpneumo import load_pretrained
    >>> from skpneumo.persistence import export_tflite
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "cnn.tflite")
    ...     metadata = export_tflite(load_pretrained("cnn"), path)
    ...     with zipfile.ZipFile(path) as archive:
    ...         print(json.loads(archive.read("skpneumo.json")) == metadata)
    True
    """
    return _export(estimator, path, precision, _tflite)


def _export(estimator, path, precision, target):
    if precision not in TOLERANCES:
        raise ValueError(
            f"precision must be one of {', '.join(map(repr, TOLERANCES))}; got {precision!r}."
        )
    for package in target.PACKAGES:
        import_optional(package, "export")
    check_parent_dir(path)
    check_process()
    check_is_fitted(estimator)
    plan = make_plan(estimator)
    model = target.convert(plan, precision)
    reference = in_float32(estimator)
    difference = compare(reference, target.make_predictor(model), plan.input_size)
    check_difference(difference, precision)
    metadata = _describe(estimator, plan, precision, difference)
    with atomic_write(path) as file:
        file.write(target.add_metadata(model, metadata))
    return metadata


def _describe(estimator, plan, precision, difference):
    versions = package_versions(estimator)
    model, nested = describe_model(estimator), unwrap(estimator)
    # Of triage.
    rule_in = [
        one.rule_in_threshold_ for one in nested.wrappers if hasattr(one, "rule_in_threshold_")
    ]
    return {
        "notice": _NOTICE,
        "classes": json.dumps(np.asarray(estimator.classes_).tolist()),
        "threshold": repr(nested.threshold),
        **({"rule_in_threshold": repr(float(*rule_in))} if rule_in else {}),
        "threshold_origin": describe_threshold(estimator),
        "input": _describe_input(plan),
        "precision": precision,
        "max_difference": f"{difference:.1e}",
        "model": model["name"],
        "fingerprint": model["fingerprint"],
        "skpneumo_version": versions["skpneumo"],
        "versions": json.dumps(versions),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _describe_input(plan):
    contract = (
        "images, uint8, (n, rows, columns): grey chest X-rays, 0 = black = air, 255 = white = bone"
    )
    if plan.input_size is not None:
        ((rows, columns), aspect) = list_networks(plan.root)[0].sizes[0]
        return f"{contract}; {rows} x {columns} pixels, resized by the caller with {aspect=}"
    sizes = {network.sizes[-1][0] for network in list_networks(plan.root)}
    named = " and ".join(f"{rows} x {columns}" for rows, columns in sorted(sizes))
    return f"{contract}; of any size, which is resized to {named} pixels"
