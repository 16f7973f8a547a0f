import os
import pickle
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils import _safe_indexing, check_consistent_length, indexable, resample, shuffle

from skpneumo.exceptions import CacheWarning, ImageReadError, NoXRayError
from skpneumo.images import Augmentation, XRaySequence, _files, read_xray, resize_xray

NOWHERE = [f"nowhere/{i}.jpeg" for i in range(7)]
TURN = Augmentation(rotation=20, contrast=0.3)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, size=(7, 19, 26), dtype=np.uint8)


@pytest.fixture(scope="module")
def paths(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("xrays")
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.png")
    return [folder / f"{i}.png" for i in range(len(images))]


@pytest.fixture
def lazy():
    """A sequence that cannot be decoded, with a step that has a seed per image."""
    return XRaySequence(NOWHERE).resized((12, 9)).augmented(TURN, np.arange(7) * 10)


def seeds_of(sequence):
    return [seed for _, seed in sequence._steps][-1].tolist()


def test_it_looks_like_a_one_dimensional_array(lazy):
    assert len(lazy) == 7
    assert lazy.shape == (7,)
    assert lazy.ndim == 1
    assert lazy.size == (12, 9)
    assert repr(lazy) == "XRaySequence(7 images, size=(12, 9))"
    assert XRaySequence([]).shape == (0,)
    assert XRaySequence(NOWHERE).size is None


@pytest.mark.parametrize(
    "given", [NOWHERE, tuple(NOWHERE), np.array(NOWHERE), [Path(path) for path in NOWHERE]]
)
def test_paths_become_str(given):
    sequence = XRaySequence(given)
    assert sequence.paths.dtype == object
    assert {type(path) for path in sequence.paths} == {str}
    assert sequence.paths.tolist() == [str(Path(path)) for path in NOWHERE]


MASK = [True, False, False, True, True, False, False]


@pytest.mark.parametrize(
    "key",
    [
        slice(2, 5),
        slice(None),
        slice(None, None, -2),
        slice(5, 5),
        [3, 0, 3, -1],
        [],
        MASK,
        np.array(MASK),
        np.array([6, 1]),
        np.array([], dtype=int),
        np.array([2, -2], dtype=np.int32),
        range(1, 4),
    ],
    ids=str,
)
@pytest.mark.parametrize("with_ellipsis", [False, True])
def test_parts_are_those_of_the_array_of_paths(lazy, key, with_ellipsis):
    as_index = np.array(key, dtype=int) if isinstance(key, list) and not key else key
    expected = np.arange(7)[as_index]
    part = lazy[key, ...] if with_ellipsis else lazy[key]
    assert isinstance(part, XRaySequence)
    assert part.paths.tolist() == [NOWHERE[i] for i in expected]
    assert seeds_of(part) == [10 * i for i in expected]
    assert part.size == (12, 9)


@pytest.mark.parametrize("i", [0, 3, -1, -7, np.int64(2), np.uint8(5)])
def test_one_index_is_one_image(images, paths, i):
    np.testing.assert_array_equal(XRaySequence(paths)[i], images[int(i)])
    np.testing.assert_array_equal(XRaySequence(paths)[i, ...], images[int(i)])


@pytest.mark.parametrize("key", [7, -8, [0, 7], np.array([-8]), [True, False], "a", 1.5])
def test_wrong_indices(lazy, key):
    with pytest.raises(IndexError):
        lazy[key]


@pytest.mark.parametrize("key", [None, np.array([[0, 1], [1, 2]]), (slice(None), None)])
def test_more_dimensions(lazy, key):
    with pytest.raises(IndexError):
        lazy[key]


def test_iteration(images, paths):
    for image, expected in zip(XRaySequence(paths), images, strict=True):
        np.testing.assert_array_equal(image, expected)


def test_scikit_learn_slices_and_decodes_nothing(lazy):
    y = np.array([0, 0, 1, 1, 1, 1, 1])
    check_consistent_length(lazy, y)
    assert indexable(lazy, y)[0] is lazy
    for part in (
        _safe_indexing(lazy, [5, 0]),
        _safe_indexing(lazy, np.arange(7) % 2 == 0),
        _safe_indexing(lazy, slice(1, 4)),
        *train_test_split(lazy, y, stratify=y, test_size=2, random_state=0)[:2],
        shuffle(lazy, y, random_state=0)[0],
        resample(lazy, random_state=0),
    ):
        assert isinstance(part, XRaySequence)
        assert seeds_of(part) == [10 * NOWHERE.index(path) for path in part.paths]
    for splitter in (KFold(3), StratifiedKFold(2)):
        tested = [lazy[test].paths for _, test in splitter.split(lazy, y)]
        assert sorted(np.concatenate(tested)) == NOWHERE


@pytest.mark.parametrize("roundtrip", ["pickle", "joblib"])
def test_it_pickles_as_paths(images, paths, tmp_path, roundtrip):
    sequence = XRaySequence(paths).augmented(TURN, range(7))
    before = np.asarray(sequence)
    if roundtrip == "pickle":
        data = pickle.dumps(sequence)
        assert len(data) < images.nbytes  # 3.4 kB: hardly more than the paths
        copy = pickle.loads(data)
    else:
        joblib.dump(sequence, tmp_path / "a.joblib")
        copy = joblib.load(tmp_path / "a.joblib")
    assert copy.paths.tolist() == [str(path) for path in paths]
    np.testing.assert_array_equal(np.asarray(copy), before)


def test_decoding_gives_the_images(images, paths):
    decoded = np.asarray(XRaySequence(paths))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, images)
    np.testing.assert_array_equal(np.asarray(XRaySequence(paths)[[4, 4, 0]]), images[[4, 4, 0]])
    assert np.asarray(XRaySequence(paths), dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(np.array(XRaySequence(paths), copy=True), images)


def test_decoding_without_a_copy_is_refused(paths):
    with pytest.raises(ValueError, match="copy=False"):
        np.array(XRaySequence(paths), copy=False)


def test_nothing_decodes_to_nothing():
    assert np.asarray(XRaySequence([])).shape == (0, 0, 0)
    assert np.asarray(XRaySequence([], size=(5, 4))).shape == (0, 5, 4)


@pytest.mark.parametrize("aspect", ["stretch", "crop", "pad"])
def test_sizes(images, paths, aspect):
    expected = np.stack([resize_xray(image, (12, 9), aspect) for image in images])
    for sequence in (
        XRaySequence(paths, size=(12, 9), aspect=aspect),
        XRaySequence(paths).resized((12, 9), aspect),
    ):
        np.testing.assert_array_equal(np.asarray(sequence), expected)


def test_steps_follow_each_other(images, paths):
    sequence = XRaySequence(paths, size=(15, 20)).augmented(TURN, range(7)).resized((8, 30), "pad")
    assert sequence.size == (8, 30)
    expected = [
        resize_xray(TURN(resize_xray(image, (15, 20)), i), (8, 30), "pad")
        for i, image in enumerate(images)
    ]
    np.testing.assert_array_equal(np.asarray(sequence), expected)
    np.testing.assert_array_equal(sequence[2], expected[2])


def test_a_negative_seed_leaves_the_image(images, paths):
    seeds = [-1, 5, -1, 5, -1, -1, 5]
    changed = np.asarray(XRaySequence(paths).augmented(TURN, seeds))
    for image, seed, original in zip(changed, seeds, images, strict=True):
        np.testing.assert_array_equal(image, original if seed < 0 else TURN(original, 5))


def test_steps_leave_the_sequence_they_start_from(paths):
    sequence = XRaySequence(paths)
    sequence.resized((4, 5)).augmented(TURN, range(7))
    assert sequence.size is None
    assert sequence[0].shape == (19, 26)


@pytest.mark.parametrize("seeds", [[1, 2], 3, np.zeros((7, 1), int)])
def test_seeds_must_be_one_per_image(lazy, seeds):
    with pytest.raises(ValueError, match=r"one seed per image, \(7,\); got shape"):
        lazy.augmented(TURN, seeds)


def test_threads_give_what_one_thread_gives(paths):
    sequence = XRaySequence(paths * 20).resized((11, 14)).augmented(TURN, range(140))
    np.testing.assert_array_equal(np.asarray(sequence), np.stack(list(sequence)))


def test_images_of_different_sizes(paths, tmp_path):
    Image.new("L", (8, 5)).save(tmp_path / "odd.png")
    sequence = XRaySequence([*paths, tmp_path / "odd.png"])
    with pytest.raises(ValueError, match=r"odd\.png has \(5, 8\)\. Bring .* XRayResizer"):
        np.asarray(sequence)
    assert sequence[-1].shape == (5, 8)
    assert np.asarray(sequence.resized((5, 8))).shape == (8, 5, 8)


def test_a_file_that_cannot_be_read_is_named(paths, tmp_path):
    (tmp_path / "broken.png").write_bytes(paths[0].read_bytes()[:60])
    sequence = XRaySequence([*paths, tmp_path / "broken.png", "nowhere.png"])
    with pytest.raises(ImageReadError, match=r"broken\.png: "):
        np.asarray(sequence)
    with pytest.raises(ImageReadError, match=r"nowhere\.png: there is no such file"):
        sequence[-1]


@pytest.mark.parametrize("size", [5, (0, 5)])
def test_wrong_sizes(size):
    with pytest.raises(ValueError, match="two positive integers"):
        XRaySequence(NOWHERE, size=size)
    with pytest.raises(ValueError, match="two positive integers"):
        XRaySequence(NOWHERE).resized(size)


def test_wrong_aspects():
    with pytest.raises(ValueError, match="aspect must be one of"):
        XRaySequence(NOWHERE, size=(4, 5), aspect="zoom")
    with pytest.raises(ValueError, match="aspect must be one of"):
        XRaySequence(NOWHERE).resized((4, 5), "zoom")


def test_equal_fingerprints_mean_equal_images(paths):
    plain = XRaySequence([paths[0], paths[1], paths[0]])
    assert plain.fingerprints()[0] == plain.fingerprints()[2] != plain.fingerprints()[1]
    variants = [
        plain,
        plain.resized((5, 4)),
        plain.resized((5, 4), "pad"),
        plain.augmented(TURN, [0, 0, 0]),
        plain.augmented(TURN, [1, 0, 0]),
        plain.augmented(Augmentation(rotation=21), [0, 0, 0]),
        plain.resized((5, 4)).augmented(TURN, [0, 0, 0]),
        plain.augmented(TURN, [0, 0, 0]).resized((5, 4)),
    ]
    assert len({variant.fingerprints()[0] for variant in variants}) == len(variants)
    part = plain.augmented(TURN, [4, 5, 4])
    assert part.fingerprints()[0] == part[[2]].fingerprints()[0] != part.fingerprints()[1]


def test_a_changed_file_has_another_fingerprint(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (8, 5)).save(path)
    before = XRaySequence([path]).fingerprints()
    Image.new("L", (80, 50), 9).save(path)
    assert XRaySequence([path]).fingerprints() != before


def test_a_file_put_in_the_place_of_another_with_its_times(tmp_path):
    paths = [tmp_path / name for name in ("a.bmp", "b.bmp")]
    for path, level in zip(paths, (50, 60), strict=True):
        path.write_bytes(bytes([level]) * 100)
        os.utime(path, ns=(1, 1))
    before = XRaySequence(paths[:1]).fingerprints()
    shutil.copy2(paths[1], paths[0])
    assert XRaySequence(paths[:1]).fingerprints() != before


def test_what_an_index_may_be(paths):
    sequence = XRaySequence(paths[:3])
    np.testing.assert_array_equal(sequence[np.array(1)], sequence[1])
    assert XRaySequence([str(paths[0]).encode()]).paths.tolist() == [str(paths[0])]


def test_fingerprints_of_missing_files():
    with pytest.raises(ImageReadError, match=r"0\.jpeg: No such file"):
        XRaySequence(NOWHERE).fingerprints()


def test_real_xrays(xray_data):
    paths = sorted((xray_data / "originals").rglob("*.jpeg"))[::15]
    sequence = XRaySequence(paths).resized((64, 50), "crop")
    expected = [read_xray(path, size=(64, 50), aspect="crop") for path in paths]
    np.testing.assert_array_equal(np.asarray(sequence), expected)


# -- cached on disk ------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A store of its own."""
    monkeypatch.setenv("SKPNEUMO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def decoded(monkeypatch):
    """Paths in the order in which they are decoded."""
    paths = []

    def read(path, **options):
        paths.append(path)
        return read_xray(path, **options)

    monkeypatch.setattr(_files, "read_xray", read)
    return paths


def test_an_image_is_decoded_once_for_each_size(paths, cache, decoded):
    sequence = XRaySequence([*paths, paths[0]], size=(12, 9))
    first = np.asarray(sequence)
    assert sorted(decoded) == sorted(map(str, paths))
    np.testing.assert_array_equal(np.asarray(sequence[::-1]), first[::-1])
    np.testing.assert_array_equal(sequence[3], first[3])
    np.asarray(sequence.augmented(TURN, range(8)))
    assert len(decoded) == 7
    np.asarray(XRaySequence(paths, size=(12, 9), aspect="pad"))
    np.asarray(XRaySequence(paths, size=(9, 12)))
    assert len(decoded) == 21


def test_a_cached_image_may_be_changed_by_the_caller(paths, cache):
    sequence = XRaySequence(paths, size=(12, 9))
    for image in (sequence[0], sequence[0], np.asarray(sequence)[0]):
        assert image.any()
        image[:] = 0


def test_a_changed_file_is_decoded_again(tmp_path, cache):
    path = tmp_path / "a.png"
    values = []
    for value in (50, 60, 70):
        Image.new("L", (80, 50), value).save(path)
        values.append(XRaySequence([path], size=(5, 8))[0].max())
    assert values == [50, 60, 70]


def test_images_of_their_own_size_are_not_cached(paths, cache, decoded):
    for _ in range(2):
        np.asarray(XRaySequence(paths))
    assert len(decoded) == 14
    assert not cache.exists()


def test_nothing_is_cached_if_the_cache_is_off(paths, monkeypatch, tmp_path, decoded):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKPNEUMO_CACHE", "off")
    for _ in range(2):
        np.asarray(XRaySequence(paths, size=(12, 9)))
    assert len(decoded) == 14
    assert not (tmp_path / "off").exists()


def test_a_cache_that_fails_changes_no_image(images, paths, cache):
    cache.touch()
    expected = [resize_xray(image, (12, 9)) for image in images]
    with pytest.warns(CacheWarning, match="Nothing is kept in"):
        decoded = np.asarray(XRaySequence(paths, size=(12, 9)))
    np.testing.assert_array_equal(decoded, expected)
    np.testing.assert_array_equal(np.asarray(XRaySequence(paths, size=(12, 9))), expected)


def test_check_names_every_bad_file_and_where_to_go_on(paths, tmp_path):
    missing, text = os.fspath(tmp_path / "missing.png"), os.fspath(tmp_path / "text.png")
    Path(text).write_text("no image")
    xrays = XRaySequence([paths[0], missing, paths[1], text, missing], size=(8, 9))
    with pytest.raises(ImageReadError, match=r"(?s)^2 of 5 files.*missing\.png.*text\.png"):
        xrays.check()
    with pytest.warns(UserWarning, match=r"^2 of 5 files") as caught:
        causes = xrays.check(on_error="skip")
    assert caught[0].filename == __file__
    assert set(causes) == {missing, text}
    assert "no such file" in causes[missing].lower()
    readable = ~np.isin(xrays.paths, list(causes))
    assert xrays[readable].paths.tolist() == [os.fspath(paths[0]), os.fspath(paths[1])]
    assert xrays[readable].check() == {}


def test_check_of_another_word(paths):
    with pytest.raises(ValueError, match="'raise' or 'skip', got None"):
        XRaySequence(paths).check(None)


@pytest.mark.parametrize("size", [None, (12, 15)])
def test_errors_are_found_by_kind_and_hold_no_file(paths, tmp_path, size):
    (tmp_path / "broken.png").write_bytes(Path(paths[0]).read_bytes()[:60])
    (tmp_path / "volume.npy").write_bytes(b"\x93NUMPY\1\0")
    files = [paths[0], str(tmp_path / "broken.png"), str(tmp_path / "volume.npy")]
    xrays = XRaySequence(files, size=size)
    errors = xrays.find_unreadable()
    assert [type(errors.get(file)) for file in files] == [type(None), ImageReadError, NoXRayError]
    assert all(error.__traceback__ is error.__context__ is None for error in errors.values())
    with pytest.warns(UserWarning, match="2 of 3 files cannot be read"):
        assert xrays.check("skip") == {file: str(error) for file, error in errors.items()}
