"""Nested estimators, unwrapped once: what stands around a classifier, and its threshold."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from skpneumo._utils.response import get_default_threshold


class Branch(NamedTuple):
    """The way from an estimator to one of the classifiers that it holds."""

    wrappers: tuple
    """Estimators around the classifier, from the outside in, without frozen ones."""
    classifier: BaseEstimator
    """The innermost classifier."""


class NestedModel(NamedTuple):
    """A fitted estimator, unwrapped."""

    branches: tuple
    """A `Branch` to each innermost classifier: several if folds or calibration hold them."""
    fitted_parts: tuple
    """What is fitted besides them: steps of pipelines, calibrators, the shift of a mean."""
    threshold: float
    """Threshold of ``predict``, on whatever score."""
    threshold_source: BaseEstimator | None
    """Estimator whose threshold ``predict`` follows; None for the default of scikit-learn."""

    @property
    def wrappers(self):
        """Wrappers of the first branch."""
        return self.branches[0].wrappers

    @property
    def classifier(self):
        """Classifier of the first branch."""
        return self.branches[0].classifier

    @property
    def classifiers(self):
        """Classifiers of all branches."""
        return tuple(branch.classifier for branch in self.branches)


def unwrap(estimator):
    """Unwrap searches, pipelines, thresholds, calibration, means of models and frozen estimators.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    NestedModel
    """
    branches, parts = _walk(estimator)
    source = _threshold_source(branches[0])
    if source is None:
        threshold = get_default_threshold(estimator)
    else:
        threshold = float(_own_threshold(source))
    return NestedModel(tuple(branches), tuple(parts), threshold, source)


def _walk(estimator):
    """Branches to the classifiers, and the fitted parts, in order from the outside in."""
    held = _held_estimators(estimator)
    if not held:
        return [Branch((), estimator)], []
    # A frozen estimator shows the attributes of the one that it holds.
    own = () if isinstance(estimator, FrozenEstimator) else (estimator,)
    branches, parts = [], _own_parts(estimator)
    for inner in held:
        inner_branches, inner_parts = _walk(inner)
        branches += [Branch(own + wrappers, leaf) for wrappers, leaf in inner_branches]
        parts += inner_parts
    return branches, parts


def _held_estimators(estimator):
    """Fitted estimators by which a wrapper predicts; empty for anything else."""
    if isinstance(estimator, FrozenEstimator):
        return [estimator.estimator]
    if hasattr(estimator, "best_estimator_"):
        return [estimator.best_estimator_]
    if isinstance(estimator, Pipeline):
        return [estimator.steps[-1][1]]
    if hasattr(estimator, "calibrated_classifiers_"):
        return [one.estimator for one in estimator.calibrated_classifiers_]
    if hasattr(estimator, "averaged_estimators_"):
        return estimator.averaged_estimators_
    if isinstance(estimator, (FixedThresholdClassifier, TunedThresholdClassifierCV)) or hasattr(
        estimator, "best_threshold_"
    ):
        return [estimator.estimator_]
    return []


def _own_parts(wrapper):
    if isinstance(wrapper, Pipeline):
        return [step for _, step in wrapper.steps[:-1]]
    if isinstance(wrapper, CalibratedClassifierCV):
        return [one.calibrators for one in wrapper.calibrated_classifiers_]
    # Of a mean of log odds.
    return [wrapper.shift_] if getattr(wrapper, "shift_", 0) else []


def _threshold_source(branch):
    for estimator in (*branch.wrappers, branch.classifier):
        if isinstance(_own_threshold(estimator), Real):
            return estimator
        is_plain = isinstance(estimator, (CalibratedClassifierCV, FixedThresholdClassifier))
        if is_plain or hasattr(estimator, "averaged_estimators_"):
            # It predicts by 0.5, or threshold="auto", whatever the threshold inside.
            return None
    return None


def _own_threshold(estimator):
    return getattr(estimator, "best_threshold_", getattr(estimator, "threshold", None))


def get_transformers(branch):
    """Transformers of the pipelines on a branch, in the order in which images pass them."""
    pipelines = [wrapper for wrapper in branch.wrappers if isinstance(wrapper, Pipeline)]
    steps = [step for pipeline in pipelines for _, step in pipeline.steps[:-1]]
    # Samplers and "passthrough" have no transform.
    return [step for step in steps if hasattr(step, "transform")]


def check_not_several(nested, *, allow_means=False):
    """Refuse an estimator that holds several networks side by side.

    Parameters
    ----------
    nested : NestedModel
        The estimator, unwrapped.
    allow_means : bool, default=False
        Whether a mean of the log odds of several models is accepted.

    Raises
    ------
    TypeError
        If calibration, or an operating point with ``refit=False``, has fitted several.
    """
    for wrapper in (wrapper for branch in nested.branches for wrapper in branch.wrappers):
        n_held, name = len(_held_estimators(wrapper)), type(wrapper).__name__
        if n_held > 1 and hasattr(wrapper, "calibrated_classifiers_"):
            raise TypeError(
                f"{name} holds {n_held} networks side by side. Pass one of them, "
                "calibrated_classifiers_[0].estimator, or calibrate with ensemble=False."
            )
        if n_held > 1 and not allow_means:
            remedy = (
                "estimator_.fold_estimators_[0] of the operating point, or fit it with refit=True"
                if hasattr(wrapper, "fold_estimators_")
                else "averaged_estimators_[0]"
            )
            raise TypeError(
                f"{name} holds {n_held} networks side by side. Pass one of them, {remedy}."
            )


def get_followed_threshold(nested, y_score, y_pred):
    """Threshold of ``predict``, if it is one of these scores.

    Parameters
    ----------
    nested : NestedModel
        The estimator, unwrapped.
    y_score : ndarray of shape (n,)
        Scores of some images, by `skpneumo._utils.response.positive_scores`.
    y_pred : ndarray of shape (n,), dtype bool
        Whether ``predict`` returns the positive class.

    Returns
    -------
    float or None
        None if ``predict`` follows another score or threshold, such as that of the other class.
    """
    threshold = nested.threshold
    # The classifiers of skpneumo predict positive at the threshold; by argmax, scikit-learn
    # predicts negative at 0.5.
    candidates = (y_score >= threshold, y_score > threshold)
    return threshold if any(np.array_equal(y_pred, one) for one in candidates) else None
