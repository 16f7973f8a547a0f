import pickle

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import affine_transform, gaussian_filter
from scipy.stats import norm

from skpneumo.images import Augmentation
from skpneumo.images._augment import _frame, _warp

ALL = Augmentation(
    rotation=15,
    translation=0.1,
    zoom=0.2,
    crop=0.3,
    border=0.5,
    brightness=0.2,
    contrast=0.4,
    noise=0.05,
    erasing=0.5,
    horizontal_flip=True,
)


@pytest.fixture(scope="module")
def image():
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(71, 94)), 5)
    return np.uint8(40 + 170 * (noise - noise.min()) / np.ptp(noise))


def disc(shape, row, column, radius=3):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    inside = np.hypot(rows - row, columns - column) <= radius
    return np.where(inside, 255, 0).astype(np.uint8)


def middle(image):
    """Centre of mass as (row, column), from the centre of the image."""
    rows, columns = np.nonzero(image > 127)
    height, width = image.shape
    return rows.mean() - (height - 1) / 2, columns.mean() - (width - 1) / 2


def test_a_seed_decides(image):
    for seed in range(20):
        np.testing.assert_array_equal(ALL(image, seed), ALL(image, seed))
    assert len({ALL(image, seed).tobytes() for seed in range(20)}) == 20
    np.testing.assert_array_equal(ALL(image, (3, 4)), ALL(image, [3, 4]))
    np.testing.assert_array_equal(ALL(image, np.int64(3)), ALL(image, 3))


def test_the_image_is_not_changed_in_place(image):
    before = image.copy()
    for seed in range(20):
        changed = ALL(image, seed)
        assert changed.shape == image.shape
        assert changed.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


def test_all_ranges_at_zero_change_nothing(image):
    for seed in range(20):
        np.testing.assert_array_equal(Augmentation()(image, seed), image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_tiny_images(shape):
    for seed in range(20):
        assert ALL(np.full(shape, 100, np.uint8), seed).shape == shape


@pytest.mark.parametrize("seed", range(8))
def test_the_movement_is_the_affine_map_described(image, seed):
    augmentation = Augmentation(
        rotation=20, translation=0.1, zoom=0.3, crop=0.4, horizontal_flip=bool(seed % 2)
    )
    rng = np.random.default_rng(seed)
    angle, scale, right, down = rng.uniform(-1, 1, size=4)
    mirror = -1 if seed % 2 and rng.random() < 0.5 else 1
    angle, scale = np.deg2rad(20 * angle), 1.3**-scale
    left = 1 - 0.4 * rng.random(2)[::-1]
    middle = (rng.random(2)[::-1] - 0.5) * (1 - left)
    turn = (
        scale
        * np.diag(left)
        @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    )
    turn = turn @ np.diag([1, mirror])
    centre = (np.array(image.shape) - 1) / 2
    shift = (0.1 * np.array([down, right]) - middle) * image.shape
    offset = centre - shift - turn @ centre
    expected = affine_transform(image.astype(float), turn, offset, order=1, cval=np.nan)
    known = np.isfinite(expected)
    assert known.mean() > 0.4
    changed = augmentation(image, seed)
    np.testing.assert_allclose(changed[known], expected[known], atol=2)


def test_zoom_and_rotation_keep_the_middle():
    ball = disc((71, 94), 35, 46.5, radius=9)
    for seed in range(30):
        changed = Augmentation(rotation=40, zoom=0.5)(ball, seed)
        np.testing.assert_allclose(middle(changed), (0, 0), atol=0.6)


def test_the_range_of_rotation():
    spot = disc((101, 101), 50, 90)
    angles = []
    for seed in range(200):
        row, column = middle(Augmentation(rotation=10)(spot, seed))
        angles.append(np.rad2deg(np.arctan2(row, column)))
        assert np.hypot(row, column) == pytest.approx(40, abs=0.5)
    assert -10.5 < min(angles) < -9
    assert 9 < max(angles) < 10.5


def test_the_range_of_translation_is_a_fraction_of_each_side():
    spot = disc((60, 120), 29.5, 59.5, radius=4)
    moves = [middle(Augmentation(translation=0.1)(spot, seed)) for seed in range(200)]
    np.testing.assert_allclose(np.max(moves, axis=0), (6, 12), atol=0.8)
    np.testing.assert_allclose(np.min(moves, axis=0), (-6, -12), atol=0.8)


def test_the_range_of_zoom():
    ball = disc((101, 131), 50, 65, radius=20)
    area = (ball > 127).sum()
    scales = [
        np.sqrt((Augmentation(zoom=0.25)(ball, seed) > 127).sum() / area) for seed in range(200)
    ]
    assert max(scales) == pytest.approx(1.25, abs=0.02)
    assert min(scales) == pytest.approx(1 / 1.25, abs=0.02)


def test_a_crop_keeps_a_part_of_the_rows_and_columns():
    ramp = np.linspace(0, 250, 300)
    down = np.tile(ramp[:, None], (1, 40)).astype(np.uint8)
    for image, axis in ((down, 0), (down.T, 1)):
        seen = []
        for seed in range(300):
            levels = np.moveaxis(Augmentation(crop=0.3)(image, seed), axis, 0)[3:-3, 20] / 250
            assert (np.diff(levels) >= 0).all()  # nothing is uncovered
            seen.append((levels[0], levels[-1]))
        first, last = np.transpose(seen)
        left = last - first
        assert left.min() == pytest.approx(0.7, abs=0.03)
        assert left.max() == pytest.approx(1, abs=0.03)
        assert left.mean() == pytest.approx(0.85, abs=0.03)
        assert first.min() < 0.03
        assert first.max() == pytest.approx(0.29, abs=0.04)
        assert last.max() > 0.97


def test_borders_shrink_the_image():
    # A ramp down and across: bars that lay over the image would hide its first or last levels.
    ramp = 60 + np.add.outer(np.arange(200), np.arange(160)) * (120 / 358)
    image = np.rint(ramp).astype(np.uint8)
    bars, colours, framed = [], set(), 0
    for seed in range(300):
        changed = Augmentation(border=0.4)(image, seed)
        is_bar = (changed == 0) | (changed == 255)
        rows, columns = np.nonzero(~is_bar)
        top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        inside = changed[top:bottom, left:right]
        assert ((inside >= 60) & (inside <= 180)).all()
        assert inside[0, 0] <= 61
        assert inside[-1, -1] >= 179
        bars.append([top / 200, 1 - bottom / 200, left / 160, 1 - right / 160])
        assert len(np.unique(changed[is_bar])) <= 1
        colours |= set(changed[is_bar].tolist())
        framed += is_bar.any()
    assert colours == {0, 255}
    # One framing in sixteen draws no bar, and some are thinner than a pixel.
    assert 0.4 * 300 * 0.75 < framed < 0.4 * 300 * 1.1
    np.testing.assert_allclose(np.max(bars, axis=0), 0.12, atol=0.015)


def test_what_is_given_back_can_be_written_to(image):
    for seed in range(20):
        assert Augmentation(rotation=9)(image, seed).flags.writeable


def test_uncovered_pixels_are_black():
    white = np.full((60, 80), 255, np.uint8)
    changed = np.stack([Augmentation(translation=0.2)(white, seed) for seed in range(20)])
    assert (changed == 0).any(axis=(1, 2)).all()
    assert ((changed == 0) | (changed == 255)).mean() > 0.95


def test_the_range_of_brightness(image):
    shifts = []
    for seed in range(200):
        difference = Augmentation(brightness=0.1)(image, seed) - image.astype(float)
        assert np.ptp(difference) <= 1
        shifts.append(difference.mean())
    assert max(shifts) == pytest.approx(25.5, abs=1)
    assert min(shifts) == pytest.approx(-25.5, abs=1)


def test_the_range_of_contrast(image):
    gains = []
    for seed in range(200):
        changed = Augmentation(contrast=0.2)(image, seed)
        assert changed.mean() == pytest.approx(image.mean(), abs=1)
        gains.append(changed.std() / image.std())
    assert max(gains) == pytest.approx(1.2, abs=0.02)
    assert min(gains) == pytest.approx(0.8, abs=0.02)


def test_brightness_does_not_wrap_around():
    edges = np.array([[0, 255, 128]], np.uint8).repeat(5, axis=0)
    for seed in range(50):
        changed = Augmentation(brightness=0.4, contrast=0.8)(edges, seed)[0].astype(int)
        assert changed[0] <= changed[2] <= changed[1]


def test_half_of_the_images_get_noise():
    grey = np.full((70, 90), 128, np.uint8)
    noise = np.stack([Augmentation(noise=0.08)(grey, seed) for seed in range(400)]) - 128.0
    spread = noise.std(axis=(1, 2)) / 255
    assert 160 < np.sum(spread == 0) < 240
    assert 0.07 < spread.max() < 0.083
    # Evenly up to the largest, about the image as it was, and of each pixel for itself.
    assert np.mean(spread[spread > 0]) == pytest.approx(0.04, abs=0.005)
    assert np.abs(noise.mean(axis=(1, 2))).max() < 1.2
    one = noise[spread.argmax()]
    assert abs(np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1]) < 0.05


def test_noise_is_normal():
    grey = np.full((90, 111), 128, np.uint8)
    images = [Augmentation(noise=0.1)(grey, seed) for seed in range(40)]
    noise = max(images, key=np.std) - 128.0
    spread = noise.std()
    assert spread > 20
    for n_deviations in (-2.5, -1, 0, 1, 2.5):
        below = np.mean(noise < np.ceil(n_deviations * spread) - 0.5)
        expected = norm.cdf((np.ceil(n_deviations * spread) - 0.5) / spread)
        assert below == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 9990))


@pytest.mark.parametrize("widths", [(0, 9, 4, 0), (8, 8, 0, 0), (0, 0, 0, 10)])
def test_a_frame_holds_what_was_moved(image, widths):
    affine = (0.8, -0.5, 21.0, 0.6, 0.9, -14.0)
    left, right, top, bottom = widths
    framed = _frame(image, affine, 255, widths)
    inside = framed[top : len(framed) - bottom, left : framed.shape[1] - right]
    assert (framed == 255).sum() == image.size - inside.size
    moved = Image.fromarray(_warp(image, affine, image.shape))
    shrunk = np.asarray(moved.resize(inside.shape[::-1], Image.Resampling.BILINEAR), dtype=float)
    # But for the edge of what was uncovered, which shrinking blurs.
    assert np.mean(np.abs(inside - shrunk) <= 3) > 0.97


def test_noise_does_not_wrap_around():
    edges = np.array([[0, 255]], np.uint8).repeat(500, axis=0)
    for seed in range(20):
        changed = Augmentation(noise=0.1)(edges, seed)
        assert changed[:, 0].max() < 128 < changed[:, 1].min()


def test_half_of_the_images_are_mirrored(image):
    flipped = 0
    for seed in range(200):
        changed = Augmentation(horizontal_flip=True)(image, seed)
        if not np.array_equal(changed, image):
            np.testing.assert_array_equal(changed, image[:, ::-1])
            flipped += 1
    assert 70 < flipped < 130


def test_erasing_fills_one_rectangle_with_the_mean(image):
    erased = 0
    for seed in range(200):
        changed = Augmentation(erasing=0.3)(image, seed)
        rows, columns = np.nonzero(changed != image)
        if len(rows):
            box = changed[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            np.testing.assert_array_equal(box, round(image.mean()))
            assert 0.01 < box.size / image.size < 0.16
            erased += 1
    assert 40 < erased < 80


def test_it_is_a_value():
    assert Augmentation(rotation=3.0) == Augmentation(rotation=3.0) != Augmentation(rotation=4.0)
    assert hash(ALL) == hash(pickle.loads(pickle.dumps(ALL)))
    with pytest.raises(AttributeError):
        ALL.rotation = 5
