"""Curves as SVG that takes the colours of the page around it."""

import io
import re
from xml.etree import ElementTree

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from skpneumo.evaluation._calibration import bins_of_equal_size
from skpneumo.evaluation._estimates import ratio
from skpneumo.evaluation._interval_methods import proportion_interval
from skpneumo.evaluation._text import format_figure
from skpneumo.metrics import decision_curve, threshold_curve

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
# Drawn in colours that occur nowhere else, which become variables of the page's style.
_COLOURS = {
    name: f"#0102{number:02x}"
    for number, name in enumerate(
        ("ink", "muted", "faint", "line", "accent", "second", "miss", "paper")
    )
}
_STYLE = {
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans"],
    "axes.edgecolor": _COLOURS["line"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": _COLOURS["muted"],
    "axes.prop_cycle": f"cycler('color', ['{_COLOURS['accent']}', '{_COLOURS['second']}'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "figure.subplot.bottom": 0.14,
    "figure.subplot.left": 0.14,
    "figure.subplot.right": 0.96,
    "figure.subplot.top": 0.98,
    "grid.color": _COLOURS["line"],
    "grid.linewidth": 0.6,
    "legend.edgecolor": "none",
    "legend.facecolor": _COLOURS["paper"],
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "text.color": _COLOURS["ink"],
    "xtick.color": _COLOURS["line"],
    "xtick.labelcolor": _COLOURS["muted"],
    "ytick.color": _COLOURS["line"],
    "ytick.labelcolor": _COLOURS["muted"],
}


def curves(report):
    """The curves that every report has.

    Parameters
    ----------
    report : Evaluation
        The run.

    Returns
    -------
    list of (title, explanation, SVG)
    """
    panels = [
        (
            "ROC curve",
            "Share of the ill that are found against share of the healthy that raise an alarm.",
            _draw_roc,
        ),
        (
            "Precision and recall",
            "How many of those called ill are ill. The dotted line is their share among all.",
            _draw_precision,
        ),
        ("Thresholds", "What each threshold would have given on these images.", _draw_thresholds),
    ]
    if report.is_probability:
        text = (
            "Rightly called ill, less wrongly called ill at what a false alarm costs: at 0.1, one "
            "missed counts as nine false alarms."
        )
        panels.append(("Decision curve", text, _draw_decision))
    recall, specificity, area = (
        format_figure(name, report.figures[name].value)
        for name in ("recall", "specificity", "roc_auc")
    )
    point = f"Recall {recall}, specificity {specificity}, area under the ROC curve {area}."
    return [
        (title, text, _drawn(title.split()[0].lower(), f"{title}. {point}", draw, report))
        for title, text, draw in panels
    ]


def calibration_curve(report):
    """What probabilities mean, before and after calibration, as SVG."""
    text = (
        "Share of the ill among images of about equal probability, and how many images have "
        "which probability."
    )
    return _drawn("calibration", text, _draw_calibration, report, size=(4.2, 4.4))


def _draw_roc(figure, report):
    alarms, recall, _ = roc_curve(report.truth, report.scores)
    ax = figure.add_subplot()
    ax.plot([0, 1], [0, 1], ":", color=_COLOURS["muted"], lw=1)
    ax.plot(alarms, recall)
    specificity = report.figures["specificity"]
    _mark(
        ax,
        (1 - specificity.value, 1 - specificity.high, 1 - specificity.low),
        report.figures["recall"],
    )
    _label(ax, "false alarms among the healthy (1 - specificity)", "recall")


def _draw_precision(figure, report):
    precision, recall, _ = precision_recall_curve(
        report.truth, report.scores, drop_intermediate=True
    )
    ax = figure.add_subplot()
    ax.axhline(report.prevalence, ls=":", color=_COLOURS["muted"], lw=1)
    ax.plot(recall, precision)
    _mark(ax, report.figures["recall"], report.figures["positive_predictive_value"])
    _label(ax, "recall", "precision")


def _draw_thresholds(figure, report):
    curve = threshold_curve(report.truth, report.scores, confidence=None)
    ax = figure.add_subplot()
    ax.step(curve.threshold, curve.recall, label="recall")
    ax.step(curve.threshold, curve.specificity, ls="--", label="specificity")
    ax.axvline(report.threshold, color=_COLOURS["miss"], lw=1.2)
    for name in ("recall", "specificity"):
        _mark(ax, (report.threshold,) * 3, report.figures[name])
    _label(ax, "threshold", "share")
    if not report.is_probability:
        ax.autoscale(axis="x", tight=True)
    ax.legend()


def _draw_decision(figure, report):
    known = 0 <= report.threshold < 0.99
    # As far as a false alarm is as bad as a miss, or as the threshold lies.
    end = max(0.5, min(report.threshold + 0.1, 0.99)) if known else 0.5
    p = np.linspace(0, end, 200)
    curve = decision_curve(report.truth, report.scores, y_pred=report.called, thresholds=p)
    ax = figure.add_subplot()
    ax.plot(p, curve.net_benefit_all, ":", color=_COLOURS["muted"], lw=1.4, label="all")
    ax.axhline(0, color=_COLOURS["muted"], lw=1, label="none")
    ax.plot(p, curve.net_benefit, label="threshold as the costs say")
    ax.plot(p, curve.net_benefit_calls, "--", label="threshold as it is")
    if known:
        at = np.interp(report.threshold, p, curve.net_benefit_calls)
        ax.plot(report.threshold, at, **_POINT | {"clip_on": True})
    _label(ax, "threshold probability", "net benefit per image")
    ax.set(xlim=(0, end), ylim=(-0.08 * report.prevalence, 1.08 * report.prevalence))
    ax.legend(title="called ill", alignment="left")


def _draw_calibration(figure, report):
    top, bottom = figure.subplots(
        2, sharex=True, gridspec_kw={"height_ratios": [3, 1], "hspace": 0.06, "bottom": 0.11}
    )
    top.plot([0, 1], [0, 1], ":", color=_COLOURS["muted"], lw=1)
    if report.before_calibration is not None:
        _draw_reliability(top, report, report.before_calibration, "before", 1)
    label = "as it is" if report.before_calibration is None else "after"
    _draw_reliability(top, report, report.scores, label, 0)
    top.axvline(report.threshold, color=_COLOURS["miss"], lw=1, ls=":")
    bottom.axvline(report.threshold, color=_COLOURS["miss"], lw=1, ls=":", label="threshold")
    bottom.hist(
        [report.scores[~report.truth], report.scores[report.truth]],
        bins=np.linspace(0, 1, 21),
        color=[_COLOURS["faint"], _COLOURS["accent"]],
        label=["healthy", "ill"],
        stacked=True,
    )
    _label(top, "", "share of the ill")
    bottom.set(xlabel="probability", ylabel="images")
    bottom.grid(False)
    top.legend(loc="upper left")
    bottom.legend(loc="upper center", ncols=3, fontsize=7.5)


def _draw_reliability(ax, report, probability, label, colour):
    bins = bins_of_equal_size(probability)
    parts = [bins == i for i in np.unique(bins)]
    said = [probability[rows].mean() for rows in parts]
    for x, rows in zip(said, parts, strict=True):
        interval = proportion_interval(
            ratio(rows & report.truth, rows),
            report.predictions.clusters,
            report.confidence,
        )
        ax.plot([x, x], interval, color=f"C{colour}", lw=0.9)
    shares = [report.truth[rows].mean() for rows in parts]
    style = "o--" if colour else "o-"
    ax.plot(said, shares, style, color=f"C{colour}", ms=4, label=label)


_POINT = {
    "marker": "o",
    "ms": 7,
    "mfc": _COLOURS["miss"],
    "mec": _COLOURS["paper"],
    "mew": 1.2,
    "zorder": 5,
    "clip_on": False,
}


def _mark(ax, x, y):
    """The operating point with its intervals."""
    (x, left, right), (y, low, high) = x, y
    line = {"color": _COLOURS["miss"], "lw": 1.4, "zorder": 4, "solid_capstyle": "butt"}
    ax.plot([left, right], [y, y], **line)
    ax.plot([x, x], [low, high], **line)
    ax.plot(x, y, **_POINT)


def _label(ax, x, y):
    ax.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(-0.02, 1.02))


def _drawn(name, description, draw, report, size=(4.2, 3.3)):
    """SVG of a figure that a function draws into."""
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", _STYLE]):
        figure = Figure(figsize=size)
        draw(figure, report)
        file = io.BytesIO()
        figure.savefig(file, format="svg")
    return _inlined(file.getvalue(), name, description)


def _inlined(svg, name, description):
    """The SVG as a part of a page: its ids are its own, its colours and font the page's."""
    root = ElementTree.fromstring(svg)
    for tag in ("metadata", "defs"):
        # matplotlib's first defs hold a style that would reach all of the page.
        root.remove(root.find(f"{{{_SVG}}}{tag}"))
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-label": description}
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r'id="', f'id="{name}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    for colour, value in _COLOURS.items():
        text = text.replace(value, f"var(--{colour})")
    return text
