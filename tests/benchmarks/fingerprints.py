"""Fingerprints of networks and predictions, to compare two checkouts on one machine.

    PYTHONPATH=. python tests/benchmarks/fingerprints.py

Equal lines mean bit-identical weights, losses and probabilities: of the packaged network, of a
seeded CNN (augmented, with early stopping, class weights and `partial_fit`), and of a seeded
InceptionV3 with all layers trained and with the head alone. Operations run one after another: if
TensorFlow runs several at a time, the bits of an InceptionV3 trained from scratch change by run.
"""

import hashlib
import os
import warnings

os.environ["TF_NUM_INTEROP_THREADS"] = "1"

import numpy as np

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier, load_pretrained
from skpneumo.datasets import make_xrays

xrays = make_xrays(60, image_size=(90, 84), random_state=0)
small = make_xrays(90, image_size=(40, 36), random_state=1)


def show(name, clf, X):
    """Print a digest of the weights, losses and probabilities of a fitted classifier."""
    digest = hashlib.sha256(np.ascontiguousarray(clf.predict_proba(X)).tobytes())
    for array in clf.model_.get_weights():
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(repr(getattr(clf, "history_", None)).encode())
    print(f"{name}: {digest.hexdigest()[:32]}", flush=True)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # synthetic X-rays are out of its distribution
    probability = np.ascontiguousarray(load_pretrained("cnn").predict_proba(xrays.images))
print(f"packaged CNN: {hashlib.sha256(probability.tobytes()).hexdigest()[:32]}", flush=True)

plain = {"epochs": 3, "batch_size": 16, "random_state": 3, "precision": "float32"}
options = plain | {"class_weight": {"PNEUMONIA": 2}, "validation": 0.2, "patience": 1}
for n in (1, 2):  # the second is trained by the trace of the first
    cnn = CNNPneumoniaClassifier(**options | {"random_state": n})
    show(f"CNN {n}", cnn.fit(small.images, small.target, groups=small.groups), small.images)
cnn = CNNPneumoniaClassifier(**plain)
for start in (0, 30):
    part = slice(start, None, 2)
    cnn.partial_fit(small.images[part], small.target[part], classes=["NORMAL", "PNEUMONIA"])
show("CNN, partial_fit", cnn, small.images)
warm = CNNPneumoniaClassifier(**plain | {"warm_start": True, "augmentation": None})
warm.fit(small.images, small.target)
show("CNN, warm_start", warm.fit(small.images, small.target), small.images)
inception = InceptionPneumoniaClassifier(weights=None, **plain | {"epochs": 1})
show("InceptionV3", inception.fit(xrays.images, xrays.target), xrays.images)
head = InceptionPneumoniaClassifier(
    weights=None, trainable="head", **plain | {"epochs": 2, "augmentation": "auto"}
)
show("InceptionV3, head", head.fit(xrays.images, xrays.target), xrays.images)
