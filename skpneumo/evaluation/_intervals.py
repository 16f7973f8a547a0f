"""Intervals of metrics in closed form, with patients as clusters."""

import numpy as np
from scipy.special import expit, logit, stdtrit

from skpneumo._utils.bounds import clopper_pearson_interval
from skpneumo.evaluation._statistics import count_patients

NO_INTERVAL = (np.nan, np.nan)


def clustered_variance(statistic, y_true, clusters):
    """Variance of a metric between samples of patients, and its degrees of freedom.

    The sums of squares of positive and of negative images are each corrected by their own number of
    patients [1]_, and the degrees of freedom follow from both (Welch and Satterthwaite).

    Parameters
    ----------
    statistic : Statistic
        The metric.
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.

    Returns
    -------
    variance, degrees_of_freedom : float
        0 degrees if there is one patient of a class.

    References
    ----------
    .. [1] Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53:567-578,
       1997.
    """
    sums, counts = [], []
    for rows in (statistic.rows & y_true, statistic.rows & ~y_true):
        sums.append(np.bincount(clusters, statistic.influence * rows))
        counts.append(count_patients(clusters, rows))
    parts = np.array([np.sum(part**2) for part in sums])
    if not parts.any():
        return 0.0, np.inf
    if 1 in (count for count, part in zip(counts, parts, strict=True) if part > 0):
        return np.inf, 0.0
    parts = [
        part * count / (count - 1) if count > 1 else 0.0
        for part, count in zip(parts, counts, strict=True)
    ]
    n = count_patients(clusters, statistic.rows)
    shared = 2 * np.sum(sums[0] * sums[1]) * n / max(1, n - 1)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (count - 1) for part, count in zip(parts, counts, strict=True) if count > 1
    )
    return max(0.0, float(sum(parts) + shared)), float(freedom)


def correlation(influence, other, clusters):
    """Correlation of two metrics between samples of patients; 0 if either does not vary."""
    sums = [np.bincount(clusters, values) for values in (influence, other)]
    sizes = [np.sqrt(np.sum(part**2)) for part in sums]
    if not min(sizes) > 0:
        return 0.0
    return float(np.clip(np.sum(sums[0] * sums[1]) / np.prod(sizes), -1, 1))


def proportion_interval(statistic, clusters, confidence, weighted=False):
    """Korn-Graubard interval of a proportion of images.

    It is the Clopper-Pearson interval of the effective number of independent images, at which the
    proportion would vary as it does between patients, and fewer if there are few patients [1]_; if
    patients have one image each it is the Clopper-Pearson interval. If the proportion is 0 or 1 the
    patients are counted. The interval always contains that of the same number of patients all of
    whom are right, or wrong: one error never makes a metric more certain.

    Parameters
    ----------
    statistic : Statistic
        The proportion.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Between 0 and 1.
    weighted : bool, default=False
        Whether images have weights other than 1, as in F2.

    Returns
    -------
    low, high : float
        NaN if the proportion is not defined.

    References
    ----------
    .. [1] Korn & Graubard, "Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data", Survey Methodology 24:193-201, 1998.
    """
    if np.isnan(statistic.value):
        return NO_INTERVAL
    n_patients = count_patients(clusters, statistic.rows)
    n = n_patients
    if statistic.rows.sum() > n_patients or weighted:
        n = effective_size(statistic, clusters, confidence)
    low, high = clopper_pearson_interval(statistic.value * n, n, confidence)
    without_error, _ = clopper_pearson_interval(n_patients, n_patients, confidence)
    _, without_right = clopper_pearson_interval(0, n_patients, confidence)
    return min(low, without_error), max(high, without_right)


def effective_size(statistic, clusters, confidence):
    """Effective number of independent images for a proportion of clustered images.

    Parameters
    ----------
    statistic : Statistic
        The proportion.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Confidence level of the interval to be computed, between 0 and 1.

    Returns
    -------
    float
        The number of patients if the proportion does not vary between them.
    """
    value, n_images = statistic.value, int(statistic.rows.sum())
    n_patients = count_patients(clusters, statistic.rows)
    squares = np.sum(np.bincount(clusters, statistic.influence) ** 2)
    if n_patients == 1 or not 0 < value < 1 or not squares > 0:
        return n_patients
    variance = squares * n_patients / (n_patients - 1)
    tail = (1 + confidence) / 2
    correction = (stdtrit(n_images - 1, tail) / stdtrit(n_patients - 1, tail)) ** 2
    return min(n_images, value * (1 - value) / variance * correction)


def n_contributing(influence, clusters):
    """Effective number of patients that contribute to the variance (Kish)."""
    squares = np.bincount(clusters, influence) ** 2
    return float(squares.sum() ** 2 / np.sum(squares**2)) if squares.any() else 0.0


def student_half_width(statistic, y_true, clusters, confidence):
    """Half the width of an interval of a metric with Student's t.

    The variance has fewer degrees of freedom if it comes from a few large contributions: they also
    follow from the fourth moment of these.

    Parameters
    ----------
    statistic : Statistic
        The metric.
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    float
        NaN if the metric has no variance, or there is one patient of a class.
    """
    variance, freedom = clustered_variance(statistic, y_true, clusters)
    if not 0 < variance < np.inf:
        return np.nan
    excess = 1 / n_contributing(statistic.influence, clusters) - 1 / (clusters.max() + 1)
    if excess > 0:
        freedom = max(1.0, min(freedom, 2 / excess))
    return float(stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(variance))


def logit_interval(statistic, y_true, clusters, confidence):
    """Interval of a number from 0 to 1, symmetric in its log odds, with Student's t.

    Parameters
    ----------
    statistic : Statistic
        The metric.
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        NaN if the number is 0, 1 or not defined, or has no variance.
    """
    value = statistic.value
    if not 0 < value < 1:
        return NO_INTERVAL
    half = student_half_width(statistic, y_true, clusters, confidence) / (value * (1 - value))
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))


def normal_interval(statistic, y_true, clusters, confidence):
    """Interval of a metric, symmetric about it, with Student's t.

    Parameters
    ----------
    statistic : Statistic
        The metric.
    y_true : ndarray of shape (n,), dtype bool
        Whether each image is positive.
    clusters : ndarray of shape (n,), dtype int
        Number of the patient of each image, from 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        NaN if the metric is infinite or not defined, or has no variance.
    """
    if not np.isfinite(statistic.value):
        return NO_INTERVAL
    half = student_half_width(statistic, y_true, clusters, confidence)
    return statistic.value - half, statistic.value + half


def difference_interval(one, other, correlated=0.0):
    """Interval of a difference, from the intervals of both numbers (MOVER).

    Parameters
    ----------
    one, other : tuple of float
        Value, lower and upper end.
    correlated : float, default=0
        Correlation of the two.

    Returns
    -------
    low, high : float
        Newcombe's method 10 [1]_ if the numbers are proportions of the same images; the method
        of variance estimates recovery [2]_ in general.

    References
    ----------
    .. [1] Newcombe, "Improved confidence intervals for the difference between binomial proportions
       based on paired data", Statistics in Medicine 17:2635-2650, 1998.
    .. [2] Zou & Donner, "Construction of confidence limits about effect measures", Statistics in
       Medicine 27:1693-1702, 2008.
    """
    (a, low_a, high_a), (b, low_b, high_b) = one, other
    return (
        float(a - b - _distance(a - low_a, high_b - b, correlated)),
        float(a - b + _distance(high_a - a, b - low_b, correlated)),
    )


def average_interval(one, other, correlated=0.0):
    """Interval of the mean of two numbers, as `difference_interval`."""
    value, low, high = other
    low, high = difference_interval(one, (-value, -high, -low), -correlated)
    return low / 2, high / 2


def _distance(one, other, correlated):
    return np.sqrt(np.maximum(one**2 - 2 * correlated * one * other + other**2, 0))


def ratio_interval(numerator, denominator, correlated=0.0):
    """Interval of a ratio of two numbers of at least 0, from the intervals of both (MOVER).

    Its ends are the ratios at which the interval of the difference ``numerator - ratio *
    denominator`` just contains 0 [1]_.

    Parameters
    ----------
    numerator, denominator : tuple of float
        Value, lower and upper end.
    correlated : float, default=0
        Correlation of the two.

    Returns
    -------
    low, high : float
        The upper end may be infinite.

    References
    ----------
    .. [1] Donner & Zou, "Closed-form confidence intervals for functions of the normal mean and
       standard deviation", Statistical Methods in Medical Research 21:347-359, 2012.
    """
    (a, low_a, high_a), (b, low_b, high_b) = numerator, denominator
    squares, _, product, root = _quadratic(a, a - low_a, b, high_b - b, correlated)
    # The smaller root, written so that it is also valid if the other one is negative.
    low = squares / (product + root) if product + root > 0 else 0.0
    _, others, product, root = _quadratic(a, high_a - a, b, b - low_b, correlated)
    high = (product + root) / others if others > 0 else np.inf
    return float(max(low, 0.0)), float(high)


def _quadratic(a, off_a, b, off_b, correlated):
    """Coefficients of the equation of a limit, and the root of its discriminant."""
    # a**2 - off_a**2, written so that nothing cancels out; likewise for b.
    squares, others = (a - off_a) * (a + off_a), (b - off_b) * (b + off_b)
    product = a * b - correlated * off_a * off_b
    return squares, others, product, np.sqrt(max(product**2 - squares * others, 0))
