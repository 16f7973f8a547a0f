"""How a training went."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.unwrap import check_not_several, unwrap
from skpneumo.inspection._drawing import BLUE, VERMILION, axes_of, labelled, merged


class LearningHistoryDisplay:
    """Loss of each epoch, on the images trained on and on those held back.

    Create it by `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    history : dict of str to list of float
        "loss", and "val_loss" where images were held back, by epoch: ``history_`` of a classifier.
    n_head_epochs : int, default=None
        Epochs of a first stage. None draws no border between stages.
    name : str, default=None
        Of the model, for the legend.

    Attributes
    ----------
    best_epoch_ : int or None
        The one of lowest "val_loss", of the second stage where its begin is known. The first is 1.
    loss_line_ : matplotlib Line2D
        The loss trained on.
    val_loss_line_, best_line_ : matplotlib Line2D or None
        The loss on the images held back, and the mark at the best epoch.
    stage_line_ : matplotlib Line2D or None
        The border between the stages.
    ax_ : matplotlib Axes
        Where they are.
    figure_ : matplotlib Figure
        What holds the axes.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores over the number of images.

    Notes
    -----
    The loss trained on is a mean over the epoch, while the network still improves, of images that
    are augmented, with dropout: it may well lie above the other. Class weights count in both.

    Examples
    --------
    >>> from skpneumo.inspection import LearningHistoryDisplay
    >>> history = {"loss": [0.7, 0.5, 0.3, 0.2], "val_loss": [0.7, 0.6, 0.5, 0.6]}
    >>> LearningHistoryDisplay(history).plot().best_epoch_
    3
    """

    def __init__(self, history, *, n_head_epochs=None, name=None):
        self.history = history
        self.n_head_epochs = n_head_epochs
        self.name = name

    def plot(self, ax=None, *, name=None, curve_kwargs=None):
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        name : str, default=None
            Of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        self
        """
        from matplotlib.lines import Line2D
        from matplotlib.ticker import MaxNLocator

        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name

        def draw(key, what, **style):
            style |= {"label": labelled(what, name), "markersize": 4}
            epochs = np.arange(1, len(self.history[key]) + 1)
            return self.ax_.plot(epochs, self.history[key], **merged(style, curve_kwargs, Line2D))[
                0
            ]

        self.loss_line_ = draw("loss", "training", color=BLUE, marker="o")
        self.val_loss_line_ = self.best_line_ = self.best_epoch_ = self.stage_line_ = None
        if len(self.history.get("val_loss", [])):
            self.val_loss_line_ = draw(
                "val_loss", "validation", color=VERMILION, marker="s", linestyle="--"
            )
            self._mark_best(name)
        if self.n_head_epochs is not None:
            self.stage_line_ = self.ax_.axvline(
                self.n_head_epochs + 0.5, color="0.35", linestyle=":", label="second stage begins"
            )
        self.ax_.set(xlabel="epoch", ylabel="loss", xlim=(0.5, self.ax_.dataLim.xmax + 0.5))
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        self.ax_.legend(loc="best", fontsize="small")
        return self

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
            label=labelled(f"lowest, epoch {self.best_epoch_}", name),
        )

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, curve_kwargs=None):
        """Draw how the training of a classifier went.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``history_``; or a pipeline, a search, a calibration or an operating point
            around one, whose final network it is.
        name : str, default=None
            Of the model, for the legend.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        LearningHistoryDisplay
            With the border between the stages of an
            :class:`~skpneumo.InceptionPneumoniaClassifier`, unless early stopping may have moved
            it: where ``patience`` is less than ``head_epochs``.

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
                "CNNPneumoniaClassifier or InceptionPneumoniaClassifier, or what wraps one."
            )
        return cls(classifier.history_, n_head_epochs=_n_head_epochs(classifier), name=name).plot(
            ax, curve_kwargs=curve_kwargs
        )


def _n_head_epochs(classifier):
    """Epochs of the first of two stages, or None."""
    params, history = classifier.get_params(deep=False), classifier.history_
    n = params.get("head_epochs")
    if n is None or params["weights"] is None or params["trainable"] == "head":
        return None
    if "val_loss" in history and params["patience"] < n:
        return None
    return n if n < len(history["loss"]) else None
