"""Evidence of a low recall over the positive patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skpneumo._utils.drawing import get_axes, label_curve, merge_kwargs
from skpneumo._utils.palette import BLUE, GREY, VERMILION
from skpneumo.sites._monitor import check_is_updated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from skpneumo.sites._monitor import RecallMonitor


class RecallMonitorDisplay:
    """Evidence of a recall below the required one, after each positive patient.

    Create it by `from_monitor`. All parameters are stored as attributes.

    Parameters
    ----------
    log_e_values : ndarray of shape (n_positive,)
        Natural logarithm of the e-value after each positive patient.
    false_alarm : float
        An alarm is raised where the e-value reaches its inverse.
    min_recall : float, default=None
        Required recall, for the label of the axis.
    name : str, default=None
        Name of the model, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The e-value.
    alarm_level_ : matplotlib Line2D
        Where the alarm is raised.
    alarm_mark_ : matplotlib Line2D or None
        The first time that it was.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure containing the axes.

    See Also
    --------
    RecallMonitor : Compute the e-values.

    Examples
    --------
    >>> from skpneumo.sites import RecallMonitor, RecallMonitorDisplay
    >>> monitor = RecallMonitor().update([1] * 30, [1, 1, 0] * 10)
    >>> RecallMonitorDisplay.from_monitor(monitor)
    <...>
    """

    line_: Line2D
    alarm_level_: Line2D
    alarm_mark_: Line2D | None
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        log_e_values: np.ndarray,
        false_alarm: float,
        *,
        min_recall: float | None = None,
        name: str | None = None,
    ) -> None:
        self.log_e_values = log_e_values
        self.false_alarm = false_alarm
        self.min_recall = min_recall
        self.name = name

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the e-value on a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        name : str, default=None
            Name of the model, for the legend. None takes that of the display.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve.

        Returns
        -------
        self
        """
        from matplotlib.lines import Line2D
        from matplotlib.ticker import MaxNLocator

        self.ax_ = get_axes(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        # In powers of ten, computed here: the e-value itself may be too large for a float.
        values = np.append(0, self.log_e_values) / np.log(10)
        (self.line_,) = self.ax_.plot(
            np.arange(len(values)),
            values,
            **merge_kwargs({"color": BLUE, "label": name or "e-value"}, curve_kwargs, Line2D),
        )
        self.alarm_level_ = self.ax_.axhline(
            -np.log10(self.false_alarm),
            color=GREY,
            linestyle="--",
            linewidth=1.2,
            label=f"alarm, {1 / self.false_alarm:g}",
        )
        self.alarm_mark_ = self._mark_alarm(values, name)
        evidence = (
            "e-value" if self.min_recall is None else f"evidence: recall < {self.min_recall:g}"
        )
        self.ax_.set(xlabel="positive patients", ylabel=evidence)
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        self.ax_.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=6))
        self.ax_.yaxis.set_major_formatter(lambda power, _: f"$10^{{{power:g}}}$")
        self.ax_.legend(loc="best", fontsize="small")
        return self

    def _mark_alarm(self, values, name):
        reached = np.flatnonzero(values >= -np.log10(self.false_alarm) - 1e-12)
        if not reached.size:
            return None
        at = reached[0]
        style = {"color": VERMILION, "marker": "o", "linestyle": "none", "zorder": 3}
        label = label_curve(f"alarm after {at:,} patients", name)
        return self.ax_.plot(at, values[at], label=label, **style)[0]

    @classmethod
    def from_monitor(
        cls,
        monitor: RecallMonitor,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the evidence that a monitor has collected.

        Parameters
        ----------
        monitor : RecallMonitor
            After `RecallMonitor.update`.
        name : str, default=None
            Name of the model, for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        curve_kwargs : dict, default=None
            Passed to matplotlib's ``plot`` for the curve.

        Returns
        -------
        RecallMonitorDisplay
        """
        check_is_updated(monitor)
        return cls(
            monitor.log_e_values_,
            monitor.false_alarm,
            min_recall=monitor.min_recall,
            name=name,
        ).plot(ax, curve_kwargs=curve_kwargs)
