"""Monitoring of the recall of a model in use."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval

from skpneumo._utils.documentation import DocumentationLink
from skpneumo.sites._e_process import Capital, bet, initial_capital, log_e_value, log_payoffs

_KNOWN_CLASSES = (("NORMAL", "PNEUMONIA"), (0, 1))
_MAX_LOG = np.log(np.finfo(float).max)


class RecallMonitor(DocumentationLink, BaseEstimator):
    """Monitor whether the recall of a model in use stays at its required level.

    Confirmed cases are added as they arrive. After each, ``alarm_`` shows whether the recall is
    known to have fallen short. The probability that it ever becomes True while the recall is at
    least ``min_recall`` is at most ``false_alarm``, however often and however long one looks.

    Parameters
    ----------
    min_recall : float, default=0.95
        Required fraction of the positive patients that is predicted positive, between 0 and 1.
    false_alarm : float, default=0.05
        Probability of ever raising an alarm although the recall is at least ``min_recall``.
    classes : array-like of shape (2,), default=None
        The labels, the second is positive: ``classes_`` of the model. None accepts NORMAL and
        PNEUMONIA, 0 and 1, and False and True.

    Attributes
    ----------
    alarm_ : bool
        Whether ``e_value_`` has ever reached ``1 / false_alarm``. It stays True.
    alarm_at_ : int or None
        Number of positive patients after which it did.
    e_value_ : float
        Evidence of a recall below ``min_recall``: the factor by which bets on it have multiplied
        their stake.
    log_e_values_ : ndarray of shape (n_positive,)
        Natural logarithm of ``e_value_`` after each positive patient.
    n_positive_, n_missed_ : int
        Number of positive patients that were observed, true positives and verified false negatives,
        and of the latter.

    See Also
    --------
    RecallMonitorDisplay : Plot of ``e_value_`` over the positive patients.
    skpneumo.evaluation.evaluate : Recall with an interval, on a sample of fixed size.

    Notes
    -----
    **What is guaranteed.** Assume that each positive patient, whatever came before, is predicted
    positive with a probability of at least ``r = min_recall``. Then ``e_value_`` is a non-negative
    supermartingale that begins at 1, and by Ville's inequality the probability that it ever
    reaches ``1 / false_alarm`` is at most ``false_alarm`` [1]_. Nothing is assumed about the
    prevalence, or about patients without pneumonia. A patient with several images is one case,
    predicted positive only if each positive image is: images of one patient are not independent.

    **The bets.** For a positive patient let ``M`` be 1 if the prediction is negative, ``C`` if it
    is positive, and ``V`` if the negative prediction was verified, which happens with probability
    ``p``. The payoff ``Z = r M V / p - (1 - r) C`` has a mean of at most 0 if the recall is at
    least ``r``, so that no bet ``1 + b Z`` with ``0 <= b < 1 / (1 - r)`` gains in expectation [2]_.
    With ``b`` such that the odds of a miss are raised by a factor, the bet is a likelihood ratio.
    The stake is divided over factors of 1.25, 2, 4 and 8, all above 1: a model that is better than
    required loses the stake, and raises no alarm.

    **Changes.** After 1,000 patients with a good recall, bets that began with the first patient
    have lost nearly everything, and it takes long to win it back. So half of the stake is bet at
    the first patient, and of the other half a part before each later one, ``w_j`` before the
    ``j``-th: the e-value is the sum of ``w_j`` times the process that starts there, plus what is
    not bet yet. This is the e-detector of Shin, Ramdas & Rinaldo [3]_ with weights that sum to 1.
    Theirs weigh 1 each, and bound the mean number of cases between false alarms (from below, by 20
    at the same threshold); these bound the probability that there ever is one. The price is
    a delay that grows with the logarithm of the time of the change.

    **Order.** Add cases in the order of the examinations, or in any order that does not depend on
    the predictions. Missed cases are often confirmed later than others, and many of them in a row
    look like a change: wait until all cases of a day or a month are confirmed, and add them
    together in their order.

    **Verification.** If a negative prediction is never verified, no miss is ever found; if
    verified cases are mixed with all true positives without ``verified_with``, most misses are
    hidden and the recall looks better than it is. Verify a random fraction ``p`` of the negative
    predictions, and pass it. What was verified for a reason, such as a patient who came back,
    is not random and must be left out. The fraction may change from one call to the next if that
    is decided beforehand. For a time in which nothing was verified at all, leave out all cases,
    true positives too.

    **Time to an alarm.** Median number of positive patients in simulations, with a required recall
    of .95:

    ========================  =====  =====  =====
    Recall falls to             .92    .90    .85
    ========================  =====  =====  =====
    from the start              418    179     53
    after 1,000 at .98          921    395    124
    ========================  =====  =====  =====

    With a tenth of the negative predictions verified it takes about eight times as many. In 2,000
    sequences of 2,000 positive patients at a recall of .95, 2.1 % ever raised an alarm.

    References
    ----------
    .. [1] Ramdas, Grünwald, Vovk & Shafer, "Game-theoretic statistics and safe anytime-valid
       inference", Statistical Science 38 (2023), 576-601.
    .. [2] Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting",
       Journal of the Royal Statistical Society B 86 (2024), 1-27.
    .. [3] Shin, Ramdas & Rinaldo, "E-detectors: a nonparametric framework for sequential change
       detection", New England Journal of Statistics in Data Science 2 (2024), 229-260.

    Examples
    --------
    >>> from skpneumo.sites import RecallMonitor
    >>> monitor = RecallMonitor(min_recall=0.95)
    >>> monitor.update("PNEUMONIA", "PNEUMONIA").alarm_
    False
    >>> monitor.update(["PNEUMONIA"] * 4, ["NORMAL"] * 4).alarm_
    True
    >>> monitor.n_positive_, monitor.n_missed_, monitor.alarm_at_
    (5, 4, 4)
    """

    alarm_: bool
    alarm_at_: int | None
    e_value_: float
    log_e_values_: np.ndarray
    n_positive_: int
    n_missed_: int

    _parameter_constraints = {
        "min_recall": [Interval(Real, 0, 1, closed="neither")],
        "false_alarm": [Interval(Real, 0, 1, closed="neither")],
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        min_recall: float = 0.95,
        false_alarm: float = 0.05,
        *,
        classes: ArrayLike | None = None,
    ) -> None:
        self.min_recall = min_recall
        self.false_alarm = false_alarm
        self.classes = classes

    def update(
        self, y_true: ArrayLike, y_pred: ArrayLike, verified_with: float | None = None
    ) -> Self:
        """Add confirmed cases, in the order of the examinations.

        Parameters
        ----------
        y_true : label or array-like of shape (n,)
            What was confirmed. Cases without pneumonia change nothing.
        y_pred : label or array-like of shape (n,)
            What the model had predicted.
        verified_with : float, default=None
            Probability with which negative predictions were selected for verification, at random,
            above 0. All positive predictions must be confirmed. None means that all predictions
            are confirmed, negative ones too.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the numbers of labels differ, a label is none of the classes, or the probability is
            out of range. Nothing is added then.
        """
        self._validate_params()
        self._check_unchanged()
        y_true, y_pred = self._check_labels(y_true, "y_true"), self._check_labels(y_pred, "y_pred")
        check_consistent_length(y_true, y_pred)
        payoffs = log_payoffs(self.min_recall, _check_probability(verified_with))
        if not self.__sklearn_is_fitted__():
            self._set_state(initial_capital(), n_missed=0, log_e_values=[])
        capital, log_e_values = self._capital, []
        is_missed = ~y_pred[y_true]
        for missed in is_missed:
            capital = bet(capital, missed, payoffs)
            log_e_values.append(log_e_value(capital))
        self._set_state(
            capital,
            n_missed=self.n_missed_ + int(is_missed.sum()),
            log_e_values=[*self.log_e_values_, *log_e_values],
        )
        return self

    def _check_unchanged(self):
        """Refuse parameters that were set after the first case: the bets were made by others."""
        params = (self.min_recall, self.false_alarm)
        if getattr(self, "_bet_with", params) != params:
            raise ValueError(
                "min_recall and false_alarm were changed after the first case. Set them back to "
                "{:g} and {:g}, or begin with a new RecallMonitor.".format(*self._bet_with)
            )

    def _check_labels(self, labels, name):
        """Whether each label is positive."""
        labels = np.asarray(labels)
        if labels.ndim > 1:
            raise ValueError(f"{name} must be a label or a column of labels, got {labels.ndim}-D.")
        labels = labels.reshape(-1).tolist()
        known = _KNOWN_CLASSES if self.classes is None else [_check_classes(self.classes)]
        for classes in known:
            if all(label in classes for label in labels):
                return np.array([label == classes[1] for label in labels], dtype=bool)
        unknown = [label for label in labels if not any(label in classes for classes in known)]
        raise ValueError(
            f"{name} holds {(unknown or labels)[0]!r}, but the labels are "
            f"{' or '.join(map(str, known))}. Leave out cases that are not confirmed; for other "
            "labels, pass classes=model.classes_."
        )

    def _set_state(self, capital, n_missed, log_e_values):
        self._capital = capital
        self._bet_with = (self.min_recall, self.false_alarm)
        self.n_positive_, self.n_missed_ = int(capital.n_observed), n_missed
        self.log_e_values_ = np.array(log_e_values, dtype=float)
        self.e_value_ = float(np.exp(min(log_e_value(capital), _MAX_LOG)))
        reached = np.flatnonzero(self.log_e_values_ >= -np.log(self.false_alarm))
        self.alarm_ = bool(reached.size)
        self.alarm_at_ = int(reached[0]) + 1 if reached.size else None

    def to_dict(self) -> dict[str, Any]:
        """Convert to what JSON can hold, to go on later with `from_dict`.

        Returns
        -------
        dict
            Parameters and state, without any case.
        """
        check_is_updated(self)
        classes = None if self.classes is None else np.asarray(self.classes).tolist()
        return {
            "min_recall": float(self.min_recall),
            "false_alarm": float(self.false_alarm),
            "classes": classes,
            "n_missed": self.n_missed_,
            "log_bets": [float(value) for value in self._capital.log_bets],
            "log_e_values": self.log_e_values_.tolist(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Restore a monitor.

        Parameters
        ----------
        state : dict
            From `to_dict`.

        Returns
        -------
        RecallMonitor
        """
        monitor = cls(state["min_recall"], state["false_alarm"], classes=state["classes"])
        monitor._validate_params()
        capital = Capital(len(state["log_e_values"]), np.array(state["log_bets"], dtype=float))
        monitor._set_state(capital, state["n_missed"], state["log_e_values"])
        return monitor

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_capital")


def check_is_updated(monitor):
    """Raise ``NotFittedError`` if a monitor was never updated."""
    if not monitor.__sklearn_is_fitted__():
        raise NotFittedError(
            f"This {type(monitor).__name__} has no cases yet. Call update(y_true, y_pred) first."
        )


def _check_classes(classes):
    classes = np.asarray(classes).tolist()
    if not isinstance(classes, list) or len(classes) != 2 or classes[0] == classes[1]:
        raise ValueError(f"classes must be two labels, the second positive, got {classes!r}.")
    return tuple(classes)


def _check_probability(verified_with):
    if verified_with is None:
        return 1.0
    number = isinstance(verified_with, Real) and not isinstance(verified_with, (bool, np.bool_))
    if not number or not 0 < verified_with <= 1:
        raise ValueError(
            f"verified_with must be a probability above 0 and at most 1, got {verified_with!r}. If "
            "no negative prediction was verified for a time, leave out all cases of that time."
        )
    return float(verified_with)
