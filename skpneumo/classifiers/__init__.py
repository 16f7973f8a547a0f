"""The classifiers."""

# First, as it loads Keras without the noise of TensorFlow.
from skpneumo import networks as networks
from skpneumo.classifiers._cnn import CNNPneumoniaClassifier
from skpneumo.classifiers._inception import InceptionPneumoniaClassifier
from skpneumo.classifiers._memo import clear_memory
from skpneumo.classifiers._progress import progress_callback

__all__ = [
    "CNNPneumoniaClassifier",
    "InceptionPneumoniaClassifier",
    "clear_memory",
    "progress_callback",
]
