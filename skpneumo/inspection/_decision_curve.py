"""What the calls of a model are worth."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.response import positive_scores
from skpneumo.inspection._drawing import axes_of, labelled, merged
from skpneumo.metrics import decision_curve


class DecisionCurveDisplay:
    """Net benefit of a model, of treating all and of treating none. [1]_

    Create it by `from_estimator` or `from_predictions`. All parameters are stored as attributes.
    Pass ``ax=display.ax_`` for more models in one picture.

    Parameters
    ----------
    threshold : ndarray of shape (n_thresholds,)
        Threshold probabilities: one missed is as bad as ``(1 - p) / p`` false alarms.
    net_benefit : ndarray of shape (n_thresholds,)
        Of calling those ill whose probability reaches ``p``.
    net_benefit_all : ndarray of shape (n_thresholds,)
        Of calling everyone ill.
    net_benefit_calls : ndarray of shape (n_thresholds,), default=None
        Of the calls of a fixed operating point. None draws none.
    name : str, default=None
        Of the model, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The model.
    calls_line_ : matplotlib Line2D or None
        The fixed operating point.
    ax_ : matplotlib Axes
        Where they are.
    figure_ : matplotlib Figure
        What holds the axes.

    See Also
    --------
    skpneumo.metrics.decision_curve : The figures.
    sklearn.calibration.CalibrationDisplay : Whether probabilities mean what they say.

    Notes
    -----
    Look at the threshold probabilities that people in the clinic would hold to, and there at which
    line is highest. A model below "treat all" does harm there.

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

    def __init__(
        self, threshold, net_benefit, net_benefit_all, *, net_benefit_calls=None, name=None
    ):
        self.threshold = threshold
        self.net_benefit = net_benefit
        self.net_benefit_all = net_benefit_all
        self.net_benefit_calls = net_benefit_calls
        self.name = name

    def plot(self, ax=None, *, name=None, curve_kwargs=None):
        """Draw the curves; "treat all" and "treat none" only where they are not there yet.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        name : str, default=None
            Of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve of the model.

        Returns
        -------
        self
        """
        from matplotlib.lines import Line2D

        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        self._draw_reference("treat all", self.net_benefit_all, ":")
        self._draw_reference("treat none", np.zeros(len(self.threshold)), "-")
        (self.line_,) = self.ax_.plot(
            self.threshold,
            self.net_benefit,
            **merged({"label": name or "model"}, curve_kwargs, Line2D),
        )
        self.calls_line_ = None
        if self.net_benefit_calls is not None:
            (self.calls_line_,) = self.ax_.plot(
                self.threshold,
                self.net_benefit_calls,
                color=self.line_.get_color(),
                linestyle="--",
                label=labelled("its calls", name),
            )
        self.ax_.set(xlabel="threshold probability", ylabel="net benefit per image")
        # Treating all falls without end; below none it is of no interest how far.
        top = max(np.max(line.get_ydata()) for line in self.ax_.lines)
        if top > 0:
            self.ax_.set_ylim(-0.1 * top, 1.05 * top)
        self.ax_.legend(loc="best", fontsize="small")
        return self

    def _draw_reference(self, label, values, linestyle):
        for line in self.ax_.lines:
            if line.get_label() == label and np.array_equal(line.get_ydata(), values):
                return
        style = {"color": "0.35", "linestyle": linestyle, "linewidth": 1.2}
        self.ax_.plot(self.threshold, values, label=label, **style)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        with_calls=False,
        thresholds=None,
        name=None,
        ax=None,
        curve_kwargs=None,
    ):
        """Draw the net benefit of a classifier on images.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba``.
        X : array-like of shape (n, ...)
            Images that took no part in its fit.
        y : array-like of shape (n,)
            Their labels; ``classes_[1]`` is positive.
        with_calls : bool, default=False
            Whether to draw also what its ``predict`` says, with its own threshold.
        thresholds : array-like of shape (n_thresholds,), default=None
            Threshold probabilities. None means from 0 to 0.5, where a false alarm is as bad as a
            miss.
        name : str, default=None
            Of the model, for the legend. None takes the name of its class.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve of the model.

        Returns
        -------
        DecisionCurveDisplay

        Raises
        ------
        ValueError
            If the classifier gives no probabilities.
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
            y_pred=estimator.predict(X) if with_calls else None,
            thresholds=thresholds,
            pos_label=estimator.classes_[1],
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            curve_kwargs=curve_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        y_pred=None,
        thresholds=None,
        pos_label=None,
        name=None,
        ax=None,
        curve_kwargs=None,
    ):
        """Draw the net benefit of these probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels of two classes.
        y_proba : array-like of shape (n,)
            Probability of the positive class.
        y_pred : array-like of shape (n,), default=None
            Labels of a fixed operating point, for one more line.
        thresholds : array-like of shape (n_thresholds,), default=None
            Threshold probabilities. None means from 0 to 0.5, where a false alarm is as bad as a
            miss.
        pos_label : str, int, float, bool or None, default=None
            The positive class. None means the greater of the two labels.
        name : str, default=None
            Of the model, for the legend.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve of the model.

        Returns
        -------
        DecisionCurveDisplay
        """
        curve = decision_curve(
            y_true, y_proba, y_pred=y_pred, thresholds=thresholds, pos_label=pos_label
        )
        return cls(**curve, name=name).plot(ax, curve_kwargs=curve_kwargs)
