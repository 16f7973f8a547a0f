"""What a model answers for one file: a prediction, or the reason why there is none."""

import hashlib
import re
import secrets
import warnings
from dataclasses import dataclass, field

import numpy as np

from skpneumo._utils.filenames import parse_filename
from skpneumo.exceptions import ImageReadError, NoXRayError, OutlierWarning
from skpneumo.images import READ_WARNINGS, read_records
from skpneumo.prediction import score_outliers

PREDICTED, OUTLIER, LEFT_OUT, UNREADABLE = OUTCOMES = (
    "predicted",
    "out of distribution",
    "left out",
    "unreadable",
)
_MAX_NAME = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# Patients are numbered by it, for as long as this process runs.
_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model answers for one file.

    Parameters
    ----------
    file : str
        Its name, without folders.
    outcome : {"predicted", "out of distribution", "left out", "unreadable"}
        Only "predicted" comes with a probability and a label.
    reason : str, default=None
        Why there is no prediction.
    probability : float, default=None
        Of the positive class, as ``predict_proba`` returns it.
    label : str, default=None
        What ``predict`` returns.
    triage : str, default=None
        What ``predict_triage`` returns, if the model has it.
    outlier_score : float, default=None
        Above 1 the image is out of distribution; None if the model has no detector.
    warnings : list of str, default=[]
        What was odd about the file.
    patient : str, default=None
        The same for files of one patient, and different in every run of the server.
    """

    file: str
    outcome: str
    reason: str | None = None
    probability: float | None = None
    label: str | None = None
    triage: str | None = None
    outlier_score: float | None = None
    warnings: list = field(default_factory=list)
    patient: str | None = None


def answer_file(model, path, name, *, all_views=False, label_outliers=False):
    """Predict one file.

    Parameters
    ----------
    model : classifier
        Fitted, with ``predict_proba``.
    path : str
        The file.
    name : str
        How its sender names it; never opened.
    all_views : bool, default=False
        Whether lateral views and other parts of the body are predicted too.
    label_outliers : bool, default=False
        Whether images that the detector of the model flags are predicted too.

    Returns
    -------
    Answer
        The probability is that of ``predict_proba([path])``, to the bit.
    """
    record = read_records([path], "all" if all_views else "frontal")[0]
    known = {"file": clean_name(name), "patient": get_patient(record.identity, name)}
    if record.reason:
        return Answer(**known, outcome=LEFT_OUT, reason=record.reason)
    # In one thread only: filters of warnings are those of the process.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", OutlierWarning)
        try:
            found = _predict(model, path, label_outliers)
        except ImageReadError as error:
            outcome = LEFT_OUT if isinstance(error, NoXRayError) else UNREADABLE
            return Answer(**known, outcome=outcome, reason=get_reason(error, path))
    # Threads that decode pictures warn too, of other files.
    texts = [
        get_reason(one.message, path)
        for one in caught
        if one.category in READ_WARNINGS and str(one.message).startswith(f"{path}: ")
    ]
    return Answer(**known, **found, warnings=list(dict.fromkeys(texts)))


def _predict(model, path, label_outliers):
    scores = score_outliers(model, [path])
    score = None if scores is None else float(scores[0])
    if score is not None and score > 1 and not label_outliers:
        return {
            "outcome": OUTLIER,
            "reason": "this image is unlike the chest X-rays that the model was made with, so a "
            "prediction would mean nothing.",
            "outlier_score": score,
        }
    return {
        "outcome": PREDICTED,
        "probability": float(model.predict_proba([path])[0, 1]),
        # By `predict`, not by the probability: a wrapper may have a threshold on another score.
        "label": str(np.asarray(model.predict([path]))[0]),
        "triage": str(model.predict_triage([path])[0]) if has_triage(model) else None,
        "outlier_score": score,
    }


def has_triage(model):
    """Whether a model rules out, rules in, or leaves to be read."""
    return hasattr(model, "predict_triage")


def get_reason(error, path):
    """Text of an error or a warning about a file, without its path."""
    text = str(error).removeprefix(f"{path}: ")
    return text.replace(path, "this file")


def clean_name(name):
    """Name of a file as its sender gave it: without folders, and safe to print."""
    name = re.split(r"[/\\]", name or "")[-1]
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", name)[:_MAX_NAME] or "unnamed"


def get_patient(identity, name):
    """Number of a patient, from which no identifier can be found; None if it is not known."""
    parsed = parse_filename(clean_name(name))
    known = identity.patient or identity.study or (parsed and f"name {parsed.group}")
    if not known:
        return None
    return hashlib.blake2b(known.encode(), key=_SECRET, digest_size=8).hexdigest()
