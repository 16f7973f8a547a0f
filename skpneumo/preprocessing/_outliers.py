"""Images unlike those that a model was trained on are told, not judged in silence."""

import sys
import warnings
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy.linalg import eigh
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skpneumo.exceptions import OutlierWarning
from skpneumo.images import as_xrays, bring_to_size
from skpneumo.preprocessing._base import XRayTransformer

_SIDE = 24
_MAX_NAMED = 5
_FEWEST = 4
# What stands between the caller and a step of a pipeline.
_BETWEEN = ("skpneumo", "sklearn", "imblearn", "joblib")


def _thumbnails(X):
    """Small copies with equalised histograms, as rows of numbers from 0 to 1."""
    small = np.asarray(bring_to_size(X, (_SIDE, _SIDE)))
    even = [np.asarray(ImageOps.equalize(Image.fromarray(image))) for image in small]
    return np.reshape(even, (len(even), -1)) / 255.0


def _subspace(rows, n_components):
    """Mean of some rows, and their principal components."""
    last = rows.shape[1] - 1
    n_components = min(n_components, len(rows) - 1)
    # Unlike scikit-learn's PCA it does not mind images that are all alike.
    _, axes = eigh(np.cov(rows, rowvar=False), subset_by_index=[last + 1 - n_components, last])
    return rows.mean(axis=0), axes.T


def _distance(rows, mean, components):
    rows = rows - mean
    return np.linalg.norm(rows - rows @ components.T @ components, axis=1)


def _warn(text):
    """Warn at the line that called a step, or a pipeline, or a model, and at each call."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _module(frame).split(".")[0] in _BETWEEN:
        frame = frame.f_back
    # A registry would remember the text, and another image may have the same.
    warnings.warn_explicit(
        text, OutlierWarning, frame.f_code.co_filename, frame.f_lineno, _module(frame), registry={}
    )


def _file_name(X, row):
    return f"{Path(X.paths[row]).name}, " if hasattr(X, "paths") else ""


def _module(frame):
    return frame.f_globals.get("__name__", "")


class XRayOutlierDetector(XRayTransformer):
    """Warn of images unlike those of the training.

    A classifier has an answer to everything: to an X-ray that lies on its side, to a negative, to
    a photograph. As the first step of a pipeline this one leaves the images as they are, and warns
    of those to which the answer means nothing.

    Parameters
    ----------
    n_components : int, default=20
        Principal components of the training images that an image may be made of.
    contamination : float, default=0.01
        Share of the images like those of the training that count as outliers; from 0 to 0.5.

    Attributes
    ----------
    mean_ : ndarray of shape (576,)
        Mean of the training images, as thumbnails of 24 x 24 pixels.
    components_ : ndarray of shape (n_components, 576)
        Their principal components.
    threshold_ : float
        Distance above which an image is an outlier: each half of the training images is measured by
        what the other half is like.

    See Also
    --------
    skpneumo.datasets.audit : Looks a whole collection over for images that are out of place.

    Notes
    -----
    The score is the reconstruction error of a principal component analysis [1]_ of small copies
    with equalised histograms, which neither exposure nor the finer findings change: X-rays of the
    chest are alike at that size, and other images are not. It knows nothing of disease, and finds
    neither a mirrored X-ray nor one of an adult.

    References
    ----------
    .. [1] Jackson & Mudholkar, "Control procedures for residuals associated with principal
       component analysis", Technometrics 21 (1979), 341-349.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.preprocessing import XRayOutlierDetector
    >>> xrays = make_xrays(200, image_size=(48, 40), random_state=0).images
    >>> detector = XRayOutlierDetector().fit(xrays[:150])
    >>> scores = detector.outlier_score(xrays[150:])
    >>> inverted = detector.outlier_score(255 - xrays[150:])
    >>> bool(np.median(scores) < 1 < inverted.min())
    True
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, _SIDE**2, closed="both")],
        "contamination": [Interval(Real, 0, 0.5, closed="left")],
    }

    def __init__(self, *, n_components=20, contamination=0.01):
        self.n_components = n_components
        self.contamination = contamination

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def fit(self, X, y=None):
        """Learn what the training images look like.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files; at least four.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        XRayOutlierDetector
            The transformer itself.
        """
        self._validate_params()
        rows = _thumbnails(as_xrays(X))
        if len(rows) < _FEWEST:
            raise ValueError(
                f"XRayOutlierDetector learns from at least {_FEWEST} images; got "
                f"n_samples={len(rows)}."
            )
        self.mean_, self.components_ = _subspace(rows, self.n_components)
        distances = [
            _distance(rows[half::2], *_subspace(rows[1 - half :: 2], self.n_components))
            for half in (0, 1)
        ]
        self.threshold_ = float(np.quantile(np.concatenate(distances), 1 - self.contamination))
        return self

    def fit_transform(self, X, y=None):
        """Learn what the training images look like; they are returned without a warning.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files; at least four.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        ndarray of shape (n, H, W), dtype uint8, or XRaySequence
            The same images.
        """
        self.fit(X)
        return as_xrays(X)

    def transform(self, X):
        """Leave the images as they are, and warn of outliers.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files.

        Returns
        -------
        ndarray of shape (n, H, W), dtype uint8, or XRaySequence
            The same images.

        Warns
        -----
        OutlierWarning
            If images are unlike those of the training; it tells their rows, names of files, and
            scores. Unlike other warnings it is given at each call: those of a service ask about
            other images every time.
        """
        X = as_xrays(X)
        scores = self.outlier_score(X)
        outliers = np.flatnonzero(scores > 1)
        if len(outliers):
            named = ", ".join(
                f"{row} ({_file_name(X, row)}{scores[row]:.3f})" for row in outliers[:_MAX_NAMED]
            )
            more = len(outliers) - _MAX_NAMED
            _warn(
                f"{len(outliers):,} of {len(X):,} images are unlike those of the training: what a "
                f"model says of them may mean nothing. Rows, and their scores above 1: {named}"
                + (f" and {more:,} more." if more > 0 else ".")
            )
        return X

    def outlier_score(self, X):
        """How unlike the training images each image is.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files.

        Returns
        -------
        ndarray of shape (n,)
            From 0 on; above 1 an image is an outlier.
        """
        check_is_fitted(self)
        # Training images that are all alike leave no distance at all.
        distance = _distance(_thumbnails(as_xrays(X)), self.mean_, self.components_)
        return distance / max(self.threshold_, 1e-9)
