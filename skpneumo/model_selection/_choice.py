"""Selection of a candidate of a search: recall first, then specificity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from skpneumo._utils.formatting import ROUNDING, percent
from skpneumo._utils.validation import check_fraction, check_non_negative


def choose_candidate(
    cv_results: Mapping[str, Any],
    *,
    min_recall: float = 0.98,
    min_specificity: float = 0.5,
    margin: float | Literal["auto"] = "auto",
) -> tuple[int, str]:
    """Select a candidate of a fitted search by mean recall and specificity.

    1. Among the candidates whose mean recall, less a margin, and mean specificity reach their
       floors, the one with the highest specificity.
    2. If there is none, among those whose specificity reaches its floor, the one with the highest
       recall.
    3. If there is none either, the one with the highest sum of both (Youden's index [1]_).

    The first two steps consider only candidates that are better than chance, whose recall and
    specificity add up to more than 1. So a candidate that predicts one class for all images is
    never preferred to one that distinguishes the classes, however low the floors.

    Parameters
    ----------
    cv_results : dict of arrays
        ``cv_results_`` of a search with ``scoring=SCORERS``. Only ``"mean_test_recall"``,
        ``"mean_test_specificity"`` and, for the margin, ``"split0_test_recall"``,
        ``"split1_test_recall"`` and so on are used.
    min_recall : float, default=0.98
        Required mean recall, from 0 to 1.
    min_specificity : float, default=0.5
        Required mean specificity, from 0 to 1.
    margin : float or "auto", default="auto"
        Number of standard errors of the mean over the folds by which the mean recall must exceed
        ``min_recall``. 0 compares the mean itself. "auto" is 1, or 0 if ``cv_results`` does not
        hold the recall of at least two folds.

    Returns
    -------
    index : int
        Position of the candidate in ``cv_results["params"]``. Ties are broken by the higher
        recall, then by the higher specificity, then by the lower position.
    reason : str
        Why it was selected, in a sentence. Percentages are rounded down.

    Raises
    ------
    ValueError
        If the scores are missing, or NaN for every candidate, or if a margin is given as a number
        and ``cv_results`` does not hold the recall of at least two folds. Single candidates with
        NaN (a fit that failed) are ignored.

    See Also
    --------
    HighestSpecificity : The same rule as a ``refit`` of a search.

    Notes
    -----
    The metrics of the selected candidate are optimistic: report those of images that took no part
    in the search.

    **The true recall can be lower than the floor.** In simulated searches (five folds, 27 or 120
    candidates, 60 to 3,500 patients with pneumonia, floors of 0.95 and 0.98), the mean recall of
    the selected candidate reached the floor, but its true recall was lower

    - with ``margin=0`` in 25 to 78 % of the searches (median 46 %),
    - with one standard error in 7 to 45 % (median 22 %), for 1 to 7 points of specificity
      (median 2),
    - with two in 2 to 45 % (median 13 %), for 1 to 7 points (median 5).

    The highest rates are those of 60 patients and a floor of 0.98: if the recall is 1 in all
    folds, the standard error is 0 and there is no margin. ``tests/benchmarks/selection_rule.py``
    measures this. One standard error is the default; :class:`OperatingPointClassifierCV` certifies
    a recall.

    References
    ----------
    .. [1] W. J. Youden, "Index for rating diagnostic tests", Cancer 3:32-35, 1950.

    Examples
    --------
    >>> from skpneumo.model_selection import choose_candidate
    >>> cv_results = {
    ...     "mean_test_recall": [1.0, 0.99, 0.98, 0.9],
    ...     "mean_test_specificity": [0.0, 0.7, 0.8, 0.95],
    ... }
    >>> index, reason = choose_candidate(cv_results)
    >>> index
    2
    >>> print(reason)
    Candidate 2 has the highest mean specificity, 80.0%, of those that reach a mean recall of 98%
    and a mean specificity of 50% (2 of 4); its mean recall is 98.0%.
    """
    check_fraction("min_recall", min_recall)
    check_fraction("min_specificity", min_specificity)
    recall = _means(cv_results, "recall")
    reached, n_errors = recall_less_margin(cv_results, margin)
    specificity = _means(cv_results, "specificity")
    scored = np.isfinite(recall) & np.isfinite(specificity)
    if not scored.any():
        raise ValueError(
            f"None of the {len(scored)} candidates can be selected: each has a mean recall or "
            "specificity of NaN. Either the fits failed (search with error_score='raise' to see "
            "why) or a test fold lacks a class (split with StratifiedGroupKFold)."
        )
    # Candidates that predict one class for every image add up to 1; rounding must not let one pass.
    useful = scored & (recall + specificity > 1 + ROUNDING)
    specific = useful & (specificity >= min_specificity - ROUNDING)
    wanted = specific & (reached >= min_recall - ROUNDING)

    if wanted.any():
        index = _best(wanted, specificity, recall)
    elif specific.any():
        index = _best(specific, recall, specificity)
    else:
        index = _best(scored, recall + specificity, recall)
    floors = (
        f"a mean recall of {100 * min_recall:g}%{_in_words(n_errors)}",
        f"a mean specificity of {100 * min_specificity:g}%",
    )
    reason = _reason(
        index,
        (recall[index], specificity[index]),
        floors,
        n_wanted=wanted.sum(),
        n_specific=specific.sum(),
        any_useful=useful.any(),
        n_candidates=len(scored),
    )
    return index, reason


def _reason(index, metrics, floors, *, n_wanted, n_specific, any_useful, n_candidates):
    """Which step of the rule selected a candidate, and by which metrics."""
    recall, specificity = map(percent, metrics)
    if n_wanted:
        return (
            f"Candidate {index} has the highest mean specificity, {specificity}, of those that "
            f"reach {floors[0]} and {floors[1]} ({n_wanted} of {n_candidates}); its mean recall is "
            f"{recall}."
        )
    if n_specific:
        return (
            f"No useful candidate reaches both {floors[0]} and {floors[1]}; of those that reach "
            f"the latter ({n_specific} of {n_candidates}), candidate {index} has the highest mean "
            f"recall, {recall}, with a mean specificity of {specificity}."
        )
    lack = "is better than chance"
    if any_useful:
        lack = f"distinguishes the classes and reaches {floors[1]}"
    return (
        f"None of {n_candidates} candidates {lack}; candidate {index} has the highest sum of mean "
        f"recall and mean specificity, {recall} and {specificity}."
    )


@dataclass(frozen=True)
class HighestSpecificity:
    """Refit a search with the candidate that :func:`choose_candidate` selects.

    Parameters
    ----------
    min_recall : float, default=0.98
        Required mean recall, from 0 to 1.
    min_specificity : float, default=0.5
        Required mean specificity, from 0 to 1.
    margin : float or "auto", default="auto"
        Number of standard errors of the mean over the folds by which the mean recall must exceed
        ``min_recall``; "auto" is 1. See `choose_candidate`, also for how often the true recall is
        still lower than the floor.

    See Also
    --------
    choose_candidate : The rule, and the reason in words for a fitted search.

    Notes
    -----
    A search whose ``refit`` is a callable has no ``best_score_``, and its ``score`` method has
    no metric: call a scorer, ``recall_scorer(search, X, y)``.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skpneumo.metrics import SCORERS
    >>> from skpneumo.model_selection import HighestSpecificity
    >>> X, y = make_classification(300, class_sep=2, random_state=0)
    >>> search = GridSearchCV(
    ...     LogisticRegression(),
    ...     {"class_weight": [{0: 1, 1: 1000}, {0: 1, 1: 4}, {0: 1, 1: 1}]},
    ...     scoring=SCORERS,
    ...     refit=HighestSpecificity(min_recall=0.95),
    ... ).fit(X, y)
    >>> search.best_params_
    {'class_weight': {0: 1, 1: 4}}
    """

    min_recall: float = 0.98
    min_specificity: float = 0.5
    margin: float | str = "auto"

    def __post_init__(self):
        check_fraction("min_recall", self.min_recall)
        check_fraction("min_specificity", self.min_specificity)
        check_non_negative("margin", self.margin, word="auto")

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Select a candidate.

        Parameters
        ----------
        cv_results : dict of arrays
            ``cv_results_`` of a search with ``scoring=SCORERS``.

        Returns
        -------
        index : int
            Position of the candidate.
        """
        index, _ = choose_candidate(
            cv_results,
            min_recall=self.min_recall,
            min_specificity=self.min_specificity,
            margin=self.margin,
        )
        return index


def recall_less_margin(cv_results, margin="auto"):
    """Mean recall of each candidate, less its margin.

    Parameters
    ----------
    cv_results : dict of arrays
        See `choose_candidate`.
    margin : float or "auto", default="auto"
        See `choose_candidate`.

    Returns
    -------
    reached : ndarray of shape (n_candidates,)
        Compared with the floor.
    n_errors : float
        The margin in standard errors.
    """
    check_non_negative("margin", margin, word="auto")
    mean = _means(cv_results, "recall")
    folds = [
        cv_results[key] for key in cv_results if re.fullmatch(r"split\d+_test_recall", str(key))
    ]
    if margin == "auto":
        # The mean alone, as of a table that was written by hand, has no standard error.
        margin = 1.0 if len(folds) > 1 else 0.0
    if not margin:
        return mean, 0.0
    if len(folds) < 2:
        raise ValueError(
            f"margin={margin:g} needs the recall of two folds or more, split0_test_recall, "
            f"split1_test_recall and so on; cv_results holds {len(folds)}. Pass cv_results_ of a "
            "search over more folds, or margin=0."
        )
    spread = np.std(np.asarray(folds, dtype=np.float64), axis=0, ddof=1)
    return mean - margin * spread / np.sqrt(len(folds)), float(margin)


def _in_words(n_errors):
    if not n_errors:
        return ""
    return " plus one standard error" if n_errors == 1 else f" plus {n_errors:g} standard errors"


def _means(cv_results, metric):
    key = f"mean_test_{metric}"
    if key not in cv_results:
        found = [k for k in cv_results if str(k).startswith("mean_test_")]
        raise ValueError(
            f"cv_results has no {key!r} (it has {', '.join(found) or 'no mean_test_* at all'}). "
            "Search with scoring=SCORERS from skpneumo.metrics."
        )
    return np.asarray(cv_results[key], dtype=np.float64)


def _best(allowed, first, second):
    """Position of the highest ``first``, then the highest ``second``, then the first one."""
    # Rounded, so that sums that differ in their last bit tie.
    ranked = sorted(
        np.flatnonzero(allowed),
        key=lambda i: (-round(float(first[i]), 9), -round(float(second[i]), 9), i),
    )
    return int(ranked[0])
