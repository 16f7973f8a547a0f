"""Scores of a site beside those of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from skpneumo._utils.drawing import get_axes
from skpneumo._utils.palette import BLUE, GREY, VERMILION
from skpneumo.sites._site_check import clipped_log_odds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from skpneumo.sites._site_check import SiteCheck


def draw_check(figure, check):
    """Draw the histograms of a check into a figure.

    Parameters
    ----------
    figure : matplotlib Figure
        Empty.
    check : SiteCheck
        The check.
    """
    SiteCheckDisplay.from_check(check, ax=figure.subplots())


class SiteCheckDisplay:
    """Histograms of the scores of a site and of the reference of a model.

    Create it by `from_check`. All parameters are stored as attributes.

    Parameters
    ----------
    histogram : dict
        ``histogram`` of a `SiteCheck`.
    threshold : float, default=None
        Threshold of the model; None draws none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure containing the axes.

    See Also
    --------
    check_site : Compare a site with the reference.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo import OperatingPointClassifierCV
    >>> from skpneumo.sites import SiteCheckDisplay, check_site
    >>> X, y = make_classification(800, random_state=0)
    >>> model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9).fit(X, y)
    >>> SiteCheckDisplay.from_check(check_site(model, X))
    <...>
    """

    ax_: Axes
    figure_: Figure

    def __init__(self, histogram: dict[str, Any], threshold: float | None = None) -> None:
        self.histogram = histogram
        self.threshold = threshold

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.

        Returns
        -------
        self
        """
        self.ax_ = get_axes(ax)
        self.figure_ = self.ax_.figure
        edges, is_log_odds = self.histogram["edges"], self.histogram["is_log_odds"]
        for name, label, style in (
            ("negative", "reference, negative", {"color": GREY, "linestyle": ":"}),
            ("positive", "reference, positive", {"color": VERMILION}),
            ("site", "this site", {"color": BLUE, "fill": True, "alpha": 0.35}),
        ):
            self.ax_.stairs(self.histogram[name], edges, label=label, linewidth=1.6, **style)
        if self.threshold is not None:
            place = clipped_log_odds(self.threshold) if is_log_odds else self.threshold
            self.ax_.axvline(place, color=GREY, linestyle="--", linewidth=1.2, label="threshold")
        self.ax_.set(
            xlabel="log odds of pneumonia" if is_log_odds else "score",
            ylabel="proportion",
            xlim=(edges[0], edges[-1]),
        )
        self.ax_.legend(loc="best", fontsize="small")
        return self

    @classmethod
    def from_check(cls, check: SiteCheck, *, ax: Axes | None = None) -> Self:
        """Draw the scores that a check compared.

        Parameters
        ----------
        check : SiteCheck
            Of `check_site`.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.

        Returns
        -------
        SiteCheckDisplay
        """
        return cls(check.histogram, check.threshold).plot(ax)
