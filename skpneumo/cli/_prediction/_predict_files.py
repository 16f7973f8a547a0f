"""A prediction for each file; files that cannot be read stop nothing."""

import warnings
from functools import partial

import numpy as np

from skpneumo._utils.unwrap import get_transformers, unwrap
from skpneumo.exceptions import ImageReadError, NoXRayError, OutlierWarning
from skpneumo.images import XRaySequence
from skpneumo.preprocessing import XRayOutlierDetector

COLUMNS = ("file", "probability", "label", "outlier", "outlier_score", "error", "left_out")
_TRIAGE_PLACE = COLUMNS.index("outlier")
# What outliers do not get.
_ANSWERS = {"probability", "label", "triage"}
# A file that vanishes after its check makes only its own batch start again.
_BATCH_SIZE = 64


def predict_files(model, found, *, label_outliers=False, threshold=None, triage=False):
    """Predict files.

    Parameters
    ----------
    model : classifier
        Fitted; it takes paths.
    found : FoundFiles
        Returned by `find_files`. Files that vanish meanwhile become rows with an error.
    label_outliers : bool, default=False
        Whether images that a detector in the model flags get a probability and a label too.
    threshold : float, default=None
        Decision threshold on the probability. None takes that of the model.
    triage : bool, default=False
        Whether a column "triage" is added: what ``predict_triage`` of the model returns.

    Returns
    -------
    list of dict
        For each file the `COLUMNS`; None if there is nothing to report.
    """
    columns = (*COLUMNS[:_TRIAGE_PLACE], "triage", *COLUMNS[_TRIAGE_PLACE:]) if triage else COLUMNS
    predicted, errors, left_out = {}, dict(found.errors), dict(found.left_out)
    with warnings.catch_warnings():
        # Reported file by file.
        warnings.simplefilter("ignore", OutlierWarning)
        for start in range(0, len(found.files), _BATCH_SIZE):
            batch = found.files[start : start + _BATCH_SIZE]
            predicted |= _predict_readable(
                partial(_predict_batch, model, threshold=threshold, triage=triage),
                batch,
                errors,
                left_out,
            )
    if not label_outliers:
        for prediction in predicted.values():
            if prediction["outlier"]:
                prediction |= dict.fromkeys(prediction.keys() & _ANSWERS)
    reasons = {file: {"left_out": reason} for file, reason in left_out.items()}
    reasons |= {file: {"error": error} for file, error in errors.items()}
    # A file that is named twice may be gone the second time: what was predicted stays.
    outcomes = reasons | predicted
    empty = dict.fromkeys(columns)
    return [empty | {"file": file} | outcomes[file] for file in found.files]


def _predict_readable(predict_batch, files, errors, left_out):
    """Return predictions by file; the others are added to the errors, or to what is left out."""
    files = _drop_unreadable(files, errors, left_out)
    while files:
        try:
            return predict_batch(files)
        except ImageReadError:
            # A file may have vanished since it was checked.
            readable = _drop_unreadable(files, errors, left_out)
            if readable == files:
                raise
            files = readable
    return {}


def _predict_batch(model, files, *, threshold, triage):
    probability = model.predict_proba(files)[:, 1]
    if threshold is None:
        # By `predict`, not by the probability: a wrapper may have a threshold on another score.
        labels = np.asarray(model.predict(files))
    else:
        labels = np.asarray(model.classes_)[(probability >= threshold).astype(int)]
    columns = {
        "probability": probability.tolist(),
        "label": labels.tolist(),
        "outlier_score": _outlier_scores(model, files),
    }
    if triage:
        columns["triage"] = model.predict_triage(files).tolist()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for row in rows:
        score = row["outlier_score"]
        row["outlier"] = None if score is None else score > 1
    return dict(zip(files, rows, strict=True))


def _drop_unreadable(files, errors, left_out):
    """Return the files that can be predicted, and note why the others cannot."""
    files = [file for file in files if file not in errors and file not in left_out]
    unreadable = XRaySequence(files).find_unreadable() if files else {}
    for file, error in unreadable.items():
        reasons = left_out if isinstance(error, NoXRayError) else errors
        reasons[file] = str(error).removeprefix(f"{file}: ")
    return [file for file in files if file not in unreadable]


def _outlier_scores(model, files):
    """Score files by the outlier detector of a pipeline; None without one."""
    X, transformers = files, get_transformers(unwrap(model).branches[0])
    if not any(isinstance(step, XRayOutlierDetector) for step in transformers):
        return [None] * len(files)
    for step in transformers:
        if isinstance(step, XRayOutlierDetector):
            break
        X = step.transform(X)
    return step.outlier_score(X).tolist()
