"""Images to train on and images to test on."""

from pathlib import Path

import numpy as np
import pytest

from skpneumo.cli._training import draw_synthetic, load_folder
from skpneumo.cli._training._data import draw_patients
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import DatasetError


def test_without_a_folder_images_are_synthetic():
    data = draw_synthetic(image_size=(33, 41), n_images=(60, 30), random_state=3)
    train, test = data.train, data.test
    assert train.X.shape == (60, 33, 41)
    assert test.X.shape == (30, 33, 41)
    expected = make_xrays(60, image_size=(33, 41), difficulty=0.35, random_state=3)
    for part, name in (("X", "images"), ("y", "target"), ("groups", "groups")):
        np.testing.assert_array_equal(train[part], expected[name])
    assert not np.isin(test.X.mean(axis=(1, 2)), train.X.mean(axis=(1, 2))).all()


def test_train_and_val_are_joined_and_test_is_kept_apart(three_splits, data):
    listed = load_xray_folder(three_splits)
    for part, splits in ((data.train, {"train", "val"}), (data.test, {"test"})):
        assert set(part.X) == set(listed.paths[np.isin(listed.split, list(splits))])
        assert [Path(path).parent.name for path in part.X] == part.y.tolist()
        assert part.groups.shape == part.y.shape == part.X.shape
    assert data.folder == three_splits
    assert len(data.train.y) == 64
    assert len(data.test.y) == 21


def test_a_patient_in_train_and_val_is_one_group(tmp_path, make_empty_files):
    names = ("NORMAL/IM-7-1.png", "PNEUMONIA/person7_virus_1.png", "PNEUMONIA/person8_virus_1.png")
    make_empty_files(tmp_path, *(f"{split}/{name}" for split in ("train", "val") for name in names))
    train = load_folder(tmp_path).train
    assert len(train.y) == 6
    assert len(set(train.groups)) == 3


@pytest.mark.parametrize("within", ["", "train"])
def test_a_folder_without_test_split(within, tmp_path, make_empty_files):
    make_empty_files(tmp_path / within, "NORMAL/IM-7-1.png", "PNEUMONIA/person7_virus_1.png")
    data = load_folder(tmp_path)
    assert len(data.train.y) == 2
    assert data.test is None


def test_a_test_split_alone_is_refused(three_splits):
    with pytest.raises(DatasetError, match=r"nothing to train on\. Give the folder above it"):
        load_folder(three_splits / "test")


@pytest.mark.parametrize("n_images", [20, 33, 64, 1000])
def test_a_subset_keeps_patients_whole(three_splits, data, n_images):
    everything = data.train
    _, counts = np.unique(everything.groups, return_counts=True)
    subsets = [load_folder(three_splits, subset=n_images, random_state=seed) for seed in range(3)]
    for subset in subsets:
        left_out = np.isin(everything.X, subset.train.X, invert=True)
        assert not set(subset.train.groups) & set(everything.groups[left_out])
        assert abs(len(subset.train.y) - min(n_images, len(everything.y))) < counts.max()
        assert [Path(path).parent.name for path in subset.train.X] == subset.train.y.tolist()
        np.testing.assert_array_equal(subset.test.X, data.test.X)
    assert len({tuple(subset.train.X) for subset in subsets}) == (3 if n_images < 64 else 1)


def test_a_subset_is_never_empty():
    groups = np.repeat(["one patient", "another"], 31)
    assert len(draw_patients(groups, 20, 0)) == 31


@pytest.mark.filterwarnings("ignore:.* files name no patient")
def test_images_whose_patient_is_known_are_marked(tmp_path, make_empty_files):
    identified = {"IM-7-1.png": True, "a.png": False, "b.png": False, "c.png": True}
    names = ("NORMAL/IM-7-1.png", "NORMAL/a.png", "PNEUMONIA/b.png", "PNEUMONIA/Jane/c.png")
    train = load_folder(make_empty_files(tmp_path, *names)).train
    found = zip((Path(path).name for path in train.X), train.identified.tolist(), strict=True)
    assert dict(found) == identified


def test_other_classes_are_mapped(three_splits, tmp_path):
    for source, name in (("NORMAL", "Healthy"), ("PNEUMONIA", "Opacity")):
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / "train" / name).symlink_to(three_splits / "train" / source)
    train = load_folder(tmp_path, classes={"Healthy": "NORMAL", "Opacity": "PNEUMONIA"}).train
    assert train.y.tolist() == load_xray_folder(three_splits / "train").target.tolist()
