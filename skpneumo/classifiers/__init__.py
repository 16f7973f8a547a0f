"""The classifiers."""

# First, as it loads Keras without the noise of TensorFlow.
from skpneumo import networks as networks
from skpneumo.classifiers._callbacks import progress_callback
from skpneumo.classifiers._cnn import CNNPneumoniaClassifier
from skpneumo.classifiers._inception import InceptionPneumoniaClassifier

__all__ = [
    "CNNPneumoniaClassifier",
    "InceptionPneumoniaClassifier",
    "progress_callback",
]


def __dir__():
    return __all__
