"""The mean of models that were fitted on the folds of a cross-validation."""

from numbers import Integral

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.model_selection import check_cv
from sklearn.utils import assert_all_finite, column_or_1d, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skpneumo.metrics._response import RESPONSES, positive_scores
from skpneumo.metrics._targets import check_groups, two_classes
from skpneumo.model_selection._out_of_fold import (
    check_splits,
    default_cv,
    fit_folds,
    takes_groups,
)


def _members_have(name):
    def check(self):
        members = getattr(self, "fold_estimators_", [self.estimator])
        return all(hasattr(member, name) for member in members)

    return check


class FoldMeanClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
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

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", name]) for name in RESPONSES],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
    }

    def __init__(self, estimator, *, cv=None, n_jobs=None):
        self.estimator = estimator
        self.cv = cv
        self.n_jobs = n_jobs

    def fit(self, X, y, *, groups=None, **params):
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
        X, y = indexable(X, column_or_1d(y, warn=True))
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        two_classes(y)
        patients = check_groups(groups, y)
        cv = check_cv(default_cv(self.cv, patients is not None), y, classifier=True)
        splits = list(cv.split(X, y, groups))
        check_splits(splits, patients, len(y))
        if groups is not None and takes_groups(self.estimator):
            params |= {"groups": groups}
        models, _ = fit_folds(
            self.estimator, X, y, splits, fit_params=params, n_jobs=self.n_jobs, keep_models=True
        )
        return self._hold(models)

    def _hold(self, models):
        """Take models that are fitted."""
        self.fold_estimators_ = models
        return self

    @property
    def classes_(self):
        """The labels; the second is positive."""
        return self.fold_estimators_[0].classes_

    @property
    def n_features_in_(self):
        """Number of features that the models were fitted on."""
        return self.fold_estimators_[0].n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features that the models were fitted on."""
        return self.fold_estimators_[0].feature_names_in_

    def predict(self, X):
        """Predict labels by scikit-learn's default threshold.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        threshold = 0.5 if hasattr(self, "predict_proba") else 0
        return self.classes_[(positive_scores(self, X) > threshold).astype(int)]

    @available_if(_members_have("predict_proba"))
    def predict_proba(self, X):
        """Compute the probabilities whose log odds are the mean of those of the models.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        check_is_fitted(self)
        positive = mean_by_log_odds([positive_scores(model, X) for model in self.fold_estimators_])
        return np.column_stack([1 - positive, positive])

    @available_if(_members_have("predict_proba"))
    def predict_log_proba(self, X):
        """Compute the logarithms of the probabilities.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        return np.log(self.predict_proba(X))

    @available_if(_members_have("decision_function"))
    def decision_function(self, X):
        """Compute the mean of the decision values of the models.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the estimator takes.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        return np.mean([model.decision_function(X) for model in self.fold_estimators_], axis=0)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "fold_estimators_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.classifier_tags.multi_class = False
        return tags


def mean_by_log_odds(probabilities):
    """Compute the probability whose log odds are the mean of those of several models.

    Parameters
    ----------
    probabilities : list of ndarray of shape (n,), floating
        Of the positive class, by each model. Those closer to 0 or 1 than their type can tell from
        these count as if they were at that distance, so that no model decides alone.

    Returns
    -------
    ndarray of shape (n,), floating
    """
    dtype = np.result_type(*probabilities)
    margin = np.finfo(dtype).eps
    clipped = np.clip(np.asarray(probabilities, np.float64), margin, 1 - margin)
    return expit(logit(clipped).mean(axis=0)).astype(dtype)
