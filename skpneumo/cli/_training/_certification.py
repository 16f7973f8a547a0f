"""A certified operating point in words and numbers, and the check of it on the test split."""

from skpneumo._utils.formatting import ROUNDING, percent
from skpneumo.cli._training._data import POSITIVE
from skpneumo.cli._training._test_split import estimate


def describe_operating_point(model):
    """Describe a certified operating point, ready for JSON.

    Parameters
    ----------
    model : OperatingPointClassifierCV
        Fitted for a recall with a confidence.

    Returns
    -------
    dict
        "threshold", "certified_recall", "recall" and "specificity" (of the patients left out),
        "n_positive_patients", "n_negative_patients", "images_per_patient" (of those with
        pneumonia), "reason" (all of these in sentences), and "test", which is None: the place for
        what `check_on_test` returns.
    """
    recall, specificity = map(percent, (model.recall_, model.specificity_))
    n_models = len(model.estimator_.fold_estimators_)
    reason = (
        f"Certified operating point: at the decision threshold {model.best_threshold_:.4g} for "
        f"{POSITIVE}, the recall of new patients is at least {100 * model.min_recall:g}% with "
        f"{100 * model.confidence:g}% confidence. This is approximate, as the threshold is set by "
        f"out-of-fold scores and the model averages the log odds of {n_models} models, one of each "
        f"fold. It rests on {model.n_positive_units_} patients with pneumonia, "
        f"{model.images_per_patient_:.3g} images each (with more images each the recall of "
        f"patients is lower), and {model.n_negative_units_} without: out of fold, recall is "
        f"{recall} and specificity {specificity}. A patient is a true positive only if all images "
        "with pneumonia are predicted positive, and a true negative only if no image without it is."
    )
    return {
        "threshold": float(model.best_threshold_),
        "certified_recall": float(model.recall_lower_bound_),
        "recall": float(model.recall_),
        "specificity": float(model.specificity_),
        "n_positive_patients": int(model.n_positive_units_),
        "n_negative_patients": int(model.n_negative_units_),
        "images_per_patient": float(model.images_per_patient_),
        "reason": reason,
        "test": None,
    }


def check_on_test(report, min_recall):
    """Check whether the certified recall is reached on the test split.

    Parameters
    ----------
    report : Evaluation
        The model on the test split.
    min_recall : float
        The recall that was certified for patients.

    Returns
    -------
    dict
        "metric", "value", "interval" and "verdict".
    """
    # Without known patients every image counts as a patient.
    name = "recall_of_patients" if "recall_of_patients" in report.metrics else "recall"
    metric = estimate(report.metrics[name])
    value, interval = metric["value"], metric["interval"]
    of = "by patient" if name == "recall_of_patients" else "by image, as no patient is known,"
    text = f"On the test split the recall {of} is {percent(value)}"
    if interval:
        text += f" [{percent(interval[0])}, {percent(interval[1], up=True)}]"
    certified = f"the certified recall of {100 * min_recall:g}%"
    if value >= min_recall - ROUNDING:
        verdict = f"{text}; {certified} is reached."
    elif interval is None or interval[1] >= min_recall:
        verdict = f"{text}; it is below {certified}, which the interval contains."
    else:
        verdict = f"{text}; {certified} is not reached on these images."
    return {"metric": name, **metric, "verdict": verdict}
