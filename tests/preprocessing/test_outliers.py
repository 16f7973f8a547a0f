import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo import CNNPneumoniaClassifier, XRayOutlierDetector, XRayResizer
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import OutlierWarning
from skpneumo.images import XRaySequence, resize_xrays
from skpneumo.preprocessing._outliers import _thumbnails, _upper_limit


@pytest.fixture(scope="module")
def xrays():
    return make_xrays(260, image_size=(52, 46), random_state=0).images


@pytest.fixture(scope="module")
def detector(xrays):
    return XRayOutlierDetector().fit(xrays[:200])


def _errors_of_scikit_learn(rows, train, n_components=20):
    pca = PCA(n_components, svd_solver="full").fit(train)
    return np.linalg.norm(rows - pca.inverse_transform(pca.transform(rows)), axis=1)


def _cross_fitted(rows, patients):
    """Errors of each patient's rows when all other patients are learnt from."""
    errors = np.empty(len(rows))
    for patient in np.unique(patients):
        left_out = patients == patient
        errors[left_out] = _errors_of_scikit_learn(rows[left_out], rows[~left_out])
    return np.sort(errors)


@pytest.mark.parametrize("n_patients", [120, 40])
@pytest.mark.parametrize(
    ("contamination", "rank"), [(0, 120), (0.01, 120), (0.02, 119), (0.1, 109)]
)
def test_the_score_is_an_error_of_reconstruction_relative_to_cross_fitted_ones(
    xrays, contamination, rank, n_patients, monkeypatch
):
    monkeypatch.setattr("skpneumo.preprocessing._outliers._N_FOLDS", 120)
    train, new = _thumbnails(xrays[:120]), _thumbnails(xrays[200:])
    patients = np.arange(120) % n_patients
    detector = XRayOutlierDetector(contamination=contamination).fit(xrays[:120], groups=patients)
    expected = _errors_of_scikit_learn(new, train) / _cross_fitted(train, patients)[rank - 1]
    np.testing.assert_allclose(detector.outlier_score(xrays[200:]), expected, rtol=1e-6)


def test_folds_are_a_close_substitute_for_single_patients(xrays):
    cross_fitted = _cross_fitted(_thumbnails(xrays[:120]), np.arange(120))
    detector = XRayOutlierDetector(contamination=0.1).fit(xrays[:120])
    assert detector.threshold_ == pytest.approx(cross_fitted[108], rel=0.02)


@pytest.fixture(scope="module", params=[1, 4])
def many(request):
    options = {"images_per_patient": request.param, "random_state": 0}
    xrays = make_xrays(1400, image_size=(36, 32), **options)
    xrays.patient = np.unique(xrays.groups, return_inverse=True)[1]
    return xrays


@pytest.mark.parametrize(("n", "contamination"), [(60, 0.1), (200, 0.05)])
def test_new_images_are_flagged_at_the_nominal_rate(many, n, contamination):
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(20):
        order = np.argsort(rng.permutation(len(many.groups))[many.patient], kind="stable")
        known, new = order[:n], order[-300:]
        detector = XRayOutlierDetector(contamination=contamination)
        detector.fit(many.images[known], groups=many.groups[known])
        rates.append(np.mean(detector.outlier_score(many.images[new]) > 1))
    # The rate of a fit varies about as a beta variable of n images does.
    tolerance = 4 * np.sqrt(contamination / n / len(rates))
    assert np.mean(rates) == pytest.approx(contamination, abs=tolerance)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.016])
def test_an_exponential_tail_is_extrapolated(rate):
    """The probability is known where the squares are exponential from the start."""
    rng = np.random.default_rng(0)
    limits = [_upper_limit(np.sqrt(rng.exponential(size=60)), rate) for _ in range(4000)]
    assert np.mean(np.exp(-np.square(limits))) == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize("n", [4, 98, 99, 150])
def test_lower_rates_have_higher_limits(n):
    distances = np.random.default_rng(n).uniform(2, 3, n)
    limits = [_upper_limit(distances, rate) for rate in (0.001, 0.01, 0.05, 0.2, 0.4)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] > distances.max() == _upper_limit(distances, 0)


def test_images_of_a_patient_do_not_vouch_for_each_other(xrays):
    X, groups = np.repeat(xrays[:60], 4, axis=0), np.repeat(np.arange(60), 4)
    alone = XRayOutlierDetector(contamination=0.1).fit(X)
    by_patient = XRayOutlierDetector(contamination=0.1).fit(X, groups=groups)
    assert by_patient.threshold_ > 1.1 * alone.threshold_
    assert np.mean(alone.outlier_score(xrays[60:]) > 1) > 0.3
    assert np.mean(by_patient.outlier_score(xrays[60:]) > 1) < 0.2


@pytest.mark.parametrize("n_patients", [30, 90])
def test_the_order_of_rows_and_the_kind_of_names_do_not_matter(xrays, n_patients):
    groups = np.array([f"patient{i % n_patients:03d}" for i in range(200)])
    order = np.random.default_rng(0).permutation(200)
    expected = XRayOutlierDetector().fit(xrays[:200], groups=groups)
    for X, names in (
        (xrays[:200][order], groups[order]),
        (xrays[:200], groups.tolist()),
        (xrays[:200], pd.Series(groups, index=order)),
        (xrays[:200], np.array([int(name.removeprefix("patient")) for name in groups])),
    ):
        detector = XRayOutlierDetector().fit(X, groups=names)
        assert detector.threshold_ == pytest.approx(expected.threshold_, rel=1e-9)


def test_groups_reach_a_step_of_a_pipeline(xrays):
    X, y, groups = xrays[:80], np.repeat([0, 1], [30, 50]), np.arange(80) // 4
    expected = XRayOutlierDetector().fit(X, groups=groups).threshold_
    assert expected != XRayOutlierDetector().fit(X).threshold_
    pipe = make_pipeline(XRayOutlierDetector(), DummyClassifier())
    pipe.fit(X, y, xrayoutlierdetector__groups=groups)
    assert pipe[0].threshold_ == expected
    assert XRayOutlierDetector().fit_transform(X, groups=groups) is X
    with config_context(enable_metadata_routing=True):
        routed = make_pipeline(
            XRayOutlierDetector().set_fit_request(groups=True), XRayResizer((9, 8))
        )
        assert routed.fit(X, y, groups=groups)[0].threshold_ == expected
        assert routed.fit_transform(X, y, groups=groups).shape == (80, 9, 8)
        search = GridSearchCV(
            make_pipeline(routed[0], DummyClassifier()),
            {"dummyclassifier__strategy": ["prior"]},
            cv=GroupKFold(2),
        ).fit(X, y, groups=groups)
        assert search.best_estimator_[0].threshold_ == expected


def test_groups_must_fit_the_images(xrays):
    for groups, message in (
        (np.zeros(20), "at least 2 patients; groups names one for all 20 images"),
        (np.arange(19), "inconsistent numbers of samples"),
        ([None, *range(19)], "groups holds no value for 1 of 20 images"),
    ):
        with pytest.raises(ValueError, match=message):
            XRayOutlierDetector().fit(xrays[:20], groups=groups)
    assert XRayOutlierDetector().fit(xrays[:20], groups=np.arange(20) > 2).threshold_ > 0


def test_exposure_does_not_count(xrays, detector):
    faint = (xrays[200:] // 2 + 60).astype(np.uint8)
    np.testing.assert_allclose(
        detector.outlier_score(faint), detector.outlier_score(xrays[200:]), atol=0.15
    )


def test_images_pass_and_outliers_are_warned_of(xrays, detector):
    X = xrays[200:].copy()
    rows = [3, 5, 17, 20, 21, 30, 44]
    X[rows] = 255 - X[rows]
    with pytest.warns(
        OutlierWarning, match=r"^\d+ of 60 images .* Rows, and their scores"
    ) as caught:
        assert detector.transform(X) is X or np.array_equal(detector.transform(X), X)
    flagged = np.flatnonzero(detector.outlier_score(X) > 1)
    assert {*rows} <= {*flagged}
    scores = detector.outlier_score(X)
    named = ", ".join(f"{row} ({scores[row]:.3f})" for row in flagged[:5])
    assert str(caught[0].message).endswith(f"above 1: {named} and {len(flagged) - 5} more.")


def test_outliers_are_warned_of_at_the_call(xrays, detector):
    pipe = make_pipeline(detector, XRayResizer((20, 20)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            pipe.transform(255 - xrays[:1])
    assert [warning.filename for warning in caught] == [__file__] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", OutlierWarning)
        pipe.transform(255 - xrays[:2])


def test_files_are_named(xrays, detector, tmp_path):
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


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 1]])
def test_images_all_alike(groups):
    detector = XRayOutlierDetector().fit(np.full((5, 30, 28), 77, np.uint8), groups=groups)
    gradient = np.tile(np.arange(0, 224, 8, dtype=np.uint8), (1, 30, 1))
    assert detector.outlier_score(np.full((1, 30, 28), 77, np.uint8))[0] < 1
    assert detector.outlier_score(gradient)[0] > 1


@pytest.mark.parametrize("n", [8, 700])
def test_one_image_unlike_all_others(xrays, n):
    X = np.repeat(xrays[:1], n, axis=0)
    X[3] = xrays[1]
    usual, odd = _thumbnails(xrays[:2])
    detector = XRayOutlierDetector(contamination=0).fit(X)
    assert detector.threshold_ == pytest.approx(np.linalg.norm(odd - usual))


def test_a_patient_beside_all_others(xrays):
    """One image is left to learn from, which has no principal components."""
    detector = XRayOutlierDetector().fit(xrays[:4], groups=["a", "a", "a", "b"])
    assert 0 < detector.threshold_ < np.inf


def test_three_images_are_too_few(xrays):
    with pytest.raises(ValueError, match="at least 4 images; got n_samples=3"):
        XRayOutlierDetector().fit(xrays[:3])
    assert 0 < XRayOutlierDetector().fit(xrays[:4]).threshold_ < np.inf
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


def test_images_that_are_no_upright_chest_are_flagged(xray_data, record_property):
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
    table = [f"real X-rays that are flagged: {np.mean(scores > 1):.3f}"]
    for kind, others in kinds.items():
        found = detector.outlier_score(np.ascontiguousarray(others))
        truth = np.repeat([0, 1], [len(scores), len(found)])
        area = roc_auc_score(truth, np.concatenate([scores, found]))
        assert area > 0.97, kind
        table.append(f"{kind:14s} AUC {area:.4f}, flagged {np.mean(found > 1):.3f}")
    record_property("table", "\n".join(table))
