"""The work of ``skpneumo calibrate``: a certified threshold on a labelled sample."""

from sklearn.frozen import FrozenEstimator

from skpneumo._utils.formatting import percent
from skpneumo._utils.unwrap import unwrap
from skpneumo.datasets import load_xray_folder
from skpneumo.exceptions import DatasetError
from skpneumo.model_selection import OperatingPointClassifierCV
from skpneumo.sites import TriageClassifierCV


def load_sample(folder, classes, views):
    """List a labelled sample.

    Parameters
    ----------
    folder : path
        X-rays sorted into classes.
    classes : dict of str to str or None
        Class by name of a folder.
    views : {"frontal", "all"}
        As `load_xray_folder` takes it.

    Returns
    -------
    Bunch
        As `load_xray_folder` returns it.

    Raises
    ------
    DatasetError
        If the folder has several splits: the model may have been trained on one of them.
    """
    data = load_xray_folder(folder, classes=classes, views=views)
    splits = sorted(set(data.split))
    if len(splits) > 1:
        raise DatasetError(
            f"{folder} has the splits {', '.join(splits)}, and a threshold is certified only on "
            "images that the model was not trained on. Name the folder of one split."
        )
    return data


def calibrate(model, data, *, min_recall, min_specificity, confidence):
    """Choose a certified threshold for a model that is not fitted again.

    Parameters
    ----------
    model : classifier
        Fitted. If it is an operating point, the classifier inside is taken.
    data : Bunch
        With ``paths``, ``target`` and ``groups``.
    min_recall : float
        Recall to certify.
    min_specificity : float or None
        Specificity to certify for a second threshold; None chooses one threshold.
    confidence : float
        Confidence level.

    Returns
    -------
    OperatingPointClassifierCV or TriageClassifierCV
        Fitted.
    """
    frozen = FrozenEstimator(without_operating_point(model))
    options = {"min_recall": min_recall, "confidence": confidence}
    if min_specificity is None:
        calibrated = OperatingPointClassifierCV(frozen, **options)
    else:
        calibrated = TriageClassifierCV(frozen, min_specificity=min_specificity, **options)
    return calibrated.fit(data.paths, data.target, groups=data.groups)


def without_operating_point(model):
    """Return the classifier that an operating point chose a threshold for.

    Parameters
    ----------
    model : classifier
        Fitted.

    Returns
    -------
    classifier
        The model itself if it is no operating point.
    """
    while True:
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        elif hasattr(model, "best_threshold_") and hasattr(model, "estimator_"):
            model = model.estimator_
        else:
            return model


def describe_calibration(calibrated, before):
    """Describe a calibrated model.

    Parameters
    ----------
    calibrated : OperatingPointClassifierCV or TriageClassifierCV
        Fitted.
    before : classifier
        The model before.

    Returns
    -------
    str
    """
    positive, of = calibrated.classes_[1], f"{calibrated.unit_}s"
    lines = [
        f"Decision threshold for {positive}: {calibrated.best_threshold_:.4g} (before: "
        f"{unwrap(before).threshold:.4g}).",
        f"{_capitalized(calibrated.describe_threshold())}.",
        f"On these {calibrated.n_positive_units_} positive and {calibrated.n_negative_units_} "
        f"negative {of} the recall is {percent(calibrated.recall_)} and the specificity "
        f"{percent(calibrated.specificity_)}",
    ]
    if hasattr(calibrated, "proportion_to_read_"):
        lines[-1] += (
            f"; {calibrated.n_positive_ruled_out_} with pneumonia are ruled out, and "
            f"{percent(calibrated.proportion_to_read_, up=True)} of all are to be read (at most "
            f"{percent(calibrated.proportion_to_read_upper_bound_, up=True)} of new ones)."
        )
    else:
        lines[-1] += f" (at least {percent(calibrated.specificity_lower_bound_)} of new ones)."
    return "\n".join(lines)


def describe_as_dict(calibrated, before):
    """Describe a calibrated model, ready for JSON.

    Parameters
    ----------
    calibrated : OperatingPointClassifierCV or TriageClassifierCV
        Fitted.
    before : classifier
        The model before.

    Returns
    -------
    dict
    """
    result = {
        "threshold": float(calibrated.best_threshold_),
        "threshold_before": float(unwrap(before).threshold),
        "min_recall": calibrated.min_recall,
        "confidence": calibrated.confidence,
        "certified": calibrated.describe_threshold(),
        "recall": float(calibrated.recall_),
        "specificity": float(calibrated.specificity_),
        "counted": f"{calibrated.unit_}s",
        "n_positive": int(calibrated.n_positive_units_),
        "n_negative": int(calibrated.n_negative_units_),
    }
    if not hasattr(calibrated, "proportion_to_read_"):
        bound = float(calibrated.specificity_lower_bound_)
        return result | {"specificity_lower_bound": bound}
    return result | {
        "min_specificity": calibrated.min_specificity,
        "rule_in_threshold": float(calibrated.rule_in_threshold_),
        "n_positive_ruled_out": int(calibrated.n_positive_ruled_out_),
        "proportion_to_read": float(calibrated.proportion_to_read_),
        "proportion_to_read_upper_bound": float(calibrated.proportion_to_read_upper_bound_),
    }


def _capitalized(text):
    return text[0].upper() + text[1:]
