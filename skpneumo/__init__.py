"""Pneumonia in children's chest X-rays, detected the scikit-learn way.

skpneumo brings Keras networks into scikit-learn: classifiers for `Pipeline`, `GridSearchCV` and
`cross_val_score` that take file paths or arrays, and what a detector with few missed pneumonias
needs beside them. It is research software, not a medical device.

Nothing to train::

    from skpneumo import load_pretrained

    model = load_pretrained()
    model.predict_proba(["scan-001.jpeg", "scan-002.dcm"])

Train, and evaluate on other images::

    from skpneumo import CNNPneumoniaClassifier
    from skpneumo.datasets import load_xray_folder
    from skpneumo.evaluation import evaluate

    train, test = load_xray_folder("chest_xray/train"), load_xray_folder("chest_xray/test")
    clf = CNNPneumoniaClassifier(image_size=(96, 96), random_state=0)
    clf.fit(train.paths, train.target)
    print(evaluate(clf, test.paths, test.target, groups=test.groups))

Where to start:

- ``skpneumo.datasets``: folders, downloads, synthetic X-rays, and `audit`;
- `CNNPneumoniaClassifier` and `InceptionPneumoniaClassifier`: the classifiers;
- ``skpneumo.metrics`` and ``skpneumo.model_selection``: scorers for searches, certified recall;
- ``skpneumo.evaluation``: metrics with intervals, and a report;
- ``skpneumo.sites``: a fitted model at a new hospital;
- `save_model` and `load_model`: models as files.

On the command line: ``skpneumo --help``. For reports of problems: ``skpneumo.show_versions()``.
"""

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
