"""What an evaluation found, and how it is shown."""

import json
from dataclasses import dataclass

import numpy as np

from skpneumo._utils.files import write_report
from skpneumo.evaluation._estimates import Predictions
from skpneumo.evaluation._intervals import compute_differences
from skpneumo.evaluation._text import as_text


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Figures of a classifier on some images, with intervals. `evaluate` makes it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    figures : dict of str to Figure
        ``value``, ``low`` and ``high`` by name: "recall", "specificity", "roc_auc", … NaN where a
        figure is not defined.
    table : dict of str to int
        Images by "true_negative", "false_positive", "false_negative" and "true_positive".
    n_images : int
        How many.
    n_patients : int or None
        How many; None without ``groups``.
    prevalence : float
        Share of the positive images.
    threshold : float
        Of the scores, that `predict` follows; NaN where it follows none.
    threshold_origin : str
        How it was chosen.
    promise : tuple of (str, float) or None
        Name of the metric that the threshold was certified to reach, and how much of it.
    certified_images_per_patient : float or None
        Mean number of images of the class that patients had when the threshold was certified for
        patients; None otherwise.
    classes : list
        Both labels; the second is positive.
    confidence : float
        Of each interval.
    model : dict
        Its name, parameters and fingerprint, and what stands around it.
    data_fingerprint : str
        SHA-256 of images and labels.
    versions : dict of str to str
        Of the packages.
    date : str
        When it was made, in UTC.
    truth, called : ndarray of shape (n_images,), dtype bool
        Whether each image is positive, and whether it was called so.
    scores : ndarray of shape (n_images,)
        Probability, or decision value, of the positive class.
    is_probability : bool
        Which of these.
    before_calibration : ndarray of shape (n_images,) or None
        Probabilities before calibration, where the classifier is calibrated.
    groups : ndarray of shape (n_images,), dtype int, or None
        Number of the patient of each image, from 0.
    subtype : ndarray of shape (n_images,), dtype str, or None
        Kind of each image, empty where there is none.
    images : array-like of shape (n_images, ...)
        As given; only the reports look at them.
    estimator : classifier
        As given.
    """

    figures: dict
    table: dict
    n_images: int
    n_patients: int | None
    prevalence: float
    threshold: float
    threshold_origin: str
    promise: tuple | None
    certified_images_per_patient: float | None
    classes: list
    confidence: float
    model: dict
    data_fingerprint: str
    versions: dict
    date: str
    truth: np.ndarray
    called: np.ndarray
    scores: np.ndarray
    is_probability: bool
    before_calibration: np.ndarray | None
    groups: np.ndarray | None
    subtype: np.ndarray | None
    images: object
    estimator: object

    def __str__(self):
        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self):
        from skpneumo.evaluation._report import as_html

        return as_html(self, embedded=True)

    def to_dict(self):
        """All figures and what they rest on, without the images.

        Returns
        -------
        dict
            Of numbers, texts, lists and dicts: it can be written as JSON. What is not defined is
            None.
        """
        names = [
            "n_images",
            "n_patients",
            "prevalence",
            "threshold",
            "threshold_origin",
            "promise",
            "certified_images_per_patient",
            "classes",
            "table",
            "confidence",
            "model",
            "data_fingerprint",
            "versions",
            "date",
        ]
        figures = {name: figure._asdict() for name, figure in self.figures.items()}
        return _plain({name: getattr(self, name) for name in names} | {"figures": figures})

    def to_json(self):
        """Write `to_dict` as JSON.

        Returns
        -------
        str
        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_html(self):
        """One page with all figures, curves and the images that were called wrong.

        Returns
        -------
        str
            HTML that needs no other file and no network.
        """
        from skpneumo.evaluation._report import as_html

        return as_html(self)

    def save(self, path):
        """Write a report.

        Parameters
        ----------
        path : str or path
            Ending in ``.html``, ``.json`` or ``.txt``, which decides what is written.

        Raises
        ------
        ValueError
            If it ends in something else.
        """
        write_report(self, path)

    def compare(self, other):
        """Compare with another classifier on the same images, image by image.

        Parameters
        ----------
        other : Evaluation
            Of the same images, labels and groups.

        Returns
        -------
        dict of str to Figure
            This one less the other, by metric. Each interval follows from those of both and their
            correlation between patients, Newcombe's method 10 for proportions. For specificities
            at a recall and calibration errors the correlation is not computed, and their intervals
            are wider than need be. Where both predict the same for every image, proportions, areas
            and Brier scores differ by less than ``1 - (risk / 2) ** (1 / n)`` for ``n`` patients;
            others have no interval there (NaN).

        Raises
        ------
        ValueError
            If the images or labels differ.
        """
        if self.data_fingerprint != other.data_fingerprint or not np.array_equal(
            self.predictions.clusters, other.predictions.clusters
        ):
            raise ValueError(
                "Two evaluations can be compared on the same images, labels and groups only: "
                f"these are of data {self.data_fingerprint[:12]} ({self.n_images} images) and "
                f"{other.data_fingerprint[:12]} ({other.n_images} images)."
            )
        return compute_differences(self.predictions, other.predictions, self.confidence)

    @property
    def predictions(self):
        """Labels, scores and patients, as metrics are computed from them."""
        return Predictions(
            self.truth, self.called, self.scores, self.is_probability, self.groups, self.subtype
        )


def _plain(value):
    """The value in types that JSON has."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
