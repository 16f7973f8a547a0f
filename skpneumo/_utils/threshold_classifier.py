"""Classifiers that apply a threshold of their own to the scores of another classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.documentation import DocumentationLink
from skpneumo._utils.response import positive_scores


def _estimator_has(name):
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), name)


def freeze(estimator):
    """Put a fitted estimator into a `FrozenEstimator`, if it is not in one."""
    return estimator if isinstance(estimator, FrozenEstimator) else FrozenEstimator(estimator)


class BaseThresholdClassifier(
    DocumentationLink, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Base of classifiers that predict by ``best_threshold_`` on the scores of ``estimator_``.

    Subclasses have a parameter ``estimator``, and set both attributes in `fit`.
    """

    def predict(self, X: Any) -> np.ndarray:
        """Label of each image: ``classes_[1]`` if its score is at least ``best_threshold_``.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        # In the type that the threshold was chosen in, so that equal scores stay equal.
        scores = positive_scores(self.estimator_, X).astype(self.best_threshold_.dtype)
        return self.classes_[(scores >= self.best_threshold_).astype(int)]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities by the final model.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities by the final model.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Decision values by the final model.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @property
    def classes_(self) -> np.ndarray:
        """The labels; the second is positive."""
        return self.estimator_.classes_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.classifier_tags.multi_class = False
        return tags
