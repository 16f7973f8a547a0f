"""Images held back for early stopping: a fair share, no child and no copy on both sides."""

import numpy as np
import pytest
from sklearn.model_selection import ShuffleSplit

from skpneumo._utils.targets import check_groups
from skpneumo.classifiers._identity import content_keys, data_key
from skpneumo.classifiers._validation import check_weights_of_split, split_validation
from skpneumo.images import XRaySequence

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (120, 5, 7), dtype=np.uint8)
Y = np.array(["NORMAL"] * 30 + ["PNEUMONIA"] * 90)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_share_is_stratified(share):
    train, held_back = split_validation(share, X, Y, seed=0)
    assert sorted([*train, *held_back]) == list(range(120))
    for label, n in (("NORMAL", 30), ("PNEUMONIA", 90)):
        assert abs((Y[held_back] == label).sum() - share * n) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides(seed):
    groups = np.random.default_rng(seed).integers(0, 40, 120)
    train, held_back = split_validation(0.2, X, Y, groups, seed=seed)
    assert not set(groups[train]) & set(groups[held_back])
    assert 0 < len(held_back) <= 0.2 * 120 + 2


def test_copies_stay_together_and_join_their_groups():
    copies = X.copy()
    copies[60:120] = copies[30:90]  # a chain: copies of images of other groups
    groups = np.arange(120) // 2
    train, held_back = split_validation(0.3, copies, Y, groups, seed=1)
    contents = [image.tobytes() for image in copies]
    assert not {contents[i] for i in train} & {contents[i] for i in held_back}
    assert not set(groups[train]) & set(groups[held_back])


def test_the_seed_decides():
    splits = [split_validation(0.2, X, Y, seed=seed)[1].tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_a_splitter_s_first_split_is_taken():
    splitter = ShuffleSplit(2, test_size=0.3, random_state=4)
    expected = next(splitter.split(X, Y))
    for ours, theirs in zip(split_validation(splitter, X, Y), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_nothing_is_held_back_without_validation():
    train, held_back = split_validation(None, X, Y)
    assert train.tolist() == list(range(120))
    assert len(held_back) == 0


def test_a_share_that_leaves_a_class_out_is_refused():
    one_child = np.zeros(120, int)
    with pytest.raises(ValueError, match=r"no image labelled \['NORMAL', 'PNEUMONIA'\] to stop by"):
        split_validation(0.2, X, Y, one_child, seed=0)


def test_each_class_must_weigh_something_on_each_side():
    y, rows = np.array([0, 0, 1, 1]), np.arange(4)
    check_weights_of_split(y, np.ones(4), rows, rows[:0])
    check_weights_of_split(y, np.ones(4), rows[[0, 2]], rows[[1, 3]])
    with pytest.raises(ValueError, match="images to learn from weigh zero for one"):
        check_weights_of_split(y, np.array([0, 1, 1, 1]), rows[[0, 2]], rows[[1, 3]])
    with pytest.raises(ValueError, match="images to stop by weigh zero for one"):
        check_weights_of_split(y, np.array([1, 1, 1, 0]), rows[[0, 2]], rows[[1, 3]])


def test_a_group_that_is_missing_is_refused():
    for groups in ([None, "a", "b"], [1.0, np.nan, 2.0]):
        with pytest.raises(ValueError, match="no value for 1 of 3 images"):
            check_groups(groups, [0, 1, 1])


def test_equal_images_have_equal_keys(tmp_path, xrays, paths):
    doubled = np.concatenate([xrays.X, xrays.X[:3]])
    keys = content_keys(doubled)
    assert keys[50:] == keys[:3]
    assert len(set(keys)) == len({image.tobytes() for image in doubled})
    twin = tmp_path / "twin.png"
    twin.write_bytes(open_bytes(paths[4]))
    keys = content_keys(XRaySequence([*paths, twin]))
    assert keys[50] == keys[4]
    assert len(set(keys)) == 50


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def test_the_key_of_data_tells_pixels_order_and_steps_apart(xrays, paths):
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
    assert len({data_key(X) for X in different}) == len(different)
    assert data_key(xrays.X.copy()) == data_key(xrays.X)
    assert data_key(XRaySequence(list(paths))) == data_key(sequence)
