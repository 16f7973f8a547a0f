"""The classifiers that ``skpneumo train`` offers, and how long they take."""

import os

from skpneumo._utils.threads import count_threads
from skpneumo.classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.persistence import is_model_file

# How much longer an epoch takes than one of the CNN, and how many epochs of the CNN on images of
# 72 x 64 pixels a fit of the baseline takes as long as: proportions of the progress bar.
_SLOWNESS = {"cnn": 1, "inception": 20}
_PIXELS = 72 * 64
_EPOCHS_OF_BASELINE = 4
# Training of the default CNN with its augmentation: 573 images of 96 x 96 pixels a second on two
# cores; more cores than eight hardly help.
_PIXELS_PER_CORE_SECOND = 573 * 96 * 96 / 2
_MAX_CORES = 8
_OPTIMISTIC = (
    "The training starts from {}: cross-validated estimates on images which that network has seen "
    "are too optimistic{}."
)


def make_classifier(model, *, weights="default", epochs=None, memory=None, random_state=0):
    """Create a classifier with the defaults of its class.

    Parameters
    ----------
    model : {"cnn", "inception"}
        Which.
    weights : str or None, default="default"
        Initial weights; "default" are those of the class.
    epochs : int, default=None
        Maximum number of epochs; None for the default of the class.
    memory : path, default=None
        Folder in which fits and epochs are kept.
    random_state : int, default=0
        Controls initialization, shuffling and augmentation.

    Returns
    -------
    BasePneumoniaClassifier
    """
    kind = CNNPneumoniaClassifier if model == "cnn" else InceptionPneumoniaClassifier
    options = {"random_state": random_state, "memory": None if memory is None else str(memory)}
    if weights != "default":
        options["weights"] = weights
    return kind(**options | ({} if epochs is None else {"epochs": epochs}))


def get_weights_warning(classifier):
    """Get the warning of estimates on images that the initial network may have seen.

    Parameters
    ----------
    classifier : BasePneumoniaClassifier
        Made by `make_classifier`.

    Returns
    -------
    str or None
        None unless it starts from the packaged network or a model file.
    """
    weights = classifier.weights
    if weights == "pretrained":
        seen = " (it was trained on the official training split of the Kermany collection)"
        return _OPTIMISTIC.format("the packaged network", seen)
    if weights in (None, "imagenet") or not is_model_file(weights):
        return None
    # The folder of the file may name its owner, and a model card is for others.
    return _OPTIMISTIC.format(f"the network in {os.path.basename(weights)}", "")


def model_name(classifier):
    """Return the name of a classifier on the command line.

    Parameters
    ----------
    classifier : BasePneumoniaClassifier
        Made by `make_classifier`.

    Returns
    -------
    {"cnn", "inception"}
    """
    return "inception" if isinstance(classifier, InceptionPneumoniaClassifier) else "cnn"


def count_epochs(classifier):
    """Return the maximum number of epochs of one fit, over all its stages."""
    return sum(stage.epochs for stage in classifier.get_stages())


def baseline_epochs(classifier, image_size):
    """Return how many epochs of a classifier a fit of the baseline takes as long as."""
    pixels = image_size[0] * image_size[1]
    return _EPOCHS_OF_BASELINE * _PIXELS / (pixels * _SLOWNESS[model_name(classifier)])


def estimate_seconds(classifier, options, n_images):
    """Estimate how long a search takes at most: early stopping and reused fits save time.

    Parameters
    ----------
    classifier : BasePneumoniaClassifier
        Made by `make_classifier`.
    options : SearchOptions
        Candidates and folds.
    n_images : int
        Training images.

    Returns
    -------
    float
    """
    in_folds = (options.n_folds - 1) / options.n_folds
    n_image_epochs = options.n_fits * count_epochs(classifier) * n_images * in_folds
    pixels = options.image_size[0] * options.image_size[1]
    cost = pixels * _SLOWNESS[model_name(classifier)] / _PIXELS_PER_CORE_SECOND
    return n_image_epochs * cost / min(count_threads(), _MAX_CORES)
