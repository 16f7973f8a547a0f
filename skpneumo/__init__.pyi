from . import (
    classifiers,
    datasets,
    evaluation,
    exceptions,
    images,
    inspection,
    metrics,
    model_selection,
    networks,
    persistence,
    prediction,
    preprocessing,
    serving,
    sites,
)
from ._show_versions import show_versions
from ._utils.array_store import ArrayStore
from ._utils.caching import clear_cache
from ._utils.progress import progress
from .classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from .model_selection import OperatingPointClassifierCV
from .persistence import load_model, load_pretrained, save_model
from .preprocessing import (
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayOverSampler,
    XRayResizer,
)

__version__: str
__all__ = [
    "ArrayStore",
    "CNNPneumoniaClassifier",
    "InceptionPneumoniaClassifier",
    "OperatingPointClassifierCV",
    "XRayAugmenter",
    "XRayLoader",
    "XRayOutlierDetector",
    "XRayOverSampler",
    "XRayResizer",
    "classifiers",
    "clear_cache",
    "datasets",
    "evaluation",
    "exceptions",
    "images",
    "inspection",
    "load_model",
    "load_pretrained",
    "metrics",
    "model_selection",
    "networks",
    "persistence",
    "prediction",
    "preprocessing",
    "progress",
    "save_model",
    "serving",
    "show_versions",
    "sites",
]
