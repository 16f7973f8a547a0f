"""The figures of an evaluation, each with its interval."""

from typing import NamedTuple

import numpy as np

from skpneumo.evaluation._bootstrap import percentile_interval, resampled, share_interval
from skpneumo.evaluation._figures import (
    KIND,
    figures_of_calls,
    figures_of_counts,
    figures_of_probabilities,
    figures_of_scores,
)


class Figure(NamedTuple):
    """A figure and its interval."""

    value: float
    low: float
    high: float


def figures_with_intervals(report):
    """All figures of a report.

    Parameters
    ----------
    report : Evaluation
        Its figures are not looked at.

    Returns
    -------
    dict of str to Figure
    """
    units = units_of(report)
    figures = {}
    for name, values in _resampled(report, lambda weights: _figures(report, weights)).items():
        rows = _images_of_share(report, name)
        if rows is None:
            ends = percentile_interval(values[1:], report.confidence)
        else:
            n_patients = len(np.unique(units[rows]))
            n_images = n_patients if name.endswith("_of_patients") else rows.sum()
            ends = share_interval(values[0], values[1:], n_images, n_patients, report.confidence)
        figures[name] = Figure(float(values[0]), *ends)
    if {figures["recall"].value, figures["specificity"].value} & {0.0, 1.0}:
        figures |= _at_ends(report, figures)
    return figures


def differences(report, other):
    """Figures of a report less those of another of the same images, over the same resamples.

    Parameters
    ----------
    report, other : Evaluation
        The runs.

    Returns
    -------
    dict of str to Figure
    """

    def compute(weights):
        mine, theirs = _figures(report, weights), _figures(other, weights)
        with np.errstate(invalid="ignore"):  # infinite likelihood ratios
            return {name: mine[name] - theirs[name] for name in mine if name in theirs}

    return {
        name: Figure(float(values[0]), *percentile_interval(values[1:], report.confidence))
        for name, values in _resampled(report, compute).items()
    }


def images_of_kind(report, name):
    """The positive images of the kind that a figure is the recall of."""
    return report.truth & (report.subtype == name.removeprefix(KIND))


def units_of(report):
    """Number of the patient of each image, or of the image where patients are not known."""
    return np.arange(report.n_images) if report.groups is None else report.groups


def _resampled(report, compute):
    return resampled(
        compute, report.n_images, units_of(report), report.n_resamples, report.random_state
    )


def _figures(report, weights):
    """All figures of a report for some weightings of its images."""
    figures = figures_of_calls(report.truth, report.called, weights, report.subtype, report.groups)
    figures |= figures_of_scores(report.truth, report.scores, weights)
    if report.is_probability:
        figures |= figures_of_probabilities(report.truth, report.scores, weights, report.groups)
    return figures


def _images_of_share(report, name):
    """The images that a share is a share of, or None for another figure."""
    if name.startswith(KIND):
        return images_of_kind(report, name)
    return {
        "recall": report.truth,
        "recall_of_patients": report.truth,
        "specificity": ~report.truth,
        "specificity_of_patients": ~report.truth,
        "positive_predictive_value": report.called,
        "negative_predictive_value": ~report.called,
        "accuracy": np.ones_like(report.truth),
    }.get(name)


def _at_ends(report, figures):
    """What derives from recall and specificity, by the ends of their intervals.

    Where one of them is 0 or 1 it is so on all resamples, which then do not tell how sure it is.
    """
    recall, specificity = np.array(
        [(r, s) for r in figures["recall"][1:] for s in figures["specificity"][1:]]
    ).T
    n_ill, n_healthy = report.truth.sum(), (~report.truth).sum()
    at_ends = figures_of_counts(
        n_healthy * specificity,
        n_healthy * (1 - specificity),
        n_ill * (1 - recall),
        n_ill * recall,
    )
    return {
        name: Figure(figures[name].value, float(np.nanmin(ends)), float(np.nanmax(ends)))
        for name, ends in at_ends.items()
        if _images_of_share(report, name) is None and not np.isnan(figures[name].value)
    }
