"""What an evaluation rests on."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sklearn.base import BaseEstimator

from skpneumo._utils.provenance import (
    data_fingerprint,
    describe_model,
    describe_threshold,
    get_certified_images_per_patient,
    get_certified_target,
    package_versions,
)
from skpneumo._utils.unwrap import get_followed_threshold, unwrap


@dataclass(frozen=True, eq=False)
class Provenance:
    """Model, threshold and data of an evaluation.

    Attributes
    ----------
    estimator : classifier
        As given.
    images : array-like of shape (n_images, ...)
        As given; only the reports read them.
    classes : list
        Both labels; the second is positive.
    threshold : float
        Decision threshold that `predict` follows; NaN if it follows none.
    threshold_description : str
        How it was chosen.
    certified_target : tuple of (str, float) or None
        Name and value of the metric that the threshold was certified to reach.
    certified_images_per_patient : float or None
        Mean number of images of the class that patients had when the threshold was certified for
        patients; None otherwise.
    model : dict
        Name, parameters and fingerprint of the model, and the names of its wrappers.
    data_fingerprint : str
        SHA-256 of images and labels.
    versions : dict of str to str
        Versions of the packages.
    date : str
        When the evaluation was made, in UTC.
    """

    estimator: BaseEstimator
    images: object
    classes: list
    threshold: float
    threshold_description: str
    certified_target: tuple | None
    certified_images_per_patient: float | None
    model: dict
    data_fingerprint: str
    versions: dict
    date: str


def collect_provenance(estimator, X, y, predictions):
    """Record the model, its threshold and the data.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n, ...)
        The images.
    y : array-like of shape (n,)
        Their labels.
    predictions : Predictions
        Of the images.

    Returns
    -------
    Provenance
    """
    threshold = get_followed_threshold(unwrap(estimator), predictions.y_score, predictions.y_pred)
    origin = describe_threshold(estimator)
    if threshold is None:
        threshold, origin = np.nan, "predict follows another score or threshold"
    return Provenance(
        estimator=estimator,
        images=X,
        classes=np.asarray(estimator.classes_).tolist(),
        threshold=threshold,
        threshold_description=origin,
        certified_target=get_certified_target(estimator),
        certified_images_per_patient=get_certified_images_per_patient(estimator),
        model=describe_model(estimator),
        data_fingerprint=data_fingerprint(X, y),
        versions=package_versions(estimator),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )
