"""Recall and specificity over the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.drawing import get_axes, label_curve, merge_kwargs
from skpneumo._utils.formatting import percent
from skpneumo._utils.palette import BLUE, GREY, VERMILION
from skpneumo._utils.response import positive_scores
from skpneumo._utils.typing import Label
from skpneumo._utils.unwrap import get_followed_threshold, unwrap
from skpneumo.metrics import threshold_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class ThresholdCurveDisplay:
    """Recall, its lower confidence bound and specificity over the threshold.

    Create it by `from_operating_point`, `from_estimator` or `from_predictions`. All parameters are
    stored as attributes.

    Parameters
    ----------
    threshold : ndarray of shape (n_thresholds,)
        Thresholds in increasing order.
    recall : ndarray of shape (n_thresholds,)
        Recall at each.
    specificity : ndarray of shape (n_thresholds,)
        Specificity at each.
    recall_lower_bound : ndarray of shape (n_thresholds,), default=None
        Lower confidence bound of the recall. None, or NaN, draws none.
    confidence : float, default=None
        Confidence level of the bounds, for the legend.
    operating_threshold : float, default=None
        Threshold of the operating point. None draws none.
    operating_lower_bound : float, default=None
        Lower confidence bound of a metric there, for the title. None, or NaN, shows none.
    bounded_metric : {"recall", "specificity"}, default="recall"
        The metric that it bounds.
    name : str, default=None
        Name of the model, for the legend.

    Attributes
    ----------
    recall_line_, specificity_line_ : matplotlib Line2D
        The curves.
    bound_line_ : matplotlib Line2D or None
        The bound.
    operating_line_ : matplotlib Line2D or None
        The operating point. Its recall and specificity are in the title.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure containing the axes.

    See Also
    --------
    skpneumo.metrics.threshold_curve : Compute the curves.
    DecisionCurveDisplay : Net benefit over the threshold probability.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo import OperatingPointClassifierCV
    >>> from skpneumo.inspection import ThresholdCurveDisplay
    >>> X, y = make_classification(600, random_state=0)
    >>> model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9).fit(X, y)
    >>> ThresholdCurveDisplay.from_operating_point(model)
    <...>
    """

    recall_line_: Line2D
    specificity_line_: Line2D
    bound_line_: Line2D | None
    operating_line_: Line2D | None
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        threshold: np.ndarray,
        recall: np.ndarray,
        specificity: np.ndarray,
        *,
        recall_lower_bound: np.ndarray | None = None,
        confidence: float | None = None,
        operating_threshold: float | None = None,
        operating_lower_bound: float | None = None,
        bounded_metric: Literal["recall", "specificity"] = "recall",
        name: str | None = None,
    ) -> None:
        self.threshold = threshold
        self.recall = recall
        self.specificity = specificity
        self.recall_lower_bound = recall_lower_bound
        self.confidence = confidence
        self.operating_threshold = operating_threshold
        self.operating_lower_bound = operating_lower_bound
        self.bounded_metric = bounded_metric
        self.name = name

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        operating_point_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        name : str, default=None
            Name of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.
        operating_point_kwargs : dict, default=None
            Passed to matplotlib's ``axvline`` for the operating point.

        Returns
        -------
        self
        """
        self.ax_ = get_axes(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        # Below the lowest score everyone is predicted positive, above the highest nobody.
        recall = np.concatenate([[1], self.recall, [0]])
        specificity = np.concatenate([[0], self.specificity, [1]])
        self.recall_line_ = self._draw("recall", recall, name, curve_kwargs, color=BLUE)
        self.bound_line_ = self._draw_bound(name, curve_kwargs)
        self.specificity_line_ = self._draw(
            "specificity", specificity, name, curve_kwargs, color=VERMILION, linestyle="--"
        )
        self.operating_line_ = self._draw_operating_point(name, operating_point_kwargs)
        self.ax_.set(xlabel="threshold", ylabel="proportion", ylim=(-0.02, 1.02))
        self.ax_.legend(loc="best", fontsize="small")
        return self

    def _draw(self, label, y, name, curve_kwargs, **style):
        from matplotlib.lines import Line2D

        low, high = self._ends()
        x = np.concatenate([[low], self.threshold, [high]])
        style |= {"label": label_curve(label, name), "drawstyle": "steps-pre"}
        return self.ax_.plot(x, y, **merge_kwargs(style, curve_kwargs, Line2D))[0]

    def _draw_bound(self, name, curve_kwargs):
        bound = self.recall_lower_bound
        if bound is None or np.isnan(bound).all():
            return None
        level = "" if self.confidence is None else f" ({100 * self.confidence:g}%)"
        y = np.concatenate([bound[:1], bound, [0]])
        style = {"color": BLUE, "linestyle": ":", "linewidth": 1.2}
        return self._draw(f"recall, lower bound{level}", y, name, curve_kwargs, **style)

    def _draw_operating_point(self, name, operating_point_kwargs):
        from matplotlib.lines import Line2D

        if self.operating_threshold is None:
            return None
        # In the title it hides no curve; other displays may have written there before.
        lines = [self.ax_.get_title(), label_curve(self._describe_operating_point(), name)]
        self.ax_.set_title("\n".join(filter(None, lines)), fontsize="small")
        style = merge_kwargs(
            {"color": GREY, "linewidth": 1.2, "zorder": 1}, operating_point_kwargs, Line2D
        )
        return self.ax_.axvline(self.operating_threshold, **style)

    def _ends(self):
        """First and last threshold of the curves: 0 and 1 for probabilities."""
        low, high = self.threshold[0], self.threshold[-1]
        return (0, 1) if low >= 0 and high <= 1 else (low, high)

    def _describe_operating_point(self):
        """The operating point in words."""
        # The next score that occurs decides; above all of them nobody is predicted positive.
        at = np.searchsorted(self.threshold, self.operating_threshold)
        recall, specificity = np.append(self.recall, 0)[at], np.append(self.specificity, 1)[at]
        text = {"specificity": percent(specificity), "recall": percent(recall)}
        bound = self.operating_lower_bound
        if bound is not None and not np.isnan(bound):
            text[self.bounded_metric] += f" (at least {percent(bound)})"
        return (
            f"threshold {self.operating_threshold:.3g}, specificity {text['specificity']},\n"
            f"recall {text['recall']}"
        )

    @classmethod
    def from_operating_point(
        cls,
        model: BaseEstimator,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        operating_point_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves from which a threshold was chosen.

        Parameters
        ----------
        model : OperatingPointClassifierCV
            Fitted; or an estimator around one, with the same threshold.
        name : str, default=None
            Name of the model, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.
        operating_point_kwargs : dict, default=None
            Passed to matplotlib's ``axvline`` for the operating point.

        Returns
        -------
        ThresholdCurveDisplay
            Of out-of-fold scores. The bound in the title is the certified value of the metric that
            was required. The curve of bounds, drawn if that is the recall, is for thresholds fixed
            beforehand, and may be a little lower there.

        Raises
        ------
        ValueError
            If there is no operating point.
        """
        check_is_fitted(model)
        chosen = unwrap(model).threshold_source
        if not hasattr(chosen, "curve_"):
            raise ValueError(
                f"from_operating_point needs a fitted OperatingPointClassifierCV, got "
                f"{type(model).__name__}. Use from_estimator with images and labels."
            )
        curve, metric = chosen.curve_, "recall"
        if chosen.min_recall is None:
            curve, metric = curve | {"recall_lower_bound": None}, "specificity"
        return cls(
            **curve,
            confidence=chosen.confidence,
            operating_threshold=chosen.best_threshold_,
            operating_lower_bound=getattr(chosen, f"{metric}_lower_bound_"),
            bounded_metric=metric,
            name=name,
        ).plot(ax, curve_kwargs=curve_kwargs, operating_point_kwargs=operating_point_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        threshold: float | Literal["auto"] | None = "auto",
        confidence: float | None = 0.95,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        operating_point_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw recall and specificity of a classifier at each threshold.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba`` or ``decision_function``.
        X : array-like of shape (n, ...)
            Images that took no part in its fit.
        y : array-like of shape (n,)
            Their labels; ``classes_[1]`` is positive.
        groups : array-like of shape (n,), default=None
            The patient of each image: recall and specificity then count patients.
        threshold : float, "auto" or None, default="auto"
            The operating point; "auto" is the threshold of ``predict``, or none if that follows
            another score. None draws none.
        confidence : float or None, default=0.95
            Confidence level of each bound. None draws none.
        name : str, default=None
            Name of the model, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.
        operating_point_kwargs : dict, default=None
            Passed to matplotlib's ``axvline`` for the operating point.

        Returns
        -------
        ThresholdCurveDisplay
        """
        check_is_fitted(estimator)
        scores, positive = positive_scores(estimator, X), estimator.classes_[1]
        if threshold == "auto":
            y_pred = estimator.predict(X) == positive
            threshold = get_followed_threshold(unwrap(estimator), scores, y_pred)
        return cls.from_predictions(
            y,
            scores,
            groups=groups,
            pos_label=positive,
            threshold=threshold,
            confidence=confidence,
            name=name,
            ax=ax,
            curve_kwargs=curve_kwargs,
            operating_point_kwargs=operating_point_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        pos_label: Label | None = None,
        threshold: float | None = None,
        confidence: float | None = 0.95,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        operating_point_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw recall and specificity at each threshold given the true labels and the scores.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels of two classes.
        y_score : array-like of shape (n,)
            Scores, higher for the positive class.
        groups : array-like of shape (n,), default=None
            The patient of each image: recall and specificity then count patients.
        pos_label : str, int, float, bool or None, default=None
            The positive class. None means the greater of the two labels.
        threshold : float, default=None
            The operating point. Its bound holds if it was not chosen on these images.
        confidence : float or None, default=0.95
            Confidence level of each bound. None draws none.
        name : str, default=None
            Name of the model, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.
        operating_point_kwargs : dict, default=None
            Passed to matplotlib's ``axvline`` for the operating point.

        Returns
        -------
        ThresholdCurveDisplay
        """
        curve = threshold_curve(
            y_true, y_score, groups=groups, confidence=confidence, pos_label=pos_label
        )
        bound = None
        if threshold is not None:
            at = np.searchsorted(curve.threshold, threshold)
            bound = np.append(curve.recall_lower_bound, 0)[at]
        return cls(
            **curve,
            confidence=confidence,
            operating_threshold=threshold,
            operating_lower_bound=bound,
            name=name,
        ).plot(ax, curve_kwargs=curve_kwargs, operating_point_kwargs=operating_point_kwargs)
