"""Predictions of the classifiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.typing import XRays
from skpneumo.classifiers._fit_cache import (
    get_prediction_key,
    load_prediction,
    save_prediction,
)
from skpneumo.classifiers._network_owner import NetworkOwner
from skpneumo.classifiers._training import predict_batches
from skpneumo.images import check_xrays, resize_to


class NetworkPredictor(NetworkOwner):
    """A `NetworkOwner` that predicts."""

    def predict_proba(self, X: XRays) -> np.ndarray:
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays; images of another size than ``image_size_`` are resized to it.

        Returns
        -------
        ndarray of shape (n, 2), dtype float32
            In the order of ``classes_``: normal, pneumonia.
        """
        pneumonia = self._predict_positive(X)
        return np.hstack([1 - pneumonia, pneumonia])

    def predict_log_proba(self, X: XRays) -> np.ndarray:
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays; images of another size than ``image_size_`` are resized to it.

        Returns
        -------
        ndarray of shape (n, 2), dtype float32
            In the order of ``classes_``; minus infinity for a probability of 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: XRays) -> np.ndarray:
        """Label of each X-ray: pneumonia if its probability is at least ``threshold``.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays; images of another size than ``image_size_`` are resized to it.

        Returns
        -------
        ndarray of shape (n,)
            Labels from ``classes_``.
        """
        pneumonia = self.predict_proba(X)[:, 1]
        return self.classes_[(pneumonia >= self.threshold).astype(int)]

    # Replaces that of scikeras, which validates y and passes its parameters on to a scorer of its
    # own.
    def score(self, X: XRays, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy of `predict`.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays.
        y : array-like of shape (n,)
            True labels.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image.

        Returns
        -------
        float
        """
        return accuracy_score(y, self.predict(X), sample_weight=sample_weight)

    def _predict_positive(self, X):
        """Probability of pneumonia, of shape (n, 1)."""
        check_is_fitted(self)
        network = self._fitted_network
        X = resize_to(check_xrays(X), self.image_size_)
        key = get_prediction_key(network, X, self.memory)
        probability = load_prediction(key, self.memory)
        if probability is None:
            reader = self._make_reader(X)
            probability = predict_batches(network.head, reader, len(X), self.batch_size)
            save_prediction(key, self.memory, probability)
        # The cache holds this array, and callers may change what they are given.
        return probability.copy()
