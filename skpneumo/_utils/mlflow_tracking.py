"""MLflow's autologging of fits, for estimators that are not scikit-learn's own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from inspect import signature
from numbers import Real
from typing import TypeVar

import numpy as np

_FLAVOR = "sklearn"
Fit = TypeVar("Fit", bound=Callable)


def tracked_fit(fit: Fit) -> Fit:
    """Decorate ``fit`` of an estimator, to be logged after ``mlflow.sklearn.autolog()``.

    MLflow patches the estimators that scikit-learn lists, and no others. Its training sessions are
    joined here: a fit inside one that is logged, such as of a search, is a part of that one.

    Without MLflow, or with its autologging off, the fit is the same; MLflow is never imported. What
    goes wrong in logging is warned of.

    Parameters
    ----------
    fit : function
        With the signature ``fit(self, X, y, ...)``.

    Returns
    -------
    function
    """

    @wraps(fit)
    def wrapper(self, *args, **kwargs):
        session_type = _try_to(_session_type)
        if session_type is None:
            return fit(self, *args, **kwargs)
        parent = session_type.get_current_session()
        with session_type(estimator=self, allow_children=False) as session:
            run = _try_to(_start_run, self) if session.should_log() else None
            if run is None:
                fitted = fit(self, *args, **kwargs)
                # The last step of a pipeline, which has a run.
                if parent and parent.should_log() and _last_step(parent.estimator) is self:
                    _try_to(_log_history, self)
                return fitted
            with run:
                _try_to(_log_params, self)
                fitted = fit(self, *args, **kwargs)
                given = signature(fit).bind(self, *args, **kwargs).arguments
                _try_to(_log_results, self, given["X"], given["y"])
                return fitted

    return wrapper


def _session_type():
    """MLflow's class of training sessions, or None if a fit is not to be logged."""
    flavor = sys.modules.get("mlflow.sklearn")
    if flavor is None:
        return None
    from mlflow.utils import autologging_utils

    # The latter inside cross_val_score and the like, whose fits are not logged.
    if autologging_utils.autologging_is_disabled(_FLAVOR) or getattr(
        autologging_utils, "_AUTOLOGGING_GLOBALLY_DISABLED", False
    ):
        return None
    exclusive = autologging_utils.get_autologging_config(_FLAVOR, "exclusive", False)
    if exclusive and sys.modules["mlflow"].active_run() is not None:
        return None
    # Private, but what MLflow's own autologging of other libraries rests on.
    return flavor._SklearnTrainingSession


def _last_step(estimator):
    steps = getattr(estimator, "steps", None)
    return steps[-1][1] if steps else None


def _start_run(estimator):
    """Context of the run that is active already, or of one of its own for this fit."""
    import mlflow

    if mlflow.active_run() is not None:
        return nullcontext()
    kind = type(estimator)
    return mlflow.start_run(
        tags={
            "estimator_name": kind.__name__,
            "estimator_class": f"{kind.__module__}.{kind.__name__}",
            "mlflow.autologging": _FLAVOR,
        }
    )


def _try_to(log, *args):
    """Result of logging, or None if it fails: that must not stop a fit."""
    try:
        return log(*args)
    except Exception as error:
        warnings.warn(f"MLflow did not log all of this fit: {error}", UserWarning, stacklevel=3)
        return None


def _log_params(estimator):
    import mlflow

    mlflow.log_params(estimator.get_params())


def _log_results(estimator, X, y):
    import mlflow

    _log_history(estimator)
    mlflow.log_metrics(_fitted_numbers(estimator) | {"training_score": estimator.score(X, y)})
    inner = getattr(estimator, "estimator_", None)
    best = {f"best_{name}": value for name, value in getattr(inner, "best_params_", {}).items()}
    mlflow.log_params(best)


def _log_history(estimator):
    import mlflow

    history = getattr(estimator, "history_", {})
    for epoch, values in enumerate(zip(*history.values(), strict=False)):
        mlflow.log_metrics(dict(zip(history, map(float, values), strict=True)), step=epoch)


def _fitted_numbers(estimator):
    """What a fit learnt that is a number, such as ``best_threshold_``."""
    return {
        name.rstrip("_"): float(value)
        for name, value in vars(estimator).items()
        if name[-1] == "_" and name[0] != "_" and isinstance(value, Real) and np.isfinite(value)
    }
