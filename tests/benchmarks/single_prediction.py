"""A single warm ``predict_proba([path])``, beside decoding the file and ``predict_on_batch``.

Each call is given another file, as a service is, so that no result is found in a cache.
"""

import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from _measure import report, seconds
from PIL import Image
from sklearn.base import clone

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.images import read_xray

N_FILES = 50
OPTIONS = {"epochs": 1, "random_state": 0, "image_size": (150, 150), "weights": None}
CASES = {
    "CNN": CNNPneumoniaClassifier(epochs=1, random_state=0, image_size=(96, 96)),
    "InceptionV3, all of it trained": InceptionPneumoniaClassifier(**OPTIONS),
    "InceptionV3, its head trained": InceptionPneumoniaClassifier(**OPTIONS, trainable="head"),
}


def compare(name, clf, paths):
    xrays = make_xrays(32, image_size=clf.image_size, random_state=0)
    # Of another fit: once a network was handed out, its estimator keeps no predictions.
    network = clone(clf).fit(xrays.images, xrays.target).model_
    clf.fit(xrays.images, xrays.target)

    def ours(path):
        clf.predict_proba([path])

    def theirs(path):
        network.predict_on_batch(read_xray(path, size=clf.image_size)[None, ..., None])

    ours(paths[0])
    theirs(paths[0])
    pairs = [[seconds(partial(call, path)) for call in (ours, theirs)] for path in paths[1:]]
    mine, plain = (median(column) for column in zip(*pairs, strict=True))
    detail = f"{1000 * mine:.1f} ms against {1000 * plain:.1f} ms."
    report(f"{name}: predict_proba([path]), of the time", mine / plain, "at most 1.3", detail)


with tempfile.TemporaryDirectory() as folder:
    images = make_xrays(N_FILES, image_size=(512, 470), random_state=1).images
    paths = [str(Path(folder, f"{i}.jpeg")) for i in range(N_FILES)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path, quality=90)
    for name, clf in CASES.items():
        compare(name, clf, paths)
