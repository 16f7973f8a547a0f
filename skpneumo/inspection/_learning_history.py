"""Loss over the epochs of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.drawing import get_axes, label_curve, merge_kwargs
from skpneumo._utils.palette import BLUE, GREY, VERMILION
from skpneumo._utils.unwrap import check_not_several, unwrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class LearningHistoryDisplay:
    """Training and validation loss of each epoch.

    Create it by `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    history : dict of str to list of float
        "loss", and "val_loss" if there were validation data, by epoch: ``history_`` of a
        classifier.
    n_head_epochs : int, default=None
        Number of epochs of a first stage. None draws no border between stages.
    name : str, default=None
        Name of the model, for the legend.

    Attributes
    ----------
    best_epoch_ : int or None
        Epoch of the lowest "val_loss", from 1; of the second stage if its first epoch is known.
    loss_line_ : matplotlib Line2D
        Training loss.
    val_loss_line_, best_line_ : matplotlib Line2D or None
        Validation loss, and the mark at the best epoch.
    stage_line_ : matplotlib Line2D or None
        The border between the stages.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure containing the axes.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Draw scores over the number of images.

    Notes
    -----
    The training loss is a mean over the epoch, while the network still improves, of augmented
    images, with dropout: it may lie above the validation loss. Class weights apply to both.

    Examples
    --------
    >>> from skpneumo.inspection import LearningHistoryDisplay
    >>> history = {"loss": [0.7, 0.5, 0.3, 0.2], "val_loss": [0.7, 0.6, 0.5, 0.6]}
    >>> LearningHistoryDisplay(history).plot().best_epoch_
    3
    """

    best_epoch_: int | None
    loss_line_: Line2D
    val_loss_line_: Line2D | None
    best_line_: Line2D | None
    stage_line_: Line2D | None
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        history: Mapping[str, Sequence[float]],
        *,
        n_head_epochs: int | None = None,
        name: str | None = None,
    ) -> None:
        self.history = history
        self.n_head_epochs = n_head_epochs
        self.name = name

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        name : str, default=None
            Name of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        self
        """
        from matplotlib.ticker import MaxNLocator

        self.ax_ = get_axes(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        style = {"color": BLUE, "marker": "o"}
        self.loss_line_ = self._draw("loss", "training", name, curve_kwargs, **style)
        self.val_loss_line_ = self.best_line_ = self.best_epoch_ = self.stage_line_ = None
        if len(self.history.get("val_loss", [])):
            style = {"color": VERMILION, "marker": "s", "linestyle": "--"}
            self.val_loss_line_ = self._draw("val_loss", "validation", name, curve_kwargs, **style)
            self._mark_best(name)
        if self.n_head_epochs is not None:
            self.stage_line_ = self.ax_.axvline(
                self.n_head_epochs + 0.5, color=GREY, linestyle=":", label="second stage begins"
            )
        self.ax_.set(xlabel="epoch", ylabel="loss", xlim=(0.5, self.ax_.dataLim.xmax + 0.5))
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        self.ax_.legend(loc="best", fontsize="small")
        return self

    def _draw(self, key, label, name, curve_kwargs, **style):
        from matplotlib.lines import Line2D

        losses = self.history[key]
        style |= {"label": label_curve(label, name), "markersize": 4}
        style = merge_kwargs(style, curve_kwargs, Line2D)
        return self.ax_.plot(np.arange(1, len(losses) + 1), losses, **style)[0]

    def _mark_best(self, name):
        losses = self.history["val_loss"]
        start = self.n_head_epochs or 0
        self.best_epoch_ = start + int(np.argmin(losses[start:])) + 1
        (self.best_line_,) = self.ax_.plot(
            self.best_epoch_,
            losses[self.best_epoch_ - 1],
            color=self.val_loss_line_.get_color(),
            linestyle="none",
            marker="s",
            markersize=10,
            markerfacecolor="none",
            label=label_curve(f"lowest, epoch {self.best_epoch_}", name),
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the losses of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``history_``; or a pipeline, a search, a calibrated classifier or an
            operating point around one.
        name : str, default=None
            Name of the model, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        LearningHistoryDisplay
            With the border between the stages of an
            :class:`~skpneumo.InceptionPneumoniaClassifier`, unless early stopping may have moved
            it: if ``patience`` is less than ``head_epochs``.

        Raises
        ------
        ValueError
            If there is no history.
        TypeError
            If there are several networks.
        """
        check_is_fitted(estimator)
        nested = unwrap(estimator)
        check_not_several(nested)
        classifier = nested.classifier
        if not hasattr(classifier, "history_"):
            raise ValueError(
                f"A learning history needs a network that was trained, but "
                f"{type(classifier).__name__} has no history_. Pass a fitted "
                "CNNPneumoniaClassifier or InceptionPneumoniaClassifier, or an estimator around "
                "one."
            )
        return cls(classifier.history_, n_head_epochs=_n_head_epochs(classifier), name=name).plot(
            ax, curve_kwargs=curve_kwargs
        )


def _n_head_epochs(classifier):
    """Epochs of the first of two stages, or None."""
    # A classifier of the user's own with a history has no stages.
    stages = classifier.get_stages() if hasattr(classifier, "get_stages") else []
    if len(stages) < 2:
        return None
    n, history = stages[0].epochs, classifier.history_
    # Early stopping may have ended the first stage before its last epoch.
    if "val_loss" in history and classifier.patience < n:
        return None
    return n if n < len(history["loss"]) else None
