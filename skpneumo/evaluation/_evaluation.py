"""The result of an evaluation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from skpneumo._reporting.files import write_report
from skpneumo._utils.frames import import_pandas
from skpneumo._utils.typing import PathLike
from skpneumo.evaluation._differences import compute_differences
from skpneumo.evaluation._metrics import Estimate
from skpneumo.evaluation._predictions import Predictions
from skpneumo.evaluation._provenance import Provenance
from skpneumo.evaluation._text import as_text

if TYPE_CHECKING:
    import pandas

_FROM_PROVENANCE = (
    "threshold",
    "threshold_description",
    "certified_target",
    "certified_images_per_patient",
    "classes",
    "model",
    "data_fingerprint",
    "versions",
    "date",
)


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Metrics of a classifier on some images, with intervals. `evaluate` returns it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    metrics : dict of str to Estimate
        ``value``, ``low`` and ``high`` by name: "recall", "specificity", "roc_auc", … NaN if a
        metric is not defined.
    predictions : Predictions
        What the metrics are computed from: arrays ``y_true``, ``y_pred`` and ``y_score``, and
        ``groups`` and ``subtype``, which may be None.
    provenance : Provenance
        What they rest on: ``model``, ``threshold_description``, ``certified_target``,
        ``data_fingerprint``, ``versions``, ``date``, …
    confidence : float
        Confidence level of each interval.
    """

    metrics: dict[str, Estimate]
    predictions: Predictions
    provenance: Provenance
    confidence: float

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.predictions.y_true)

    @property
    def n_patients(self) -> int | None:
        """Number of patients; None without ``groups``."""
        groups = self.predictions.groups
        # `check_groups` has numbered the patients from 0.
        return None if groups is None else int(groups.max()) + 1

    @property
    def prevalence(self) -> float:
        """Proportion of the positive images."""
        return float(self.predictions.y_true.mean())

    @property
    def table(self) -> dict[str, int]:
        """Number of images by "true_negative", "false_positive", "false_negative", …"""
        y_true, y_pred = self.predictions.y_true, self.predictions.y_pred
        cells = {
            "true_negative": ~y_true & ~y_pred,
            "false_positive": ~y_true & y_pred,
            "false_negative": y_true & ~y_pred,
            "true_positive": y_true & y_pred,
        }
        return {name: int(rows.sum()) for name, rows in cells.items()}

    @property
    def classes(self) -> list:
        """Both labels; the second is positive."""
        return self.provenance.classes

    @property
    def threshold(self) -> float:
        """Decision threshold that `predict` follows; NaN if it follows none."""
        return self.provenance.threshold

    @property
    def threshold_description(self) -> str:
        """How the threshold was chosen."""
        return self.provenance.threshold_description

    def __str__(self) -> str:
        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from skpneumo.evaluation._report import as_html

        return as_html(self, embedded=True)

    def to_dict(self) -> dict[str, Any]:
        """Convert the metrics and the provenance, without the images.

        Returns
        -------
        dict
            Of numbers, texts, lists and dicts: it can be written as JSON. What is not defined is
            None.
        """
        own = ("n_images", "n_patients", "prevalence", "table", "confidence")
        result = {name: getattr(self, name) for name in own}
        result |= {name: getattr(self.provenance, name) for name in _FROM_PROVENANCE}
        metrics = {name: estimate._asdict() for name, estimate in self.metrics.items()}
        return _plain(result | {"metrics": metrics})

    def to_frame(self) -> pandas.DataFrame:
        """Convert the metrics to a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each metric, by name, subtypes included, with the columns "value", "low" and
            "high"; NaN if a metric or its interval is not defined.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skpneumo.evaluation import evaluate
        >>> X, y = np.arange(40.0)[:, None], np.repeat(["NORMAL", "PNEUMONIA"], 20)
        >>> report = evaluate(LogisticRegression().fit(X, y), X, y)
        >>> report.to_frame().loc[["recall", "specificity"]].round(3)
                     value    low  high
        metric
        recall         1.0  0.832   1.0
        specificity    1.0  0.832   1.0

        Two models side by side::

            pandas.concat({"cnn": cnn.to_frame(), "inception": inception.to_frame()}, axis=1)
        """
        estimates = [estimate._asdict() for estimate in self.metrics.values()]
        pandas = import_pandas()
        return pandas.DataFrame(estimates, index=pandas.Index([*self.metrics], name="metric"))

    def to_json(self) -> str:
        """Convert to JSON, as `to_dict`.

        Returns
        -------
        str
        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_html(self) -> str:
        """Convert to one page with all metrics, curves and misclassified images.

        Returns
        -------
        str
            HTML that needs no other file and no network.
        """
        from skpneumo.evaluation._report import as_html

        return as_html(self)

    def save(self, path: PathLike) -> None:
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

    def compare(self, other: Evaluation) -> dict[str, Estimate]:
        """Compare with another classifier on the same images, image by image.

        Parameters
        ----------
        other : Evaluation
            Of the same images, labels and groups.

        Returns
        -------
        dict of str to Estimate
            This one less the other, by metric. Each interval follows from those of both and their
            correlation between patients, Newcombe's method 10 for proportions. For specificities
            at a recall and calibration errors the correlation is not computed, and their intervals
            are wider than necessary. If both predict the same for every image, proportions,
            areas and Brier scores differ by less than ``1 - (risk / 2) ** (1 / n)`` for ``n``
            patients; others have no interval there (NaN).

        Raises
        ------
        ValueError
            If the images or labels differ.
        """
        own, others = self.provenance.data_fingerprint, other.provenance.data_fingerprint
        if own != others or not np.array_equal(
            self.predictions.clusters, other.predictions.clusters
        ):
            raise ValueError(
                "Two evaluations can be compared on the same images, labels and groups only: "
                f"these are of data {own[:12]} ({self.n_images} images) and {others[:12]} "
                f"({other.n_images} images)."
            )
        return compute_differences(self.predictions, other.predictions, self.confidence)


def _plain(value):
    """The value in types that JSON has."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
