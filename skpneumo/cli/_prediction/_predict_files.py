"""Predictions of a batch of files; files that cannot be read stop nothing."""

import warnings
from dataclasses import dataclass

import numpy as np

from skpneumo._utils.unwrap import unwrap
from skpneumo.exceptions import ImageReadError, NoXRayError, OutlierWarning
from skpneumo.images import XRaySequence, read_records
from skpneumo.prediction import get_patient, score_outliers

COLUMNS = ("file", "probability", "label", "outlier", "outlier_score", "error", "left_out")
_TRIAGE_PLACE = COLUMNS.index("outlier")
# What outliers do not get.
_ANSWERS = {"probability", "label", "triage"}


@dataclass(frozen=True, kw_only=True)
class PredictionOptions:
    """How files are predicted.

    Parameters
    ----------
    views : {"frontal", "all"}, default="frontal"
        Leave out lateral and oblique views and other parts of the body than the chest by the
        headers of DICOM files, or only files that hold no X-ray.
    label_outliers : bool, default=False
        Whether images that a detector in the model flags get a probability and a label too.
    threshold : float, default=None
        Decision threshold on the probability. None takes that of the model.
    triage : bool, default=False
        Whether a column "triage" is added: what ``predict_triage`` of the model returns.
    """

    views: str = "frontal"
    label_outliers: bool = False
    threshold: float | None = None
    triage: bool = False

    @property
    def columns(self):
        """Names of the items of a row."""
        if not self.triage:
            return COLUMNS
        return (*COLUMNS[:_TRIAGE_PLACE], "triage", *COLUMNS[_TRIAGE_PLACE:])

    def may_keep(self, row):
        """Whether a row of an earlier run need not be computed again.

        What could not be read or was left out is cheap to try again; an outlier has answers or
        none depending on the options.
        """
        if row["error"] or row["left_out"]:
            return False
        has_answer = row["probability"] is not None
        return has_answer == self.label_outliers if row["outlier"] else has_answer

    def get_thresholds(self, model):
        """Return the decision threshold, and the one for ruling in; None without a triage.

        Parameters
        ----------
        model : classifier
            Fitted.

        Returns
        -------
        tuple of (float, float or None)
        """
        threshold = unwrap(model).threshold if self.threshold is None else self.threshold
        return float(threshold), float(model.rule_in_threshold_) if self.triage else None


def predict_batch(known, shared, options):
    """Predict some files, here or in a worker.

    Parameters
    ----------
    known : list of (str, str or None, str or None)
        Files, each with the reason why it cannot be read or is left out as far as `find_files` has
        found one. Those that vanish meanwhile become rows with an error.
    shared : SharedModel
        Holds the fitted model; it takes paths.
    options : PredictionOptions
        How to predict.

    Returns
    -------
    rows : list of dict
        For each file its columns; None if there is nothing to report.
    patients : list of str or None
        The patient of each file that was predicted, None for the others.
    """
    model, files = shared.get(), [file for file, _, _ in known]
    errors = {file: error for file, error, _ in known if error}
    left_out = {file: reason for file, _, reason in known if reason}
    openable = [file for file in files if file not in errors and file not in left_out]
    records = dict(zip(openable, read_records(openable, options.views), strict=True))
    left_out |= {file: record.reason for file, record in records.items() if record.reason}
    with warnings.catch_warnings():
        # Reported file by file.
        warnings.simplefilter("ignore", OutlierWarning)
        predicted = _predict_readable(model, files, errors, left_out, options)
    if not options.label_outliers:
        for prediction in predicted.values():
            if prediction["outlier"]:
                prediction |= dict.fromkeys(prediction.keys() & _ANSWERS)
    reasons = {file: {"left_out": reason} for file, reason in left_out.items()}
    outcomes = reasons | {file: {"error": error} for file, error in errors.items()} | predicted
    empty = dict.fromkeys(options.columns)
    patients = [
        get_patient(file, records[file].identity) if file in predicted else None for file in files
    ]
    return [empty | {"file": file} | outcomes[file] for file in files], patients


def _predict_readable(model, files, errors, left_out, options):
    """Return predictions by file; the others are added to the errors, or to what is left out."""
    files = _drop_unreadable(files, errors, left_out)
    while files:
        try:
            return _predict(model, files, options)
        except ImageReadError:
            # A file may have vanished since it was checked.
            readable = _drop_unreadable(files, errors, left_out)
            if readable == files:
                raise
            files = readable
    return {}


def _predict(model, files, options):
    probability = model.predict_proba(files)[:, 1]
    if options.threshold is None:
        # By `predict`, not by the probability: a wrapper may have a threshold on another score.
        labels = np.asarray(model.predict(files))
    else:
        labels = np.asarray(model.classes_)[(probability >= options.threshold).astype(int)]
    outlier_scores = score_outliers(model, files)
    columns = {
        "probability": probability.tolist(),
        "label": labels.tolist(),
        "outlier_score": (
            [None] * len(files) if outlier_scores is None else outlier_scores.tolist()
        ),
    }
    if options.triage:
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
