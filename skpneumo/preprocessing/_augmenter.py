"""Random augmentation of X-rays, in training only."""

from concurrent.futures import ThreadPoolExecutor
from numbers import Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skpneumo._utils.threads import count_threads
from skpneumo.images import Augmentation, XRaySequence, check_xrays
from skpneumo.preprocessing._base import XRayTransformer


def draw_seeds(rng, n_seeds):
    """Draw seeds for that many images; none is negative."""
    return rng.randint(np.iinfo(np.int64).max, size=n_seeds, dtype=np.int64)


def augment_xrays(images, augmentation, seeds):
    """Change those images whose seed is not negative.

    Parameters
    ----------
    images : ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        The X-rays; they are not changed in place.
    augmentation : Augmentation
        What to change.
    seeds : ndarray of int, shape (n,)
        One per image.

    Returns
    -------
    ndarray of shape (n, H, W), dtype uint8, or XRaySequence
        As ``images``: a sequence makes the changes when it is decoded.
    """
    if isinstance(images, XRaySequence):
        return images.augmented(augmentation, seeds)
    changed = images.copy()

    def put(i):
        changed[i] = augmentation(images[i], seeds[i])

    with ThreadPoolExecutor(count_threads()) as pool:
        # Consumed, so that an error in a thread is raised here.
        for _ in pool.map(put, np.flatnonzero(seeds >= 0)):
            pass
    return changed


class XRayAugmenter(XRayTransformer):
    """Change X-rays at random, as another exposure and another pose would.

    The one description of augmentation in this library, used in three places: inside a
    classifier (``augmentation=XRayAugmenter(...)``), where every epoch draws new changes, the usual
    choice for training; in `XRayOverSampler`, for the images it repeats; and as a step of a
    pipeline, where every image of the training set is replaced by one changed version of it.

    As a step, `fit_transform` changes the images and `transform` leaves them as they are, so
    that prediction never sees a changed image. scikit-learn's
    :class:`~sklearn.preprocessing.TargetEncoder` makes the same difference.

    Parameters
    ----------
    rotation : float, default=7.0
        Largest angle, in degrees, either way; from 0 to 180.
    translation : float, default=0.05
        Largest shift, as a fraction of each side of the original image; from 0 to 1.
    zoom : float, default=0.1
        Largest change of scale, from 0 to 1: 0.1 draws from 1/1.1 to 1.1.
    crop : float, default=0.3
        Largest fraction of the rows, and of the columns, that is cut off at the edges, below 1;
        the rest is stretched to the original size. Images of patients with pneumonia often show
        less above and below the lungs, and have another aspect ratio: a shortcut that cropping
        hides.
    border : float, default=0.3
        Probability that an image is framed: each of its sides, one time in two, by a black or
        white bar of up to 12 % of the side. The image shrinks to make room for them.
    brightness : float, default=0.3
        Largest change of brightness, as a fraction of the full range; from 0 to 1. Values beyond
        the range are clipped.
    contrast : float, default=0.2
        Largest change of contrast about the image's mean, from 0 to 1: 0.2 draws from 0.8 to
        1.2.
    noise : float, default=0.05
        Largest standard deviation of Gaussian noise, as a fraction of the full range; from 0 to 1.
        Half of the images get some.
    erasing : float, default=0.0
        Probability that one rectangle of 2 to 15 % of the area is filled with the mean. It may
        cover the only opacity of an image, hence off by default.
    horizontal_flip : bool, default=False
        Whether to mirror half of the images. It puts the heart on the wrong side, hence off by
        default.
    random_state : int, RandomState instance or None, default=None
        Controls the changes made by `fit_transform`. An int gives the same changes at every call,
        and the same for an array and for a sequence of files with these pixels. If a classifier
        or a sampler uses the augmenter, its own ``random_state`` counts instead.

    See Also
    --------
    XRayOverSampler : Repeat and change images of the minority class only.
    skpneumo.images.Augmentation : The change of one image, given a seed.

    Notes
    -----
    The transformer is stateless: nothing is learnt from the images. What a rotation or a shift
    uncovers is black. Sequences and paths stay lazy: they are changed when they are decoded.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.preprocessing import XRayAugmenter
    >>> images = make_xrays(n_samples=4, image_size=(40, 36), random_state=0).images
    >>> augmenter = XRayAugmenter(rotation=5, random_state=0)
    >>> changed = augmenter.fit_transform(images)
    >>> changed.shape, np.array_equal(changed, images)
    ((4, 40, 36), False)

    New images are left as they are:

    >>> np.array_equal(augmenter.transform(images), images)
    True
    """

    _parameter_constraints: dict = {
        "rotation": [Interval(Real, 0, 180, closed="both")],
        "translation": [Interval(Real, 0, 1, closed="both")],
        "zoom": [Interval(Real, 0, 1, closed="both")],
        "crop": [Interval(Real, 0, 1, closed="left")],
        "border": [Interval(Real, 0, 1, closed="both")],
        "brightness": [Interval(Real, 0, 1, closed="both")],
        "contrast": [Interval(Real, 0, 1, closed="both")],
        "noise": [Interval(Real, 0, 1, closed="both")],
        "erasing": [Interval(Real, 0, 1, closed="both")],
        "horizontal_flip": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        rotation=7.0,
        translation=0.05,
        zoom=0.1,
        crop=0.3,
        border=0.3,
        brightness=0.3,
        contrast=0.2,
        noise=0.05,
        erasing=0.0,
        horizontal_flip=False,
        random_state=None,
    ):
        self.rotation = rotation
        self.translation = translation
        self.zoom = zoom
        self.crop = crop
        self.border = border
        self.brightness = brightness
        self.contrast = contrast
        self.noise = noise
        self.erasing = erasing
        self.horizontal_flip = horizontal_flip
        self.random_state = random_state

    def to_augmentation(self):
        """Check the parameters and return them as the function that changes one image.

        Returns
        -------
        skpneumo.images.Augmentation
            A callable, ``augmentation(image, seed)``. Equal parameters give equal results, so it
            can be part of a cache's key.

        Examples
        --------
        >>> from skpneumo.preprocessing import XRayAugmenter
        >>> augmentation = XRayAugmenter(rotation=5, zoom=0.1).to_augmentation()
        >>> augmentation.rotation, augmentation.horizontal_flip
        (5.0, False)
        """
        self._validate_params()
        return Augmentation(
            rotation=float(self.rotation),
            translation=float(self.translation),
            zoom=float(self.zoom),
            crop=float(self.crop),
            border=float(self.border),
            brightness=float(self.brightness),
            contrast=float(self.contrast),
            noise=float(self.noise),
            erasing=float(self.erasing),
            horizontal_flip=bool(self.horizontal_flip),
        )

    def fit(self, X, y=None):
        """Check the parameters and ``X``; nothing is learnt.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        XRayAugmenter
            The transformer itself.
        """
        self.to_augmentation()
        check_xrays(X)
        return self

    def fit_transform(self, X, y=None):
        """Change every image of the training set.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        ndarray of shape (n, H, W), dtype uint8, or XRaySequence
            An array for images; for sequences and paths a sequence that is changed when it is
            decoded.
        """
        augmentation = self.to_augmentation()
        X = check_xrays(X)
        seeds = draw_seeds(check_random_state(self.random_state), len(X))
        return augment_xrays(X, augmentation, seeds)

    def transform(self, X):
        """Leave the images as they are.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files.

        Returns
        -------
        ndarray of shape (n, H, W), dtype uint8, or XRaySequence
            The same images, in the form in which `fit_transform` returns them.
        """
        return check_xrays(X)
