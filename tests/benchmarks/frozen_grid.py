"""4 class weights x 3 rates x 5 folds over a frozen InceptionV3, 10 epochs, 2,000 images of 224 px.

python tests/benchmarks/frozen_grid.py [n_images] [side]
"""

import sys
import time

import keras
import numpy as np
from _measure import report, seconds
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from skpneumo import InceptionPneumoniaClassifier
from skpneumo.classifiers import _base
from skpneumo.datasets import make_xrays
from skpneumo.networks import build_backbone

N_IMAGES, SIDE = (int(text) for text in sys.argv[1:] or ("2000", "224"))
EPOCHS = 10
xrays = make_xrays(N_IMAGES, image_size=(SIDE, SIDE), random_state=0)
X, y, groups = xrays.images, xrays.target, xrays.groups
codes = (y == "PNEUMONIA").astype(np.float32)
cv = StratifiedGroupKFold(5)
grid = {
    "class_weight": [{"PNEUMONIA": weight} for weight in (1, 2, 4, 8)],
    "learning_rate": [1e-2, 1e-3, 1e-4],
}
n_fits = 4 * 3 * 5


def build_plainly():
    backbone = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(SIDE, SIDE, 3), pooling="avg"
    )
    backbone.trainable = False
    images = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = backbone(keras.layers.Concatenate()([x, x, x]))
    model = keras.Model(images, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy")
    return model


def timed(function, times):
    def call(*args, **kwargs):
        start = time.perf_counter()
        result = function(*args, **kwargs)
        times.append(time.perf_counter() - start)
        return result

    return call


backbone = build_backbone((SIDE, SIDE), weights=None)
backbone.predict(X[:64, ..., None], verbose=0)
clf = InceptionPneumoniaClassifier(weights=None, trainable="head", epochs=EPOCHS, random_state=0)
search = GridSearchCV(clf, grid, scoring="roc_auc", cv=cv, refit=False)
# Before and after the search, as machines change their speed within minutes; the heads within it.
passes, heads = [], []
one_pass = timed(lambda: backbone.predict(X[..., None], verbose=0), passes)
_base.train = timed(_base.train, heads)
one_pass()
ours = seconds(lambda: search.fit(X, y, groups=groups))
one_pass()
one_pass, heads = np.mean(passes), np.sum(heads)
# The plain way: what a fit costs anyhow, from a fit of one batch, and a pass of the images through
# the network in each epoch and for the score. Steps of training would take longer still.
part, few = X[:32, ..., None].astype(np.float32), codes[:32]
fixed = seconds(lambda: KerasClassifier(build_plainly, epochs=1, verbose=0).fit(part, few))
plain = n_fits * (fixed + (0.8 * EPOCHS + 0.2) * one_pass)
detail = (
    f"{ours:.0f} s, of which {heads:.0f} s heads; passes {passes[0]:.0f} and {passes[1]:.0f} s."
)
report("frozen Inception grid, times as fast as plain Keras", plain / ours, "at least 100", detail)
report(
    "frozen Inception grid without its heads, of one pass",
    (ours - heads) / one_pass,
    "at most 1.2",
)
