"""The classifiers that ``skpneumo train`` offers, and how long they take."""

from skpneumo.classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier

# How much longer an epoch takes than one of the CNN, and how many epochs of the CNN on images of
# 72 x 64 pixels a fit of the baseline takes as long as: proportions of the progress bar.
_SLOWNESS = {"cnn": 1, "inception": 20}
_PIXELS = 72 * 64
_EPOCHS_OF_BASELINE = 4


def make_classifier(model, *, weights="imagenet", epochs=None, random_state=0):
    """Create a classifier with the defaults of its class.

    Parameters
    ----------
    model : {"cnn", "inception"}
        Which.
    weights : str or None, default="imagenet"
        Initial weights of Inception.
    epochs : int, default=None
        Maximum number of epochs; None for the default of the class.
    random_state : int, default=0
        Controls initialization, shuffling and augmentation.

    Returns
    -------
    BasePneumoniaClassifier
    """
    options = {"random_state": random_state} | ({} if epochs is None else {"epochs": epochs})
    if model == "cnn":
        return CNNPneumoniaClassifier(**options)
    return InceptionPneumoniaClassifier(weights=weights, **options)


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
