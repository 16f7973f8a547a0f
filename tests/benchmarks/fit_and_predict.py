"""One fit and one prediction, against bare Keras on the same network in float32."""

import keras
from _measure import paired, report

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier, clear_cache
from skpneumo.datasets import make_xrays
from skpneumo.networks import build_cnn, build_inception, resolve_precision

PRECISION = resolve_precision("auto")
FAST = PRECISION == "bfloat16"


def compare_fits(n, image_size, epochs, wanted, what, turned=False):
    xrays = make_xrays(n, image_size=image_size, random_state=0)
    X, y = xrays.images, (xrays.target == "PNEUMONIA").astype("float32")

    def ours():
        CNNPneumoniaClassifier(epochs=epochs, augmentation=None).fit(X, xrays.target)

    def theirs():
        model = build_cnn(image_size)
        model.compile("adam", "binary_crossentropy")
        model.fit(X[..., None], y, epochs=epochs, batch_size=32, verbose=0)

    mine, keras_s = paired(ours, theirs, 3)
    ratio = mine / keras_s if turned else keras_s / mine
    report(what, ratio, wanted, f"{mine:.1f} s against {keras_s:.1f} s, {PRECISION}.")


def compare_predictions(classifier, build, n, image_size, wanted):
    xrays = make_xrays(n, image_size=image_size, random_state=0)
    X = xrays.images
    clf = classifier.fit(X[:64], xrays.target[:64])
    model = build(image_size)

    def ours():
        clear_cache(disk=False)
        clf.predict_proba(X)

    mine, keras_s = paired(ours, lambda: model.predict(X[..., None], verbose=0))
    name = type(clf).__name__
    detail = f"{n / mine:.0f} images/s against {n / keras_s:.0f}, {PRECISION}."
    report(f"predict_proba of {name}, times as fast", keras_s / mine, wanted, detail)


keras.utils.set_random_seed(0)
wanted = "at least 1.3" if FAST else "at least 0.97"
compare_fits(600, (112, 112), 4, wanted, "fit of the default CNN, times as fast")
compare_fits(200, (32, 32), 2, "at most 1.3", "fit of 200 tiny images, of the time", turned=True)
wanted = "at least 1.2" if FAST else "at least 0.97"
cnn = CNNPneumoniaClassifier(epochs=1, random_state=0)
compare_predictions(cnn, build_cnn, 1500, (112, 112), wanted)
wanted = "at least 1.1" if FAST else "at least 0.97"
inception = InceptionPneumoniaClassifier(weights=None, epochs=1, random_state=0)
compare_predictions(
    inception, lambda size: build_inception(size, weights=None), 256, (150, 150), wanted
)
