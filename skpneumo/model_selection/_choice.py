"""Which setting of a search to keep: few missed pneumonias first, then few false alarms."""

from dataclasses import dataclass

import numpy as np

from skpneumo._format import ROUNDING, percent
from skpneumo.metrics._check import check_share


def choose_setting(cv_results, *, min_recall=0.98, min_specificity=0.5):
    """Choose among the settings of a finished search by mean recall and specificity.

    1. Among the settings whose mean recall and mean specificity reach their floors, the one with
       the highest specificity.
    2. Where there is none, among those whose specificity reaches its floor, the one with the
       highest recall.
    3. Where there is none either, the one with the highest sum of both (Youden's index [1]_).

    The first two steps look only at settings that are better than chance, whose recall and
    specificity add up to more than 1: neither calling everyone ill nor calling everyone healthy
    is ever preferred to a setting that tells them apart, however low the floors.

    Parameters
    ----------
    cv_results : dict of arrays
        ``cv_results_`` of a search with ``scoring=SCORERS``. Only ``"mean_test_recall"`` and
        ``"mean_test_specificity"`` are used.
    min_recall : float, default=0.98
        The mean recall wanted, from 0 to 1.
    min_specificity : float, default=0.5
        The mean specificity wanted, from 0 to 1.

    Returns
    -------
    index : int
        The setting: a position in ``cv_results["params"]``. Ties go to the higher recall, then
        to the higher specificity, then to the setting that comes first.
    reason : str
        One sentence for people, with the figures. They are rounded down.

    Raises
    ------
    ValueError
        If the scores are missing, or NaN in every setting. Single settings with NaN (a fit that
        failed) are passed over.

    See Also
    --------
    HighestSpecificity : The same rule as a ``refit`` of a search.

    Notes
    -----
    A setting chosen for its figures looks a little better in them than on new images: report
    those of images that took no part.

    References
    ----------
    .. [1] W. J. Youden, "Index for rating diagnostic tests", Cancer 3:32-35, 1950.

    Examples
    --------
    >>> from skpneumo.model_selection import choose_setting
    >>> cv_results = {
    ...     "mean_test_recall": [1.0, 0.99, 0.98, 0.9],
    ...     "mean_test_specificity": [0.0, 0.7, 0.8, 0.95],
    ... }
    >>> index, reason = choose_setting(cv_results)
    >>> index
    2
    >>> print(reason)
    Setting 2 has the highest mean specificity, 80.0%, of those that reach a mean recall of 98%
    and a mean specificity of 50% (2 of 4); its mean recall is 98.0%.
    """
    check_share("min_recall", min_recall)
    check_share("min_specificity", min_specificity)
    recall = _means(cv_results, "recall")
    specificity = _means(cv_results, "specificity")
    scored = np.isfinite(recall) & np.isfinite(specificity)
    if not scored.any():
        raise ValueError(
            f"None of the {len(scored)} settings can be chosen: each has a mean recall or "
            "specificity of NaN. Either the fits failed (search with error_score='raise' to see "
            "why) or a test fold lacks a class (split with StratifiedGroupKFold)."
        )
    useful = scored & (recall + specificity > 1 + ROUNDING)
    quiet = useful & (specificity >= min_specificity - ROUNDING)
    wanted = quiet & (recall >= min_recall - ROUNDING)

    n = len(scored)
    wants = f"a mean recall of {100 * min_recall:g}%"
    spares = f"a mean specificity of {100 * min_specificity:g}%"
    if wanted.any():
        index = _best(wanted, specificity, recall)
        reason = (
            f"Setting {index} has the highest mean specificity, {percent(specificity[index])}, of "
            f"those that reach {wants} and {spares} ({wanted.sum()} of {n}); its mean recall is "
            f"{percent(recall[index])}."
        )
    elif quiet.any():
        index = _best(quiet, recall, specificity)
        reason = (
            f"No useful setting reaches both {wants} and {spares}; of those that reach the latter "
            f"({quiet.sum()} of {n}), setting {index} has the highest mean recall, "
            f"{percent(recall[index])}, with a mean specificity of {percent(specificity[index])}."
        )
    else:
        index = _best(scored, recall + specificity, recall)
        lack = (
            f"tells the classes apart and reaches {spares}"
            if useful.any()
            else "is better than chance"
        )
        reason = (
            f"None of {n} settings {lack}; setting {index} has the highest sum of mean recall "
            f"and mean specificity, {percent(recall[index])} and {percent(specificity[index])}."
        )
    return index, reason


@dataclass(frozen=True)
class HighestSpecificity:
    """Refit a search on the setting that :func:`choose_setting` chooses.

    Parameters
    ----------
    min_recall : float, default=0.98
        The mean recall wanted, from 0 to 1.
    min_specificity : float, default=0.5
        The mean specificity wanted, from 0 to 1.

    See Also
    --------
    choose_setting : The rule, and the reason in words for a finished search.

    Notes
    -----
    A search whose ``refit`` is a callable has no ``best_score_``, and its ``score`` method knows
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

    def __post_init__(self):
        check_share("min_recall", self.min_recall)
        check_share("min_specificity", self.min_specificity)

    def __call__(self, cv_results):
        """Choose a setting.

        Parameters
        ----------
        cv_results : dict of arrays
            ``cv_results_`` of a search with ``scoring=SCORERS``.

        Returns
        -------
        index : int
            The setting chosen.
        """
        index, _ = choose_setting(
            cv_results, min_recall=self.min_recall, min_specificity=self.min_specificity
        )
        return index


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
    # Rounded: sums that differ in their last bit shall tie.
    ranked = sorted(
        np.flatnonzero(allowed),
        key=lambda i: (-round(float(first[i]), 9), -round(float(second[i]), 9), i),
    )
    return int(ranked[0])
