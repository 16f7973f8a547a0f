"""The candidates of a search, and those that were selected."""

import numpy as np

from skpneumo.cli._training._data import POSITIVE
from skpneumo.cli._training._search import METRICS
from skpneumo.model_selection import choose_candidate


def mean_results(searches):
    """Average ``cv_results_`` of several searches over the same candidates.

    Parameters
    ----------
    searches : list of GridSearchCV
        Fitted.

    Returns
    -------
    dict of str to ndarray
        "mean_test_..." and "std_test_...", and "params".
    """
    results = [search.cv_results_ for search in searches]
    names = (name for name in results[0] if name.startswith(("mean_test_", "std_test_")))
    means = {name: np.mean([result[name] for result in results], axis=0) for name in names}
    return means | {"params": results[0]["params"]}


def list_candidates(cv_results):
    """List class weight, threshold and metrics of each candidate, ready for JSON.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        ``cv_results_``, or what `mean_results` returns.

    Returns
    -------
    list of dict
        "class_weight", "threshold", and for each of `METRICS` "mean" and "std" over folds.
    """
    candidates = []
    for i, params in enumerate(cv_results["params"]):
        values = {name.rsplit("__", 1)[1]: value for name, value in params.items()}
        candidate = {
            "class_weight": values["class_weight"][POSITIVE],
            "threshold": values["threshold"],
        }
        for name in METRICS:
            candidate[name] = {
                "mean": float(cv_results[f"mean_test_{name}"][i]),
                "std": float(cv_results[f"std_test_{name}"][i]),
            }
        candidates.append(candidate)
    return candidates


def describe_selection(searches, candidates, options):
    """Describe the candidates that the searches selected, ready for JSON.

    Parameters
    ----------
    searches : list of GridSearchCV
        Fitted.
    candidates : list of dict
        Returned by `list_candidates`.
    options : SearchOptions
        The options of the search.

    Returns
    -------
    dict
        Of one search "index", "reason" and the items of the candidate; of several "indices", by
        fold, and "reason".
    """
    if len(searches) == 1:
        index, reason = choose_candidate(
            searches[0].cv_results_,
            min_recall=options.min_recall,
            min_specificity=options.min_specificity,
        )
        return candidates[index] | {"index": index, "reason": reason}
    indices = [int(search.best_index_) for search in searches]
    reason = (
        f"The searches inside the {len(indices)} folds selected the candidates "
        f"{', '.join(map(str, indices))}. The table shows the means over these searches. Only the "
        "class weights are used: the threshold is the certified one."
    )
    return {"indices": indices, "reason": reason}


def mean_of_selected(searches, name):
    """Average a metric of the selected candidates over folds, and over searches.

    Parameters
    ----------
    searches : list of GridSearchCV
        Fitted.
    name : str
        The metric.

    Returns
    -------
    float
    """
    means = [search.cv_results_[f"mean_test_{name}"][search.best_index_] for search in searches]
    return float(np.mean(means))
