"""Scores of the data that a model was made with, by which a site is compared with them."""

from typing import NamedTuple

import numpy as np

from skpneumo._utils.unwrap import unwrap


class ReferenceScores(NamedTuple):
    """One score per patient: the lowest positive, and the highest negative image."""

    positive: np.ndarray
    negative: np.ndarray


def get_reference_scores(estimator):
    """Scores of the patients on which the threshold of a model was chosen.

    Parameters
    ----------
    estimator : classifier
        Fitted, with an `OperatingPointClassifierCV` in it.

    Returns
    -------
    ReferenceScores

    Raises
    ------
    ValueError
        If there is none in it.
    """
    wrappers = (wrapper for branch in unwrap(estimator).branches for wrapper in branch.wrappers)
    found = next((wrapper for wrapper in wrappers if hasattr(wrapper, "curve_")), None)
    if found is None:
        raise ValueError(
            f"{type(estimator).__name__} holds no reference scores. Pass a fitted "
            "OperatingPointClassifierCV, such as load_pretrained(), or a model that contains one."
        )
    curve = found.curve_
    positive = -np.diff(np.append(curve.recall, 0)) * found.n_positive_units_
    negative = np.diff(np.append(curve.specificity, 1)) * found.n_negative_units_
    return ReferenceScores(
        np.repeat(curve.threshold, np.round(positive).astype(int)),
        np.repeat(curve.threshold, np.round(negative).astype(int)),
    )
