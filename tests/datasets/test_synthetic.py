import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from scipy.stats import entropy, kurtosis, skew
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpneumo.datasets._synthetic import make_xrays


@pytest.fixture(scope="module")
def data():
    return make_xrays(random_state=0)


def contrast(data):
    """Brightness inside each mask over that of the lung around it."""
    return np.array(
        [
            image[mask].mean() - image[binary_dilation(mask, iterations=4) & ~mask].mean()
            for image, mask in zip(data.images, data.masks, strict=True)
            if mask.any()
        ]
    )


@pytest.mark.parametrize("image_size", [(72, 64), (33, 47), (150, 32), (32, 90)])
def test_shapes_dtypes_and_grey_range(image_size):
    data = make_xrays(30, image_size=image_size, random_state=1)
    assert data.images.shape == data.masks.shape == (30, *image_size)
    assert data.images.dtype == np.uint8
    assert data.masks.dtype == bool
    for name in ("target", "groups", "subtype"):
        assert data[name].shape == (30,)
        assert data[name].dtype.kind == "U"
    assert data.images.std(axis=(1, 2)).min() > 25
    assert np.mean((data.images == 0) | (data.images == 255)) < 0.05
    assert "medical evidence" in data.DESCR


def test_the_middle_is_brighter_than_the_lungs_and_the_corners_are_dark():
    data = make_xrays(80, image_size=(96, 80), random_state=2)
    rows = data.images[data.target == "NORMAL"].mean(axis=0)[28:60]
    middle, left, right = rows[:, 37:43].mean(), rows[:, 20:26].mean(), rows[:, 56:62].mean()
    assert middle > left + 40
    assert middle > right + 40
    assert data.images[:, :6, :6].mean() < 60


def test_an_anatomy_scales_with_the_image():
    small, large = (
        make_xrays(20, image_size=size, random_state=3) for size in [(40, 36), (120, 108)]
    )
    np.testing.assert_array_equal(small.target, large.target)
    shrunk = large.images.reshape(20, 40, 3, 36, 3).mean(axis=(2, 4))
    for a, b in zip(shrunk, small.images, strict=True):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95


def test_a_seed_decides_everything():
    first, second, other = (make_xrays(40, random_state=seed) for seed in (4, 4, 5))
    for name in ("images", "target", "groups", "masks", "subtype"):
        np.testing.assert_array_equal(first[name], second[name])
    assert not np.array_equal(first.images, other.images)
    drawn = make_xrays(40, random_state=np.random.RandomState(4))
    np.testing.assert_array_equal(first.images, drawn.images)


def test_no_two_images_are_alike(data):
    assert len(np.unique(data.images.reshape(600, -1), axis=0)) == 600


def test_a_patient_has_one_class_and_one_subtype(data):
    patients, counts = np.unique(data.groups, return_counts=True)
    assert 380 <= len(patients) <= 420
    assert counts.max() > 1
    for patient in patients:
        assert len(set(data.target[data.groups == patient])) == 1
        assert len(set(data.subtype[data.groups == patient])) == 1


def test_images_of_one_patient_resemble_each_other():
    data = make_xrays(60, images_per_patient=4, difficulty=0, random_state=6)
    alike = np.corrcoef(data.images.reshape(60, -1))
    same = (data.groups[:, None] == data.groups) & ~np.eye(60, dtype=bool)
    assert alike[same].mean() > alike[data.groups[:, None] != data.groups].mean() + 0.01


def test_rows_and_patient_names_do_not_give_the_class_away(data):
    is_positive = data.target == "PNEUMONIA"
    numbers = [int(name.removeprefix("patient")) for name in data.groups]
    assert 0.4 < roc_auc_score(is_positive, np.arange(600)) < 0.6
    assert 0.4 < roc_auc_score(is_positive, numbers) < 0.6


@pytest.mark.parametrize(
    ("n_samples", "prevalence", "n_positive"),
    [(50, 0.2, 10), (50, 0.9, 45), (2, 0.6, 1), (9, 0.999, 8)],
)
def test_prevalence(n_samples, prevalence, n_positive):
    data = make_xrays(n_samples, prevalence=prevalence, random_state=7)
    assert len(data.images) == n_samples
    assert np.sum(data.target == "PNEUMONIA") == n_positive
    assert np.sum(data.target == "NORMAL") == n_samples - n_positive


@pytest.mark.parametrize(("images_per_patient", "n_patients"), [(1, 40), (2, 20), (1000, 2)])
def test_images_per_patient(images_per_patient, n_patients):
    data = make_xrays(40, images_per_patient=images_per_patient, random_state=8)
    assert len(set(data.groups)) == n_patients


@pytest.mark.parametrize("difficulty", [0, 0.5, 1])
@pytest.mark.parametrize("image_size", [(72, 64), (32, 47)])
def test_masks_are_small_and_only_in_positive_images(image_size, difficulty):
    data = make_xrays(200, image_size=image_size, difficulty=difficulty, random_state=9)
    area = data.masks.mean(axis=(1, 2))
    is_positive = data.target == "PNEUMONIA"
    assert (area[~is_positive] == 0).all()
    assert area[is_positive].min() >= 0.02
    assert area[is_positive].max() <= 0.10


def test_masks_lie_in_the_dark_fields_of_the_lungs(data):
    bare = make_xrays(random_state=0, difficulty=1)
    typical = np.median(bare.images, axis=(1, 2), keepdims=True)
    assert np.mean((bare.images < typical)[bare.masks]) > 0.7
    assert not data.masks[:, :, [0, 1, -2, -1]].any()


def test_subtypes(data):
    is_positive = data.target == "PNEUMONIA"
    assert set(data.subtype[is_positive]) == {"bacteria", "virus"}
    assert set(data.subtype[~is_positive]) == {""}
    left, right = (half.any(axis=(1, 2)) for half in np.split(data.masks, 2, axis=2))
    assert (left & right)[data.subtype == "virus"].all()
    assert np.mean((left & right)[data.subtype == "bacteria"]) < 0.1


def test_opacities_are_brighter_than_the_lung_around_them(data):
    values = contrast(data)
    assert values.mean() > 5
    assert np.mean(values > 0) > 0.65


def test_difficulty_lowers_the_contrast():
    means = [
        contrast(make_xrays(150, difficulty=difficulty, random_state=10)).mean()
        for difficulty in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert np.all(np.diff(means) < 0)


def test_brightness_spread_and_noise_do_not_give_the_class_away(data):
    is_positive = data.target == "PNEUMONIA"
    images = data.images.astype(float)
    corner_noise = np.diff(images[:, -6:, 26:38], axis=2).std(axis=(1, 2))
    for shortcut in (images.mean(axis=(1, 2)), images.std(axis=(1, 2)), corner_noise):
        assert 0.42 < roc_auc_score(is_positive, shortcut) < 0.58


def test_a_linear_model_on_pixels_is_not_enough(data):
    scores = cross_val_predict(
        LogisticRegression(C=0.1, tol=1e-2),
        data.images.reshape(600, -1) / 255.0,
        data.target,
        groups=data.groups,
        cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
        method="decision_function",
    )
    assert roc_auc_score(data.target == "PNEUMONIA", scores) <= 0.80


def global_statistics(images):
    """Histogram of 32 bins and 16 global statistics of each image."""
    scaled = images / 255.0
    flat = scaled.reshape(len(images), -1)
    bins = (32 * flat).astype(int).clip(max=31)
    histogram = np.stack([np.bincount(row, minlength=32) for row in bins]) / flat.shape[1]
    steps = np.hypot(*np.gradient(scaled, axis=(1, 2))).reshape(flat.shape)
    statistics = [
        *(flat.mean(axis=1), flat.std(axis=1), skew(flat, axis=1), kurtosis(flat, axis=1)),
        *np.quantile(flat, [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99], axis=1),
        *(steps.mean(axis=1), steps.std(axis=1), entropy(histogram, axis=1)),
    ]
    return np.column_stack([histogram, *statistics])


def test_global_statistics_do_not_give_the_class_away():
    data = make_xrays(1200, random_state=11)
    scores = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=300)),
        global_statistics(data.images),
        data.target,
        groups=data.groups,
        cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
        method="decision_function",
    )
    assert roc_auc_score(data.target == "PNEUMONIA", scores) <= 0.65


def test_sites_have_the_same_patients_and_other_images():
    home, new = (make_xrays(60, site=site, random_state=12) for site in ("home", "new"))
    np.testing.assert_array_equal(home.images, make_xrays(60, random_state=12).images)
    for name in ("target", "groups", "subtype"):
        np.testing.assert_array_equal(home[name], new[name])
    assert (home.images != new.images).any(axis=(1, 2)).all()


def test_exposure_does_not_give_the_site_away_and_the_lungs_do():
    home, new = (
        make_xrays(200, site=site, random_state=13).images / 255 for site in ("home", "new")
    )
    is_new = np.repeat([False, True], 200)
    for statistic in (lambda x: x.mean(axis=(1, 2)), lambda x: x.std(axis=(1, 2))):
        values = np.concatenate([statistic(home), statistic(new)])
        assert 0.35 < roc_auc_score(is_new, values) < 0.65
    scores = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        np.concatenate([home, new])[:, ::4, ::4].reshape(400, -1),
        is_new,
        cv=3,
        method="decision_function",
    )
    assert roc_auc_score(is_new, scores) > 0.8


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_samples": 1}, "n_samples must be an integer of at least 2, got 1"),
        ({"n_samples": 20.0}, "n_samples must be an integer"),
        ({"image_size": (31, 64)}, r"integers of at least 32, got \(31, 64\)"),
        ({"image_size": 64}, r"image_size must be \(rows, columns\)"),
        ({"image_size": (64, 64, 1)}, r"image_size must be \(rows, columns\)"),
        ({"image_size": (64.0, 64)}, r"image_size must be \(rows, columns\)"),
        ({"prevalence": 0}, "prevalence must lie between 0 and 1"),
        ({"prevalence": 1.0}, "prevalence must lie between 0 and 1"),
        ({"prevalence": "0.5"}, "prevalence must lie between 0 and 1"),
        ({"images_per_patient": 0.5}, "images_per_patient must be at least 1, got 0.5"),
        ({"images_per_patient": np.inf}, "images_per_patient must be at least 1"),
        ({"difficulty": -0.1}, r"difficulty must lie in \[0, 1\], got -0.1"),
        ({"difficulty": 1.1}, r"difficulty must lie in \[0, 1\]"),
        ({"difficulty": np.nan}, r"difficulty must lie in \[0, 1\]"),
        ({"site": "other"}, "site must be 'home' or 'new', got 'other'"),
        ({"site": ["new"]}, r"site must be 'home' or 'new', got \['new'\]"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make_xrays(**{"n_samples": 20} | params)
