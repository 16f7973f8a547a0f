"""4 class weights x 3 rates x 5 folds over a frozen InceptionV3, 10 epochs, 2,000 images of 224 px.

python tests/benchmarks/frozen_grid.py [n_images] [side]
"""

import sys

import keras
import numpy as np
from _measure import report, seconds
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from skpneumo import InceptionPneumoniaClassifier
from skpneumo.classifiers import clear_memory
from skpneumo.classifiers._training import compile_network, falling_rate, train
from skpneumo.datasets import make_xrays
from skpneumo.networks import build_backbone

N_IMAGES, SIDE = (int(text) for text in sys.argv[1:] or ("2000", "224"))
EPOCHS = 10
xrays = make_xrays(N_IMAGES, image_size=(SIDE, SIDE), random_state=0)
X, y, groups = xrays.images, xrays.target, xrays.groups
codes = (y == "PNEUMONIA").astype(np.float32)
cv = StratifiedGroupKFold(5)
splits = list(cv.split(X, y, groups))
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


def train_heads(features):
    for rate in grid["learning_rate"]:
        for _ in grid["class_weight"]:
            for rows, _ in splits:
                inputs = keras.Input((2048,))
                x = keras.layers.Dropout(0.2)(inputs)
                head = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
                compile_network(head, falling_rate(rate, EPOCHS * -(-len(rows) // 32)))
                part = features[rows]
                train(
                    head,
                    lambda i, _, part=part: part[i],
                    codes[rows],
                    epochs=EPOCHS,
                    batch_size=32,
                    seed=0,
                )


backbone = build_backbone((SIDE, SIDE), weights=None)
backbone.predict(X[:64, ..., None], verbose=0)
one_pass = seconds(lambda: backbone.predict(X[..., None], verbose=0))
# The plain way: what a fit costs anyhow, from a fit of one batch, and a pass of the images through
# the network in each epoch and for the score. Steps of training would take longer still.
part, few = X[:32, ..., None].astype(np.float32), codes[:32]
fixed = seconds(lambda: KerasClassifier(build_plainly, epochs=1, verbose=0).fit(part, few))
plain = n_fits * (fixed + (0.8 * EPOCHS + 0.2) * one_pass)
clf = InceptionPneumoniaClassifier(weights=None, trainable="head", epochs=EPOCHS, random_state=0)
features = np.random.default_rng(0).random((N_IMAGES, 2048), dtype=np.float32)
heads = seconds(lambda: train_heads(features))
clear_memory()
search = GridSearchCV(clf, grid, scoring="roc_auc", cv=cv, refit=False)
ours = seconds(lambda: search.fit(X, y, groups=groups))
detail = f"{ours:.0f} s, of which {heads:.0f} s heads; one pass {one_pass:.0f} s."
report("frozen Inception grid, times as fast as plain Keras", plain / ours, "at least 100", detail)
report(
    "frozen Inception grid without its heads, of one pass",
    (ours - heads) / one_pass,
    "at most 1.2",
)
