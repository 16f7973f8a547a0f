"""The curves of a report, by the Display classes of scikit-learn and of skpneumo.inspection."""

import numpy as np

from skpneumo._reporting.svg import ERROR, FAINT, MUTED, PAPER, draw_svg
from skpneumo._utils.formatting import format_metric
from skpneumo._utils.palette import BLUE, VERMILION
from skpneumo.evaluation._calibration import bins_of_equal_size
from skpneumo.evaluation._intervals import proportion_interval
from skpneumo.evaluation._statistics import ratio
from skpneumo.inspection import DecisionCurveDisplay, ThresholdCurveDisplay
from skpneumo.metrics import decision_curve, threshold_curve

_CHANCE = {"color": MUTED, "linestyle": ":", "linewidth": 1}
_POINT = {
    "marker": "o",
    "ms": 7,
    "mfc": ERROR,
    "mec": PAPER,
    "mew": 1.2,
    "zorder": 5,
    "clip_on": False,
}


def curves(report):
    """Draw the curves that every report has.

    Parameters
    ----------
    report : Evaluation
        The evaluation.

    Returns
    -------
    list of (title, explanation, SVG)
    """
    panels = [
        (
            "ROC curve",
            "Recall over the false positive rate. The dotted line is chance.",
            _draw_roc,
        ),
        (
            "Precision and recall",
            "Precision over recall. The dotted line is the prevalence.",
            _draw_precision,
        ),
        (
            "Thresholds",
            "Recall and specificity of each threshold on these images.",
            _draw_thresholds,
        ),
    ]
    if report.predictions.is_probability:
        text = (
            "True positives, less false positives weighted by the odds of the threshold "
            "probability: at 0.1 a false negative weighs as much as nine false positives."
        )
        panels.append(("Decision curve", text, _draw_decision))
    recall, specificity, area = (
        format_metric(name, report.metrics[name].value)
        for name in ("recall", "specificity", "roc_auc")
    )
    point = f"Recall {recall}, specificity {specificity}, area under the ROC curve {area}."
    return [
        (
            title,
            text,
            draw_svg(draw, report, name=title.split()[0].lower(), description=f"{title}. {point}"),
        )
        for title, text, draw in panels
    ]


def calibration_curve(report):
    """Draw the proportion of positive images over the probability, before and after calibration.

    Parameters
    ----------
    report : Evaluation
        The evaluation, of probabilities.

    Returns
    -------
    str
        SVG.
    """
    return draw_svg(
        _draw_calibration,
        report,
        name="calibration",
        description="Proportion of positive images among images of similar probability, and a "
        "histogram of the probabilities.",
        size=(4.2, 4.4),
    )


def _draw_roc(figure, report):
    from sklearn.metrics import RocCurveDisplay

    ax, predictions = figure.add_subplot(), report.predictions
    RocCurveDisplay.from_predictions(
        predictions.y_true,
        predictions.y_score,
        ax=ax,
        plot_chance_level=True,
        chance_level_kw=_CHANCE,
    )
    specificity = report.metrics["specificity"]
    false_positive_rate = 1 - specificity.value, 1 - specificity.high, 1 - specificity.low
    _mark(ax, false_positive_rate, report.metrics["recall"])
    _label(ax, "false positive rate (1 - specificity)", "recall")
    ax.get_legend().remove()


def _draw_precision(figure, report):
    from sklearn.metrics import PrecisionRecallDisplay

    ax, predictions = figure.add_subplot(), report.predictions
    PrecisionRecallDisplay.from_predictions(
        predictions.y_true,
        predictions.y_score,
        ax=ax,
        drop_intermediate=True,
        plot_chance_level=True,
        chance_level_kw=_CHANCE,
    )
    _mark(ax, report.metrics["recall"], report.metrics["positive_predictive_value"])
    _label(ax, "recall", "precision")
    ax.get_legend().remove()


def _draw_thresholds(figure, report):
    ax, predictions = figure.add_subplot(), report.predictions
    curve = threshold_curve(predictions.y_true, predictions.y_score, confidence=None)
    ThresholdCurveDisplay(curve.threshold, curve.recall, curve.specificity).plot(ax)
    ax.axvline(report.threshold, color=ERROR, lw=1.2)
    for name in ("recall", "specificity"):
        _mark(ax, (report.threshold,) * 3, report.metrics[name])
    _label(ax, "threshold", "proportion")
    if not predictions.is_probability:
        ax.autoscale(axis="x", tight=True)
    _place_legend(ax)


def _draw_decision(figure, report):
    known = 0 <= report.threshold < 0.99
    # Up to equal weights of both errors, or beyond the threshold.
    end = max(0.5, min(report.threshold + 0.1, 0.99)) if known else 0.5
    ax, predictions = figure.add_subplot(), report.predictions
    curve = decision_curve(
        predictions.y_true,
        predictions.y_score,
        y_pred=predictions.y_pred,
        thresholds=np.linspace(0, end, 200),
    )
    at_threshold = curve.net_benefit_at_threshold
    DecisionCurveDisplay(
        curve.threshold,
        curve.net_benefit,
        curve.net_benefit_all,
        net_benefit_at_threshold=at_threshold,
    ).plot(ax)
    if known:
        y = np.interp(report.threshold, curve.threshold, at_threshold)
        ax.plot(report.threshold, y, **_POINT | {"clip_on": True})
    prevalence = report.prevalence
    ax.set(xlim=(0, end), ylim=(-0.08 * prevalence, 1.08 * prevalence))
    _place_legend(ax)


def _draw_calibration(figure, report):
    top, bottom = figure.subplots(
        2, sharex=True, gridspec_kw={"height_ratios": [3, 1], "hspace": 0.06, "bottom": 0.11}
    )
    predictions = report.predictions
    top.plot([0, 1], [0, 1], **_CHANCE)
    uncalibrated = predictions.y_score_uncalibrated
    if uncalibrated is not None:
        _draw_reliability(top, report, uncalibrated, "before", VERMILION, "--")
    label = "as it is" if uncalibrated is None else "after"
    _draw_reliability(top, report, predictions.y_score, label, BLUE, "-")
    top.axvline(report.threshold, color=ERROR, lw=1, ls=":")
    bottom.axvline(report.threshold, color=ERROR, lw=1, ls=":", label="threshold")
    bottom.hist(
        [predictions.y_score[~predictions.y_true], predictions.y_score[predictions.y_true]],
        bins=np.linspace(0, 1, 21),
        color=[FAINT, BLUE],
        label=["negative", "positive"],
        stacked=True,
    )
    _label(top, "", "proportion of positive images")
    bottom.set(xlabel="probability", ylabel="images")
    bottom.grid(False)
    curves, bars = (ax.get_legend_handles_labels() for ax in (top, bottom))
    _place_legend(top, handles=curves[0] + bars[0], labels=curves[1] + bars[1], ncols=3)
    if bottom.get_legend() is not None:
        bottom.get_legend().remove()


def _draw_reliability(ax, report, probability, label, colour, linestyle):
    from sklearn.calibration import CalibrationDisplay

    y_true, bins = report.predictions.y_true, bins_of_equal_size(probability)
    in_bins = [bins == i for i in np.unique(bins)]
    mean_probability = np.array([probability[rows].mean() for rows in in_bins])
    proportion = np.array([y_true[rows].mean() for rows in in_bins])
    for x, rows in zip(mean_probability, in_bins, strict=True):
        interval = proportion_interval(
            ratio(rows & y_true, rows), report.predictions.clusters, report.confidence
        )
        ax.plot([x, x], interval, color=colour, lw=0.9)
    CalibrationDisplay(proportion, mean_probability, probability).plot(
        ax=ax, name=label, ref_line=False, color=colour, ms=4, marker="o", ls=linestyle
    )


def _place_legend(ax, *, ncols=2, **entries):
    """Put the legend above the axes, where it covers no curve."""
    legend = ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=ncols, borderaxespad=0.2, **entries
    )
    n_lines = -(-len(legend.get_texts()) // ncols)
    ax.figure.subplots_adjust(top=0.97 - 0.06 * n_lines)


def _mark(ax, x, y):
    """Draw the operating point with its intervals."""
    (x, left, right), (y, low, high) = x, y
    line = {"color": ERROR, "lw": 1.4, "zorder": 4, "solid_capstyle": "butt"}
    ax.plot([left, right], [y, y], **line)
    ax.plot([x, x], [low, high], **line)
    ax.plot(x, y, **_POINT)


def _label(ax, x, y):
    ax.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(-0.02, 1.02), aspect="auto")
