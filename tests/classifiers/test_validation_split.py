"""The split for early stopping: stratified, no patient and no copy on both sides."""

import numpy as np
import pytest
from sklearn.model_selection import ShuffleSplit

from skpneumo._utils.targets import check_groups
from skpneumo.classifiers._data import check_training_set
from skpneumo.classifiers._hashing import find_copies, hash_images
from skpneumo.classifiers._validation_split import split_validation
from skpneumo.images import XRaySequence

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (120, 5, 7), dtype=np.uint8)
Y = np.array(["NORMAL"] * 30 + ["PNEUMONIA"] * 90)


def split(validation, images=X, y=Y, *, groups=None, sample_weight=None, seed=0):
    """Rows for training and for validation, and the labels of both."""
    data = check_training_set(images, y, groups=groups, sample_weight=sample_weight)
    return split_validation(validation, data, seed)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_a_fraction_is_stratified(fraction):
    train, validation = split(fraction)
    assert sorted([*train, *validation]) == list(range(120))
    for label, n in (("NORMAL", 30), ("PNEUMONIA", 90)):
        assert abs((Y[validation] == label).sum() - fraction * n) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides(seed):
    groups = np.random.default_rng(seed).integers(0, 40, 120)
    train, validation = split(0.2, groups=groups, seed=seed)
    assert not set(groups[train]) & set(groups[validation])
    assert 0 < len(validation) <= 0.2 * 120 + 2


def test_copies_stay_together_and_join_their_groups():
    copies = X.copy()
    copies[60:120] = copies[30:90]  # a chain: copies of images of other groups
    groups = np.arange(120) // 2
    train, validation = split(0.3, copies, groups=groups, seed=1)
    contents = [image.tobytes() for image in copies]
    assert not {contents[i] for i in train} & {contents[i] for i in validation}
    assert not set(groups[train]) & set(groups[validation])


def test_the_seed_decides():
    splits = [split(0.2, seed=seed)[1].tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_the_first_split_of_a_splitter_is_taken():
    splitter = ShuffleSplit(2, test_size=0.3, random_state=4)
    expected = next(splitter.split(X, Y))
    for ours, theirs in zip(split(splitter), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_without_validation_every_image_is_trained_on():
    train, validation = split(None)
    assert train.tolist() == list(range(120))
    assert len(validation) == 0


def test_a_fraction_that_leaves_a_class_out_is_refused():
    one_patient = np.zeros(120, int)
    error = r"no image labelled \['NORMAL', 'PNEUMONIA'\] for validation"
    with pytest.raises(ValueError, match=error):
        split(0.2, groups=one_patient)


class Alternating:
    """Splitter that trains on the even rows."""

    def split(self, X, y, groups):
        rows = np.arange(len(y))
        yield rows[::2], rows[1::2]


def test_each_class_must_weigh_something_on_each_side():
    y = np.array([0, 0, 1, 1])
    for validation in (None, Alternating()):
        split(validation, X[:4], y, sample_weight=[1, 1, 2, 2])
    with pytest.raises(ValueError, match="images for training weigh zero for one"):
        split(Alternating(), X[:4], y, sample_weight=[0, 1, 1, 1])
    with pytest.raises(ValueError, match="images for validation weigh zero for one"):
        split(Alternating(), X[:4], y, sample_weight=[1, 1, 1, 0])


def test_images_without_weight_are_not_trained_on():
    weight = np.ones(120)
    weight[[3, 50]] = 0
    train, _ = split(None, sample_weight=weight)
    assert set(range(120)) - set(train.tolist()) == {3, 50}


def test_a_group_that_is_missing_is_refused():
    for groups in ([None, "a", "b"], [1.0, np.nan, 2.0]):
        with pytest.raises(ValueError, match="no value for 1 of 3 images"):
            check_groups(groups, [0, 1, 1])


def test_equal_images_have_equal_keys(tmp_path, xrays, paths):
    doubled = np.concatenate([xrays.X, xrays.X[:3]])
    keys = find_copies(doubled)
    assert keys[50:] == keys[:3]
    assert len(set(keys)) == len({image.tobytes() for image in doubled})
    twin = tmp_path / "twin.png"
    twin.write_bytes(open_bytes(paths[4]))
    keys = find_copies(XRaySequence([*paths, twin]))
    assert keys[50] == keys[4]
    assert len(set(keys)) == 50


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def test_the_hash_of_images_depends_on_pixels_order_and_steps(xrays, paths):
    sequence = XRaySequence(paths)
    different = [
        xrays.X,
        xrays.X[::-1],
        xrays.X[:-1],
        xrays.X[:, ::-1],
        sequence,
        sequence[::-1],
        sequence.resized((20, 21)),
        sequence.resized((20, 21), "crop"),
    ]
    assert len({hash_images(X) for X in different}) == len(different)
    assert hash_images(xrays.X.copy()) == hash_images(xrays.X)
    assert hash_images(XRaySequence(list(paths))) == hash_images(sequence)
