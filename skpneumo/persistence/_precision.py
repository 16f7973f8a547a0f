"""The type in which the networks of a fitted estimator compute."""

from skpneumo._utils.unwrap import unwrap


def convert_precision(estimator, precision):
    """Let all networks of an estimator compute in another type, with the same weights.

    Parameters
    ----------
    estimator : estimator
        Fitted; changed.
    precision : {"auto", "float32", "bfloat16"}
        See `~skpneumo.networks.resolve_precision`.

    Returns
    -------
    estimator
        The same.
    """
    for classifier in unwrap(estimator).classifiers:
        classifier._compute_in(precision)
    return estimator
