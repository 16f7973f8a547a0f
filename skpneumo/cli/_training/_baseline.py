"""A logistic regression on the pixels, its threshold selected by the rule of the search."""

import numpy as np
from scipy.stats import sem
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo._utils.formatting import ROUNDING
from skpneumo.cli._training._comparison import RANKING, ranking_metrics
from skpneumo.cli._training._data import POSITIVE
from skpneumo.model_selection import choose_candidate
from skpneumo.preprocessing import XRayLoader, XRayResizer

_IMAGE_SIZE = (32, 32)


def make_baseline():
    """Create a logistic regression on 32 x 32 pixels.

    Returns
    -------
    Pipeline
        Not fitted; its last step has a ``threshold``.
    """
    return make_pipeline(
        XRayLoader(),
        XRayResizer(_IMAGE_SIZE),
        FunctionTransformer(_flatten),
        FixedThresholdClassifier(
            LogisticRegression(max_iter=1000), response_method="predict_proba"
        ),
    )


def _flatten(images):
    return np.asarray(images).reshape(len(images), -1) / 255.0


def fit_baseline(train, options, on_fit=None):
    """Select the threshold of the baseline by cross-validation, and fit it.

    Each fold is fitted once for all thresholds.

    Parameters
    ----------
    train : Bunch of X, y, groups
        Training images.
    options : SearchOptions
        Its folds, thresholds and rule.
    on_fit : callable, default=None
        Called without arguments after each of the ``n_folds + 1`` fits.

    Returns
    -------
    model : Pipeline
        Fitted on all of ``train``; it predicts by its threshold.
    summary : dict
        "threshold", "mean_recall" and "mean_specificity" over the folds at it, "met": whether
        these meet the rule, and "mean_roc_auc" and "mean_specificity_at_recall".
    """
    model = make_baseline()
    positive = train.y == POSITIVE
    folds = []
    for rows, left_out in options.make_folds().split(positive, positive, train.groups):
        fold = clone(model).fit(train.X[rows], train.y[rows])
        score = fold.predict_proba(train.X[left_out])[:, 1]
        folds.append(_score_fold(positive[left_out], score, options))
        if on_fit is not None:
            on_fit()
    results = {name: np.array([fold[name] for fold in folds]) for name in folds[0]}
    index, summary = select_threshold(results, options)
    model.set_params(fixedthresholdclassifier__threshold=options.thresholds[index])
    model.fit(train.X, train.y)
    if on_fit is not None:
        on_fit()
    return model, summary


def _score_fold(positive, score, options):
    """Compute recall and specificity at each threshold, and the ranking metrics."""
    predicted = score[:, None] >= options.thresholds
    return {
        "recall": predicted[positive].mean(axis=0),
        "specificity": 1 - predicted[~positive].mean(axis=0),
    } | ranking_metrics(positive, score, options.min_recall)


def select_threshold(results, options):
    """Select a threshold by the rule of the search.

    Parameters
    ----------
    results : dict of str to ndarray
        "recall" and "specificity" of shape (n_folds, n_thresholds), and the metrics of `RANKING` of
        shape (n_folds,).
    options : SearchOptions
        Thresholds and rule.

    Returns
    -------
    index : int
    summary : dict
        See `fit_baseline`.
    """
    recall, specificity = (results[name].mean(axis=0) for name in ("recall", "specificity"))
    cv_results = {f"split{i}_test_recall": fold for i, fold in enumerate(results["recall"])}
    cv_results |= {"mean_test_recall": recall, "mean_test_specificity": specificity}
    min_recall, min_specificity = options.min_recall, options.min_specificity
    index, _ = choose_candidate(cv_results, min_recall=min_recall, min_specificity=min_specificity)
    # The rule selects a threshold even if none meets it: one standard error above the recall.
    exceeds_recall = recall[index] - sem(results["recall"][:, index]) >= min_recall - ROUNDING
    summary = {
        "threshold": options.thresholds[index],
        "mean_recall": float(recall[index]),
        "mean_specificity": float(specificity[index]),
        "met": bool(exceeds_recall and specificity[index] >= min_specificity - ROUNDING),
    }
    return index, summary | {f"mean_{name}": float(results[name].mean()) for name in RANKING}
