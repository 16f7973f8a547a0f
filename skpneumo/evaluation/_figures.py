"""The figures of an evaluation, computed for many weightings of the images at once."""

import numpy as np
from scipy.special import expit, logit

RECALLS = (0.95, 0.97, 0.99)
PREVALENCES = (0.05, 0.10, 0.20, 0.40)
EXCHANGE_PROBABILITIES = (0.05, 0.10, 0.20)
N_BINS = 10
# Begins the name of the recall of one kind.
KIND = "recall_of_kind_"
_ROUNDING = 1e-9  # weighted sums may fall short of a share that they reach on paper
_CLIP = 1e-7  # float32 probabilities of 0 and 1
_NEWTON_STEPS = 100


def figures_of_calls(truth, called, weights, subtype=None, groups=None):
    """Figures that labels alone decide.

    Parameters
    ----------
    truth, called : ndarray of shape (n,), dtype bool
        Whether an image is positive, and whether it was called so.
    weights : ndarray of shape (n_weightings, n)
        How often each image counts; those of a patient alike.
    subtype : ndarray of shape (n,), default=None
        Kind of each positive image, for the recall of each kind; empty texts are none.
    groups : ndarray of shape (n,), default=None
        The patient of each image, for recall and specificity of patients: one is caught if every
        ill image is called, and spared if no healthy image is.

    Returns
    -------
    dict of str to ndarray of shape (n_weightings,)
        NaN where a figure is not defined.
    """
    cells = np.stack([~truth & ~called, ~truth & called, truth & ~called, truth & called], axis=1)
    tn, fp, fn, tp = (weights @ cells.astype(weights.dtype)).T
    figures = figures_of_counts(tn, fp, fn, tp)
    for p in EXCHANGE_PROBABILITIES:
        figures[f"net_benefit_at_{p:.2f}"] = (tp - fp * p / (1 - p)) / weights.sum(axis=1)
    shares = {}
    if groups is not None:
        shares["recall_of_patients"] = _by_patient(truth, called, groups)
        shares["specificity_of_patients"] = _by_patient(~truth, ~called, groups)
    if subtype is not None:
        for kind in np.unique(subtype[truth & (subtype != "")]):
            rows = np.flatnonzero(truth & (subtype == kind))
            shares[f"{KIND}{kind}"] = rows, called[rows]
    with np.errstate(invalid="ignore"):
        for name, (rows, right) in shares.items():
            part = weights[:, rows]
            figures[name] = part @ right.astype(weights.dtype) / part.sum(axis=1)
    return figures


def _by_patient(rows, right, groups):
    """An image of each patient among some rows, and whether all their images there are right."""
    _, first, unit = np.unique(groups[rows], return_index=True, return_inverse=True)
    return np.flatnonzero(rows)[first], np.bincount(unit, ~right[rows]) == 0


def figures_of_counts(tn, fp, fn, tp):
    """Figures that recall and specificity decide, some with the share of the ill.

    Parameters
    ----------
    tn, fp, fn, tp : ndarray of shape (n_weightings,)
        Cells of the confusion matrix; they need not be whole.

    Returns
    -------
    dict of str to ndarray of shape (n_weightings,)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, specificity = tp / (tp + fn), tn / (tn + fp)
        figures = {
            "recall": recall,
            "specificity": specificity,
            "positive_predictive_value": tp / (tp + fp),
            "negative_predictive_value": tn / (tn + fn),
            "positive_likelihood_ratio": recall / (1 - specificity),
            "negative_likelihood_ratio": (1 - recall) / specificity,
            "accuracy": (tp + tn) / (tn + fp + fn + tp),
            "balanced_accuracy": (recall + specificity) / 2,
            "f1": 2 * tp / (2 * tp + fn + fp),
            "f2": 5 * tp / (5 * tp + 4 * fn + fp),
        }
        for share in PREVALENCES:
            ill, healthy = recall * share, specificity * (1 - share)
            name = f"at_prevalence_{share:.2f}"
            figures[f"ppv_{name}"] = ill / (ill + (1 - specificity) * (1 - share))
            figures[f"npv_{name}"] = healthy / (healthy + (1 - recall) * share)
    return figures


def figures_of_scores(truth, scores, weights):
    """Figures that the order of the scores decides.

    Parameters
    ----------
    truth : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    scores : ndarray of shape (n,)
        Higher for the positive class.
    weights : ndarray of shape (n_weightings, n)
        How often each image counts.

    Returns
    -------
    dict of str to ndarray of shape (n_weightings,)
        As `sklearn.metrics.roc_auc_score`, `~sklearn.metrics.average_precision_score` and
        `skpneumo.metrics.specificity_at_recall_score` with these weights.
    """
    order = np.argsort(-scores, kind="stable")
    ties = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    weights, truth = weights[:, order], truth[order]
    tp_steps = np.add.reduceat(weights * truth, ties, axis=1)
    fp_steps = np.add.reduceat(weights * ~truth, ties, axis=1)
    tp, fp = tp_steps.cumsum(axis=1), fp_steps.cumsum(axis=1)
    positive, negative = tp[:, -1], fp[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (fp_steps * (tp - tp_steps / 2)).sum(axis=1)
        precision = np.where(tp_steps > 0, tp / (tp + fp), 0)
        figures = {
            "roc_auc": area / (positive * negative),
            "average_precision": (tp_steps * precision).sum(axis=1) / positive,
        }
        for share in RECALLS:
            first = np.argmax(tp >= (share - _ROUNDING) * positive[:, None], axis=1)
            alarms = np.take_along_axis(fp, first[:, None], axis=1)[:, 0]
            specificity = np.where(positive > 0, 1 - alarms / negative, np.nan)
            figures[f"specificity_at_recall_{share:.2f}"] = specificity
    return figures


def figures_of_probabilities(truth, probability, weights, groups=None):
    """Figures of how far probabilities mean what they say.

    Parameters
    ----------
    truth : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    probability : ndarray of shape (n,)
        Of the positive class.
    weights : ndarray of shape (n_weightings, n)
        How often each image counts; those of a patient alike.
    groups : ndarray of shape (n,), default=None
        The patient of each image.

    Returns
    -------
    dict of str to ndarray of shape (n_weightings,)
        ``brier``; ``calibration_slope`` of the logistic regression of the truth on the log odds
        [1]_ (below 1: too sure; infinite where the classes are separated);
        ``calibration_intercept``, that of the same with a slope of 1 (below 0: too high); and
        ``calibration_error``, the root of the mean square distance between probability and share
        over ten bins of equal size, less what chance adds to it [2]_.

    References
    ----------
    .. [1] D. R. Cox, "Two further applications of a model for binary regression", Biometrika
       45:562-565, 1958.
    .. [2] Kumar, Liang & Ma, "Verified uncertainty calibration", NeurIPS 2019.
    """
    residual = truth - probability.astype(np.float64)
    log_odds = logit(np.clip(probability.astype(np.float64), _CLIP, 1 - _CLIP))
    return {
        "brier": weights @ residual**2 / weights.sum(axis=1),
        "calibration_slope": _slope(truth, log_odds, weights),
        "calibration_intercept": _intercept(truth, log_odds, weights),
        "calibration_error": _calibration_error(residual, probability, weights, groups),
    }


def _calibration_error(residual, probability, weights, groups):
    """Root of the mean product of the residuals of two patients in a bin; 0 if that is negative.

    The square of a mean residual is above 0 by chance alone. Without the products of a patient's
    residuals with each other, and with those of the copies that a resample holds, chance adds
    nothing on average.
    """
    bins = bins_of_equal_size(probability)
    units = np.arange(len(residual)) if groups is None else groups
    _, first, cell = np.unique(units * N_BINS + bins, return_index=True, return_inverse=True)
    in_bin = np.eye(N_BINS)[bins[first]]
    drawn = weights[:, first]

    def over_pairs(sums):
        once = drawn @ (in_bin * sums[:, None])
        return once, once**2 - drawn**2 @ (in_bin * sums[:, None] ** 2)

    _, products = over_pairs(np.bincount(cell, residual))
    n_images, n_pairs = over_pairs(np.bincount(cell).astype(np.float64))
    n_images = np.where(n_pairs > 0.5, n_images, 0)
    with np.errstate(invalid="ignore"):
        squares = (n_images * products / np.maximum(n_pairs, 0.5)).sum(axis=1)
        return np.sqrt(np.maximum(squares / n_images.sum(axis=1), 0))


def bins_of_equal_size(probability, n_bins=N_BINS):
    """Number of the bin of each probability; equal ones share a bin."""
    edges = np.quantile(probability, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, probability, side="right")


def _intercept(truth, log_odds, weights):
    """Intercept of a logistic regression with a slope of 1, for all weightings side by side."""
    ill, healthy = weights @ truth, weights @ ~truth
    found = np.where(ill > 0, np.where(healthy > 0, 0.0, np.inf), -np.inf)
    rows = np.flatnonzero((ill > 0) & (healthy > 0))
    for _ in range(_NEWTON_STEPS):
        p = expit(found[rows, None] + log_odds)
        part = weights[rows]
        step = (part * (truth - p)).sum(axis=1) / (part * p * (1 - p)).sum(axis=1)
        # Far from the solution a full step may overshoot.
        found[rows] += np.clip(step, -1, 1)
        rows = rows[np.abs(step) > 1e-8]
        if not len(rows):
            break
    return found


def _slope(truth, log_odds, weights):
    """Slope of a logistic regression by Newton's method, for all weightings side by side."""
    spread = log_odds.std() or 1
    x = (log_odds - log_odds.mean()) / spread
    b = _slope_of_separated(truth, x, weights)
    rows = np.flatnonzero(b == 0)
    a = np.zeros(len(weights))
    for _ in range(_NEWTON_STEPS):
        part = weights[rows]
        p = expit(a[rows, None] + b[rows, None] * x)
        error = part * (truth - p)
        curvature = part * p * (1 - p)
        g0, g1 = error.sum(axis=1), error @ x
        h0, h1, h2 = curvature.sum(axis=1), curvature @ x, curvature @ x**2
        determinant = h0 * h2 - h1**2
        step_a = (h2 * g0 - h1 * g1) / determinant
        step_b = (h0 * g1 - h1 * g0) / determinant
        # Far from the solution a full step may overshoot.
        size = np.maximum(np.abs(step_a), np.abs(step_b))
        a[rows] += step_a / np.maximum(1, size / 2)
        b[rows] += step_b / np.maximum(1, size / 2)
        rows = rows[size > 1e-8]
        if not len(rows):
            break
    b[rows] = np.nan
    return b / spread


def _slope_of_separated(truth, x, weights):
    """Infinite where one class lies above the other, NaN where all is alike or one is missing.

    0 where the classes overlap.
    """
    drawn = weights > 0
    low_ill, low_healthy = (
        np.where(drawn[:, rows], x[rows], np.inf).min(axis=1) for rows in (truth, ~truth)
    )
    high_ill, high_healthy = (
        np.where(drawn[:, rows], x[rows], -np.inf).max(axis=1) for rows in (truth, ~truth)
    )
    above, below = low_ill >= high_healthy, high_ill <= low_healthy
    return np.select([above & below, above, below], [np.nan, np.inf, -np.inf], 0.0)
