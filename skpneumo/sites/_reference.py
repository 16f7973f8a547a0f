"""Scores of the data that a model was made with, by which a site is compared with them."""

from typing import NamedTuple

import numpy as np

from skpneumo._utils.bounds import min_scores_per_class
from skpneumo._utils.targets import check_groups
from skpneumo._utils.unwrap import unwrap


class ReferenceScores(NamedTuple):
    """One score per patient: the lowest positive, and the highest negative image."""

    positive: np.ndarray
    negative: np.ndarray


def get_reference(estimator):
    """Out-of-fold scores that a model carries.

    Parameters
    ----------
    estimator : classifier
        Fitted, with an `OperatingPointClassifierCV` or `TriageClassifierCV` in it.

    Returns
    -------
    Bunch
        Its ``reference_``: ``y_true``, ``y_score`` and ``patient``.

    Raises
    ------
    ValueError
        If there is none in it.
    """
    for wrapper in unwrap(estimator).wrappers:
        if hasattr(wrapper, "reference_"):
            return wrapper.reference_
        if hasattr(wrapper, "calibrated_classifiers_") or hasattr(wrapper, "averaged_estimators_"):
            # Its scores are other ones than those of the models in it.
            break
        if hasattr(wrapper, "best_threshold_") and not hasattr(wrapper, "curve_"):
            raise ValueError(
                f"The threshold of {type(wrapper).__name__} was chosen on other data than the "
                "reference scores of the model in it. Pass that model, its estimator_."
            )
    raise ValueError(
        f"{type(estimator).__name__} holds no reference scores. Pass a fitted "
        "OperatingPointClassifierCV, such as load_pretrained(), or a model that contains one; a "
        "file of an earlier version lacks them, and has to be fitted again."
    )


def get_reference_scores(reference):
    """Scores of the patients on which the threshold of a model was chosen.

    Parameters
    ----------
    reference : Bunch
        Of `get_reference`.

    Returns
    -------
    ReferenceScores
    """
    positive, negative = min_scores_per_class(
        reference.y_true, reference.y_score, reference.patient
    )
    return ReferenceScores(np.sort(positive), np.sort(-negative))


def draw_image_per_patient(groups, random_state=0):
    """Draw one image of each patient.

    Patients have different numbers of images at different sites, and several of one patient are
    not independent.

    Parameters
    ----------
    groups : ndarray of shape (n,)
        The patient of each image.
    random_state : int, default=0
        Seed, fixed so that a check repeats.

    Returns
    -------
    ndarray of int
        Row numbers, one of each patient.
    """
    order = np.random.default_rng(random_state).permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    return order[first]


def select_scores(scores, groups):
    """Select the score of one image of each patient of a site, or all of them without ``groups``.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Score of each image.
    groups : array-like of shape (n,) or None
        The patient of each.

    Returns
    -------
    ndarray
    """
    patients = check_groups(groups, scores)
    return scores if patients is None else scores[draw_image_per_patient(patients)]


def check_number(scores, by_patient, least, task):
    """Refuse a site with too few patients, or images.

    Parameters
    ----------
    scores : ndarray
        Of `select_scores`.
    by_patient : bool
        Whether they are of patients.
    least : int
        Smallest number.
    task : str
        What the number is for, with a verb, such as "check_site compares".

    Raises
    ------
    ValueError
        If there are fewer.
    """
    if len(scores) < least:
        raise ValueError(
            f"{task} at least {least} {'patients' if by_patient else 'images'}; got "
            f"{len(scores)}. Collect more."
        )


def select_images(reference, *, by_patient):
    """Select the reference images that are compared with a site.

    Parameters
    ----------
    reference : Bunch
        Of `get_reference`.
    by_patient : bool
        Whether to draw one image of each patient and class, as where the patients of the site are
        known, or take all images.

    Returns
    -------
    y_true, y_score, patient : ndarray
    """
    rows = np.arange(len(reference.y_true))
    if by_patient:
        parts = [np.flatnonzero(reference.y_true == label) for label in (False, True)]
        rows = np.concatenate(
            [part[draw_image_per_patient(reference.patient[part])] for part in parts]
        )
    return reference.y_true[rows], reference.y_score[rows], reference.patient[rows]
