"""Each level of a folder has one meaning, or is left out with a warning."""

import os
from pathlib import Path

import numpy as np
import pytest

from skpneumo.datasets import load_xray_folder
from skpneumo.exceptions import DatasetError

pytestmark = pytest.mark.filterwarnings("ignore:.* files name no patient")
N_NORMAL, N_PNEUMONIA = 3, 5


def build(folder, *names):
    """Create empty files: only names and places count."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def two_classes(folder, normal="NORMAL", pneumonia="PNEUMONIA", below="", start=0):
    """Files of the Kermany collection, each of another patient."""
    rows = range(start, start + N_PNEUMONIA)
    build(folder / normal / below, *(f"IM-{i:04}-0001.jpeg" for i in rows[:N_NORMAL]))
    build(folder / pneumonia / below, *(f"person{i}_virus_{i}.jpeg" for i in rows))
    return folder


def counts(data):
    keys, n = np.unique([data.split, data.target], axis=1, return_counts=True)
    return {(*key,): count for key, count in zip(keys.T.tolist(), n.tolist(), strict=True)}


def whole(*splits):
    """Counts of `two_classes` in some splits."""
    return {
        (split, target): n
        for split in splits
        for target, n in (("NORMAL", N_NORMAL), ("PNEUMONIA", N_PNEUMONIA))
    }


def load_with_left_out(root, *left_out):
    """Load a folder, whose left out parts must be these and be warned of."""
    with pytest.warns(UserWarning, match=f"^{len(left_out)} file.* left out") as record:
        data = load_xray_folder(root)
    assert len([warning for warning in record if "left out" in str(warning.message)]) == 1
    assert data.left_out == sorted(map(os.path.normpath, left_out))
    return data


# -- splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "test") for name in ("test_images", "Test Set", "chest_xray_test", "X_test")),
        *((name, "test") for name in ("TestImages", "2_test", "test-data", " test ", "tests")),
        *((name, "val") for name in ("validate", "dev", "val_data", "valid_images", "02 val")),
    ],
)
def test_a_split_in_another_spelling_is_one(tmp_path, name, split):
    two_classes(tmp_path / "train")
    two_classes(tmp_path / name, start=100)
    data = load_xray_folder(tmp_path)
    assert counts(data) == whole("train", split)
    assert data.left_out == []


@pytest.mark.parametrize(
    "name", ["train_set", "X_train", "chest_xray_train", "0_train", "TrainData"]
)
def test_train_in_another_spelling_is_train(tmp_path, name):
    two_classes(tmp_path / name)
    two_classes(tmp_path / "test", start=100)
    assert counts(load_xray_folder(tmp_path)) == whole("train", "test")
    assert counts(load_xray_folder(tmp_path / name)) == whole("train")


@pytest.mark.parametrize(
    "name",
    ["holdout", "eval", "external", "fold1", "test (1)", "test2", "retest", "train_test", "site B"],
)
def test_what_may_be_a_split_never_vanishes(tmp_path, name):
    two_classes(tmp_path / "train")
    two_classes(tmp_path / name, start=100)
    assert counts(load_with_left_out(tmp_path, name)) == whole("train")


def test_unlabelled_images_of_a_split_are_left_out(tmp_path):
    two_classes(tmp_path / "train")
    build(tmp_path, "test_images/1.png", "test_images/2.dcm", "test_images/about.txt")
    data = load_with_left_out(tmp_path, "test_images/1.png", "test_images/2.dcm")
    assert counts(data) == whole("train")


@pytest.mark.parametrize("below", ["train", "Training set"])
def test_the_class_may_be_above_the_split(tmp_path, below):
    two_classes(tmp_path, below=below)
    two_classes(tmp_path, below="test", start=100)
    data = load_xray_folder(tmp_path)
    assert counts(data) == whole("train", "test")
    for path, split in zip(data.paths, data.split, strict=True):
        assert Path(path).parent.name == ("test" if split == "test" else below)
    assert not {*data.groups[data.split == "train"]} & {*data.groups[data.split == "test"]}


def test_one_folder_may_name_the_split_and_the_class(tmp_path):
    for split in ("train", "test"):
        two_classes(tmp_path, f"{split}_normal", f"{split}_pneumonia")
    assert counts(load_xray_folder(tmp_path)) == whole("train", "test")


@pytest.mark.parametrize(
    "inner", ["train/val", "train/NORMAL/test", "train/PNEUMONIA/NORMAL", "train/NORMAL/virus"]
)
def test_levels_that_contradict_each_other_are_left_out(tmp_path, inner):
    two_classes(tmp_path / "train")
    if inner == "train/val":
        two_classes(tmp_path / inner)
    else:
        build(tmp_path / inner, "scan.png")
    assert counts(load_with_left_out(tmp_path, inner)) == whole("train")


def test_images_beside_their_splits_are_not_learnt_from(tmp_path):
    """A collection from before it was split would bring test images into training."""
    two_classes(tmp_path)
    for split in ("train", "test"):
        two_classes(tmp_path / split)
    with pytest.warns(UserWarning, match=f"^{N_NORMAL + N_PNEUMONIA} file.* left out"):
        assert counts(load_xray_folder(tmp_path)) == whole("train", "test")


@pytest.mark.parametrize(
    ("link", "target"),
    [
        *(("again", target) for target in (".", "xrays", "xrays/train")),
        *(("train/again", target) for target in (".", "xrays", "xrays/train")),
        *(("images", target) for target in (".", "xrays", "xrays/train")),
        *(("train/NORMAL/again", target) for target in ("xrays", "xrays/train")),
    ],
)
def test_a_link_back_to_a_folder_above_is_left_out(tmp_path, link, target):
    two_classes(tmp_path / "xrays/train")
    try:
        (tmp_path / "xrays" / link).symlink_to(tmp_path / target, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no symbolic links")
    assert counts(load_with_left_out(tmp_path / "xrays", link)) == whole("train")


@pytest.mark.parametrize(
    ("link", "target"), [("train/0_NORMAL", "train/NORMAL"), ("test", "train")]
)
def test_a_link_to_a_folder_beside_it_is_left_out(tmp_path, link, target):
    """Its images would be other patients, or another split."""
    two_classes(tmp_path / "train")
    try:
        (tmp_path / link).symlink_to(tmp_path / target, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    data = load_with_left_out(tmp_path, link)
    assert counts(data) == whole("train")


def test_an_empty_split_beside_images_is_no_split(tmp_path):
    (tmp_path / "NORMAL/train").mkdir(parents=True)
    (tmp_path / "test").mkdir()
    assert counts(load_xray_folder(two_classes(tmp_path))) == whole("all")


def test_what_lies_beside_the_collection_in_a_parent_is_left_out(tmp_path):
    two_classes(tmp_path / "xrays/chest_xray/train")
    build(tmp_path / "xrays", "holiday.jpeg", "test_images/1.png", "notes/readme.txt", "a.csv")
    data = load_with_left_out(tmp_path / "xrays", "holiday.jpeg", "test_images")
    assert counts(data) == whole("train")


@pytest.mark.parametrize("inner", ["train", "train/site A", "site A/train"])
def test_the_only_split_keeps_its_name(tmp_path, inner):
    """So that training images are never taken for a collection without splits."""
    two_classes(tmp_path / "xrays" / inner)
    assert counts(load_xray_folder(tmp_path / "xrays")) == whole("train")


@pytest.mark.parametrize("name", ["notes", "masks", "labels", "train/annotations"])
def test_a_folder_without_images_in_a_collection_is_left_out_too(tmp_path, name):
    two_classes(tmp_path / "train")
    build(tmp_path, f"{name}/a.txt")
    (tmp_path / "empty").mkdir()
    assert counts(load_with_left_out(tmp_path, name)) == whole("train")


def test_a_class_unpacked_into_itself_is_not_counted_twice(tmp_path):
    two_classes(tmp_path)
    build(tmp_path, "NORMAL/normal/IM-0000-0001.jpeg")
    assert counts(load_with_left_out(tmp_path, "NORMAL/normal")) == whole("all")
    two_classes(tmp_path / "inner/train", below="images")
    for name in ("NORMAL", "PNEUMONIA"):
        (tmp_path / "inner/train" / name / "images").rename(tmp_path / "inner/train" / name / name)
    assert counts(load_xray_folder(tmp_path / "inner")) == whole("train")


def test_a_nested_folder_that_is_no_copy_is_left_out(tmp_path):
    two_classes(tmp_path / "train")
    two_classes(tmp_path / "chest_xray/train")
    assert load_xray_folder(tmp_path).left_out == []
    two_classes(tmp_path / "chest_xray/test", start=100)
    assert counts(load_with_left_out(tmp_path, "chest_xray")) == whole("train")


# -- classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normal", "pneumonia"),
    [
        ("NORMAL ", " pneumonia"),
        ("0_NORMAL", "1_PNEUMONIA"),
        ("0normal", "1pneumonia"),
        ("Normal cases", "Pneumonia cases"),
        ("normal-images", "PneumoniaImages"),
        ("class_0_normal", "class_1_pneumonia"),
        ("Chest NORMAL", "viral_pneumonia"),
        ("normal", "VIRUS"),
    ],
)
def test_a_class_in_another_spelling_is_one(tmp_path, normal, pneumonia):
    two_classes(tmp_path / "train", normal, pneumonia)
    assert counts(load_xray_folder(tmp_path)) == whole("train")


@pytest.mark.parametrize(
    "name",
    [
        "no pneumonia",
        "abnormal",
        "not_normal",
        "pneumonia_negative",
        "NORMAL+PNEUMONIA",
        "normal 2",
    ],
)
def test_a_class_is_not_taken_from_a_part_of_a_name(tmp_path, name):
    two_classes(tmp_path / "train")
    build(tmp_path / "train" / name, "scan.png")
    assert counts(load_with_left_out(tmp_path, f"train/{name}")) == whole("train")


@pytest.mark.parametrize("names", [("Healthy", "Opacity"), ("0", "1"), ("COVID", "gesund")])
def test_other_classes_are_listed_and_can_be_mapped(tmp_path, names):
    for split in ("train", "test_images"):
        two_classes(tmp_path / split, *names)
    with pytest.raises(DatasetError, match="holds no folders of classes") as caught:
        load_xray_folder(tmp_path)
    listed = ", ".join(map(repr, sorted(names)))
    for split in ("train", "test_images"):
        assert f"{split!r} holds 2 folder(s) ({listed})" in str(caught.value)
    assert "classes={" in str(caught.value)
    assert "--classes" in str(caught.value)
    classes = dict(zip(names, ("NORMAL", "PNEUMONIA"), strict=True))
    data = load_xray_folder(tmp_path, classes=classes)
    assert counts(data) == whole("train", "test")
    assert {Path(path).parent.name for path in data.paths[data.target == "NORMAL"]} == {names[0]}


def test_one_other_class_is_listed(tmp_path):
    two_classes(tmp_path / "train", pneumonia="Opacity")
    with pytest.raises(
        DatasetError, match=r"(?s)train 3 NORMAL \+ 0 PNEUMONIA.*classes="
    ) as caught:
        load_xray_folder(tmp_path)
    assert caught.match(r"'train' holds 2 folder\(s\) \('NORMAL', 'Opacity'\)")
    assert caught.match("'Opacity': 'PNEUMONIA'")
    assert counts(load_xray_folder(tmp_path, classes={"Opacity": "PNEUMONIA"})) == whole("train")


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("opacity", "Opacity"),
        (" OPACITY", "1_opacity_images"),
        ("Lung Opacity", "lung_opacity"),
        ("lung-opacity", "LungOpacity"),
        (1, "1"),
        ("COVID-19", "covid_19"),
        ("肺炎", "肺炎"),
    ],
)
def test_keys_of_classes_are_matched_like_names(tmp_path, key, folder):
    two_classes(tmp_path / "train", pneumonia=folder)
    assert counts(load_xray_folder(tmp_path, classes={key: "pneumonia"})) == whole("train")


def test_classes_add_to_the_known_ones(tmp_path):
    two_classes(tmp_path)
    build(tmp_path, "Opacity/a.png", "Healthy/b.png", "bacteria/c.png")
    classes = {"Opacity": "PNEUMONIA", "Healthy": "NORMAL", "bacteria": "PNEUMONIA"}
    data = load_xray_folder(tmp_path, classes=classes)
    assert counts(data) == {("all", "NORMAL"): N_NORMAL + 1, ("all", "PNEUMONIA"): N_PNEUMONIA + 2}
    assert data.subtype[[path.endswith("c.png") for path in data.paths]] == ["bacteria"]


def test_numbers_below_a_class_are_no_classes(tmp_path):
    build(
        tmp_path,
        *(f"{label}/{patient}/{i}.png" for label in "01" for patient in "01" for i in "ab"),
    )
    data = load_xray_folder(tmp_path, classes={"0": "NORMAL", "1": "PNEUMONIA"})
    assert counts(data) == {("all", "NORMAL"): 4, ("all", "PNEUMONIA"): 4}
    assert set(data.patient) == {"folder-1", "folder-2"}


@pytest.mark.parametrize(
    ("classes", "error"),
    [
        ({"Opacity": "sick"}, "NORMAL or PNEUMONIA, got 'Opacity': 'sick'"),
        ({"Opacity": None}, "NORMAL or PNEUMONIA, got 'Opacity': None"),
        ({"": "NORMAL"}, "NORMAL or PNEUMONIA, got '': 'NORMAL'"),
        (["Opacity"], r"must be a dict.*got \['Opacity'\]"),
        ("Opacity=PNEUMONIA", "must be a dict"),
        ({"Opacity": "PNEUMONIA", "opacity ": "NORMAL"}, "to both NORMAL and PNEUMONIA"),
        ({"Opacty": "PNEUMONIA"}, r"(?s)'Opacty', but .* no such folder.*found 3 folder"),
        ({"train": "PNEUMONIA", "Opacity": "PNEUMONIA"}, "'train', but .* no such folder"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(tmp_path, classes, error):
    two_classes(tmp_path)
    build(tmp_path, "Opacity/a.png")
    with pytest.raises(ValueError, match=error):
        load_xray_folder(tmp_path, classes=classes)


# -- below the classes ----------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("bacteria", "virus"), ("Bacterial", "viral pneumonia")])
@pytest.mark.parametrize("above", ["PNEUMONIA", "PNEUMONIA/images", "PNEUMONIA/train", "."])
def test_folders_of_subtypes_are_no_patients(tmp_path, names, above):
    split = "train" if above.endswith("train") else ""
    build(tmp_path / "NORMAL" / split, *(f"{i}.png" for i in range(7)))
    for name in names:
        build(tmp_path / above / name, *(f"{i}.png" for i in range(4)))
    data = load_xray_folder(tmp_path)
    is_pneumonia = data.target == "PNEUMONIA"
    assert sorted(data.subtype[is_pneumonia]) == ["bacteria"] * 4 + ["virus"] * 4
    assert set(data.subtype[~is_pneumonia]) == {""}
    assert len(set(data.groups)) == len(set(data.patient)) == 15


def test_patients_below_and_above_a_subtype_are_patients(tmp_path):
    build(tmp_path, "NORMAL/Jane/a.png", "NORMAL/Jane/b.png", "NORMAL/Joe/images/a.png")
    build(tmp_path, "PNEUMONIA/virus/Ann/a.png", "PNEUMONIA/Ann/virus/b.png")
    build(tmp_path, "PNEUMONIA/covid-19/Bob/a.png")
    data = load_xray_folder(tmp_path)
    assert [len(set(data.patient[data.target == name])) for name in ("NORMAL", "PNEUMONIA")] == [
        2,
        2,
    ]
    assert sorted(data.subtype) == ["", "", "", "covid", "virus", "virus"]


@pytest.mark.parametrize("images", ["images", "Images", "img", "CXR images", "png", "x-rays"])
@pytest.mark.parametrize("masks", ["masks", "lung_mask", "leftMask", "Segmentations", "heatmaps"])
def test_images_are_no_level_and_masks_are_no_xrays(tmp_path, images, masks):
    for label, n in (("NORMAL", 4), ("PNEUMONIA", 6)):
        for kind in (images, masks):
            build(tmp_path / label / kind, *(f"{label}-{i}.png" for i in range(n)))
    data = load_with_left_out(tmp_path, f"NORMAL/{masks}", f"PNEUMONIA/{masks}")
    assert counts(data) == {("all", "NORMAL"): 4, ("all", "PNEUMONIA"): 6}
    assert len(set(data.groups)) == 10


@pytest.mark.parametrize("split", ["", "train"])
def test_images_and_masks_above_the_classes(tmp_path, split):
    for kind in ("images", "masks"):
        two_classes(tmp_path / "xrays" / split / kind)
    left_out = os.path.join(split, "masks")
    assert counts(load_with_left_out(tmp_path / "xrays", left_out)) == whole(split or "all")


def test_masks_beside_their_images_are_left_out(tmp_path):
    two_classes(tmp_path)
    names = ("NORMAL/IM-0001-0001_mask.png", "PNEUMONIA/person1_virus_1-heatmap.jpeg")
    build(tmp_path, *names)
    assert counts(load_with_left_out(tmp_path, *names)) == whole("all")


@pytest.mark.parametrize(
    "name",
    ["mask_0.png", "x-heatmap-1.png", "img_0_mask2.png", "gradcam-7.png", "heatmap 3.png"],
)
def test_masks_and_heatmaps_may_be_numbered(tmp_path, name):
    two_classes(tmp_path)
    build(tmp_path / "PNEUMONIA", name)
    load_with_left_out(tmp_path, f"PNEUMONIA/{name}")


@pytest.mark.parametrize(
    ("names", "hints"),
    [
        (("Effusion", "Healthy"), ("Effusion=PNEUMONIA", "Healthy=NORMAL")),
        (("Infected", "Uninfected"), ("Infected=PNEUMONIA", "Uninfected=NORMAL")),
    ],
)
def test_the_hints_for_python_and_the_command_line_agree(tmp_path, names, hints):
    for name in names:
        build(tmp_path / name, "a.png")
    with pytest.raises(DatasetError) as error:
        load_xray_folder(tmp_path)
    for hint in hints:
        name, target = hint.split("=")
        guess = target if f"{name!r}: {target!r}" in str(error.value) else "NORMAL or PNEUMONIA?"
        assert f"{name!r}: {guess!r}" in str(error.value)
        assert f"--classes {hint}" in str(error.value) or f"{name}={guess}'" in str(error.value)
        assert {"NORMAL": "PNEUMONIA", "PNEUMONIA": "NORMAL"}[target] != guess


@pytest.mark.parametrize("name", ["hospital", "lateral view", "site_1", "year 201", "Age"])
def test_folders_that_are_hardly_patients_are_reported(tmp_path, name):
    two_classes(tmp_path)
    for i in range(6):
        build(tmp_path / "NORMAL" / f"{name} {i}", *(f"scan {j}.jpeg" for j in range(2)))
    with pytest.warns(UserWarning, match=r"6 folder\(s\) in class folders count as patients"):
        data = load_xray_folder(tmp_path)
    assert len(data.paths) == N_NORMAL + N_PNEUMONIA + 12


def test_files_of_one_name_in_two_folders_of_a_class_are_two_patients(tmp_path):
    build(tmp_path, "NORMAL/1.png", "0_NORMAL/1.png", "NORMAL/images/1.png", "PNEUMONIA/1.png")
    data = load_xray_folder(tmp_path)
    assert len(set(data.groups)) == len(set(data.patient)) == 4


# -- patients -------------------------------------------------------------------------------------


def patients_message(root):
    with pytest.warns(UserWarning, match="counts as one patient") as record:
        load_xray_folder(root)
    (message,) = [str(w.message) for w in record if "counts as one patient" in str(w.message)]
    return message


@pytest.mark.parametrize("name", ["site_a", "male", "lobar", "fold 1"])
def test_a_folder_that_is_a_large_part_of_a_class_is_reported(tmp_path, name):
    two_classes(tmp_path)
    build(tmp_path / "PNEUMONIA" / name, *(f"{i}.png" for i in range(4)))
    message = patients_message(tmp_path)
    assert f"the folder {name!r} holds 4 of 9 PNEUMONIA images" in message
    assert "groups of your own" in message


def test_a_folder_of_more_images_than_a_patient_has_is_reported(tmp_path):
    build(tmp_path, *(f"NORMAL/fold{k}/{i}.png" for k in range(10) for i in range(32)))
    build(tmp_path, *(f"PNEUMONIA/p{k}/{i}.png" for k in range(40) for i in range(3)))
    message = patients_message(tmp_path)
    assert message.count("holds 32 of 320 NORMAL images") == 10
    assert "PNEUMONIA" not in message


def test_a_class_of_few_patients_is_reported(tmp_path):
    two_classes(tmp_path)
    build(
        tmp_path, *(f"PNEUMONIA/person{k}_virus_{i}.png" for k in (0, 1, 2) for i in range(20, 23))
    )
    assert len(load_xray_folder(tmp_path).paths) == N_NORMAL + N_PNEUMONIA + 9
    for name in ("person3_virus_3.jpeg", "person4_virus_4.jpeg"):
        (tmp_path / "PNEUMONIA" / name).unlink()
    message = (
        r"the 12 PNEUMONIA images of the split 'all' are of 3 patient\(s\)\. A cross-validation"
    )
    with pytest.warns(UserWarning, match=message):
        load_xray_folder(tmp_path)


def test_files_without_a_patient_are_counted(tmp_path):
    two_classes(tmp_path)
    build(tmp_path, "NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/Jane/c.png")
    with pytest.warns(
        UserWarning, match="^2 of 11 files name no patient; each counts as a patient"
    ):
        data = load_xray_folder(tmp_path)
    assert "2 of 11 files name no patient" in data.DESCR
    for name in ("a.png", "b.png"):
        (tmp_path / "NORMAL" / name).unlink()
    assert "All 9 files name their patient" in load_xray_folder(tmp_path).DESCR


# -- real names -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(xray_data):
    return load_xray_folder(xray_data / "chest_xray" / "test")


COPIES = {
    "(1)": "{stem} (1){suffix}",
    "Copy": "{stem} - Copy{suffix}",
    "roboflow": "{stem}_jpeg.rf.0a1b2c3d4e5f{suffix}",
    "flip": "{stem}_flip{suffix}",
    "aug": "{stem}_aug_1{suffix}",
    "before": "augmented_0_{stem}{suffix}",
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_of_a_real_image_stays_with_its_patient(real, tmp_path, copy):
    """Copies of training images in test are known by their patient."""
    rows = np.arange(len(real.paths))[::5][:100]
    for row in rows:
        path = Path(real.paths[row])
        name = COPIES[copy].format(stem=path.stem, suffix=path.suffix)
        build(
            tmp_path,
            *(
                f"{split}/{real.target[row]}/{file}"
                for split, file in (("train", path.name), ("test", name))
            ),
        )
    data = load_xray_folder(tmp_path)
    train, test = (data.patient[data.split == split] for split in ("train", "test"))
    assert len(test) == len(rows)
    assert np.isin(test, train).all()
    groups = [group.partition("/")[2] for group in data.groups]
    assert len(set(groups)) == len(set(real.groups[rows]))


def test_names_of_the_third_version_identify_the_patient(tmp_path):
    """One numbering for all kinds: no patient is in two folds, whatever its kind of images."""
    rng = np.random.default_rng(0)
    children = rng.permutation(np.repeat(rng.choice(10**7, 60, replace=False), 4))
    for row, child in enumerate(children):
        kind = ("NORMAL", "BACTERIA", "VIRUS")[row % 3]
        target = "NORMAL" if kind == "NORMAL" else "PNEUMONIA"
        build(tmp_path, f"train/{target}/{kind}-{child}-{row:04}.jpeg")
    data = load_xray_folder(tmp_path)
    found = [int(Path(path).stem.split("-")[1]) for path in data.paths]
    assert [f"child-{child}" for child in found] == data.patient.tolist()
    assert [f"train/child-{child}" for child in found] == data.groups.tolist()
    kinds = {"NORMAL": "", "BACTERIA": "bacteria", "VIRUS": "virus"}
    assert [kinds[Path(path).stem.split("-")[0]] for path in data.paths] == data.subtype.tolist()
