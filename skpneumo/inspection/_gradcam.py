"""Heatmaps by gradients of a network."""

from __future__ import annotations

from numbers import Integral
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.fork import check_process
from skpneumo._utils.typing import XRays
from skpneumo._utils.unwrap import check_not_several, get_transformers, unwrap
from skpneumo.images import XRaySequence, check_xrays, resize_to, resized_positions

# Names of the methods in the literature, for captions.
METHOD_NAMES = {"integrated": "layer conductance", "gradcam": "Grad-CAM"}
# Maps of the network that each method uses.
_MAPS = {"integrated": "first", "gradcam": "last"}
_N_PASSES = {"integrated": 7, "gradcam": 1}
# Standard deviations of the blur and of the bells that make up a heatmap, as fractions of the mean
# side of the network's input.
_BLUR, _BELL = 0.05, 0.07


def compute_evidence(to_maps, to_logit, images, method):
    """Contribution of each position of a network's maps to the log odds of pneumonia.

    Parameters
    ----------
    to_maps, to_logit : callable
        Parts of the network, by `skpneumo.networks.split_at_maps`.
    images : ndarray of shape (n, rows, columns), dtype uint8
        Input of the network.
    method : {"integrated", "gradcam"}
        See `GradCAM`.

    Returns
    -------
    ndarray of shape (n, h, w), dtype float32
        "integrated": negative where it is evidence against pneumonia; a map sums to the log odds of
        the image less those of the blurred image. "gradcam": without the negative part, in
        arbitrary units.
    """
    if method == "gradcam":
        maps, gradients = _maps_and_gradients(to_maps, to_logit, images)
        return np.maximum(np.sum(maps * gradients.mean(axis=(1, 2), keepdims=True), axis=-1), 0)
    blurred = blur(images)
    fractions = np.linspace(0, 1, _N_PASSES[method], dtype=np.float32)[:, None, None, None]
    path = np.concatenate(blurred + fractions * (images - blurred))
    maps, gradients = (
        part.reshape(len(fractions), len(images), *part.shape[1:])
        for part in _maps_and_gradients(to_maps, to_logit, path)
    )
    return np.sum(np.diff(maps, axis=0) * (gradients[1:] + gradients[:-1]) / 2, axis=(0, -1))


def _maps_and_gradients(to_maps, to_logit, images):
    """Maps of the network, and the gradients of the log odds with respect to them."""
    from keras import ops

    from skpneumo.inspection._gradients import gradient

    # The network takes bytes, and blends of an image and its blur are floats.
    maps = to_maps(np.rint(images).astype(np.uint8)[..., None])
    gradients = gradient(to_logit, maps)
    return [ops.convert_to_numpy(ops.cast(part, "float32")) for part in (maps, gradients)]


def blur(images):
    """Images without their detail, as float32."""
    width = _BLUR * np.mean(images.shape[1:])
    return gaussian_filter(images.astype(np.float32), (0, width, width), mode="nearest")


def map_positions(shape, resizings):
    """Positions of the rows and columns of an image in the input of the network.

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns of the image.
    resizings : sequence of (size, aspect)
        Resizings on the way to the network, one after another.

    Returns
    -------
    list of two ndarrays
        Positions of its rows and of its columns, NaN for those that were cropped.
    """
    places = [np.arange(n) + 0.5 for n in shape]
    for size, aspect in resizings:
        for axis, (scale, offset) in enumerate(resized_positions(shape, size, aspect)):
            place = scale * places[axis] + offset
            places[axis] = np.where((place >= 0) & (place <= size[axis]), place, np.nan)
        shape = size
    return [place - 0.5 for place in places]


def interpolation_weights(positions, centers, width):
    """Weights that interpolate the rows of a map at the rows of an image.

    Parameters
    ----------
    positions : ndarray of shape (n_rows,)
        Positions of the rows of the image in the input of the network.
    centers : sequence of float, of length n_centers
        Centers of the rows of the map there.
    width : float
        Standard deviation of the bell around each center.

    Returns
    -------
    ndarray of shape (n_rows, n_centers)
        Each row sums to 1, or is 0 if the position is NaN.
    """
    distance = np.square((positions[:, None] - np.asarray(centers)) / width) / 2
    # Relative to the nearest center, so that weights do not all underflow to 0.
    weights = np.exp(distance.min(axis=1, keepdims=True) - distance)
    # Positions that were cropped away are NaN: the network has not seen them, and they get no
    # evidence.
    return np.nan_to_num(weights / weights.sum(axis=1, keepdims=True))


def find_networks(estimator):
    """Find the networks that an estimator holds, each with the transformers on the way to it.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    list of (transformers, classifier)
        The transformers in their order, and a classifier with ``model_`` and ``image_size_``.
        Several if an operating point averages the log odds of the models of its folds.

    Raises
    ------
    TypeError
        If there is no network, or calibration has fitted several.
    """
    nested = unwrap(estimator)
    check_not_several(nested, allow_means=True)
    for classifier in nested.classifiers:
        if not hasattr(classifier, "_network"):
            raise TypeError(
                f"There is no network to inspect: {type(classifier).__name__} has no model_. "
                "Expected a fitted CNNPneumoniaClassifier or InceptionPneumoniaClassifier, or a "
                "pipeline, a search or a threshold around one."
            )
    return [(get_transformers(branch), branch.classifier) for branch in nested.branches]


class GradCAM:
    """Heatmaps of the evidence for pneumonia, by gradients of convolutional maps.

    Parameters
    ----------
    estimator : classifier
        A fitted `~skpneumo.CNNPneumoniaClassifier` or `~skpneumo.InceptionPneumoniaClassifier`, or
        a pipeline, a search, a threshold, a frozen or calibrated estimator around one. It is not
        modified. If an operating point averages the log odds of several networks, their heatmaps
        are averaged before they are scaled.
    method : {"integrated", "gradcam"}, default="integrated"
        "integrated" is layer conductance: the contribution of each position of the maps of the
        first convolution to the log odds, summed over seven steps from a blurred image to the
        image.
        "gradcam" is Grad-CAM [1]_, at the last maps. See the notes.
    batch_size : int, default=32
        Number of images that the network processes at once; each step counts as one.

    Attributes
    ----------
    method_name : str
        Name of the method in the literature, for captions: "layer conductance" or "Grad-CAM".

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If there is no network in it, or calibration has fitted several.
    ValueError
        If a parameter is not valid.

    See Also
    --------
    GradCAMDisplay : Draw the heatmaps over the X-rays.

    Notes
    -----
    Both methods multiply maps by the gradient of the log odds with respect to them, sum over the
    channels, and drop the negative part, which is evidence against pneumonia. They use log odds
    because the gradient of a probability vanishes if the network is certain.

    "gradcam" weights each channel by its mean gradient. The networks here average their last maps,
    so this is exactly the class activation map (CAM) [2]_, up to a factor. It is as coarse as these
    maps, and the receptive field of each position may be the whole image: in a small image the
    location of the maximum means little.

    "integrated" multiplies position by position, as HiResCAM does [3]_, at maps with a receptive
    field of 3 to 7 pixels, and integrates along the path from the blurred image to the image, as
    Integrated Grad-CAM does [4]_. Together that is the conductance of the layer [5]_. Before the
    negative part is dropped, a map sums to the log odds of the image less those of the blurred
    image: it shows which detail is evidence for pneumonia. If a network predicts the blurred image
    positive, as may happen with real X-rays, most of the detail is evidence against pneumonia, and
    the heatmap shows the rest.

    A heatmap shows where the evidence is for *this* network, not where disease is. Each is scaled
    to a maximum of 1, also in a normal image: check the probability first.

    References
    ----------
    .. [1] Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
       Localization", ICCV 2017.
    .. [2] Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
    .. [3] Draelos & Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of
       convolutional neural networks", arXiv:2011.08891, 2020.
    .. [4] Sattarzadeh et al., "Integrated Grad-CAM: Sensitivity-Aware Visual Explanation of Deep
       Convolutional Networks via Integrated Gradient-Based Scoring", ICASSP 2021.
    .. [5] Dhamdhere, Sundararajan & Yan, "How Important Is a Neuron?", ICLR 2019.

    Examples
    --------
    >>> from skpneumo import CNNPneumoniaClassifier
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.inspection import GradCAM
    >>> xrays = make_xrays(60, image_size=(48, 40), random_state=0)
    >>> clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    >>> heatmaps = GradCAM(clf.fit(xrays.images, xrays.target)).transform(xrays.images[:3])
    >>> heatmaps.shape, heatmaps.dtype
    ((3, 48, 40), dtype('float32'))
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        method: Literal["integrated", "gradcam"] = "integrated",
        batch_size: int = 32,
    ) -> None:
        check_is_fitted(estimator)
        if method not in _MAPS:
            raise ValueError(
                f"method must be one of {', '.join(map(repr, _MAPS))}; got {method!r}."
            )
        if not isinstance(batch_size, Integral) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer; got {batch_size!r}.")
        self.estimator = estimator
        self.method = method
        self.batch_size = batch_size
        self._networks = find_networks(estimator)

    @property
    def method_name(self) -> str:
        return METHOD_NAMES[self.method]

    def transform(self, X: XRays) -> np.ndarray | list[np.ndarray]:
        """Compute the heatmaps.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays, as the estimator accepts them.

        Returns
        -------
        ndarray of shape (n, H, W), dtype float32, or list of n arrays of shape (H, W)
            Between 0 and 1, of the size of the images in ``X``: of the files if they are paths. A
            list if their sizes differ. A heatmap is 0 if there is no evidence for pneumonia.

        Notes
        -----
        Pixels that `~skpneumo.XRayResizer` cropped in a pipeline are 0, and padding is left out.
        Any other transformer that changes the size is assumed to stretch the image.
        """
        check_process()
        evidence = [self._compute_evidence(*network, X) for network in self._networks]
        heatmaps = [_scaled(np.mean(maps, axis=0)) for maps in zip(*evidence, strict=True)]
        return heatmaps if len({part.shape for part in heatmaps}) > 1 else np.stack(heatmaps)

    def _compute_evidence(self, transformers, classifier, X):
        """Evidence of one network at each pixel of each image, not scaled."""
        from skpneumo.networks import split_at_maps

        image_size = tuple(classifier.image_size_)
        images, seen, resizings = _resize_for_network(X, transformers, image_size)
        to_maps, to_logit, centers = split_at_maps(classifier._network, _MAPS[self.method])
        evidence, weights = [], {}
        step = max(1, self.batch_size // _N_PASSES[self.method])
        for start in range(0, len(seen), step):
            rows = slice(start, start + step)
            maps = compute_evidence(to_maps, to_logit, np.asarray(seen[rows]), self.method)
            for part, shape in zip(maps, _shapes(images[rows]), strict=True):
                if shape not in weights:
                    positions = map_positions(shape, resizings)
                    weights[shape] = _axis_weights(positions, centers, image_size)
                row_weights, column_weights = weights[shape]
                evidence.append((row_weights @ part @ column_weights.T).astype(np.float32))
        return evidence


def _axis_weights(positions, centers, image_size):
    """Weights for the rows and for the columns of an image."""
    width = _BELL * np.mean(image_size)
    # Bells narrower than half the distance of their centers would leave steps.
    widths = [max(width, np.ptp(axis[:2]) / 2) for axis in centers]
    return [interpolation_weights(*axis) for axis in zip(positions, centers, widths, strict=True)]


def _resize_for_network(X, transformers, size):
    """Images as given, as the network sees them, and the resizings between."""
    images, resizings = check_xrays(X), []
    for transformer in transformers:
        X = transformer.transform(X)
        if hasattr(transformer, "aspect"):
            resizings.append((tuple(transformer.size), transformer.aspect))
    seen = resize_to(check_xrays(X), size)
    return images, seen, [*resizings, (size, "stretch")]


def _shapes(images):
    """Rows and columns of each image; files are decoded if their size is not known."""
    if not isinstance(images, XRaySequence):
        return [images.shape[1:]] * len(images)
    return [images.size or image.shape for image in images]


def _scaled(evidence):
    """Evidence for pneumonia, with a highest value of 1."""
    heat = np.maximum(evidence, 0)
    peak = heat.max()
    return heat / peak if peak > 0 else heat
