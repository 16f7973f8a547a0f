"""Flag out-of-distribution images."""

import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy.linalg import eigh, svd
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.targets import check_groups
from skpneumo.exceptions import OutlierWarning
from skpneumo.images import check_xrays, resize_to
from skpneumo.preprocessing._base import XRayTransformer

_SIDE = 24
_MAX_NAMED = 5
_MIN_IMAGES = 4
_N_FOLDS = 50
_TAIL = 10
# Variance below this proportion of the total is rounding error, and its axis arbitrary. Images that
# are all alike have no other (scikit-learn's PCA fails on them).
_ROUNDING = 1e-10
# What stands between the caller and a step of a pipeline.
_BETWEEN = ("skpneumo", "sklearn", "imblearn", "joblib")
_RECORDED = ContextVar("_RECORDED", default=None)


@contextmanager
def record_outlier_scores():
    """Record the scores that detectors compute on the way of predictions, and do not warn.

    For predictions of one set of images, of which each detector computes the scores once. In this
    thread only, unlike `warnings.catch_warnings`.

    Yields
    ------
    dict of int to ndarray of shape (n,)
        The scores by each `XRayOutlierDetector`, in the order in which they were computed.
    """
    recorded = {}
    token = _RECORDED.set(recorded)
    try:
        yield recorded
    finally:
        _RECORDED.reset(token)


def _thumbnails(X):
    """Small copies with equalised histograms, as rows of numbers from 0 to 1."""
    small = np.asarray(resize_to(X, (_SIDE, _SIDE)))
    even = [np.asarray(ImageOps.equalize(Image.fromarray(image))) for image in small]
    return np.reshape(even, (len(even), -1)) / 255.0


def _leading_axes(covariance, n_components, total):
    """Principal axes of a covariance matrix as rows; fewer if it has less rank."""
    if not n_components:
        return np.empty((0, len(covariance)))
    last = len(covariance) - 1
    variances, axes = eigh(covariance, subset_by_index=[max(last + 1 - n_components, 0), last])
    return axes.T[variances > _ROUNDING * total]


def _subspace(rows, n_components):
    """Mean of some rows, and their principal components."""
    n_components = min(n_components, len(rows) - 1)
    covariance = np.cov(rows, rowvar=False)
    return rows.mean(axis=0), _leading_axes(covariance, n_components, np.trace(covariance))


def _distance(rows, mean, components):
    rows = rows - mean
    return np.linalg.norm(rows - rows @ components.T @ components, axis=1)


def _cross_fitted_distances(rows, folds, n_components):
    """Distance of each row to the principal components of the rows of the other folds."""
    rows = rows - rows.mean(axis=0)
    if len(rows) < rows.shape[1]:
        # In the space that few rows span, distances are the same and covariances smaller.
        rows = rows @ svd(rows, full_matrices=False)[2].T
    scatter = rows.T @ rows
    total = np.trace(scatter) / len(rows)
    distances = np.empty(len(rows))
    for fold in np.unique(folds):
        left_out = rows[folds == fold]
        n_others = len(rows) - len(left_out)
        mean = -left_out.sum(axis=0) / n_others  # that of all rows is zero
        covariance = (scatter - left_out.T @ left_out) / n_others - np.outer(mean, mean)
        axes = _leading_axes(covariance, min(n_components, n_others - 1), total)
        distances[folds == fold] = _distance(left_out, mean, axes)
    return distances


def _upper_limit(distances, rate):
    """Distance that a new one of the same kind exceeds at a rate, or at one just below it."""
    ordered, n = np.sort(distances), len(distances)
    n_above = int((n + 1) * rate + 1e-9)
    if n_above:
        return ordered[n - n_above]
    if rate == 0:
        return ordered[-1]
    # The largest distance is exceeded at the rate 1 / (n + 1), and a lower one needs a tail. That
    # of a sum of squares is exponential, and given k exponential excesses with mean m, a new one
    # exceeds k * m * (q ** (-1 / k) - 1) with probability q.
    k = min(_TAIL, n - 1)
    squares = np.square(ordered)
    start = squares[-1 - k]
    excess = np.mean(squares[-k:]) - start
    q = rate * (n + 1) / (k + 1)
    return np.sqrt(start + k * excess * (q ** (-1 / k) - 1))


def _warn(text):
    """Warn at the line that called a step, a pipeline or a model, and at each call."""
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
    """Flag out-of-distribution images.

    A classifier predicts a label for any image: for an X-ray that lies on its side, a negative, a
    photograph. As the first step of a pipeline this transformer returns the images unchanged, and
    warns about those for which a prediction means nothing.

    Parameters
    ----------
    n_components : int, default=20
        Principal components of the training images that an image may be made of.
    contamination : float, default=0.01
        Proportion of new images of the same kind as the training images that are flagged; at
        least 0 and below 0.5. With 0 the threshold is the largest distance of a training image.

    Attributes
    ----------
    mean_ : ndarray of shape (576,)
        Mean of the training images, as thumbnails of 24 x 24 pixels.
    components_ : ndarray of shape (n_components, 576)
        Their principal components.
    threshold_ : float
        Distance above which an image is flagged, and the unit of `outlier_score`. Chosen on
        cross-fitted distances: those of training images to components learnt from the images of
        other patients.

    See Also
    --------
    skpneumo.datasets.audit : Checks a whole dataset.

    Notes
    -----
    The score is the reconstruction error of a principal component analysis [1]_ of small copies
    with equalised histograms, which neither exposure nor the finer findings change: X-rays of the
    chest are alike at that size, and other images are not. It knows nothing of disease, and finds
    neither a mirrored X-ray nor one of an adult.

    The threshold is a quantile of cross-fitted distances, in at most 50 folds of whole patients
    and without random draws. Of n distances it is the ``ceil((n + 1) * (1 - contamination))``-th,
    as in conformal prediction [2]_: if images are independent, a new image exceeds it with a
    probability of at most ``contamination`` and less than 1 / (n + 1) below it. When that rank is
    above n (fewer than 99 images at 0.01), an exponential tail of the ten largest squared
    distances is extrapolated.

    Measured on new images of `make_xrays` at 0.01, 0.05 and 0.1, with one image of each patient:
    0.009, 0.046 and 0.097 after a fit on 60 images, 0.010, 0.053 and 0.101 on 100, 0.010, 0.049
    and 0.099 on 200, 0.009, 0.050 and 0.100 on 600; with four: 0.008, 0.043 and 0.093 on 100 and
    0.008, 0.047 and 0.097 on 200. On real X-rays of other patients: 0.011, 0.044 and 0.091 on 60,
    0.009, 0.047 and 0.093 on 200 (``tests/benchmarks/outliers.py``; Monte Carlo errors up to
    0.001, 0.004 and 0.006).

    The rate counts images, for patients with about as many images each as those of the training.
    Without ``groups`` every image counts as a patient of its own: further images, or copies, of a
    patient make distances too small, and more new images are flagged.

    References
    ----------
    .. [1] Jackson & Mudholkar, "Control procedures for residuals associated with principal
       component analysis", Technometrics 21 (1979), 341-349.
    .. [2] Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", Springer (2005).

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

    def fit(self, X, y=None, groups=None):
        """Learn the distribution of the training images.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files; at least four.
        y : Ignored
            Not used, present for API consistency by convention.
        groups : array-like of shape (n,), default=None
            The patient of each image, at least two; without it each image is a patient.

        Returns
        -------
        XRayOutlierDetector
            The transformer itself.
        """
        self._validate_params()
        X = check_xrays(X)
        patients = np.arange(len(X)) if groups is None else check_groups(groups, X)
        if len(X) < _MIN_IMAGES:
            raise ValueError(
                f"XRayOutlierDetector learns from at least {_MIN_IMAGES} images; got "
                f"n_samples={len(X)}."
            )
        if patients.max() == 0:
            raise ValueError(
                "XRayOutlierDetector learns from the images of at least 2 patients; groups names "
                f"one for all {len(X)} images. Add images of other patients, or leave groups out "
                "to count each image as a patient."
            )
        rows = _thumbnails(X)
        self.mean_, self.components_ = _subspace(rows, self.n_components)
        # In the order of their names, so that the order of the rows does not matter.
        folds = patients % _N_FOLDS
        distances = _cross_fitted_distances(rows, folds, self.n_components)
        self.threshold_ = float(_upper_limit(distances, self.contamination))
        return self

    def fit_transform(self, X, y=None, groups=None):
        """Learn the distribution of the training images; return them without a warning.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files; at least four.
        y : Ignored
            Not used, present for API consistency by convention.
        groups : array-like of shape (n,), default=None
            The patient of each image, at least two; without it each image is a patient.

        Returns
        -------
        ndarray of shape (n, H, W), dtype uint8, or XRaySequence
            The same images.
        """
        self.fit(X, groups=groups)
        return check_xrays(X)

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
            If images are out of distribution; the message names their rows, files and scores.
            Unlike other warnings it is issued at each call: every call of a service is about other
            images.
        """
        X = check_xrays(X)
        recorded = _RECORDED.get()
        if recorded is not None:
            if id(self) not in recorded:
                recorded[id(self)] = self.outlier_score(X)
            return X
        scores = self.outlier_score(X)
        outliers = np.flatnonzero(scores > 1)
        if len(outliers):
            named = ", ".join(
                f"{row} ({_file_name(X, row)}{scores[row]:.3f})" for row in outliers[:_MAX_NAMED]
            )
            more = len(outliers) - _MAX_NAMED
            _warn(
                f"{len(outliers):,} of {len(X):,} images are out of distribution: predictions on "
                f"them may mean nothing. Rows, and their scores above 1: {named}"
                + (f" and {more:,} more." if more > 0 else ".")
            )
        return X

    def outlier_score(self, X):
        """Distance of each image from the training images.

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
        distance = _distance(_thumbnails(check_xrays(X)), self.mean_, self.components_)
        return distance / max(self.threshold_, 1e-9)
