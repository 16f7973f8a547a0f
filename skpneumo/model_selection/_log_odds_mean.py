"""The mean of the log odds of several models."""

from numbers import Integral, Real

import numpy as np
from scipy.special import expit, logit
from sklearn.base import ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import _BaseComposition, available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.response import get_default_threshold, positive_scores
from skpneumo._utils.targets import order_checked
from skpneumo.model_selection._out_of_fold import check_data, takes_groups


def models_have(name):
    """Check for `available_if`: whether all models of a mean have a method."""

    def check(self):
        return all(hasattr(model, name) for model in self._get_models())

    return check


class BaseLogOddsMean(ClassifierMixin, MetaEstimatorMixin):
    """Classifier that averages the log odds of its ``averaged_estimators_``.

    A subclass implements `_get_models`, the fitted models, or those to be fitted, and `_average`,
    the probability given those of the models.
    """

    @property
    def classes_(self):
        """The labels; the second is positive."""
        return self.averaged_estimators_[0].classes_

    @property
    def n_features_in_(self):
        """Number of features that the models were fitted on."""
        return self.averaged_estimators_[0].n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features that the models were fitted on."""
        return self.averaged_estimators_[0].feature_names_in_

    def predict(self, X):
        """Predict labels by scikit-learn's default threshold.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the models take.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        # Strictly above: by argmax, scikit-learn predicts the first class at 0.5.
        is_positive = positive_scores(self, X) > get_default_threshold(self)
        return self.classes_[is_positive.astype(int)]

    @available_if(models_have("predict_proba"))
    def predict_proba(self, X):
        """Compute the probabilities whose log odds are the mean of those of the models.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the models take.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        check_is_fitted(self)
        probabilities = [positive_scores(model, X) for model in self.averaged_estimators_]
        positive = self._average(probabilities)
        return np.column_stack([1 - positive, positive])

    @available_if(models_have("predict_proba"))
    def predict_log_proba(self, X):
        """Compute the logarithms of the probabilities.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the models take.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        return np.log(self.predict_proba(X))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "averaged_estimators_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        of_models = [get_tags(model).input_tags for model in self._get_models()]
        tags.input_tags = of_models[0]
        tags.input_tags.sparse = all(one.sparse for one in of_models)
        tags.classifier_tags.multi_class = False
        return tags


class LogOddsMeanClassifier(BaseLogOddsMean, _BaseComposition):
    """Classifier that averages the log odds of several classifiers.

    Networks of different kinds complement each other. scikit-learn's
    :class:`~sklearn.ensemble.VotingClassifier` averages probabilities instead, which hardly
    distinguish images near 0 and 1.

    Parameters
    ----------
    estimators : list of (str, classifier)
        Names and classifiers with ``predict_proba``. One that is fitted, in a
        :class:`~sklearn.frozen.FrozenEstimator`, is not fitted again.
    prevalence : float, default=None
        Prevalence of pneumonia that the probabilities are for, between 0 and 1: the log odds are
        shifted from the prevalence of the training data to it [1]_. Right if the classifiers have
        no class weights. None leaves the log odds as they are.
    training_prevalence : float, default=None
        Prevalence in the data that the classifiers learnt from, needed with ``prevalence`` if one
        of them is frozen. None takes that of the data given to `fit`.
    n_jobs : int, default=None
        Number of classifiers fitted in parallel.

    Attributes
    ----------
    averaged_estimators_ : list of classifiers
        The fitted classifiers, in the order of ``estimators``.
    shift_ : float
        What is added to the mean of the log odds.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.
    n_features_in_, feature_names_in_ : int and ndarray
        Those of the first classifier, if it has them.

    See Also
    --------
    FoldMeanClassifier : Averages models of one kind that were fitted on different folds.

    Notes
    -----
    The probability is the expit of the mean of the log odds; probabilities closer to 0 or 1 than
    1e-7 count as that. `predict` compares it with 0.5,
    whatever the thresholds of the classifiers are; `OperatingPointClassifierCV` chooses another.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker, "Adjusting the outputs of a classifier to new a priori
       probabilities: a simple procedure", Neural Computation 14 (2002), 21-41.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skpneumo.model_selection import LogOddsMeanClassifier
    >>> X, y = make_classification(random_state=0)
    >>> classifiers = [("linear", LogisticRegression()), ("bayes", GaussianNB())]
    >>> LogOddsMeanClassifier(classifiers).fit(X, y).predict_proba(X).shape
    (100, 2)
    """

    # Log odds of 16: a classifier that returns exactly 0 or 1 does not overrule all others.
    _resolution = (1e-7, 1e-7)
    _parameter_constraints = {
        "estimators": [list, tuple],
        "prevalence": [Interval(Real, 0, 1, closed="neither"), None],
        "training_prevalence": [Interval(Real, 0, 1, closed="neither"), None],
        "n_jobs": [Integral, None],
    }
    # With metadata routing it requests the patients itself, for classifiers that take them.
    __metadata_request__fit = {"groups": True}

    def __init__(self, estimators, *, prevalence=None, training_prevalence=None, n_jobs=None):
        self.estimators = estimators
        self.prevalence = prevalence
        self.training_prevalence = training_prevalence
        self.n_jobs = n_jobs

    def get_params(self, deep=True):
        """Get parameters, with ``deep`` those of the classifiers too, such as ``linear__C``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the classifiers by their names, and their parameters.

        Returns
        -------
        dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params):
        """Set parameters, also those of the classifiers, or a classifier by its name.

        Parameters
        ----------
        **params : dict
            By the names of `get_params`.

        Returns
        -------
        self
        """
        self._set_params("estimators", **params)
        return self

    def fit(self, X, y, *, groups=None):
        """Fit the classifiers that are not frozen.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            What the classifiers take.
        y : array-like of shape (n,)
            Two labels; the greater one is positive, such as "PNEUMONIA" after "NORMAL".
        groups : array-like of shape (n,), default=None
            The patient of each image, passed to classifiers that take it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If names repeat, there is no classifier, a frozen one has other labels, a prevalence is
            not between 0 and 1, or that of the training is not known.
        """
        self._validate_params()
        self._check_estimators()
        X, y, classes = check_data(X, y)
        # `check_data` has warned of labels in doubtful order; the fits need not warn again.
        with order_checked():
            models = Parallel(n_jobs=self.n_jobs)(
                delayed(_fit)(model, X, y, groups) for _, model in self.estimators
            )
        for (name, _), model in zip(self.estimators, models, strict=True):
            if not np.array_equal(model.classes_, classes):
                raise ValueError(
                    f"y holds {classes.tolist()}, but {name} was fitted on "
                    f"{np.asarray(model.classes_).tolist()}."
                )
        self.averaged_estimators_ = models
        self.shift_ = self._compute_shift(np.mean(y == classes[1]))
        return self

    def _compute_shift(self, prevalence_at_hand):
        if self.prevalence is None:
            return 0.0
        in_training = self.training_prevalence or prevalence_at_hand
        return float(logit(self.prevalence) - logit(in_training))

    def _average(self, probabilities):
        return mean_by_log_odds(probabilities, self._resolution, self.shift_)

    def _check_estimators(self):
        if not self.estimators or any(
            not isinstance(pair, (tuple, list)) or len(pair) != 2 for pair in self.estimators
        ):
            raise ValueError(
                "estimators must hold at least one name and classifier, such as ('cnn', clf)."
            )
        self._validate_names([name for name, _ in self.estimators])
        lacking = [name for name, model in self.estimators if not hasattr(model, "predict_proba")]
        if lacking:
            raise ValueError(f"{lacking[0]} has no predict_proba, whose log odds are averaged.")
        frozen = [name for name, model in self.estimators if isinstance(model, FrozenEstimator)]
        if frozen and self.prevalence is not None and self.training_prevalence is None:
            raise ValueError(
                f"{frozen[0]} is frozen, so that the prevalence in its training data is not known. "
                "Set training_prevalence too, or prevalence=None."
            )

    def _get_models(self):
        return getattr(self, "averaged_estimators_", [model for _, model in self.estimators])


def _fit(model, X, y, groups):
    passed = {"groups": groups} if groups is not None and takes_groups(model) else {}
    return clone(model).fit(X, y, **passed)


def mean_by_log_odds(probabilities, resolution, shift=0.0):
    """Compute the probability whose log odds are the mean of those of several models.

    Parameters
    ----------
    probabilities : list of ndarray of shape (n,), floating
        Of the positive class, by each model.
    resolution : tuple of (float, float)
        Probabilities closer to 0 or 1 are clipped to that distance: the 0 of a tree does not mean
        infinite odds, and would overrule all other models.
    shift : float, default=0.0
        Added to the mean of the log odds.

    Returns
    -------
    ndarray of shape (n,), floating
    """
    to_0, to_1 = resolution
    # In float64, since 1 - p of a float32 probability near 1 keeps few digits. The result has the
    # type of the members' probabilities, in which the threshold was chosen.
    clipped = np.clip(np.asarray(probabilities, np.float64), to_0, 1 - to_1)
    return expit(logit(clipped).mean(axis=0) + shift).astype(np.result_type(*probabilities))
