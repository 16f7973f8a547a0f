"""Where a network looked."""

from functools import cache
from numbers import Integral

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.fork import check_process
from skpneumo._utils.unwrap import check_not_several, get_transformers, unwrap
from skpneumo.images import XRaySequence, check_xrays, resize_to, resized_positions

# What the field knows each method as: captions take their words from here.
METHOD_NAMES = {"integrated": "layer conductance", "gradcam": "Grad-CAM"}
# By method: which maps of the network it looks at.
_MAPS = {"integrated": "first", "gradcam": "last"}
_N_PASSES = {"integrated": 7, "gradcam": 1}
# Standard deviations of the blur and of the bells that make up a heatmap, as shares of the mean
# side of what the network sees.
_BLUR, _BELL = 0.05, 0.07


def evidence(to_maps, to_logit, images, method):
    """What each place of a network's maps adds to the log odds of pneumonia.

    Parameters
    ----------
    to_maps, to_logit : callable
        Parts of the network, by `skpneumo.networks.split_at_maps`.
    images : ndarray of shape (n, rows, columns), dtype uint8
        What the network sees.
    method : {"integrated", "gradcam"}
        See `GradCAM`.

    Returns
    -------
    ndarray of shape (n, h, w), dtype float32
        "integrated": negative where it speaks against pneumonia; a map adds up to the log odds of
        the image less those of the blurred image. "gradcam": the negative left out, in units of no
        meaning.
    """
    from keras import ops

    from skpneumo.inspection._gradients import gradient

    def maps_and_slopes(images):
        maps = to_maps(np.rint(images).astype(np.uint8)[..., None])
        slopes = gradient(to_logit, maps)
        return [ops.convert_to_numpy(ops.cast(part, "float32")) for part in (maps, slopes)]

    if method == "gradcam":
        maps, slopes = maps_and_slopes(images)
        return np.maximum(np.sum(maps * slopes.mean(axis=(1, 2), keepdims=True), axis=-1), 0)
    blurred = blur(images)
    shares = np.linspace(0, 1, _N_PASSES[method], dtype=np.float32)[:, None, None, None]
    way = np.concatenate(blurred + shares * (images - blurred))
    maps, slopes = (
        part.reshape(len(shares), len(images), *part.shape[1:]) for part in maps_and_slopes(way)
    )
    return np.sum(np.diff(maps, axis=0) * (slopes[1:] + slopes[:-1]) / 2, axis=(0, -1))


def blur(images):
    """Images without their detail, as float32."""
    width = _BLUR * np.mean(images.shape[1:])
    return gaussian_filter(images.astype(np.float32), (0, width, width), mode="nearest")


def positions_of(shape, resizings):
    """Where the rows and columns of an image lie in what the network sees.

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns of the image.
    resizings : sequence of (size, aspect)
        What is done to it on the way, one after another.

    Returns
    -------
    list of two ndarrays
        Of its rows and columns, NaN for those that were cut off.
    """
    places = [np.arange(n) + 0.5 for n in shape]
    for size, aspect in resizings:
        for axis, (scale, offset) in enumerate(resized_positions(shape, size, aspect)):
            place = scale * places[axis] + offset
            places[axis] = np.where((place >= 0) & (place <= size[axis]), place, np.nan)
        shape = size
    return [place - 0.5 for place in places]


def weights_of(positions, centres, width):
    """Weights that lay the rows of a map over the rows of an image.

    Parameters
    ----------
    positions : ndarray of shape (n_rows,)
        Where the rows of the image lie in what the network sees.
    centres : sequence of float, of length n_centres
        Where the rows of the map are centred there.
    width : float
        Standard deviation of the bell by which a row of the map counts around its centre.

    Returns
    -------
    ndarray of shape (n_rows, n_centres)
        Each row sums to 1, or is 0 where the position is NaN.
    """
    distance = np.square((positions[:, None] - np.asarray(centres)) / width) / 2
    weights = np.exp(distance.min(axis=1, keepdims=True) - distance)
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
        Several where an operating point averages the log odds of the models of its folds.

    Raises
    ------
    TypeError
        If there is no network, or calibration has fitted several.
    """
    nested = unwrap(estimator)
    check_not_several(nested, allow_folds=True)
    for classifier in nested.classifiers:
        if not hasattr(classifier, "_network"):
            raise TypeError(
                f"There is no network to inspect: {type(classifier).__name__} has no model_. "
                "Expected a fitted CNNPneumoniaClassifier or InceptionPneumoniaClassifier, or a "
                "pipeline, a search or a threshold around one."
            )
    return [(get_transformers(branch), branch.classifier) for branch in nested.branches]


class GradCAM:
    """Heatmaps of where a network saw pneumonia, by gradients of its convolutional maps.

    Parameters
    ----------
    estimator : classifier
        A fitted `~skpneumo.CNNPneumoniaClassifier` or `~skpneumo.InceptionPneumoniaClassifier`, or
        a pipeline, a search, a threshold, a frozen or calibrated estimator around one. It is not
        changed. Of an operating point that averages the log odds of several networks, the
        heatmaps of these are averaged before they are scaled.
    method : {"integrated", "gradcam"}, default="integrated"
        "integrated" is layer conductance: it adds up, place by place, what the maps of the first
        convolution add to the log odds while the image comes out of a blur, in seven steps.
        "gradcam" is Grad-CAM [1]_, at the last maps. See the notes.
    batch_size : int, default=32
        Images that the network sees at once; each step counts as one.

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
    Both methods multiply maps by the gradient of the log odds with respect to them, add the
    channels up, and leave out what speaks against pneumonia. Log odds, since the slope of a
    probability vanishes where the network is sure.

    "gradcam" weighs each channel by its mean gradient. The networks here average their last maps,
    so this is exactly the class activation map (CAM) [2]_, up to a factor. It is as coarse as these
    maps, and each place of them may look at the whole image: in a small image, where it is hot says
    little.

    "integrated" multiplies place by place, as HiResCAM does [3]_, at maps each place of which looks
    at 3 to 7 pixels, and adds up along the path from the blurred image to the image, as Integrated
    Grad-CAM does [4]_. Together that is the conductance of the layer [5]_. So the maps, before the
    negative is left out, add up to the log odds of the image less those of the blurred image: they
    show which detail spoke for pneumonia. Where a network takes the blurred image for positive, as
    may happen with real X-rays, most of the detail speaks against, and the heatmap shows the rest.

    A heatmap says where the evidence lay for *this* network, not where disease is. Each is scaled
    to a highest value of 1, in a normal image too: look at the probability first.

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

    def __init__(self, estimator, *, method="integrated", batch_size=32):
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
    def method_name(self):
        return METHOD_NAMES[self.method]

    def transform(self, X):
        """Make the heatmaps.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays, as the estimator takes them.

        Returns
        -------
        ndarray of shape (n, H, W), dtype float32, or list of n arrays of shape (H, W)
            Between 0 and 1, of the size of the images in ``X``: of the files where they are paths.
            A list where their sizes differ. A map is 0 where nothing speaks for pneumonia.

        Notes
        -----
        What `~skpneumo.XRayResizer` cut off in a pipeline is 0, what it added is left out. Any
        other transformer that changes the size is taken to stretch the image.
        """
        check_process()
        found = [self._evidence_of(*inside, X) for inside in self._networks]
        heatmaps = [_scaled(np.mean(maps, axis=0)) for maps in zip(*found, strict=True)]
        return heatmaps if len({part.shape for part in heatmaps}) > 1 else np.stack(heatmaps)

    def _evidence_of(self, transformers, classifier, X):
        """Evidence that one network finds at each place of each image, not scaled."""
        from skpneumo.networks import split_at_maps

        images, seen, resizings = _on_the_way(X, transformers, tuple(classifier.image_size_))
        to_maps, to_logit, centres = split_at_maps(classifier._network, _MAPS[self.method])

        @cache
        def weights(shape):
            positions = positions_of(shape, resizings)
            width = _BELL * np.mean(classifier.image_size_)
            # Bells narrower than half the distance of their centres would leave steps.
            widths = [max(width, np.ptp(axis[:2]) / 2) for axis in centres]
            return [weights_of(*axis) for axis in zip(positions, centres, widths, strict=True)]

        found = []
        step = max(1, self.batch_size // _N_PASSES[self.method])
        for start in range(0, len(seen), step):
            rows = slice(start, start + step)
            maps = evidence(to_maps, to_logit, np.asarray(seen[rows]), self.method)
            for part, shape in zip(maps, _shapes(images[rows]), strict=True):
                row_weights, column_weights = weights(shape)
                found.append((row_weights @ part @ column_weights.T).astype(np.float32))
        return found


def _on_the_way(X, transformers, size):
    """Images as given, as the network sees them, and how they were resized between."""
    images, resizings = check_xrays(X), []
    for transformer in transformers:
        X = transformer.transform(X)
        if hasattr(transformer, "aspect"):
            resizings.append((tuple(transformer.size), transformer.aspect))
    seen = resize_to(check_xrays(X), size)
    return images, seen, [*resizings, (size, "stretch")]


def _shapes(images):
    """Rows and columns of each image; files are decoded where nothing else tells."""
    if not isinstance(images, XRaySequence):
        return [images.shape[1:]] * len(images)
    return [images.size or image.shape for image in images]


def _scaled(evidence):
    """Evidence for pneumonia, with a highest value of 1."""
    heat = np.maximum(evidence, 0)
    peak = heat.max()
    return heat / peak if peak > 0 else heat
