"""The figures of an evaluation, computed for many weightings of the images at once."""

import numpy as np
from scipy.special import expit, logit

RECALLS = (0.95, 0.97, 0.99)
PREVALENCES = (0.05, 0.10, 0.20, 0.40)
EXCHANGE_PROBABILITIES = (0.05, 0.10, 0.20)
N_BINS = 10
# Begins the name of the recall of one kind.
KIND = "recall_of_"
_ROUNDING = 1e-9  # weighted sums may fall short of a share that they reach on paper
_CLIP = 1e-7  # float32 probabilities of 0 and 1
_NEWTON_STEPS = 100


def figures_of_calls(truth, called, weights, subtype=None):
    """Figures that labels alone decide.

    Parameters
    ----------
    truth, called : ndarray of shape (n,), dtype bool
        Whether an image is positive, and whether it was called so.
    weights : ndarray of shape (n_weightings, n)
        How often each image counts.
    subtype : ndarray of shape (n,), default=None
        Kind of each positive image, for the recall of each kind.

    Returns
    -------
    dict of str to ndarray of shape (n_weightings,)
        NaN where a figure is not defined.
    """
    cells = np.stack([~truth & ~called, ~truth & called, truth & ~called, truth & called], axis=1)
    tn, fp, fn, tp = (weights @ cells.astype(weights.dtype)).T
    total = tn + fp + fn + tp
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, specificity = tp / (tp + fn), tn / (tn + fp)
        figures = {
            "recall": recall,
            "specificity": specificity,
            "positive_predictive_value": tp / (tp + fp),
            "negative_predictive_value": tn / (tn + fn),
            "positive_likelihood_ratio": recall / (1 - specificity),
            "negative_likelihood_ratio": (1 - recall) / specificity,
            "accuracy": (tp + tn) / total,
            "balanced_accuracy": (recall + specificity) / 2,
            "f1": 2 * tp / (2 * tp + fn + fp),
            "f2": 5 * tp / (5 * tp + 4 * fn + fp),
        }
        for share in PREVALENCES:
            ill, healthy = recall * share, specificity * (1 - share)
            name = f"at_prevalence_{share:.2f}"
            figures[f"ppv_{name}"] = ill / (ill + (1 - specificity) * (1 - share))
            figures[f"npv_{name}"] = healthy / (healthy + (1 - recall) * share)
        for p in EXCHANGE_PROBABILITIES:
            figures[f"net_benefit_at_{p:.2f}"] = (tp - fp * p / (1 - p)) / total
        if subtype is not None:
            for kind in kinds_of(subtype[truth]):
                rows = truth & (subtype == kind)
                caught = weights[:, rows] @ called[rows].astype(weights.dtype)
                figures[f"{KIND}{kind}"] = caught / weights[:, rows].sum(axis=1)
    return figures


def kinds_of(subtype):
    """The kinds that occur, in order, without empty texts, None and NaN."""
    kinds = {kind for kind in subtype.tolist() if kind not in (None, "") and kind == kind}
    return sorted(kinds, key=str)


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


def figures_of_probabilities(truth, probability, weights):
    """Figures of how far probabilities mean what they say.

    Parameters
    ----------
    truth : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    probability : ndarray of shape (n,)
        Of the positive class.
    weights : ndarray of shape (n_weightings, n)
        How often each image counts.

    Returns
    -------
    dict of str to ndarray of shape (n_weightings,)
        ``brier``; ``calibration_slope`` and ``calibration_intercept`` of the logistic regression
        of the truth on the log odds [1]_ (1 and 0 are perfect; a slope below 1 means too sure;
        NaN where the classes are separated), and ``calibration_error``, the mean distance between
        probability and share over ten bins of equal size.

    References
    ----------
    .. [1] D. R. Cox, "Two further applications of a model for binary regression", Biometrika
       45:562-565, 1958.
    """
    residual = truth - probability.astype(np.float64)
    total = weights.sum(axis=1)
    bins = np.zeros((len(truth), N_BINS))
    bins[np.arange(len(truth)), bins_of_equal_size(probability)] = 1
    intercept, slope = _logistic_fit(truth, probability, weights)
    return {
        "brier": weights @ residual**2 / total,
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "calibration_error": np.abs(weights @ (bins * residual[:, None])).sum(axis=1) / total,
    }


def bins_of_equal_size(probability, n_bins=N_BINS):
    """Number of the bin of each probability; equal ones share a bin."""
    edges = np.quantile(probability, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, probability, side="right")


def _logistic_fit(truth, probability, weights):
    """Intercept and slope by Newton's method, for all weightings side by side."""
    log_odds = logit(np.clip(probability.astype(np.float64), _CLIP, 1 - _CLIP))
    centre, spread = log_odds.mean(), log_odds.std()
    x = (log_odds - centre) / (spread or 1)
    a, b = np.full((2, len(weights)), np.nan)
    rows = np.flatnonzero(_overlap(truth, x, weights))
    a[rows] = b[rows] = 0
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
    a[rows] = b[rows] = np.nan
    slope = b / (spread or 1)
    return a - slope * centre, slope


def _overlap(truth, x, weights):
    """Whether the classes overlap, under each weighting: else the slope is infinite."""
    drawn = weights > 0
    low_ill, low_healthy = (
        np.where(drawn[:, rows], x[rows], np.inf).min(axis=1) for rows in (truth, ~truth)
    )
    high_ill, high_healthy = (
        np.where(drawn[:, rows], x[rows], -np.inf).max(axis=1) for rows in (truth, ~truth)
    )
    return (low_ill < high_healthy) & (low_healthy < high_ill)
