"""The real X-rays that the studies of accuracy learn from."""

import os
import re
import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from skpneumo import load_model, load_pretrained
from skpneumo._utils.response import positive_scores
from skpneumo.datasets import load_xray_folder
from skpneumo.evaluation import evaluate
from skpneumo.exceptions import OutlierWarning
from skpneumo.images import XRaySequence
from skpneumo.persistence import is_model_file


def load_folder():
    """`chest_xray` of the folder that SKPNEUMO_TEST_DATA names, as `load_xray_folder` gives it.

    Its ``groups`` do not tell train and val apart.
    """
    data = load_xray_folder(os.path.join(os.environ["SKPNEUMO_TEST_DATA"], "chest_xray"))
    data.groups = np.array([re.sub("^val/", "train/", group) for group in data.groups])
    return data


def load_images(size=None):
    """Its images, decoded.

    Parameters
    ----------
    size : tuple of (int, int), default=None
        Rows and columns; None takes those of the files, 224 x 224.

    Returns
    -------
    X : ndarray of shape (n, rows, columns), dtype uint8
    y : ndarray of shape (n,)
        1 for the ill.
    data : Bunch
        Of `load_folder`.
    """
    data = load_folder()
    X = np.asarray(XRaySequence(data.paths, size=size))
    return X, (data.target == "PNEUMONIA").astype(int), data


def photographs():
    """Path of the weights of InceptionV3 that were learnt on photographs."""
    name = "inception_v3_photographs_notop.weights.h5"
    return os.path.join(os.environ["SKPNEUMO_TEST_DATA"], "weights", name)


def load_other_folder():
    """`new_site`, another hospital, as `load_xray_folder` gives it."""
    return load_xray_folder(os.path.join(os.environ["SKPNEUMO_TEST_DATA"], "new_site"))


def load_other_data():
    """`new_site`, another hospital: images, 1 for those with pneumonia, and patients."""
    data = load_other_folder()
    y = (data.target == "PNEUMONIA").astype(int)
    return np.asarray(XRaySequence(data.paths)), y, data.groups


def load_new_site(model):
    """`new_site`, another hospital: the paths of its images, and their scores by a model.

    Nothing is trained on it, and no network or threshold that is shipped is chosen on it.

    Returns
    -------
    paths, scores : ndarray of shape (n,)
    is_positive : ndarray of shape (n,), dtype bool
    patients : ndarray of shape (n,), dtype int
    """
    data = load_other_folder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        scores = positive_scores(model, data.paths)
    patients = np.unique(data.groups, return_inverse=True)[1]
    return data.paths, scores, data.target == model.classes_[1], patients


def load_training_images(size=None):
    """`chest_xray/train` and `val`: images, 1 for the ill, and patients."""
    X, y, data = load_images(size)
    train = data.split != "test"
    return X[train], y[train], data.groups[train]


def held_out_patients(y, groups, *, seed):
    """Five times rows to learn from and rows of other patients."""
    return list(StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(y, y, groups))


def load_either(name):
    """A network of the package, by its name, or that of a model file."""
    return load_model(name) if is_model_file(name) else load_pretrained(name)


def evaluate_on_new_site(model):
    """Evaluation on the files of `new_site`, another hospital."""
    return _evaluate_rows(model, load_other_folder(), slice(None))


def evaluate_on_test(model, data):
    """Evaluation on the files of `chest_xray/test`."""
    return _evaluate_rows(model, data, data.split == "test")


def _evaluate_rows(model, data, rows):
    X, y, groups, subtype = (data[name][rows] for name in ("paths", "target", "groups", "subtype"))
    return evaluate(model, X, y, groups=groups, subtype=subtype)
