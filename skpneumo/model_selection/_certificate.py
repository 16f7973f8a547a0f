"""What an operating point was certified for, in words and numbers."""

from sklearn.frozen import FrozenEstimator


def describe_choice(model, criterion, value):
    """How the threshold of an operating point was chosen, in words.

    Parameters
    ----------
    model : OperatingPointClassifierCV
        Fitted.
    criterion : {"min_recall", "min_specificity", "missed_cost"}
        The parameter that was given.
    value : float
        Its value.

    Returns
    -------
    str
    """
    frozen = isinstance(model.estimator_, FrozenEstimator)
    scores = "" if frozen else ", by out-of-fold scores"
    if criterion == "missed_cost":
        return f"least cost, with a false negative as bad as {value:g} false positives{scores}"
    metric = criterion.removeprefix("min_")
    kind, n = ("positive", model.n_positive_units_)
    if metric == "specificity":
        kind, n = ("negative", model.n_negative_units_)
    required = f"{metric} of {100 * value:g}%"
    sample = f"{n} {kind} {model.unit_}s{scores}"
    if model.confidence is None:
        return f"a {required} on {sample}; nothing certified"
    approximately = "" if frozen else " approximately"
    return (
        f"a {required} of {model.unit_}s certified{approximately} with "
        f"{100 * model.confidence:g}% confidence on {sample}"
    )


def get_certified_metric(model, criterion, value):
    """Metric that an operating point was certified to reach, and its value.

    Parameters
    ----------
    model : OperatingPointClassifierCV
        Fitted.
    criterion : {"min_recall", "min_specificity", "missed_cost"}
        The parameter that was given.
    value : float
        Its value.

    Returns
    -------
    (str, float) or None
        "recall" or "specificity", or these with "_of_patients", as `skpneumo.evaluation.evaluate`
        names them. None if nothing is certified.
    """
    if criterion == "missed_cost" or model.confidence is None:
        return None
    of = "_of_patients" if model.unit_ == "patient" else ""
    return criterion.removeprefix("min_") + of, value
