"""Evidence that too many positive patients are missed, which may be looked at after each of them.

Pure mathematics: `skpneumo.sites.RecallMonitor` states what it assumes, and its sources.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

# Each bet is best for a model whose odds of a miss are this many times those that are allowed: at
# a recall of .95 for recalls of .94, .90, .83 and .70.
ODDS_RATIOS = np.array([1.25, 2.0, 4.0, 8.0])
# Half of the stake is bet on a model that is worse from the start, half of the rest on one that
# becomes worse within this many positive patients.
_INITIAL_STAKE = 0.5
_MEDIAN_RESTART = 300


class Capital(NamedTuple):
    """What the bets are worth after a number of positive patients, of one monitor or of several."""

    n_observed: int | np.ndarray
    """Number of positive patients: true positives and verified false negatives."""
    log_bets: np.ndarray
    """Logarithm of the capital in the bets on each of `ODDS_RATIOS`, of shape (..., n_bets)."""


def initial_capital(shape=()):
    """Capital before the first positive patient: all of it in reserve."""
    return Capital(np.zeros(shape, dtype=int)[()], np.full((*shape, len(ODDS_RATIOS)), -np.inf))


def log_payoffs(min_recall, verified_with=1.0):
    """What each bet pays for a true positive and for a verified false negative.

    A bet is a likelihood ratio. Among the positive patients that are observed, a model of recall
    ``min_recall`` has one verified false negative per true positive with the odds
    ``p * (1 - min_recall) / min_recall``, and the alternative odds that are higher by a factor. At
    any recall of at least ``min_recall`` no bet gains in expectation.

    Parameters
    ----------
    min_recall : float
        Between 0 and 1.
    verified_with : float, default=1.0
        Probability ``p`` with which a negative prediction is verified, above 0.

    Returns
    -------
    true_positive, false_negative : ndarray of shape (n_bets,)
        Logarithms of the factors by which the capital in each bet is multiplied.
    """
    odds = verified_with * (1 - min_recall) / min_recall
    true_positive = np.log1p(odds) - np.log1p(ODDS_RATIOS * odds)
    return true_positive, true_positive + np.log(ODDS_RATIOS)


def reserve(n_observed):
    """Part of the capital that is not bet yet after a number of positive patients.

    Parameters
    ----------
    n_observed : int or ndarray of int
        Number of positive patients.

    Returns
    -------
    float or ndarray of float
        1 before the first, half after the first, and then falling to 0, so that a model may become
        worse at any time; the stake of a late change is small, as the inverse square of its time.
    """
    later = (1 - _INITIAL_STAKE) * _MEDIAN_RESTART / (_MEDIAN_RESTART + n_observed - 1)
    return np.where(n_observed == 0, 1.0, later)[()]


def bet(capital, is_missed, payoffs):
    """Bet on the next positive patient.

    Parameters
    ----------
    capital : Capital
        Before.
    is_missed : bool or ndarray of bool
        Whether the patient is a verified false negative; else a true positive.
    payoffs : tuple of ndarray
        By `log_payoffs`.

    Returns
    -------
    Capital
    """
    n = capital.n_observed + 1
    stake = (reserve(n - 1) - reserve(n)) / len(ODDS_RATIOS)
    true_positive, false_negative = payoffs
    payoff = np.where(np.expand_dims(is_missed, -1), false_negative, true_positive)
    return Capital(n, np.logaddexp(capital.log_bets, np.expand_dims(np.log(stake), -1)) + payoff)


def log_e_value(capital):
    """Logarithm of the whole capital, per unit that it began with: the evidence of a low recall.

    Parameters
    ----------
    capital : Capital
        At any time.

    Returns
    -------
    float or ndarray of float
    """
    in_bets = logsumexp(capital.log_bets, axis=-1)
    return np.logaddexp(in_bets, np.log(reserve(capital.n_observed)))
