"""Scores of images by models that were fitted without them."""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing, assert_all_finite, column_or_1d, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, has_fit_parameter

from skpneumo._utils.response import positive_scores
from skpneumo._utils.targets import two_classes


def check_data(X, y):
    """Validate the training data of an operating point.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        The images.
    y : array-like of shape (n,)
        Labels of two classes.

    Returns
    -------
    X : array-like of shape (n, ...)
        Indexable.
    y : ndarray of shape (n,)
        The labels.
    classes : ndarray of shape (2,)
        Both labels, sorted.
    """
    X, y = indexable(X, column_or_1d(y, warn=True))
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return X, y, two_classes(y)


def make_splits(cv, X, y, patients, params):
    """Split the images so that each is left out once, together with its patient.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        As `default_cv` takes it.
    X : array-like of shape (n, ...)
        The images.
    y : ndarray of shape (n,)
        Their labels.
    patients : ndarray of shape (n,) or None
        The patient of each image.
    params : dict
        Passed to ``split``.

    Returns
    -------
    list of (train, test)
    """
    cv = check_cv(default_cv(cv, patients is not None), y, classifier=True)
    splits = list(cv.split(X, y, **params))
    check_splits(splits, patients, len(y))
    return splits


def check_splits(splits, patients, n_images):
    """Raise ``ValueError`` unless each image is left out once, together with its patient.

    Parameters
    ----------
    splits : list of (train, test)
        Row numbers.
    patients : ndarray of shape (n_images,) or None
        The patient of each image.
    n_images : int
        Number of images.
    """
    # The empty array is for a cv without splits, which then fails as one that leaves images out.
    rows = np.concatenate([np.empty(0, dtype=int), *(test for _, test in splits)])
    if not np.array_equal(np.sort(rows), np.arange(n_images)):
        raise ValueError(
            f"cv must leave out each of the {n_images} images once, got {len(rows)} in "
            f"{len(splits)} test parts. Use a splitter such as StratifiedGroupKFold, not "
            "repeated or random splits."
        )
    if patients is None:
        return
    split_up = [np.intersect1d(patients[train], patients[test]) for train, test in splits]
    n_split_up = len(np.unique(np.concatenate(split_up)))
    if n_split_up:
        raise ValueError(
            f"cv has images of {n_split_up} patients on both sides of a split: their models "
            "would have seen them. Use cv=None or a splitter such as StratifiedGroupKFold."
        )


def default_cv(cv, grouped):
    """Make a splitter of None and of integers.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None is 5.
    grouped : bool
        Whether the images of a patient are to be kept together.

    Returns
    -------
    splitter or iterable
        A stratified splitter; a splitter or an iterable is returned as it is.
    """
    if cv is None or isinstance(cv, Integral):
        splitter = StratifiedGroupKFold if grouped else StratifiedKFold
        return splitter(5 if cv is None else cv)
    return cv


def takes_groups(estimator):
    """Whether to pass groups to ``fit`` of an estimator, without metadata routing.

    Parameters
    ----------
    estimator : estimator
        Not fitted.

    Returns
    -------
    bool
        True if it names the parameter, or is a search with a splitter. Integers make splitters
        that ignore groups, and warn of it.
    """
    # ``fit`` of a search takes any parameter by **params, so its signature shows nothing.
    if isinstance(estimator, BaseSearchCV):
        return estimator.cv is not None and not isinstance(estimator.cv, Integral)
    return has_fit_parameter(estimator, "groups")


def fit_folds(estimator, X, y, splits, *, fit_params=None, n_jobs=None, keep_models=False):
    """Score every image by a clone that was fitted without it.

    Like :func:`~sklearn.model_selection.cross_val_predict`, which however encodes the labels before
    it fits, so that a ``class_weight`` that names them is an error.

    Parameters
    ----------
    estimator : classifier
        Cloned for each split.
    X : array-like of shape (n, ...)
        The images.
    y : ndarray of shape (n,)
        Their labels.
    splits : list of (train, test)
        Every image is in one test part.
    fit_params : dict, default=None
        Passed to ``fit``; what has a length of n is split.
    n_jobs : int, default=None
        Number of splits in parallel.
    keep_models : bool, default=False
        Whether the clones are returned.

    Returns
    -------
    models : list of classifiers, or None
        In the order of the splits.
    scores : ndarray of shape (n,)
    """
    found = Parallel(n_jobs=n_jobs)(
        delayed(_score_split)(clone(estimator), X, y, train, test, fit_params, keep_models)
        for train, test in splits
    )
    models, parts = zip(*found, strict=True)
    # The type is kept: a threshold chosen among float32 scores is compared with float32 scores.
    scores = np.empty(len(y), dtype=np.result_type(*parts))
    for (_, test), part in zip(splits, parts, strict=True):
        scores[test] = part
    return (list(models) if keep_models else None), scores


def _score_split(estimator, X, y, train, test, fit_params, keep_model):
    estimator.fit(
        _safe_indexing(X, train),
        y[train],
        **_check_method_params(X, fit_params, indices=train),
    )
    scores = positive_scores(estimator, _safe_indexing(X, test))
    return (estimator if keep_model else None), scores
