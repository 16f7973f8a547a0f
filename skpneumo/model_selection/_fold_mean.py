"""The mean of models that were fitted on the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.response import RESPONSES
from skpneumo._utils.targets import check_groups
from skpneumo._utils.typing import Splitter
from skpneumo.model_selection._log_odds_mean import (
    BaseLogOddsMean,
    mean_by_log_odds,
    models_have,
)
from skpneumo.model_selection._out_of_fold import check_data, fit_folds, make_splits, takes_groups


class FoldMeanClassifier(BaseLogOddsMean, BaseEstimator):
    """Classifier that averages the models of the folds of a cross-validation.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba`` or ``decision_function``; cloned for each fold.
    cv : int, splitter or iterable, default=None
        Each fold's model is fitted on the training part of a split. None and integers (None is 5)
        keep the classes in proportion, and with ``groups`` the images of a patient on one side.
    n_jobs : int, default=None
        Number of folds fitted in parallel.

    Attributes
    ----------
    fold_estimators_ : list of classifiers
        The fitted models.
    resolution_ : tuple of (float, float) or None
        Smallest distances from 0 and from 1 that count in a mean of log odds; see
        `find_resolution`. None without ``predict_proba``.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.
    n_features_in_, feature_names_in_ : int and ndarray
        Those of the models, if they have them.

    See Also
    --------
    OperatingPointClassifierCV : Chooses a threshold by the scores of such models.

    Notes
    -----
    The probability is the expit of the mean of the log odds. Log odds rather than probabilities:
    they are the scale on which a model that is too sure of itself differs from others by a factor,
    and their mean keeps small probabilities apart.
    """

    fold_estimators_: list
    resolution_: tuple[float, float] | None

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", name]) for name in RESPONSES],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        cv: int | Splitter | Iterable | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: ArrayLike, *, groups: ArrayLike | None = None, **params: Any) -> Self:
        """Fit a clone of the estimator on the training part of each split.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.
        y : array-like of shape (n,)
            Two labels; the greater one is positive.
        groups : array-like of shape (n,), default=None
            The patient of each image, for the splitter.
        **params : dict
            Passed to ``fit`` of the estimator.

        Returns
        -------
        self
        """
        self._validate_params()
        X, y, _ = check_data(X, y)
        splits = make_splits(self.cv, X, y, check_groups(groups, y), {"groups": groups})
        if groups is not None and takes_groups(self.estimator):
            params |= {"groups": groups}
        models, scores = fit_folds(
            self.estimator, X, y, splits, fit_params=params, n_jobs=self.n_jobs, keep_models=True
        )
        return self.hold(models, scores)

    # Apart from `fit`, for an operating point, which has fitted the folds to choose its threshold.
    def hold(self, models: Sequence[Any], scores: Any) -> Self:
        """Use models that are fitted already.

        Parameters
        ----------
        models : list of classifiers
            One for each fold.
        scores : ndarray of shape (n,)
            Scores of the images by the model that was fitted without them.

        Returns
        -------
        self
        """
        self.fold_estimators_ = models
        self.resolution_ = find_resolution(scores) if hasattr(self, "predict_proba") else None
        return self

    @property
    def averaged_estimators_(self) -> list:
        """The models of the folds."""
        return self.fold_estimators_

    def _get_models(self):
        return getattr(self, "fold_estimators_", [self.estimator])

    def _average(self, probabilities):
        return mean_by_log_odds(probabilities, self.resolution_)

    @available_if(models_have("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the mean of the decision values of the models.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the models take.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        return np.mean([model.decision_function(X) for model in self.averaged_estimators_], axis=0)


def find_resolution(probabilities):
    """Find the smallest distance from 0 and from 1 that probabilities of a model resolve.

    Parameters
    ----------
    probabilities : ndarray of shape (n,), floating
        Of the positive class, for images that the model was fitted without.

    Returns
    -------
    to_0, to_1 : float
        Half the smallest distance from 0 and from 1 that occurs. A threshold is one of these
        probabilities, so that what is clipped there keeps its side of it.
    """
    values = np.asarray(probabilities, np.float64)
    # Half the distance, so that no probability that occurs is clipped itself. Probabilities of
    # exactly 0 and 1 have no distance, and 0.25 is for models that return nothing else.
    return tuple(
        float(min(0.25, distance[distance > 0].min(initial=0.5) / 2))
        for distance in (values, 1 - values)
    )
