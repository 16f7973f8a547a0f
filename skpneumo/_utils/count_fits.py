"""How many classifiers of this library a fit of a meta-estimator fits."""

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import ParameterGrid, check_cv


def count_fits(estimator):
    """Count the fits of classifiers with a network inside a fit, as far as parameters show.

    Parameters
    ----------
    estimator : estimator
        A classifier, a pipeline, a search, or something else with an ``estimator`` and a ``cv``.

    Returns
    -------
    int or None
        None if the data decide, such as about the number of groups.
    """
    # It lends the attributes of what it holds.
    if isinstance(estimator, FrozenEstimator):
        return 0
    if hasattr(estimator, "get_stages"):
        return 1
    if getattr(estimator, "steps", None):
        return count_fits(estimator.steps[-1][1])
    if getattr(estimator, "estimators", None):
        counts = [count_fits(one) for _, one in estimator.estimators]
        return None if None in counts else sum(counts)
    inner = getattr(estimator, "estimator", None)
    if inner is None:
        return 0
    n_inner, n_candidates, n_splits = count_fits(inner), _count_candidates(estimator), 1
    refits = getattr(estimator, "refit", False) is not False
    if hasattr(estimator, "cv"):
        n_splits = _count_splits(estimator.cv)
    if None in (n_inner, n_candidates, n_splits):
        return None
    return n_inner * (n_candidates * n_splits + refits)


def _count_candidates(search):
    if hasattr(search, "factor"):  # successive halving
        return None
    if hasattr(search, "param_grid"):
        return len(ParameterGrid(search.param_grid))
    return getattr(search, "n_iter", 1)


def _count_splits(cv):
    # An iterator would be used up.
    if hasattr(cv, "__next__"):
        return None
    try:
        return check_cv(cv).get_n_splits()
    except (TypeError, ValueError):
        return None
