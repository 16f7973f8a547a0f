"""Recall and specificity over the threshold."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.formatting import percent
from skpneumo._utils.response import positive_scores
from skpneumo._utils.unwrap import get_followed_threshold, unwrap
from skpneumo.inspection._drawing import BLUE, VERMILION, axes_of, labelled, merged
from skpneumo.metrics import threshold_curve


class ThresholdCurveDisplay:
    """Recall, its lower confidence bound and specificity over the threshold.

    Create it by `from_operating_point`, `from_estimator` or `from_predictions`. All parameters are
    stored as attributes.

    Parameters
    ----------
    threshold : ndarray of shape (n_thresholds,)
        In rising order.
    recall : ndarray of shape (n_thresholds,)
        Share of the ill who are found at each.
    specificity : ndarray of shape (n_thresholds,)
        Share of the healthy who raise no alarm.
    recall_lower_bound : ndarray of shape (n_thresholds,), default=None
        Lower confidence bound of the recall. None, or NaN, draws none.
    confidence : float, default=None
        That of the bounds, for the legend.
    operating_threshold : float, default=None
        Threshold of the operating point. None draws none.
    operating_lower_bound : float, default=None
        Lower confidence bound of a share there. None, or NaN, tells none.
    bounded_share : {"recall", "specificity"}, default="recall"
        Which share that is.
    name : str, default=None
        Of the model, for the legend.

    Attributes
    ----------
    recall_line_, specificity_line_ : matplotlib Line2D
        The curves.
    bound_line_ : matplotlib Line2D or None
        The bound.
    operating_line_ : matplotlib Line2D or None
        The operating point. Its figures are in the title.
    ax_ : matplotlib Axes
        Where they are.
    figure_ : matplotlib Figure
        What holds the axes.

    See Also
    --------
    skpneumo.metrics.threshold_curve : The figures.
    DecisionCurveDisplay : What the calls are worth.

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

    def __init__(
        self,
        threshold,
        recall,
        specificity,
        *,
        recall_lower_bound=None,
        confidence=None,
        operating_threshold=None,
        operating_lower_bound=None,
        bounded_share="recall",
        name=None,
    ):
        self.threshold = threshold
        self.recall = recall
        self.specificity = specificity
        self.recall_lower_bound = recall_lower_bound
        self.confidence = confidence
        self.operating_threshold = operating_threshold
        self.operating_lower_bound = operating_lower_bound
        self.bounded_share = bounded_share
        self.name = name

    def plot(self, ax=None, *, name=None, curve_kwargs=None, operating_point_kwargs=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        name : str, default=None
            Of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.
        operating_point_kwargs : dict, default=None
            Passed to matplotlib's ``axvline`` for the operating point.

        Returns
        -------
        self
        """
        from matplotlib.lines import Line2D

        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        low, high = self._ends()
        x = np.concatenate([[low], self.threshold, [high]])

        def draw(what, first, values, last, **style):
            style |= {"label": labelled(what, name), "drawstyle": "steps-pre"}
            y = np.concatenate([[first], values, [last]])
            return self.ax_.plot(x, y, **merged(style, curve_kwargs, Line2D))[0]

        self.recall_line_ = draw("recall", 1, self.recall, 0, color=BLUE)
        self.bound_line_ = self.operating_line_ = None
        bound = self.recall_lower_bound
        if bound is not None and not np.isnan(bound).all():
            what = "recall, lower bound"
            if self.confidence is not None:
                what += f" ({100 * self.confidence:g}%)"
            style = {"color": BLUE, "linestyle": ":", "linewidth": 1.2}
            self.bound_line_ = draw(what, bound[0], bound, 0, **style)
        self.specificity_line_ = draw(
            "specificity", 0, self.specificity, 1, color=VERMILION, linestyle="--"
        )
        if self.operating_threshold is not None:
            style = {"color": "0.35", "linewidth": 1.2, "zorder": 1}
            self.operating_line_ = self.ax_.axvline(
                self.operating_threshold, **merged(style, operating_point_kwargs, Line2D)
            )
            # In the title it hides no curve; below what other displays have written there.
            told = [self.ax_.get_title(), labelled(self._told(), name)]
            self.ax_.set_title("\n".join(filter(None, told)), fontsize="small")
        self.ax_.set(xlabel="threshold", ylabel="share", ylim=(-0.02, 1.02))
        self.ax_.legend(loc="best", fontsize="small")
        return self

    def _ends(self):
        """Where the curves begin and end: 0 and 1 for probabilities."""
        low, high = self.threshold[0], self.threshold[-1]
        return (0, 1) if low >= 0 and high <= 1 else (low, high)

    def _told(self):
        """The operating point in words."""
        # The next score that occurs decides; above all of them nobody is called ill.
        at = np.searchsorted(self.threshold, self.operating_threshold)
        recall, specificity = np.append(self.recall, 0)[at], np.append(self.specificity, 1)[at]
        told = {"specificity": percent(specificity), "recall": percent(recall)}
        bound = self.operating_lower_bound
        if bound is not None and not np.isnan(bound):
            told[self.bounded_share] += f" (at least {percent(bound)})"
        return (
            f"threshold {self.operating_threshold:.3g}, specificity {told['specificity']},\n"
            f"recall {told['recall']}"
        )

    @classmethod
    def from_operating_point(
        cls, model, *, name=None, ax=None, curve_kwargs=None, operating_point_kwargs=None
    ):
        """Draw what a threshold was chosen from.

        Parameters
        ----------
        model : OperatingPointClassifierCV
            Fitted; or something around one whose ``predict`` is its own.
        name : str, default=None
            Of the model, for the legend.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.
        operating_point_kwargs : dict, default=None
            Passed to matplotlib's ``axvline`` for the operating point.

        Returns
        -------
        ThresholdCurveDisplay
            Of the scores by models that did not see the images. The bound in the title is the
            certified value of what was required. The curve of bounds, drawn if that is the recall,
            is of thresholds fixed beforehand, and may be a little lower there.

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
        curve, share = chosen.curve_, "recall"
        if chosen.min_recall is None:
            curve, share = curve | {"recall_lower_bound": None}, "specificity"
        return cls(
            **curve,
            confidence=chosen.confidence,
            operating_threshold=chosen.best_threshold_,
            operating_lower_bound=getattr(chosen, f"{share}_lower_bound_"),
            bounded_share=share,
            name=name,
        ).plot(ax, curve_kwargs=curve_kwargs, operating_point_kwargs=operating_point_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        groups=None,
        threshold="auto",
        confidence=0.95,
        name=None,
        ax=None,
        curve_kwargs=None,
        operating_point_kwargs=None,
    ):
        """Draw what each threshold of a classifier would have given on images.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba`` or ``decision_function``.
        X : array-like of shape (n, ...)
            Images that took no part in its fit.
        y : array-like of shape (n,)
            Their labels; ``classes_[1]`` is positive.
        groups : array-like of shape (n,), default=None
            The patient of each image: both shares then count patients.
        threshold : float, "auto" or None, default="auto"
            The operating point; "auto" is the threshold that ``predict`` uses, or none where that
            follows another score. None draws none.
        confidence : float or None, default=0.95
            Of each bound. None draws none.
        name : str, default=None
            Of the model, for the legend.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
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
        y_true,
        y_score,
        *,
        groups=None,
        pos_label=None,
        threshold=None,
        confidence=0.95,
        name=None,
        ax=None,
        curve_kwargs=None,
        operating_point_kwargs=None,
    ):
        """Draw what each threshold would have given for these scores.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels of two classes.
        y_score : array-like of shape (n,)
            Scores, higher for the positive class.
        groups : array-like of shape (n,), default=None
            The patient of each image: both shares then count patients.
        pos_label : str, int, float, bool or None, default=None
            The positive class. None means the greater of the two labels.
        threshold : float, default=None
            The operating point. Its bound holds if it was not chosen by these images.
        confidence : float or None, default=0.95
            Of each bound. None draws none.
        name : str, default=None
            Of the model, for the legend.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
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
