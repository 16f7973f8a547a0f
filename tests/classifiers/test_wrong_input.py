"""Wrong input ends in an error that says what came and what is wanted, and changes nothing."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import PredefinedSplit

from skpneumo import InceptionPneumoniaClassifier
from skpneumo.exceptions import ImageReadError, WeightsError
from skpneumo.images import XRaySequence

X = np.random.default_rng(0).integers(0, 256, (12, 37, 41), dtype=np.uint8)
Y = np.array(["NORMAL"] * 4 + ["PNEUMONIA"] * 8)

WRONG_IMAGES = {
    "a table": (np.ones((12, 5)), r"wrong shape: got shape \(12, 5\)"),
    "one image": (X[0], r"wrong shape: got shape \(37, 41\)"),
    "two channels": (np.zeros((12, 9, 8, 2), np.uint8), r"wrong shape: got shape \(12, 9, 8, 2\)"),
    "channels first": (
        np.zeros((12, 3, 9, 8), np.uint8),
        r"wrong shape: got shape \(12, 3, 9, 8\)",
    ),
    "colours": (np.arange(12 * 27).reshape(12, 3, 3, 3).astype(np.uint8), "channels that differ"),
    "NaN": (np.full((12, 9, 8), np.nan), "Input X contains NaN"),
    "infinity": (np.full((12, 9, 8), np.inf), "NaN or infinity"),
    "floats to 255": (X.astype(float), r"floats outside \[0, 1\].*range \[0, 255\]"),
    "negative floats": (X / 255 - 0.5, r"floats outside \[0, 1\]"),
    "wide integers": (X.astype(int), "wrong dtype: got .* int64.*X.astype"),
    "text": ("a.jpeg", "Got one path, 'a.jpeg'. Give a list"),
    "nothing": (X[:0], r"Found array with 0 sample\(s\)"),
    "an empty list": ([], r"Found array with 0 sample\(s\)"),
    "an empty sequence": (XRaySequence([]), r"Found array with 0 sample\(s\)"),
    "no pixels": (np.empty((12, 0, 8), np.uint8), "without pixels"),
    "two sizes": ([X[0], X[1, :5]], "cannot be made one array"),
}


@pytest.mark.parametrize("what", WRONG_IMAGES)
def test_images(tiny, what):
    images, message = WRONG_IMAGES[what]
    with pytest.raises(ValueError, match=message):
        tiny().fit(images, Y)
    fitted = tiny().fit(X, Y)
    with pytest.raises(ValueError, match=message):
        fitted.predict(images)


@pytest.mark.parametrize(
    "healthy", ["normal", "No Finding", "negative", "non-COVID", "no_covid", "Without"]
)
def test_labels_in_doubtful_order_are_warned_of(tiny, healthy):
    y = np.where(Y == "PNEUMONIA", "COVID", healthy)
    with pytest.warns(UserWarning, match=r"'COVID' looks positive\. Rename or map the labels"):
        clf = tiny().fit(X, y)
    assert clf.classes_[1] == healthy
    tiny().fit(X, np.where(Y == "PNEUMONIA", "suspect", healthy.upper()))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["NORMAL"] * 12, r"y holds one class, \['NORMAL'\]; two are needed"),
        (["a", "b", "c"] * 4, "Only binary classification is supported.*3 classes"),
        (Y[:-1], r"inconsistent numbers of samples: \[12, 11\]"),
        (np.linspace(0, 1, 12), "Unknown label type"),
        (np.eye(2)[[0, 1] * 6], "should be a 1d array"),
        ([0] * 6 + [np.nan] * 6, "NaN"),
        (None, "y"),
    ],
)
def test_labels(tiny, y, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.5}, r"'threshold' parameter .* must be a float in the range \[0.0, 1.0\]"),
        ({"epochs": 0}, "'epochs' parameter .* must be an int in the range"),
        ({"batch_size": 2.5}, "'batch_size' parameter"),
        ({"learning_rate": -1}, "'learning_rate' parameter"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"precision": "float16"}, "'precision' parameter .* must be a str among"),
        ({"augmentation": "strong"}, "'augmentation' parameter"),
        ({"image_size": (37,)}, r"two positive integers, \(rows, columns\); got \(37,\)"),
        ({"image_size": (0, 41)}, r"two positive integers"),
        ({"filters": (4,)}, "filters must be at least two positive integers; got"),
        ({"filters": (4, 0)}, "filters must be at least two positive integers; got"),
        ({"class_weight": {"ILL": 2}}, "class_weight names 'ILL', but the labels are"),
        ({"class_weight": {"NORMAL": -1}}, "finite number of at least 0"),
        ({"class_weight": {"NORMAL": 0}}, "Every image labelled 'NORMAL' weighs zero"),
        ({"validation": 1.0}, "'validation' parameter"),
        ({"validation": 3}, "'validation' parameter"),
        ({"validation": PredefinedSplit([0] * 3 + [-1] * 9)}, "no image labelled .*'PNEUMONIA'"),
        ({"validation": PredefinedSplit([0, -1] * 10)}, "does not fit the 12 images"),
        ({"random_state": "seed"}, "'random_state' parameter"),
        ({"learning_rate": 1e30, "epochs": 2}, "loss became NaN or infinite"),
    ],
)
def test_parameters(tiny, options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options).fit(X, Y)


def test_a_parameter_that_does_not_exist(tiny):
    with pytest.raises(TypeError, match="unexpected keyword argument 'treshold'"):
        tiny(treshold=0.5)
    with pytest.raises(ValueError, match="Invalid parameter 'treshold'"):
        tiny().set_params(treshold=0.5)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(11), r"sample_weight.shape == \(11,\)"),
        (np.full(12, -1.0), "Negative values in data passed to `sample_weight`"),
        (np.full(12, np.nan), "NaN"),
        (np.zeros(12), "at least one non-zero number|weighs zero"),
        (np.r_[np.zeros(4), np.ones(8)], "Every image labelled 'NORMAL' weighs zero"),
    ],
)
def test_sample_weights(tiny, weight, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(X, Y, sample_weight=weight)


def test_groups_of_another_length(tiny):
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[12, 3\]"):
        tiny(validation=0.2).fit(X, Y, groups=[1, 2, 3])


def test_files_that_cannot_be_read(tiny, paths, xrays, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    for bad, message in (
        ("text.png", "not a JPEG, PNG, TIFF"),
        ("gone.png", "no such file|No such"),
    ):
        some = [*paths[1:], str(tmp_path / bad)]
        with pytest.raises(ImageReadError, match=f"{bad}: .*({message})"):
            tiny().fit(some, xrays.y)


def test_before_a_fit(tiny):
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(tiny(), method)(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        tiny().score(X, Y)


def test_partial_fit_refuses_balanced_class_weights(tiny):
    with pytest.raises(ValueError, match="'balanced' cannot be computed from a part"):
        tiny(class_weight="balanced").partial_fit(X, Y)
    with pytest.raises(ValueError, match="y holds one class"):
        tiny().partial_fit(X[:3], Y[:3])
    with pytest.raises(ValueError, match=r"labels that are not known here: .*'OTHER'"):
        tiny().partial_fit(X, Y).partial_fit(X, ["OTHER"] * 12)


def test_a_first_fit_that_fails_leaves_nothing_behind(tiny):
    clf = tiny(learning_rate=1e30, batch_size=4)
    with pytest.raises(ValueError, match="loss became NaN or infinite"):
        clf.fit(X, Y)
    assert vars(clf) == vars(tiny(learning_rate=1e30, batch_size=4))
    with pytest.raises(ValueError, match="not known here"):
        tiny().partial_fit(X, Y, classes=["NORMAL", "OTHER"])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_later_fit_that_fails_leaves_the_former_as_it_was(tiny, method):
    clf = tiny(warm_start=True, batch_size=4).fit(X, Y)
    before, state = clf.predict_proba(X), dict(vars(clf))
    clf.set_params(learning_rate=1e30)
    with pytest.raises(ValueError, match="loss became NaN or infinite"):
        getattr(clf, method)(X, Y)
    assert vars(clf).keys() == state.keys()
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize("size", [(74, 90), (90, 74)])
def test_inception_wants_75_pixels(size):
    images = np.zeros((12, *size), np.uint8)
    message = f"at least 75 x 75 pixels, got {size[0]} x {size[1]}.*Set image_size"
    with pytest.raises(ValueError, match=message):
        InceptionPneumoniaClassifier(weights=None).fit(images, Y)


def test_inception_names_the_weights_it_needs(tmp_path):
    images = np.zeros((12, 75, 76), np.uint8)
    with pytest.raises(WeightsError, match=r"There is no weights file .*gone.h5.*notop.h5"):
        InceptionPneumoniaClassifier(weights=tmp_path / "gone.h5").fit(images, Y)
    (tmp_path / "other.h5").write_text("no weights")
    with pytest.raises(WeightsError, match=r"other.h5 does not hold the weights of InceptionV3"):
        InceptionPneumoniaClassifier(weights=str(tmp_path / "other.h5")).fit(images, Y)


def test_inception_offline_names_the_file_to_fetch(tmp_path):
    code = (
        "import numpy as np\n"
        "from skpneumo import InceptionPneumoniaClassifier\n"
        "clf = InceptionPneumoniaClassifier()\n"
        "try:\n"
        "    clf.fit(np.zeros((4, 75, 76), np.uint8), [0, 0, 1, 1])\n"
        "except OSError as error:\n"
        "    print(type(error).__name__, error)\n"
        "assert vars(clf) == vars(InceptionPneumoniaClassifier())\n"
    )
    nobody = "http://127.0.0.1:9"
    offline = {"https_proxy": nobody, "HTTPS_PROXY": nobody, "KERAS_HOME": str(tmp_path)}
    environment = {k: v for k, v in os.environ.items() if k.lower() != "no_proxy"} | offline
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "WeightsError The ImageNet weights of InceptionV3 could not be" in done.stdout
    assert "fetch https://" in done.stdout
    assert "weights=None" in done.stdout
