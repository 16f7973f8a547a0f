"""What the page says of a model: thresholds, how they were chosen, and the scores at its home."""

import numpy as np
from scipy.special import logit

import skpneumo
from skpneumo._utils.provenance import describe_model, describe_threshold, get_certified_target
from skpneumo._utils.unwrap import get_transformers, unwrap
from skpneumo.preprocessing import XRayOutlierDetector
from skpneumo.serving._answers import has_triage
from skpneumo.serving._pictures import has_heatmaps
from skpneumo.sites import CertifiedClassifier, get_reference

# Probabilities beyond these log odds end up in the first and the last bar.
MAX_LOG_ODDS = 10
_N_BARS = 40


def collect_facts(model):
    """Collect what `GET /model` returns.

    Parameters
    ----------
    model : classifier
        Fitted, with ``predict_proba``.

    Returns
    -------
    dict
        Of what JSON can hold.

    Raises
    ------
    ValueError
        If the model has no probabilities, or not two classes.
    """
    classes = [str(label) for label in np.asarray(model.classes_).tolist()]
    if len(classes) != 2 or not hasattr(model, "predict_proba"):
        raise ValueError(
            "The reading page needs a model with predict_proba and two classes. Pass one of "
            "load_model or load_pretrained."
        )
    nested, described = unwrap(model), describe_model(model)
    reference, target = find_reference(model), get_certified_target(model)
    return {
        "skpneumo_version": skpneumo.__version__,
        "name": described["name"],
        "fingerprint": described["fingerprint"],
        "classes": classes,
        "positive": classes[1],
        "threshold": float(nested.threshold),
        "rule_in_threshold": float(model.rule_in_threshold_) if has_triage(model) else None,
        "threshold_description": describe_threshold(model),
        "certified_metric": target and target[0],
        "certified_value": target and float(target[1]),
        "is_certified_at_site": isinstance(nested.threshold_source, CertifiedClassifier),
        "has_outlier_detector": any(
            isinstance(step, XRayOutlierDetector) for step in get_transformers(nested.branches[0])
        ),
        "has_heatmaps": has_heatmaps(model),
        "reference": None
        if reference is None
        else describe_reference(reference, float(nested.threshold)),
    }


def find_reference(model):
    """Scores that a model, or the one in it whose threshold was chosen again, was made with.

    Returns
    -------
    Bunch or None
        ``y_true``, ``y_score`` and ``patient``; None if there are none.
    """
    while model is not None:
        try:
            return get_reference(model)
        except ValueError:
            model = getattr(model, "estimator_", None)
    return None


def describe_reference(reference, threshold):
    """Bars of the reference scores in log odds, and what the threshold does to them.

    Parameters
    ----------
    reference : Bunch
        ``y_true`` and ``y_score``, probabilities.
    threshold : float
        Of the model.

    Returns
    -------
    dict
        ``edges``, the proportions ``negative`` and ``positive`` in each bar, ``recall`` and
        ``specificity`` at the threshold, and the numbers of images.
    """
    y_true, y_score = np.asarray(reference.y_true, dtype=bool), np.asarray(reference.y_score)
    with np.errstate(divide="ignore"):
        log_odds = logit(np.clip(y_score.astype(np.float64), 0, 1))
    log_odds = np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)
    edges = np.linspace(-MAX_LOG_ODDS, MAX_LOG_ODDS, _N_BARS + 1)
    bars = [
        (np.histogram(log_odds[rows], edges)[0] / max(1, rows.sum())).tolist()
        for rows in (~y_true, y_true)
    ]
    return {
        "edges": edges.tolist(),
        "negative": bars[0],
        "positive": bars[1],
        "n_negative": int((~y_true).sum()),
        "n_positive": int(y_true.sum()),
        "recall": float(np.mean(y_score[y_true] >= threshold)),
        "specificity": float(np.mean(y_score[~y_true] < threshold)),
    }
