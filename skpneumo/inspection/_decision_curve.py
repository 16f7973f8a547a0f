"""Net benefit over the threshold probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.drawing import get_axes, label_curve, merge_kwargs
from skpneumo._utils.palette import GREY
from skpneumo._utils.response import positive_scores
from skpneumo._utils.typing import Label
from skpneumo.metrics import decision_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class DecisionCurveDisplay:
    """Net benefit of a model, of treating all and of treating none. [1]_

    Create it by `from_estimator` or `from_predictions`. All parameters are stored as attributes.
    Pass ``ax=display.ax_`` for several models in one figure.

    Parameters
    ----------
    threshold : ndarray of shape (n_thresholds,)
        Threshold probabilities: a false negative weighs as much as ``(1 - p) / p`` false positives.
    net_benefit : ndarray of shape (n_thresholds,)
        Of predicting those positive whose probability reaches ``p``.
    net_benefit_all : ndarray of shape (n_thresholds,)
        Of predicting everyone positive.
    net_benefit_at_threshold : ndarray of shape (n_thresholds,), default=None
        Of the predictions at a fixed threshold. None draws none.
    name : str, default=None
        Name of the model, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        Curve of the model.
    threshold_line_ : matplotlib Line2D or None
        Curve of the predictions at a fixed threshold.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure containing the axes.

    See Also
    --------
    skpneumo.metrics.decision_curve : Compute the curves.
    sklearn.calibration.CalibrationDisplay : Draw the calibration curve.

    Notes
    -----
    Compare the curves at the threshold probabilities that are reasonable in the clinic: the highest
    curve is best there. A model below "treat all" does harm.

    References
    ----------
    .. [1] A. J. Vickers, E. B. Elkin, "Decision curve analysis: a novel method for evaluating
       prediction models", Medical Decision Making 26:565-574, 2006.
       doi:10.1177/0272989X06295361

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo.inspection import DecisionCurveDisplay
    >>> X, y = make_classification(600, random_state=0)
    >>> model = LogisticRegression().fit(X[:300], y[:300])
    >>> DecisionCurveDisplay.from_estimator(model, X[300:], y[300:])
    <...>
    """

    line_: Line2D
    threshold_line_: Line2D | None
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        threshold: np.ndarray,
        net_benefit: np.ndarray,
        net_benefit_all: np.ndarray,
        *,
        net_benefit_at_threshold: np.ndarray | None = None,
        name: str | None = None,
    ) -> None:
        self.threshold = threshold
        self.net_benefit = net_benefit
        self.net_benefit_all = net_benefit_all
        self.net_benefit_at_threshold = net_benefit_at_threshold
        self.name = name

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves; "treat all" and "treat none" once for several models in the same axes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        name : str, default=None
            Name of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve of the model.

        Returns
        -------
        self
        """
        from matplotlib.lines import Line2D

        self.ax_ = get_axes(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        self._draw_reference("treat all", self.net_benefit_all, ":")
        self._draw_reference("treat none", np.zeros(len(self.threshold)), "-")
        (self.line_,) = self.ax_.plot(
            self.threshold,
            self.net_benefit,
            **merge_kwargs({"label": name or "model"}, curve_kwargs, Line2D),
        )
        self.threshold_line_ = None
        if self.net_benefit_at_threshold is not None:
            (self.threshold_line_,) = self.ax_.plot(
                self.threshold,
                self.net_benefit_at_threshold,
                color=self.line_.get_color(),
                linestyle="--",
                label=label_curve("at its threshold", name),
            )
        self.ax_.set(xlabel="threshold probability", ylabel="net benefit per image")
        # The net benefit of treating all falls without bound; how far below 0 is of no interest.
        top = max(np.max(line.get_ydata()) for line in self.ax_.lines)
        if top > 0:
            self.ax_.set_ylim(-0.1 * top, 1.05 * top)
        self.ax_.legend(loc="best", fontsize="small")
        return self

    def _draw_reference(self, label, values, linestyle):
        for line in self.ax_.lines:
            if line.get_label() == label and np.array_equal(line.get_ydata(), values):
                return
        style = {"color": GREY, "linestyle": linestyle, "linewidth": 1.2}
        self.ax_.plot(self.threshold, values, label=label, **style)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Any,
        y: ArrayLike,
        *,
        at_threshold: bool = False,
        thresholds: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the net benefit of a classifier on images.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba``.
        X : array-like of shape (n, ...)
            Images that took no part in the fit.
        y : array-like of shape (n,)
            Their labels; ``classes_[1]`` is positive.
        at_threshold : bool, default=False
            Whether to draw also the net benefit of ``predict``, at its own threshold.
        thresholds : array-like of shape (n_thresholds,), default=None
            Threshold probabilities. None means from 0 to 0.5, at which false positives and false
            negatives weigh the same.
        name : str, default=None
            Name of the model, for the legend. None takes the name of its class.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve of the model.

        Returns
        -------
        DecisionCurveDisplay

        Raises
        ------
        ValueError
            If the classifier has no ``predict_proba``.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "predict_proba"):
            raise ValueError(
                f"A decision curve needs probabilities, but {type(estimator).__name__} has no "
                "predict_proba. Put it into CalibratedClassifierCV."
            )
        return cls.from_predictions(
            y,
            positive_scores(estimator, X),
            y_pred=estimator.predict(X) if at_threshold else None,
            thresholds=thresholds,
            pos_label=estimator.classes_[1],
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            curve_kwargs=curve_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        y_pred: ArrayLike | None = None,
        thresholds: ArrayLike | None = None,
        pos_label: Label | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the net benefit given the true labels and the probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels of two classes.
        y_proba : array-like of shape (n,)
            Probability of the positive class.
        y_pred : array-like of shape (n,), default=None
            Labels predicted at a fixed threshold, for one more curve.
        thresholds : array-like of shape (n_thresholds,), default=None
            Threshold probabilities. None means from 0 to 0.5, at which false positives and false
            negatives weigh the same.
        pos_label : str, int, float, bool or None, default=None
            The positive class. None means the greater of the two labels.
        name : str, default=None
            Name of the model, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve of the model.

        Returns
        -------
        DecisionCurveDisplay
        """
        curve = decision_curve(
            y_true, y_proba, y_pred=y_pred, thresholds=thresholds, pos_label=pos_label
        )
        return cls(
            curve.threshold,
            curve.net_benefit,
            curve.net_benefit_all,
            net_benefit_at_threshold=curve.net_benefit_at_threshold,
            name=name,
        ).plot(ax, curve_kwargs=curve_kwargs)
