import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skpneumo import CNNPneumoniaClassifier, XRayOutlierDetector, XRayResizer
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import OutlierWarning
from skpneumo.images import XRaySequence, resize_xrays
from skpneumo.preprocessing._outliers import _thumbnails


@pytest.fixture(scope="module")
def xrays():
    return make_xrays(260, image_size=(52, 46), random_state=0).images


@pytest.fixture(scope="module")
def detector(xrays):
    return XRayOutlierDetector().fit(xrays[:200])


def test_the_score_is_the_error_of_scikit_learn_s_reconstruction(xrays, detector):
    train, new = _thumbnails(xrays[:200]), _thumbnails(xrays[200:])

    def error(rows, train):
        pca = PCA(20, svd_solver="full").fit(train)
        return np.linalg.norm(rows - pca.inverse_transform(pca.transform(rows)), axis=1)

    by_halves = [*error(train[::2], train[1::2]), *error(train[1::2], train[::2])]
    expected = error(new, train) / np.quantile(by_halves, 0.99)
    np.testing.assert_allclose(detector.outlier_score(xrays[200:]), expected, rtol=1e-6)


@pytest.mark.parametrize("n", [50, 400])
@pytest.mark.parametrize("contamination", [0, 0.1, 0.4])
def test_about_so_many_new_images_are_outliers(contamination, n):
    images = make_xrays(n + 300, image_size=(36, 32), random_state=1).images
    detector = XRayOutlierDetector(contamination=contamination).fit(images[:n])
    share = np.mean(detector.outlier_score(images[n:]) > 1)
    assert share <= 1.2 * contamination + 0.03
    # Few images know little of each other, which makes the threshold cautious.
    assert n < 100 or share >= contamination / 2


def test_exposure_does_not_count(xrays, detector):
    faint = (xrays[200:] // 2 + 60).astype(np.uint8)
    np.testing.assert_allclose(
        detector.outlier_score(faint), detector.outlier_score(xrays[200:]), atol=0.15
    )


def test_images_pass_and_outliers_are_told(xrays, detector):
    X = xrays[200:].copy()
    rows = [3, 5, 17, 20, 21, 30, 44]
    X[rows] = 255 - X[rows]
    with pytest.warns(OutlierWarning, match=r"^\d+ of 60 images .* Rows, and their scores") as told:
        assert detector.transform(X) is X or np.array_equal(detector.transform(X), X)
    flagged = np.flatnonzero(detector.outlier_score(X) > 1)
    assert {*rows} <= {*flagged}
    scores = detector.outlier_score(X)
    named = ", ".join(f"{row} ({scores[row]:.3f})" for row in flagged[:5])
    assert str(told[0].message).endswith(f"above 1: {named} and {len(flagged) - 5} more.")


def test_each_outlier_is_told_where_the_call_is(xrays, detector):
    pipe = make_pipeline(detector, XRayResizer((20, 20)))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(3):
            pipe.transform(255 - xrays[:1])
    assert [warning.filename for warning in told] == [__file__] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", OutlierWarning)
        pipe.transform(255 - xrays[:2])


def test_files_are_told_by_their_names(xrays, detector, tmp_path):
    for name, image in (("usual", xrays[200]), ("negative", 255 - xrays[200])):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    with pytest.warns(
        OutlierWarning, match=r"^1 of 2 images .*: 1 \(negative\.png, \d\.\d{3}\)\.$"
    ):
        detector.transform([tmp_path / "usual.png", tmp_path / "negative.png"])


def test_training_images_are_returned_without_a_warning(xrays):
    assert np.array_equal(XRayOutlierDetector(contamination=0.4).fit_transform(xrays), xrays)


def test_a_step_changes_nothing_of_what_follows(xrays):
    y = np.repeat(["NORMAL", "PNEUMONIA"], [20, 40])
    clf = CNNPneumoniaClassifier(filters=(4, 8), epochs=1, random_state=0)
    detector = XRayOutlierDetector(contamination=0)
    pipe = make_pipeline(detector, XRayResizer((32, 30)), clf).fit(xrays[:60], y)
    alone = make_pipeline(XRayResizer((32, 30)), clone(clf)).fit(xrays[:60], y)
    assert np.array_equal(pipe.predict_proba(xrays[:60]), alone.predict_proba(xrays[:60]))
    with pytest.warns(OutlierWarning, match="^4 of 4 images"):
        pipe.predict(255 - xrays[:4])


def test_images_all_alike():
    detector = XRayOutlierDetector().fit(np.full((5, 30, 28), 77, np.uint8))
    gradient = np.tile(np.arange(0, 224, 8, dtype=np.uint8), (1, 30, 1))
    assert detector.outlier_score(np.full((1, 30, 28), 77, np.uint8))[0] < 1
    assert detector.outlier_score(gradient)[0] > 1


def test_three_images_are_too_few(xrays):
    with pytest.raises(ValueError, match="at least 4 images; got n_samples=3"):
        XRayOutlierDetector().fit(xrays[:3])
    XRayOutlierDetector().fit(xrays[:4])
    with pytest.raises(NotFittedError):
        XRayOutlierDetector().transform(xrays)


def _quarter(images, rng):
    height, width = images.shape[1] // 2, images.shape[2] // 2
    corners = zip(
        rng.integers(height + 1, size=len(images)),
        rng.integers(width + 1, size=len(images)),
        strict=True,
    )
    return np.stack(
        [
            image[top : top + height, left : left + width]
            for image, (top, left) in zip(images, corners, strict=True)
        ]
    )


def _photographs(n, rng):
    """Parts of scikit-learn's two photographs."""
    photographs = [image.mean(axis=2).astype(np.uint8) for image in load_sample_images().images]
    parts = []
    for i in range(n):
        image, side = photographs[i % 2], int(rng.integers(100, 400))
        top, left = (int(rng.integers(length - side)) for length in image.shape)
        parts.append(resize_xrays(image[None, top : top + side, left : left + side], (96, 96))[0])
    return np.stack(parts)


def test_what_is_no_upright_chest_is_told_from_real_x_rays(xray_data, record_property):
    train = load_xray_folder(xray_data / "chest_xray" / "train").paths
    test = load_xray_folder(xray_data / "chest_xray" / "test").paths
    rng = np.random.default_rng(0)
    detector = XRayOutlierDetector().fit(train[::5])
    images = np.asarray(XRaySequence(test[::4], size=(96, 96)))
    scores = detector.outlier_score(images)
    kinds = {
        "turned left": np.rot90(images, 1, (1, 2)),
        "turned right": np.rot90(images, -1, (1, 2)),
        "inverted": 255 - images,
        "a quarter": _quarter(images, rng),
        "photographs": _photographs(len(images), rng),
        "noise": rng.integers(0, 256, images.shape).astype(np.uint8),
        "smooth noise": resize_xrays(
            rng.integers(0, 256, (len(images), 6, 6)).astype(np.uint8), (96, 96)
        ),
    }
    assert np.mean(scores > 1) < 0.05
    table = [f"outliers told of real X-rays: {np.mean(scores > 1):.3f}"]
    for kind, others in kinds.items():
        found = detector.outlier_score(np.ascontiguousarray(others))
        truth = np.repeat([0, 1], [len(scores), len(found)])
        area = roc_auc_score(truth, np.concatenate([scores, found]))
        assert area > 0.97, kind
        table.append(f"{kind:14s} AUC {area:.4f}, told {np.mean(found > 1):.3f}")
    record_property("table", "\n".join(table))
