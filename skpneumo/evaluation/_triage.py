"""Metrics of a triage: images that are ruled out, to be read and ruled in."""

import numpy as np

from skpneumo.evaluation._statistics import Statistic, by_patient, ratio


def triage_proportions(predictions):
    """Compute proportions of the three answers, and metrics of ruling in.

    Those of ruling out are recall, specificity and predictive values: what is not ruled out is
    predicted positive.

    Parameters
    ----------
    predictions : Predictions
        With ``ruled_in``.

    Returns
    -------
    dict of str to Statistic
    """
    y_true, y_pred, ruled_in = predictions.y_true, predictions.y_pred, predictions.ruled_in
    every = np.ones(len(y_true), dtype=bool)
    statistics = {
        "ruled_out": ratio(~y_pred, every),
        "to_be_read": ratio(y_pred & ~ruled_in, every),
        "ruled_in": ratio(ruled_in, every),
        "precision_of_ruling_in": ratio(ruled_in & y_true, ruled_in),
        "recall_of_ruling_in": ratio(ruled_in & y_true, y_true),
        "specificity_of_ruling_in": ratio(~ruled_in & ~y_true, ~y_true),
    }
    if predictions.groups is not None:
        statistics |= _of_patients(predictions, every)
    return statistics


def _of_patients(predictions, every):
    """Patients by their image with the highest score: ruled out if all of them are."""
    groups, ruled_in = predictions.groups, predictions.ruled_in
    ruled_out = by_patient(every, predictions.y_pred, groups)
    not_ruled_in = by_patient(every, ruled_in, groups)
    return {
        "patients_ruled_out": ruled_out,
        "patients_to_be_read": Statistic(
            not_ruled_in.value - ruled_out.value,
            not_ruled_in.influence - ruled_out.influence,
            not_ruled_in.rows,
        ),
        "patients_ruled_in": Statistic(
            1 - not_ruled_in.value, -not_ruled_in.influence, not_ruled_in.rows
        ),
        "specificity_of_ruling_in_of_patients": by_patient(
            ~predictions.y_true, ruled_in & ~predictions.y_true, groups
        ),
    }
