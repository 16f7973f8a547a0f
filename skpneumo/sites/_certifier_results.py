"""What a certifier reports, while labels arrive and at the end."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.bounds import clopper_pearson_interval
from skpneumo._utils.threshold_classifier import freeze
from skpneumo.sites._progress import estimate_remaining, get_sampled
from skpneumo.sites._reading import UNREAD, highest_negative_scores
from skpneumo.sites._site_classifier import CertifiedClassifier


class SpecificityEstimate(NamedTuple):
    """Specificity at a certified threshold."""

    value: float
    low: float
    """Lower end of the confidence interval."""
    high: float
    """Upper end."""
    n: int
    """Number of negative patients that it is estimated from."""


class CertifierResults:
    """Attributes of `RecallCertifier` that follow from the labels received."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "pool_")

    @property
    def classes_(self) -> np.ndarray:
        """The labels; the second is positive."""
        return np.asarray(self.estimator.classes_)

    @property
    def finished_(self) -> bool:
        """Whether the labels are complete."""
        check_is_fitted(self)
        return self._progress.conclusion is not None

    @property
    def plan_(self) -> Literal["upwards", "random sample"] | None:
        """How images are read; None until the pilot is labelled."""
        check_is_fitted(self)
        return self._progress.plan and self._progress.plan.kind

    @property
    def n_labelled_(self) -> int:
        """Number of images that were labelled."""
        check_is_fitted(self)
        return int(np.sum(self._labels != UNREAD))

    @property
    def n_remaining_(self) -> int:
        """Estimate of the number of images still to be labelled."""
        check_is_fitted(self)
        if self.finished_:
            return 0
        return estimate_remaining(self.pool_, self._labels, self._progress.plan, self._target)

    @property
    def threshold_(self) -> float:
        """Decision threshold of certified recall."""
        return self._concluded().threshold

    @property
    def recall_lower_bound_(self) -> float:
        """The recall that is certified."""
        return self._concluded().recall_lower_bound

    @property
    def classifier_(self) -> CertifiedClassifier:
        """The model with this threshold."""
        conclusion = self._concluded()
        if not conclusion.n_positive:
            raise ValueError(
                "No patient of the pool is positive, so there is no threshold. Fit the certifier "
                "to a pool with more images."
            )
        classifier = CertifiedClassifier(
            freeze(self.estimator),
            min_recall=self._target.min_recall,
            confidence=self._target.confidence,
        )
        return classifier.hold(
            conclusion,
            unit=self.unit_,
            n_labelled=self.n_labelled_,
            n_images=len(self._labels),
        )

    def estimate_specificity(self) -> SpecificityEstimate | None:
        """Estimate the specificity of patients at `threshold_`: what the certified recall costs.

        Returns
        -------
        SpecificityEstimate or None
            ``value``, ``low``, ``high`` and ``n``: the proportion of the negative patients of the
            random samples (all their images were read, whatever their scores) that is predicted
            negative, and Clopper and Pearson's interval at ``confidence``. None if there are none.

        Raises
        ------
        NotFittedError
            If the labels are not complete.
        """
        threshold = self._concluded().threshold
        sampled = get_sampled(self.pool_, self._labels, self._progress.plan, self._target)
        scores = highest_negative_scores(self.pool_, self._labels, sampled)
        if not len(scores):
            return None
        n_right = int(np.sum(scores < threshold))
        interval = clopper_pearson_interval(n_right, len(scores), self._target.confidence)
        return SpecificityEstimate(n_right / len(scores), *map(float, interval), len(scores))

    def _concluded(self):
        if not self.finished_:
            raise NotFittedError(
                f"The labels are not complete: about {self.n_remaining_} images remain. Record "
                "labels of the rows that next_images returns until finished_ is True."
            )
        return self._progress.conclusion
