"""Images to train on and images to test on."""

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import DatasetError

POSITIVE = "PNEUMONIA"
# Of the synthetic X-rays: a network learns them in the few epochs of a demonstration.
_DIFFICULTY = 0.35


def load_folder(folder, *, classes=None, views="frontal", subset=None, random_state=0):
    """Load images to train on and images to test on.

    Parameters
    ----------
    folder : path
        See `load_xray_folder`; train and val are joined.
    classes : dict, default=None
        See `load_xray_folder`.
    views : {"frontal", "all"}, default="frontal"
        See `load_xray_folder`.
    subset : int, default=None
        Train on about this many images, of patients drawn at random.
    random_state : int, default=0
        Controls the subset.

    Returns
    -------
    Bunch
        folder : path
            As given.
        train, test : Bunch of X, y, groups, identified
            ``identified``: whether the patient of an image is known. ``test`` is None if the folder
            has no test split.
    """
    data = load_xray_folder(folder, classes=classes, views=views)
    images = Bunch(X=data.paths, y=data.target, groups=data.groups, identified=data.identified)
    is_test = data.split == "test"
    if is_test.all():
        raise DatasetError(
            f"{folder} holds a test split only: there is nothing to train on. Give the folder "
            "above it."
        )
    train = _draw_subset(select_rows(images, ~is_test), subset, random_state)
    test = select_rows(images, is_test) if is_test.any() else None
    return Bunch(folder=folder, train=train, test=test)


def draw_synthetic(*, image_size, n_images=(600, 300), subset=None, random_state=0):
    """Draw synthetic X-rays to train on and to test on.

    Parameters
    ----------
    image_size : tuple of (int, int)
        Rows and columns.
    n_images : tuple of (int, int), default=(600, 300)
        Numbers of X-rays to train on and to test on.
    subset : int, default=None
        Train on about this many images, of patients drawn at random.
    random_state : int, default=0
        Controls the X-rays and the subset.

    Returns
    -------
    Bunch
        As `load_folder` returns it, with None as ``folder``.
    """
    # Two seeds, so that no test image is among the training images.
    train, test = (_draw_xrays(n, image_size, random_state + i) for i, n in enumerate(n_images))
    return Bunch(folder=None, train=_draw_subset(train, subset, random_state), test=test)


def _draw_xrays(n_images, image_size, random_state):
    xrays = make_xrays(
        n_images, image_size=image_size, difficulty=_DIFFICULTY, random_state=random_state
    )
    identified = np.ones(n_images, dtype=bool)
    return Bunch(X=xrays.images, y=xrays.target, groups=xrays.groups, identified=identified)


def _draw_subset(images, n_images, random_state):
    if n_images is None:
        return images
    return select_rows(images, draw_patients(images.groups, n_images, random_state))


def select_rows(images, rows):
    """Select some images.

    Parameters
    ----------
    images : Bunch of arrays of shape (n_images,)
        All images.
    rows : ndarray
        Mask or row numbers.

    Returns
    -------
    Bunch
    """
    return Bunch(**{name: values[rows] for name, values in images.items()})


def draw_patients(groups, n_images, random_state):
    """Draw patients until they have about so many images.

    Parameters
    ----------
    groups : ndarray of shape (n,)
        The patient of each image.
    n_images : int
        The number of images; less than one patient more are missing.
    random_state : int
        Controls the drawing.

    Returns
    -------
    ndarray of int
        Rows of the patients drawn, of one patient at least.
    """
    patients, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = check_random_state(random_state).permutation(len(patients))
    n_patients = np.searchsorted(np.cumsum(counts[order]), n_images, side="right")
    return np.flatnonzero(np.isin(inverse, order[: max(1, n_patients)]))
