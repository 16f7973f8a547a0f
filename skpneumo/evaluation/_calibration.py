"""Calibration of probabilities, with intervals."""

import warnings

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import f, ncf, norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skpneumo.evaluation._intervals import NO_INTERVAL
from skpneumo.evaluation._statistics import Statistic, ratio

N_BINS = 10
# From here on the root of a noncentral chi-squared variable is as good as normal.
_MANY_SQUARES = 300
_CLIP = 1e-7  # float32 probabilities of 0 and 1


def brier(y_true, probability):
    """Brier score: the mean squared difference of probability and label, as a Statistic."""
    return ratio((y_true - np.float64(probability)) ** 2, np.ones(len(y_true)))


def log_odds(probability):
    """Log odds of probabilities, finite also for 0 and 1."""
    return logit(np.clip(np.float64(probability), _CLIP, 1 - _CLIP))


def calibration_intercept(y_true, probability):
    """Intercept of a logistic regression of the labels on the log odds with a slope of 1 [1]_.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive; there are both.
    probability : ndarray of shape (n,)
        Of the positive class.

    Returns
    -------
    Statistic
        Below 0 if probabilities are too high.

    References
    ----------
    .. [1] D. R. Cox, "Two further applications of a model for binary regression", Biometrika
       45:562-565, 1958.
    """
    x = log_odds(probability)
    # At these ends the probabilities sum to less than 1, or to more than the number of images less
    # 1: the root lies between.
    bound = np.abs(x).max() + np.log(len(x)) + 1
    value = brentq(lambda intercept: np.sum(y_true - expit(intercept + x)), -bound, bound)
    p = expit(value + x)
    every = np.ones(len(x), dtype=bool)
    return Statistic(value, (y_true - p) / np.sum(p * (1 - p)), every)


def calibration_slope(y_true, probability):
    """Slope of the logistic regression of the labels on the log odds.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive; there are both.
    probability : ndarray of shape (n,)
        Of the positive class.

    Returns
    -------
    Statistic
        Below 1 if probabilities are too extreme; infinite if they separate the classes, NaN if they
        are all equal.
    """
    x = log_odds(probability)
    every = np.ones(len(x), dtype=bool)
    undefined = np.zeros(len(x))
    if x.min() == x.max():
        return Statistic(np.nan, undefined, every)
    for sign in (1, -1):
        if np.min(sign * x[y_true]) >= np.max(sign * x[~y_true]):
            return Statistic(sign * np.inf, undefined, every)
    center, spread = x.mean(), x.std()
    x = (x - center) / spread
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8, max_iter=100)
    with warnings.catch_warnings():
        # Classes that are all but separated: the slope grows until the iterations end.
        warnings.simplefilter("ignore", ConvergenceWarning)
        p = model.fit(x[:, None], y_true).predict_proba(x[:, None])[:, 1]
    design = np.stack([np.ones(len(x)), x])
    information = design * (p * (1 - p)) @ design.T
    change = np.linalg.solve(information, design * (y_true - p))[1]
    return Statistic(float(model.coef_[0, 0] / spread), change / spread, every)


def calibration_error(y_true, probability, clusters, confidence):
    """Debiased root mean squared distance of probability and proportion in 10 bins of equal size.

    The squared distance in a bin is above 0 by chance alone. Its expectation by chance, from the
    products of the residuals of a patient with themselves, is subtracted [1]_; the metric is 0 if
    chance explains the distances. The interval is that of the noncentrality of an F variable, the
    sum of the squared distances before the subtraction.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    probability : ndarray of shape (n,)
        Of the positive class.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    value, low, high : float

    References
    ----------
    .. [1] Kumar, Liang & Ma, "Verified uncertainty calibration", NeurIPS 2019.
    """
    residual = y_true - np.float64(probability)
    bins = bins_of_equal_size(probability)
    # One row a patient, one column a bin: sums of residuals, and numbers of images.
    sums, counts = (np.zeros((clusters.max() + 1, N_BINS)) for _ in range(2))
    np.add.at(sums, (clusters, bins), residual)
    np.add.at(counts, (clusters, bins), 1)
    n_in_bin = counts.sum(axis=0)
    products, n_pairs = (part.sum(axis=0) ** 2 - (part**2).sum(axis=0) for part in (sums, counts))
    paired = n_pairs > 0
    if not paired.any():
        return np.nan, *NO_INTERVAL
    squares = (n_in_bin * products)[paired] / n_pairs[paired]
    value = np.sqrt(max(0.0, squares.sum() / n_in_bin[paired].sum()))
    return float(value), *_error_interval(sums, counts, confidence)


def _error_interval(sums, counts, confidence):
    """Interval of the root of the mean squared distance, from sums by patient and bin."""
    n_patients_in_bin = (counts > 0).sum(axis=0)
    if n_patients_in_bin[n_patients_in_bin > 0].min() < 2:
        return NO_INTERVAL
    sums, counts = sums[:, n_patients_in_bin > 0], counts[:, n_patients_in_bin > 0]
    n_patients_in_bin, n_in_bin = n_patients_in_bin[n_patients_in_bin > 0], counts.sum(axis=0)
    mean = sums.sum(axis=0) / n_in_bin
    squared = np.sum(n_in_bin * mean**2) / n_in_bin.sum()
    deviations = (sums - counts * mean) / np.sqrt(n_in_bin * n_in_bin.sum())
    deviations *= np.sqrt(n_patients_in_bin / (n_patients_in_bin - 1))
    covariance = deviations.T @ deviations
    trace = np.trace(covariance)
    n_free = len(sums) - len(n_in_bin)
    if not trace > 0 or n_free < 1:
        return NO_INTERVAL
    # A sum of squares of unequal variances as one chi-squared variable (Satterthwaite), and an F
    # variable, as the variances are estimated.
    scale = np.sum(covariance**2) / trace
    freedom = trace / scale, n_free
    tail = (1 - confidence) / 2
    ends = [_noncentrality(squared / trace, *freedom, level) for level in (1 - tail, tail)]
    low, high = np.sqrt(scale * np.array(ends))
    return float(low), float(high)


def _noncentrality(observed, freedom, n_free, level):
    """Noncentrality with this probability of an F variable of at most ``observed``."""
    if f.cdf(observed, freedom, n_free) <= level:
        return 0.0
    squares = freedom * observed
    if squares > _MANY_SQUARES:
        spread = np.sqrt(1 + squares / (2 * n_free))
        return max(0.0, (np.sqrt(squares) - norm.ppf(level) * spread) ** 2 - freedom + 1)
    above = 4 * squares + 50
    while ncf.cdf(observed, freedom, n_free, above) > level:
        above *= 2
    return brentq(lambda nc: ncf.cdf(observed, freedom, n_free, nc) - level, 1e-9, above)


def bins_of_equal_size(probability, n_bins=N_BINS):
    """Number of the bin of each probability; equal probabilities are in one bin."""
    edges = np.quantile(probability, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, probability, side="right")
