import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian
from sklearn.utils import Bunch

from skpneumo.datasets import load_xray_folder, split_from_name
from skpneumo.exceptions import DatasetError, ImageReadError
from skpneumo.images import XRaySequence

ARRAYS = ("paths", "target", "groups", "patient", "subtype", "split")
NORMAL = ("IM-0115-0001.jpeg", "NORMAL2-IM-0115-0001.jpeg")
PNEUMONIA = ("person12_bacteria_46.jpeg", "person12_virus_47.jpeg", "person13_virus_48.jpeg")
# For tests that are not about it.
UNNAMED = pytest.mark.filterwarnings("ignore:.* files name no patient")
TREE = "train/\n +NORMAL/ .*\n +PNEUMONIA/"


def build(folder, *names):
    """Create empty files: only names and places count."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def two_classes(folder, normal=NORMAL, pneumonia=PNEUMONIA):
    build(folder, *(f"NORMAL/{name}" for name in normal))
    return build(folder, *(f"PNEUMONIA/{name}" for name in pneumonia))


def kaggle(folder):
    for split in ("train", "val", "test"):
        two_classes(folder / split)
    return folder


def found(data, root):
    return sorted(os.path.relpath(path, root) for path in data.paths)


def test_a_row_describes_one_image(tmp_path):
    data = load_xray_folder(kaggle(tmp_path))
    assert isinstance(data, Bunch)
    more = ("identified", "view", "study", "series", "left_out", "reasons", "DESCR")
    assert set(data) == {*ARRAYS, *more}
    for name in ARRAYS:
        assert data[name].shape == (15,)
        assert data[name].dtype.kind == "U"
    for row, path in enumerate(map(Path, data.paths)):
        assert path.is_file()
        assert data.split[row] == path.parts[-3]
        assert data.target[row] == path.parts[-2]
        assert data.groups[row].startswith("test/" if data.split[row] == "test" else "train/")
        assert data.subtype[row] in path.name
        assert (data.subtype[row] == "") == (data.target[row] == "NORMAL")
    # A patient of val is the same group as in train: the two can be joined.
    assert set(data.groups[data.split == "val"]) == {
        "train/IM-115",
        "train/NORMAL2-IM-115",
        "train/person-12",
        "train/person-13",
    }
    assert data.identified.all()
    assert set(data.patient) == {
        *("IM-115", "NORMAL2-IM-115"),
        *("bacteria-12", "virus-12", "virus-13"),
    }


def test_the_description_names_files_and_folder(tmp_path):
    description = load_xray_folder(kaggle(tmp_path)).DESCR
    assert str(tmp_path) in description
    for split in ("train", "val", "test"):
        assert f"{split} 2 NORMAL + 3 PNEUMONIA" in description


def test_mendeley_layout_has_no_val(tmp_path):
    two_classes(tmp_path / "train")
    two_classes(tmp_path / "test")
    data = load_xray_folder(tmp_path)
    assert len(data.paths) == 10
    assert set(data.split) == {"train", "test"}


@pytest.mark.parametrize("inner", ["chest_xray", "archive/chest_xray"])
def test_a_parent_folder_will_do(tmp_path, inner):
    kaggle(tmp_path / inner)
    build(tmp_path, "notes/readme.txt", "licence.txt")
    data = load_xray_folder(tmp_path)
    assert found(data, tmp_path / inner) == found(
        load_xray_folder(tmp_path / inner), tmp_path / inner
    )
    assert len(data.paths) == 15


def test_a_parent_of_a_flat_folder_will_do(tmp_path):
    two_classes(tmp_path / "originals")
    data = load_xray_folder(tmp_path)
    assert len(data.paths) == 5
    assert set(data.split) == {"all"}


@pytest.mark.parametrize("root", ["archive", "archive/chest_xray"])
def test_the_doubled_copy_of_kaggle_counts_once(tmp_path, root):
    outer = tmp_path / "archive" / "chest_xray"
    kaggle(outer)
    kaggle(outer / "chest_xray")
    kaggle(outer / "__MACOSX" / "chest_xray")
    data = load_xray_folder(tmp_path / root)
    assert len(data.paths) == 15
    assert not any("chest_xray/chest_xray" in Path(path).as_posix() for path in data.paths)


def test_only_the_inner_copy_is_there(tmp_path):
    kaggle(tmp_path / "chest_xray" / "chest_xray")
    kaggle(tmp_path / "chest_xray" / "__MACOSX")
    data = load_xray_folder(tmp_path)
    assert len(data.paths) == 15
    assert not any("__MACOSX" in path for path in data.paths)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("VALID", "val"),
        ("validation", "val"),
        ("testing", "test"),
        ("originals", "all"),
        ("retest", "all"),
    ],
)
def test_a_flat_folder_may_name_its_split(tmp_path, monkeypatch, name, split):
    folder = two_classes(tmp_path / name)
    monkeypatch.chdir(folder)
    for root in (folder, f"{folder}{os.sep}", "."):
        data = load_xray_folder(root)
        assert set(data.split) == {split}
        assert data.groups[0].startswith("train/" if split == "val" else f"{split}/")
    assert split_from_name(folder) == (None if split == "all" else split)


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("train", "Training", "TRAIN"), "train"),
        (("val", "valid", "VALIDATION", "Val"), "val"),
        (("test", "testing", "TEST"), "test"),
    ],
)
def test_synonyms_of_splits(tmp_path, names, split):
    for number, name in enumerate(names):
        other = "test" if split == "train" else "train"
        root = tmp_path / str(number)
        two_classes(root / name)
        two_classes(root / other)
        data = load_xray_folder(root)
        assert np.sum(data.split == split) == 5
        assert set(data.split) == {split, other}


@pytest.mark.parametrize(
    ("normal", "pneumonia"),
    [("normal", "pneumonia"), ("normal", "PNEUMONIA"), ("Normal", "PnEuMoNiA")],
)
def test_case_of_folders_does_not_matter(tmp_path, normal, pneumonia):
    build(tmp_path / "odd" / "TRAIN" / normal, *NORMAL)
    build(tmp_path / "odd" / "TRAIN" / pneumonia, *PNEUMONIA)
    two_classes(tmp_path / "plain" / "train")
    odd, plain = load_xray_folder(tmp_path / "odd"), load_xray_folder(tmp_path / "plain")
    for name in ARRAYS[1:]:
        np.testing.assert_array_equal(odd[name], plain[name])


def test_files_named_like_folders_are_no_folders(tmp_path):
    two_classes(tmp_path / "chest_xray")
    build(tmp_path, "normal", "PNEUMONIA", "train")
    assert len(load_xray_folder(tmp_path).paths) == 5


@UNNAMED
def test_extensions_in_any_case(tmp_path):
    two_classes(tmp_path, ["a.jpeg", "b.JPG", "c.Png"], ["d.PNG", "e.JPEG", "f.jpg"])
    data = load_xray_folder(tmp_path)
    assert [Path(path).name[0] for path in data.paths] == list("abcdef")


def test_names_without_a_patient_are_patients_of_their_own(tmp_path):
    name = os.fsdecode("Röntgen.png".encode())  # as Python writes it in an ASCII locale too
    two_classes(tmp_path, ["scan 1.png", "scan 2.png"], [name])
    with pytest.warns(UserWarning, match="^3 of 3 files name no patient; each counts as a patient"):
        data = load_xray_folder(tmp_path)
    assert data.groups[2] == f"all/PNEUMONIA/{name}"
    assert data.patient[2] == f"all/PNEUMONIA/{name}"
    assert not data.identified.any()
    assert set(data.subtype) == {""}


@UNNAMED
def test_files_of_one_name_are_different_patients(tmp_path):
    for split in ("train", "test"):
        two_classes(tmp_path / split, ["0000.png", "0001.png", "0001.jpeg"], ["0000.png"])
    data = load_xray_folder(tmp_path)
    assert len(set(data.patient)) == len(set(data.groups)) == 8


def test_litter_is_ignored_in_silence(tmp_path):
    kaggle(tmp_path)
    for folder in (".", "train", "train/NORMAL", "test/PNEUMONIA"):
        build(
            tmp_path / folder,
            *(".DS_Store", "._IM-0115-0001.jpeg", ".hidden.png", "Thumbs.db", "desktop.ini"),
            "__MACOSX/train/NORMAL/._IM-0115-0001.jpeg",
        )
    assert len(load_xray_folder(tmp_path).paths) == 15


def test_texts_beside_the_classes_are_ignored_in_silence(tmp_path):
    kaggle(tmp_path)
    build(tmp_path, "README.md", "train/labels.csv")
    assert len(load_xray_folder(tmp_path).paths) == 15


def test_one_warning_counts_what_is_left_out_and_names_some(tmp_path):
    kaggle(tmp_path)
    build(tmp_path / "train" / "NORMAL", "a.txt", "b.jpeg.part", "c.nii.gz")
    build(tmp_path / "test" / "PNEUMONIA", "1/2/3/4/5/person1_virus_1.jpeg", "d.jpeg/e")
    with pytest.warns(UserWarning, match="left out") as record:
        data = load_xray_folder(tmp_path)
    assert len(record) == 1
    message = str(record[0].message)
    assert message.startswith("5 file(s) or folder(s)")
    assert "and 2 more" in message
    assert (
        sum(name in message for name in ("a.txt", "b.jpeg.part", "c.nii.gz", "d.jpeg/e", "4/5"))
        == 3
    )
    assert "JPEG, PNG, TIFF, BMP, WebP, JPEG 2000, DICOM" in message
    assert record[0].filename == __file__
    assert len(data.paths) == 15


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("train/COVID19/scan.jpeg", "train/COVID19"),
        ("test/scan.jpeg", "test/scan.jpeg"),
        ("val/scan.jpeg", "val/scan.jpeg"),
    ],
)
def test_images_without_a_label_are_not_dropped_in_silence(tmp_path, name, named):
    two_classes(tmp_path / "train")
    build(tmp_path, name)
    with pytest.warns(UserWarning, match="^1 file") as record:
        data = load_xray_folder(tmp_path)
    assert repr(str(Path(named))) in str(record[0].message)
    assert len(data.paths) == 5


@UNNAMED
def test_a_dead_link_is_an_unreadable_image(tmp_path):
    two_classes(tmp_path)
    try:
        (tmp_path / "NORMAL" / "gone.jpeg").symlink_to(tmp_path / "nowhere.jpeg")
    except OSError:
        pytest.skip("this system makes no symbolic links")
    assert len(load_xray_folder(tmp_path).paths) == 6
    with pytest.raises(ImageReadError, match=r"gone\.jpeg"):
        load_xray_folder(tmp_path, on_error="raise")


def test_rows_are_sorted_in_any_order_of_listing(tmp_path, monkeypatch):
    kaggle(tmp_path)
    data = load_xray_folder(tmp_path)
    names = [Path(path).name for path in data.paths]
    keys = list(zip(data.split, data.target, names, strict=True))
    assert keys == sorted(keys)

    class Reversed:
        def __init__(self, folder):
            self.entries = sorted(scandir(folder), key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return self.entries

        def __exit__(self, *error):
            return None

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", Reversed)
    backwards = load_xray_folder(tmp_path)
    for name in ARRAYS:
        np.testing.assert_array_equal(backwards[name], data[name])


def test_paths_begin_with_the_root_as_given(tmp_path, monkeypatch):
    kaggle(tmp_path / "chest_xray")
    monkeypatch.chdir(tmp_path)
    relative = load_xray_folder("chest_xray")
    assert relative.paths[0] == os.path.join("chest_xray", "test", "NORMAL", NORMAL[0])
    absolute = load_xray_folder(str(tmp_path / "chest_xray"))
    assert list(absolute.paths) == [str(tmp_path / path) for path in relative.paths]
    np.testing.assert_array_equal(load_xray_folder(Path("chest_xray")).paths, relative.paths)


def test_a_test_of_one_class_is_enough_beside_a_whole_train(tmp_path):
    two_classes(tmp_path / "train")
    build(tmp_path / "test" / "PNEUMONIA", *PNEUMONIA)
    data = load_xray_folder(tmp_path)
    assert set(data.target[data.split == "test"]) == {"PNEUMONIA"}


def test_a_train_of_one_class_is_refused(tmp_path):
    build(tmp_path / "train" / "PNEUMONIA", *PNEUMONIA)
    build(tmp_path / "train" / "PNUEMONIA", *PNEUMONIA)
    two_classes(tmp_path / "test")
    with pytest.raises(DatasetError, match=r"both classes.* in train: found") as caught:
        load_xray_folder(tmp_path)
    message = str(caught.value)
    assert "test 2 NORMAL + 3 PNEUMONIA, train 0 NORMAL + 3 PNEUMONIA" in message
    assert "PNUEMONIA" in message


def test_an_empty_train_is_refused(tmp_path):
    two_classes(tmp_path / "test")
    (tmp_path / "train").mkdir()
    with pytest.raises(DatasetError, match=r"train 0 NORMAL \+ 0 PNEUMONIA"):
        load_xray_folder(tmp_path)


@pytest.mark.parametrize("folder", [".", "test", "val", "chest_xray"])
@pytest.mark.parametrize(("name", "files"), [("NORMAL", NORMAL), ("PNEUMONIA", PNEUMONIA)])
def test_one_class_only_is_refused(tmp_path, folder, name, files):
    build(tmp_path / folder / name, *files)
    with pytest.raises(DatasetError, match=f"both classes.* {len(files)} {name}"):
        load_xray_folder(tmp_path)


def test_two_splits_of_one_class_each_make_no_test(tmp_path):
    build(tmp_path / "val" / "NORMAL", *NORMAL)
    build(tmp_path / "test" / "NORMAL", *NORMAL)
    with pytest.raises(DatasetError, match=r"in test \+ val: found"):
        load_xray_folder(tmp_path)


def test_class_folders_without_images_are_refused(tmp_path):
    build(tmp_path, "train/NORMAL/.DS_Store", "train/PNEUMONIA/a.txt")
    with pytest.raises(DatasetError, match=r"0 NORMAL \+ 0 PNEUMONIA; left out: 1 .*a\.txt"):
        load_xray_folder(tmp_path)


def refused(case, tmp_path):
    """Return a root that is no collection, and what its message must say."""
    if case == "missing":
        working = re.escape(repr(os.getcwd()))
        return tmp_path / "nowhere", f"no folder .*nowhere.*working directory is {working}"
    if case == "nameless":
        return "", "no folder ''"
    if case == "file":
        return build(tmp_path, "a.zip") / "a.zip", r"a\.zip' is a file, not a folder. Unpack"
    if case == "empty":
        return build(tmp_path, ".DS_Store"), "found nothing"
    if case == "images":
        return build(tmp_path, *PNEUMONIA, "z.txt"), r"found 4 file\(s\) .*46\.jpeg.* and 1 more"
    if case == "classes":
        return build(tmp_path, "opacity/a.png", "clear/b.png"), r"\('clear', 'opacity'\)"
    if case == "splits":
        return build(tmp_path, "train/a.png", "test/b.png"), r"\('test', 'train'\)"
    if case == "deep":
        return kaggle(tmp_path / "a" / "b" / "c").parents[2], r"found 1 folder\(s\) \('a'\)"
    kaggle(tmp_path / "first")
    two_classes(tmp_path / "second")
    return tmp_path, "2 collections: found .*first.*second.*Give one of them"


@pytest.mark.parametrize(
    "case",
    ["missing", "nameless", "file", "empty", "images", "classes", "splits", "deep", "several"],
)
def test_what_is_no_collection_is_refused_with_what_was_found(tmp_path, case):
    root, message = refused(case, tmp_path)
    with pytest.raises(DatasetError, match=message) as caught:
        load_xray_folder(root)
    assert caught.match(TREE)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("root", [None, 3.5, ["train", "test"]])
def test_a_root_that_is_no_path(root):
    with pytest.raises(TypeError, match=r"str, bytes or os\.PathLike"):
        load_xray_folder(root)


def test_no_image_is_opened(tmp_path, monkeypatch):
    kaggle(tmp_path)

    def refuse(*args, **kwargs):
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("os.open", refuse)
    assert len(load_xray_folder(tmp_path).paths) == 15


@pytest.fixture(scope="module")
def real(xray_data):
    return load_xray_folder(xray_data / "chest_xray")


def test_real_counts(real):
    rows, counts = np.unique([real.split, real.target], axis=1, return_counts=True)
    assert {(*row,): count for row, count in zip(rows.T, counts.tolist(), strict=True)} == {
        ("train", "NORMAL"): 1176,
        ("train", "PNEUMONIA"): 3544,
        ("val", "NORMAL"): 8,
        ("val", "PNEUMONIA"): 8,
        ("test", "NORMAL"): 165,
        ("test", "PNEUMONIA"): 331,
    }
    assert len(set(real.paths)) == len(real.paths)
    assert all(os.path.isfile(path) for path in real.paths[::50])


def test_no_real_patient_is_in_two_splits_or_classes(real):
    for keys, values in [(real.patient, real.split), (real.groups, real.split)]:
        assert len(set(zip(keys, values, strict=True))) == len(set(keys))
    for keys in (real.patient, real.groups):
        assert len(set(zip(keys, real.target, strict=True))) == len(set(keys))


def test_real_groups_are_coarser_than_patients(real):
    pairs = set(zip(real.patient, real.groups, strict=True))
    assert len(pairs) == len(set(real.patient)) > len(set(real.groups)) > 2000
    assert set(real.subtype[real.target == "PNEUMONIA"]) == {"bacteria", "virus"}
    assert set(real.subtype[real.target == "NORMAL"]) == {""}


def test_a_real_split_alone_reads_as_it_does_in_the_whole(real, xray_data):
    alone = load_xray_folder(xray_data / "chest_xray" / "test")
    for name in ARRAYS:
        np.testing.assert_array_equal(alone[name], real[name][real.split == "test"])


def test_real_originals_are_found_in_their_split(real, xray_data):
    data = load_xray_folder(xray_data / "originals")
    assert [np.sum(data.target == name) for name in ("NORMAL", "PNEUMONIA")] == [27, 80]
    assert set(data.split) == {"all"}
    assert set(data.patient) <= set(real.patient[real.split == "train"])


def test_the_folder_of_several_real_collections_is_refused(xray_data):
    with pytest.raises(DatasetError, match=r"[0-9] collections: .*chest_xray.*new_site"):
        load_xray_folder(xray_data)


def save_dicom(path, patient, **elements):
    """A DICOM radiograph of a patient, of 12 x 9 pixels."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    dataset.Modality, dataset.PatientID = "DX", patient
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 12, 9, 1
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = bytes(range(108))
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def hospital(tmp_path):
    """DICOM files as archives name them, two of one child, one of a child without identifier."""
    save_dicom(tmp_path / "train/NORMAL/1.2.840.5", "Jane-4711")
    save_dicom(tmp_path / "train/NORMAL/1.2.840.6", "")
    save_dicom(tmp_path / "train/PNEUMONIA/IM000001", "Joe-0815")
    save_dicom(tmp_path / "train/PNEUMONIA/scan.DCM", "Jane-4711")
    save_dicom(tmp_path / "test/PNEUMONIA/1.2.840.7", "Jane-4711")
    return tmp_path


@UNNAMED
def test_dicom_files_are_recognised_by_their_content(hospital):
    build(hospital, "train/PNEUMONIA/notes.txt")
    with pytest.warns(UserWarning, match=r"^1 file.*notes\.txt"):
        data = load_xray_folder(hospital)
    assert [Path(path).name for path in data.paths] == [
        "1.2.840.7",
        "1.2.840.5",
        "1.2.840.6",
        "IM000001",
        "scan.DCM",
    ]
    assert data.patient.tolist() == [
        *("dicom-1", "dicom-1", "train/NORMAL/1.2.840.6", "dicom-2", "dicom-1"),
    ]
    assert data.left_out == [os.path.join("train", "PNEUMONIA", "notes.txt")]
    assert data.groups[4] == "train/dicom-1"
    assert data.groups[0] == "test/dicom-1"
    assert XRaySequence(data.paths, size=(12, 9))[4].shape == (12, 9)


@UNNAMED
def test_identifiers_stay_in_their_files(hospital):
    data = load_xray_folder(hospital)
    assert "4711" not in str(dict(data))
    assert "0815" not in str(dict(data))


@UNNAMED
def test_one_identifier_for_all_is_warned_of(tmp_path):
    save_dicom(tmp_path / "NORMAL/1", "ANONYMOUS")
    save_dicom(tmp_path / "PNEUMONIA/2", "")
    assert len(set(load_xray_folder(tmp_path).patient)) == 2
    save_dicom(tmp_path / "PNEUMONIA/3", "ANONYMOUS")
    with pytest.warns(UserWarning, match="^All 2 DICOM files .* groups of your own") as caught:
        assert load_xray_folder(tmp_path).patient[0] == "dicom-1"
    assert caught[0].filename == __file__


@pytest.fixture
def half_broken(tmp_path):
    """Good images, a cut one and an empty one."""
    for name in ("NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/c.png", "PNEUMONIA/d.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.arange(7 * 11, dtype=np.uint8).reshape(7, 11)).save(path)
    cut = tmp_path / "NORMAL/b.png"
    cut.write_bytes(cut.read_bytes()[:45])
    (tmp_path / "PNEUMONIA/c.png").write_bytes(b"")
    return tmp_path


@UNNAMED
def test_all_bad_files_are_named_before_anything_is_learnt(half_broken):
    assert len(load_xray_folder(half_broken).paths) == 4
    with pytest.raises(ImageReadError, match=r"(?s)^2 of 4 files.*b\.png: .*c\.png: "):
        load_xray_folder(half_broken, on_error="raise")


def test_the_folders_of_a_hospital_s_export_are_searched(tmp_path):
    save_dicom(tmp_path / "NORMAL/DOE^JANE/1.2/1.2.3/IM0001", "Jane-4711")
    save_dicom(tmp_path / "NORMAL/DOE^JANE/1.4/1.2.5/IM0001", "Jane-4711")
    save_dicom(tmp_path / "PNEUMONIA/ROE^JOE/1.6/1.2.7/IM0001", "")
    build(
        tmp_path / "PNEUMONIA", "ROE^JOE/scan.jpeg", "POE/scan.jpeg", "POE/1/2/person3_virus_4.png"
    )
    data = load_xray_folder(tmp_path)
    assert data.target.tolist() == ["NORMAL"] * 2 + ["PNEUMONIA"] * 4
    assert data.patient.tolist() == [
        *("dicom-1", "dicom-1", "virus-3", "folder-1", "folder-2", "folder-2"),
    ]
    assert data.groups[2] == "all/person-3"
    for name in ("JANE", "ROE", "4711"):
        assert name not in f"{data.groups} {data.patient} {data.DESCR}"


@UNNAMED
def test_bad_files_are_left_out_and_reported(half_broken):
    with pytest.warns(UserWarning, match=r"(?s)^2 of 4 files cannot be read:.*b\.png"):
        data = load_xray_folder(half_broken, on_error="skip")
    assert [Path(path).name for path in data.paths] == ["a.png", "d.png"]
    assert data.target.tolist() == ["NORMAL", "PNEUMONIA"]
    assert data.patient.tolist() == ["all/NORMAL/a.png", "all/PNEUMONIA/d.png"]
    assert {Path(path).name for path in data.unreadable} == {"b.png", "c.png"}
    assert "1 NORMAL + 1 PNEUMONIA" in data.DESCR


def test_a_class_of_bad_files_alone_is_missing(half_broken):
    (half_broken / "NORMAL/a.png").unlink()
    with (
        pytest.warns(UserWarning, match="cannot be read"),
        pytest.raises(DatasetError, match="both classes"),
    ):
        load_xray_folder(half_broken, on_error="skip")


@UNNAMED
def test_good_files_only(half_broken):
    for name in ("NORMAL/b.png", "PNEUMONIA/c.png"):
        (half_broken / name).unlink()
    assert len(load_xray_folder(half_broken, on_error="raise").paths) == 2
    assert load_xray_folder(half_broken, on_error="skip").unreadable == {}


def test_another_word_for_on_error(half_broken):
    with pytest.raises(ValueError, match="'raise' or 'skip', got 'ignore'"):
        load_xray_folder(half_broken, on_error="ignore")
