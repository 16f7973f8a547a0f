"""Pneumonia in children's chest X-rays, detected the scikit-learn way."""

import importlib
import sys

# Watches for forks from the first import on.
from skpneumo._utils import fork as _fork  # noqa: F401

__version__ = "0.1.0"

_HOMES = {
    "ArrayStore": "_utils.array_store",
    "CNNPneumoniaClassifier": "classifiers",
    "InceptionPneumoniaClassifier": "classifiers",
    "OperatingPointClassifierCV": "model_selection",
    "XRayAugmenter": "preprocessing",
    "XRayLoader": "preprocessing",
    "XRayOutlierDetector": "preprocessing",
    "XRayOverSampler": "preprocessing",
    "XRayResizer": "preprocessing",
    "clear_cache": "_utils.caching",
    "load_model": "persistence",
    "load_pretrained": "persistence",
    "save_model": "persistence",
}
_PACKAGES = [
    "classifiers",
    "datasets",
    "evaluation",
    "exceptions",
    "images",
    "inspection",
    "metrics",
    "model_selection",
    "networks",
    "persistence",
    "preprocessing",
]

__all__ = ["__version__", *_HOMES, *_PACKAGES]


def __getattr__(name):
    """Import a public name when it is first used (PEP 562): Keras takes seconds to load."""
    if name in _HOMES:
        value = getattr(importlib.import_module(f"skpneumo.{_HOMES[name]}"), name)
    elif name in _PACKAGES:
        value = importlib.import_module(f"skpneumo.{name}")
    else:
        raise AttributeError(f"module 'skpneumo' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)


# Keras finds the layers of a saved network once they are registered. Where it is loaded already
# that takes milliseconds; it is not worth loading it for.
if "keras" in sys.modules:
    importlib.import_module("skpneumo.networks")
