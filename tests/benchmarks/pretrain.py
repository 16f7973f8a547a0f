"""Train the network that comes with the package, on `chest_xray/train` and `val` alone.

    python tests/benchmarks/pretrain.py FILE

Writes a file of `save_model` with its provenance; `shipped.py` measures it.
"""

import sys
import time

from _xrays import load_images
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayOutlierDetector,
    save_model,
)

SEED = 0


def main(path):
    """Fit, and save."""
    _, _, data = load_images(size=(1, 1))
    learn = data.split != "test"
    X, y, groups = data.paths[learn], data.target[learn], data.groups[learn]
    model = make_pipeline(
        XRayOutlierDetector(),
        OperatingPointClassifierCV(
            CNNPneumoniaClassifier((96, 96), epochs=EPOCHS, random_state=SEED),
            min_recall=0.98,
            confidence=0.95,
            cv=StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED),
            ensemble=True,
        ),
    )
