"""Pneumonia in children's chest X-rays, detected the scikit-learn way."""

import importlib
import sys

import lazy_loader

# Watches for forks from the first import on.
from skpneumo._utils import fork as _fork  # noqa: F401

__version__ = "0.1.0"

# Names are imported when they are first used, as Keras takes seconds to load. __init__.pyi lists
# them, for editors too.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Keras finds the layers of a saved network once they are registered. If it is loaded already that
# takes milliseconds; it is not worth loading it for.
if "keras" in sys.modules:
    importlib.import_module("skpneumo.networks")
