"""Thresholds that are chosen by scores of models that were fitted without the images."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skpneumo._utils.response import RESPONSES, positive_scores
from skpneumo._utils.targets import check_groups, order_checked
from skpneumo._utils.threshold_classifier import BaseThresholdClassifier
from skpneumo.model_selection._fit_warnings import warn_of_earlier_fit, warn_of_repeated_patients
from skpneumo.model_selection._fold_mean import FoldMeanClassifier
from skpneumo.model_selection._out_of_fold import default_cv, fit_folds, make_splits, takes_groups
from skpneumo.model_selection._reference import make_reference


class BaseThresholdClassifierCV(BaseThresholdClassifier):
    """Base of classifiers that choose thresholds by scores of images that were left out.

    Subclasses have the parameters ``estimator``, ``cv``, ``refit`` and ``n_jobs``, and choose
    ``best_threshold_`` in `fit` by the scores that `_fit_and_score` returns.
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", name]) for name in RESPONSES],
        "cv": ["cv_object"],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
    }
    # Patients are what is counted: with metadata routing they are requested by default.
    __metadata_request__fit = {"groups": True}

    def _warn_of_dependence(self, X, patients):
        """Warn of what makes a certified threshold fall short too often."""
        warn_of_earlier_fit(self.estimator, type(self).__name__)
        if patients is None:
            warn_of_repeated_patients(X)

    def _fit_and_score(self, X, y, classes, groups, params):
        """Set ``estimator_`` and ``reference_``; return the scores of images that were left out."""
        fit_params, split_params = self._routed(groups, params)
        patients = check_groups(groups, y)
        # `check_data` has warned of labels in doubtful order; the fits need not warn again.
        with order_checked():
            if isinstance(self.estimator, FrozenEstimator):
                self.estimator_, y_score = self._score_frozen(X, y, classes, fit_params)
            else:
                splits = make_splits(self.cv, X, y, patients, split_params)
                self.estimator_, y_score = self._fit_splits(X, y, classes, splits, fit_params)
        self._copy_features()
        self.reference_ = make_reference(y == classes[1], y_score, patients)
        return y_score

    def _score_frozen(self, X, y, classes, fit_params):
        """Copy of the frozen estimator, which is not fitted again, and its scores."""
        estimator = clone(self.estimator).fit(X, y, **fit_params)
        _check_classes(estimator, classes)
        return estimator, positive_scores(estimator, X)

    def _fit_splits(self, X, y, classes, splits, fit_params):
        """Final model, and the scores of each image by a model that was fitted without it."""
        models, y_score = fit_folds(
            self.estimator,
            X,
            y,
            splits,
            fit_params=fit_params,
            n_jobs=self.n_jobs,
            keep_models=not self.refit,
        )
        if self.refit:
            estimator = clone(self.estimator).fit(X, y, **fit_params)
        else:
            estimator = FoldMeanClassifier(clone(self.estimator)).hold(models, y_score)
        _check_classes(estimator, classes)
        return estimator, y_score

    def _copy_features(self):
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)  # of an earlier fit, on data that had names
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))

    def _routed(self, groups, params):
        """Parameters for ``fit`` of the estimator and ``split`` of the splitter."""
        if not get_config()["enable_metadata_routing"]:
            if groups is not None and takes_groups(self.estimator):
                params = params | {"groups": groups}
            return params, {"groups": groups}
        given = params if groups is None else params | {"groups": groups}
        routed = process_routing(self, "fit", **given)
        return routed["estimator"]["fit"], routed["splitter"]["split"]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the routing to ``fit`` of the estimator and ``split`` of the splitter.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(
                splitter=default_cv(self.cv, grouped=True),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )


def _check_classes(estimator, classes):
    if not np.array_equal(estimator.classes_, classes):
        raise ValueError(
            f"y holds {classes.tolist()}, but the estimator was fitted on "
            f"{np.asarray(estimator.classes_).tolist()}."
        )
