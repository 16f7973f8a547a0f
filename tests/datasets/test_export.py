"""A hospital's export of every kind of file: what is loaded, audited, predicted and left out."""

import csv
import html
import json
import os
import shutil
import warnings
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner

from skpneumo import CNNPneumoniaClassifier, cli, load_model, save_model
from skpneumo.cli._prediction import FoundFiles, PredictionOptions, find_files
from skpneumo.cli._prediction._predict_files import predict_batch
from skpneumo.cli._prediction._tally import Tally
from skpneumo.datasets import audit, load_xray_folder, make_xrays
from skpneumo.exceptions import DatasetError, ImageReadError, LowContrastWarning
from skpneumo.images import read_xray
from skpneumo.prediction import share_model

STORAGE = "1.2.840.10008.5.1.4.1.1."
CLASSES = {
    "DX": STORAGE + "1.1",
    "CR": STORAGE + "1",
    "CT": STORAGE + "2",
    "SR": STORAGE + "88.11",
    "PR": STORAGE + "11.1",
    "OT": STORAGE + "7",
}
IMAGES = make_xrays(12, image_size=(40, 33), random_state=0).images
_NUMBERS = count(1)
# Collections are small here, and hold litter.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{text}:UserWarning")
    for text in (
        ".*since they are no images",
        ".*file.* name no patient",
        ".*counts as one patient",
    )
]
SECRETS = ("Doe", "4711", "20190203", "Secret")


def save(path, image=None, *, patient="1", study="1", series="1", modality="DX", **elements):
    """Write a DICOM file; without an image it holds none."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.Modality = CLASSES[modality], modality
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.StudyInstanceUID = f"1.2.{patient}.{study}"
    dataset.SeriesInstanceUID = f"1.2.{patient}.{study}.{series}"
    dataset.SOPInstanceUID = f"1.2.{patient}.{study}.{series}.{next(_NUMBERS)}"
    dataset.PatientID, dataset.PatientName = f"4711-{patient}", f"Doe^{patient}"
    dataset.PatientBirthDate, dataset.SeriesNumber, dataset.InstanceNumber = "20190203", series, 1
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = f"2023010{study}", "0800", study
    dataset.AccessionNumber = "Secret"
    if image is not None:
        dataset.SamplesPerPixel = image.shape[2] if image.ndim == 3 else 1
        dataset.PhotometricInterpretation = "RGB" if image.ndim == 3 else "MONOCHROME2"
        if image.ndim == 3:
            dataset.PlanarConfiguration = 0
        dataset.Rows, dataset.Columns = image.shape[:2]
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelRepresentation = 0
        dataset.PixelData = image.tobytes() + b"\0" * (image.nbytes % 2)
        dataset["PixelData"].VR = "OW"
    for name, value in elements.items():
        setattr(dataset, name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path, enforce_file_format=True)
    return path


def export_patient(root, patient):
    """A patient with a frontal X-ray, and an earlier one that comes later in the folder."""
    chest = {"BodyPartExamined": "CHEST"}
    first = 2 * int(patient)
    save(
        root / patient / "IM1",
        IMAGES[first],
        patient=patient,
        study="3",
        ViewPosition="PA",
        **chest,
    )
    save(root / patient / "IM2", IMAGES[first + 1], patient=patient, study="2", ViewPosition="AP",
         SeriesDescription="Thorax im Liegen")  # fmt: skip
    return root


def export_the_rest(root, patient="0"):
    """Other files of a patient in an export, and files beside it."""
    folder, same = root / patient, {"patient": patient, "study": "3"}
    chest = {"BodyPartExamined": "CHEST", "ViewPosition": "PA"}
    save(folder / "lateral", IMAGES[8], **same, series="2", BodyPartExamined="CHEST",
         ViewPosition="LL")  # fmt: skip
    save(folder / "raw", IMAGES[0], **same, **chest, SOPClassUID=STORAGE + "1.1.1",
         PresentationIntentType="FOR PROCESSING")  # fmt: skip
    save(folder / "hand", IMAGES[9], **same, series="4", BodyPartExamined="HAND", ViewPosition="PA")
    save(folder / "ct", IMAGES[10], **same, series="5", modality="CT")
    save(folder / "report", **same, series="6", modality="SR")
    save(folder / "state", **same, series="7", modality="PR")
    colours = np.stack([IMAGES[8], 255 - IMAGES[8], IMAGES[8] // 2], axis=-1)
    save(folder / "capture", colours, **same, series="9", modality="OT")
    shutil.copy(folder / "IM1", folder / "copy")
    Image.fromarray(IMAGES[11]).save(folder / "scan.tif")
    (folder / "volume.npy").write_bytes(b"\x93NUMPY\x01\x00")
    whole = save(folder / "broken", IMAGES[10], **same).read_bytes()
    (folder / "broken").write_bytes(whole[:400])
    (folder / "notes.txt").write_text("no image")
    return root


def save_directory(path):
    """The table of contents of a medium."""
    record = Dataset()
    record.DirectoryRecordType, record.PatientID, record.PatientName = "PATIENT", "4711", "Doe"
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.FileSetID, dataset.DirectoryRecordSequence = "EXPORT", [record]
    dataset.save_as(path, enforce_file_format=True)


LEFT_OUT = {
    "lateral": "lateral view",
    "raw": "FOR PROCESSING",
    "hand": "HAND",
    "ct": "modality is CT",
    "report": "modality is SR",
    "state": "modality is PR",
    "capture": "colour",
}


@pytest.fixture
def scans(tmp_path):
    """An unsorted export of four patients with its DICOMDIR."""
    root = tmp_path / "scans"
    for patient in "0123":
        export_patient(root, patient)
    export_the_rest(root)
    save_directory(root / "DICOMDIR")
    return root


@pytest.fixture
def collection(tmp_path):
    """The same, sorted into classes."""
    root = tmp_path / "collection"
    export_patient(root / "NORMAL", "0")
    export_the_rest(root / "NORMAL")
    for patient in "123":
        export_patient(root / "PNEUMONIA", patient)
    return root


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    xrays = make_xrays(30, image_size=(40, 33), random_state=0)
    cnn = CNNPneumoniaClassifier((40, 36), filters=(2, 4), epochs=1, random_state=0)
    path = tmp_path_factory.mktemp("models") / "model.skpneumo"
    save_model(cnn.fit(xrays.images, xrays.target), path)
    return path


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": None})


def names(paths):
    return {Path(path).name for path in paths}


def is_read(path):
    """Whether a TIFF file is read here."""
    try:
        read_xray(path)
    except ImageReadError:
        return False
    return True


def assert_reasons(reasons):
    for path, reason in reasons.items():
        assert LEFT_OUT.get(Path(path).name, "") in reason, path
        assert reason.endswith(".")
        assert not any(secret in reason for secret in SECRETS)


@pytest.fixture
def data(collection):
    with pytest.warns(UserWarning, match="hold no frontal chest X-ray"):
        return load_xray_folder(collection)


def rows_of(data, folder):
    return [row for row, path in enumerate(data.paths) if folder in Path(path).parts]


def test_a_folder_lists_frontal_chest_x_rays(data, collection):
    read = {"scan.tif"} if is_read(collection / "NORMAL/0/scan.tif") else set()
    assert names(data.paths[rows_of(data, "0")]) == {"IM1", "IM2", "copy", "broken"} | read
    assert len(rows_of(data, "PNEUMONIA")) == 6
    assert names(data.left_out) == {*LEFT_OUT, "notes.txt", "volume.npy", "scan.tif"} - read
    assert list(data.reasons) == data.left_out
    assert_reasons(data.reasons)
    assert not any(secret in str(dict(data)) for secret in SECRETS)


def test_views_and_priors_of_a_folder(data):
    for patient in "123":
        rows = rows_of(data, patient)
        assert data.view[rows].tolist() == ["PA", "AP"]
        assert len(set(data.patient[rows])) == 1
        (now,), (prior,) = (
            [row for row in rows if data.view[row] == view] for view in ("PA", "AP")
        )
        assert data.study[prior] < data.study[now]
        assert data.series[prior] < data.series[now]
    copies = [row for row in rows_of(data, "0") if Path(data.paths[row]).name in ("IM1", "copy")]
    assert len(set(data.study[copies])) == len(set(data.series[copies])) == 1
    known = data.study[data.study > 0]
    assert sorted({*known.tolist()}) == list(range(1, 9))


def test_one_warning_counts_each_reason(collection):
    with pytest.warns(UserWarning, match="^7 file") as record:
        load_xray_folder(collection)
    text = next(str(w.message) for w in record if "no frontal chest" in str(w.message))
    assert all(reason in text for reason in LEFT_OUT.values())
    assert "views='all', or --all-views" in text
    assert record[0].filename == __file__


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_all_views_keep_what_is_an_x_ray(collection):
    data = load_xray_folder(collection, views="all")
    assert {"lateral", "hand"} < names(data.paths)
    assert names(data.left_out) & {*LEFT_OUT} == {*LEFT_OUT} - {"lateral", "hand"}
    assert data.view[[Path(path).name == "lateral" for path in data.paths]].tolist() == ["LATERAL"]
    (finding,) = (found for found in audit(data).findings if found.name == "other_views")
    assert finding.details == ["NORMAL/image 5: LATERAL"] or "LATERAL" in finding.details[0]
    with pytest.raises(ValueError, match="views must be 'frontal' or 'all', got 'lateral'"):
        load_xray_folder(collection, views="lateral")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_left_out_is_not_unreadable(collection):
    data = load_xray_folder(collection, on_error="skip")
    assert names(data.unreadable) == {"broken"}
    assert names(data.left_out) >= {*LEFT_OUT}
    with pytest.raises(ImageReadError, match=r"^1 of \d+ files cannot be read"):
        load_xray_folder(collection, on_error="raise")


def test_a_class_of_other_views_alone_is_missing(tmp_path):
    save(tmp_path / "NORMAL/IM1", IMAGES[0], ViewPosition="LL")
    save(tmp_path / "PNEUMONIA/IM1", IMAGES[1], ViewPosition="PA")
    with pytest.raises(DatasetError, match=r"both classes.*left out: 1 file"):
        load_xray_folder(tmp_path)


def test_an_audit_lists_what_is_left_out_and_what_is_broken(data, collection):
    report = audit(data)
    found = {finding.name: finding for finding in report.findings}
    assert found["left_out"].level == "info"
    for reason in LEFT_OUT.values():
        assert any(reason in line for line in found["left_out"].details)
    assert len(found["unreadable"].details) == 1
    assert "cut off" in found["unreadable"].details[0]
    assert any(name.startswith("exact_copies") for name in found)
    assert "other_views" not in found
    assert not any(secret in report.to_json() + report.to_html() for secret in SECRETS)
    done = invoke("audit", collection)
    assert done.exit_code == 0, done.output
    assert "left out by load_xray_folder" in done.stdout
    assert "hold no frontal chest X-ray" in done.stderr


@pytest.fixture
def named_export(tmp_path):
    """An export whose files have extensions, with many that are no images, in split folders."""
    root = tmp_path / "Jane Secret"
    for split in ("Train_set", "Test"):
        for folder, patient in (("0_healthy", "1"), ("PNEUMONIA", "2")):
            save(root / split / folder / "a.dcm", IMAGES[int(patient)], patient=patient)
    folder = root / "Train_set/0_healthy/Doe^Jane"
    same = {"patient": "1", "study": "3"}
    for i in range(5):
        save(folder / f"lateral{i}.dcm", IMAGES[8], **same, ViewPosition="LL")
    save(folder / "hand.dcm", IMAGES[9], **same, BodyPartExamined="HAND")
    save(folder / "ct.dcm", IMAGES[10], **same, modality="CT")
    save(folder / "raw.dcm", IMAGES[0], **same, SOPClassUID=STORAGE + "1.1.1",
         PresentationIntentType="FOR PROCESSING")  # fmt: skip
    save(folder / "Doe^Jane", IMAGES[10], **same, modality="CT")
    for i in range(15):
        (folder / f"notes{i:02}.txt").write_text("no image")
    (root / "Test/PNEUMONIA/labels.csv").write_text("a,b")
    (root / "Test/PNEUMONIA/trunc.dcm").write_bytes((folder / "ct.dcm").read_bytes()[:400])
    return root


CLASSES_OF_NAMED = {"Healthy": "NORMAL"}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_audit_groups_what_is_left_out_by_reason(named_export):
    data = load_xray_folder(named_export, classes=CLASSES_OF_NAMED)
    report = audit(data)
    (finding,) = (found for found in report.findings if found.name == "left_out")
    heads = [(line.partition(": ")[0], line.rpartition(": ")[2]) for line in finding.details]
    place = "train/NORMAL"
    assert heads == [
        ("5", ", ".join(f"{place}/lateral{i}.dcm" for i in range(3)) + ", 2 more"),
        ("1", f"{place}/hand.dcm"),
        ("2", f"{place}/file {_left_out_row(data, 'Doe^Jane')}, {place}/ct.dcm"),
        ("1", f"{place}/raw.dcm"),
        ("16", f"test/PNEUMONIA/labels.csv, {place}/notes00.txt, {place}/notes01.txt, 13 more"),
    ]
    reasons = ["lateral view", "HAND", "modality is CT", "FOR PROCESSING", "this is not a JPEG"]
    assert all(r in line for r, line in zip(reasons, finding.details, strict=True))
    text = " ".join(str(report).split())
    for line in finding.details:
        assert line in text
        assert line in html.unescape(report.to_html())
    for shown in (text, report.to_html(), report.to_json()):
        assert not any(secret in shown for secret in ("Jane", *SECRETS, "Healthy", "healthy"))


def _left_out_row(data, name):
    (row,) = (row for row, path in enumerate(data.left_out) if Path(path).name == name)
    return row


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_unreadable_files_have_one_name_whether_left_out_or_not(named_export):
    details = []
    for on_error in (None, "skip"):
        data = load_xray_folder(named_export, classes=CLASSES_OF_NAMED, on_error=on_error)
        (finding,) = (found for found in audit(data).findings if found.name == "unreadable")
        details.append(finding.details)
    assert details[0] == details[1]
    assert details[0][0].startswith("test/PNEUMONIA/trunc.dcm: ")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_class_without_images_in_a_split_keeps_its_name(named_export):
    for name in ("a.dcm", "trunc.dcm"):
        (named_export / "Test/PNEUMONIA" / name).unlink()
    save(named_export / "Test/PNEUMONIA/side.dcm", IMAGES[3], patient="3", ViewPosition="LL")
    report = audit(load_xray_folder(named_export, classes=CLASSES_OF_NAMED))
    assert "test/PNEUMONIA/side.dcm" in report.to_json()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_left_out_keep_their_split_where_a_part_is_audited(named_export):
    data = load_xray_folder(named_export, classes=CLASSES_OF_NAMED)
    is_test = data.split == "test"
    part = {name: data[name][is_test] for name in ("paths", "target", "split", "patient")}
    report = audit(part | {"reasons": data.reasons})
    (finding,) = (found for found in report.findings if found.name == "left_out")
    assert "train/" in finding.details[0]
    assert "test/" not in finding.details[0]
    data = load_xray_folder(named_export / "Train_set", classes=CLASSES_OF_NAMED)
    assert "train/NORMAL/hand.dcm" in audit(data).to_json()


@pytest.fixture
def with_odd_window(tmp_path):
    """A folder with an X-ray whose window lies far from its values."""
    root = tmp_path / "collection"
    for patient in "0123":
        folder = root / ("NORMAL" if patient in "01" else "PNEUMONIA")
        save(folder / f"{patient}.dcm", IMAGES[int(patient)], patient=patient)
    for name in ("odd1.dcm", "odd2.dcm"):
        window = {"WindowCenter": 50_000, "WindowWidth": 10}
        save(root / "PNEUMONIA" / name, IMAGES[4], patient="4", ViewPosition="PA", **window)
    return root


def test_an_audit_warns_once_of_each_file(with_odd_window):
    data = load_xray_folder(with_odd_window)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = audit(data)
        report.to_html()
    assert [(w.category, w.filename) for w in caught] == [(LowContrastWarning, __file__)] * 2
    for name, warning in zip(("odd1.dcm", "odd2.dcm"), caught, strict=True):
        assert name in str(warning.message)
    assert "data:image" in report.to_html()  # warnings are errors here
    with pytest.raises(LowContrastWarning, match="odd1"):
        audit(data)


def test_the_command_shows_a_warning_of_a_file_once(with_odd_window, tmp_path):
    page = tmp_path / "audit.html"
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always", UserWarning)
        done = invoke("audit", with_odd_window, "--report", page)
    assert done.exit_code == 0, done.output
    assert [w for w in leaked if issubclass(w.category, UserWarning)] == []
    for name in ("odd1.dcm", "odd2.dcm"):
        (line,) = (
            line for line in done.stderr.splitlines() if name in line and "Wrote" not in line
        )
        assert line.startswith("Warning: ")
    assert "LowContrastWarning" not in done.output
    assert "data:image" in page.read_text(encoding="utf-8")


def test_an_audit_of_paths_separates_no_x_rays_from_broken_ones(collection):
    folder = collection / "NORMAL/0"
    names_of = ("IM1", "IM2", "ct", "broken", "raw")
    paths = [str(folder / name) for name in names_of]
    report = audit({"paths": paths, "target": ["NORMAL"] * 3 + ["PNEUMONIA"] * 2})
    found = {finding.name: finding for finding in report.findings}
    assert found["no_xrays"].rows == [[2], [4]]
    assert found["unreadable"].rows == [[3]]
    assert "modality is CT" in found["no_xrays"].details[0]
    assert "hold no X-ray" in report.to_html()


def test_predict_makes_two_lists(scans, model_file, tmp_path):
    table = tmp_path / "out.csv"
    done = invoke("predict", model_file, scans, "--csv", table)
    assert done.exit_code == 1
    read = {"scan.tif"} if is_read(scans / "0/scan.tif") else set()
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    left_out = {row["file"]: row["left_out"] for row in rows if row["left_out"]}
    assert names(left_out) == {*LEFT_OUT, "volume.npy", "scan.tif"} - read
    assert_reasons(left_out)
    assert [Path(row["file"]).name for row in rows if row["error"]] == ["broken"]
    predicted = [row for row in rows if row["probability"]]
    assert names(row["file"] for row in predicted) == {"IM1", "IM2", "copy"} | read
    assert len(predicted) == 9 + len(read)
    assert len(rows) == len(predicted) + len(left_out) + 1
    heads = [done.stdout.index(head) for head in ("probability", "Left out", "Cannot be read")]
    assert heads == sorted(heads)
    sections = done.stdout[heads[1] : heads[2]], done.stdout[heads[2] :]
    assert all(name in sections[0] for name in LEFT_OUT)
    assert "broken" in sections[1]
    assert "broken" not in sections[0]
    assert f"{len(rows)} files, {len(left_out)} left out, 1 not read" in done.stdout
    assert "Error: 1 of" in done.stderr
    assert f"{len(left_out)} of {len(rows)} hold no frontal chest X-ray" in done.stderr


def test_predict_writes_json(scans, model_file):
    done = invoke("predict", model_file, scans, "--json")
    assert done.exit_code == 1
    result = json.loads(done.stdout)
    assert {*LEFT_OUT} < names(row["file"] for row in result["left_out"])
    assert_reasons({row["file"]: row["reason"] for row in result["left_out"]})
    assert names(row["file"] for row in result["unreadable"]) == {"broken"}
    assert all(0 < row["probability"] < 1 for row in result["predictions"])
    assert {row["label"] for row in result["predictions"]} <= {"NORMAL", "PNEUMONIA"}
    assert result["positive"] == "PNEUMONIA"
    assert 0 < result["threshold"] < 1


def predict_found(model_file, found):
    known = found.with_reasons(found.files)
    return predict_batch(known, share_model(load_model(model_file)), PredictionOptions())[0]


def test_exit_status_of_predict(scans, model_file):
    folder = scans / "0"
    (folder / "broken").unlink()
    assert invoke("predict", model_file, scans).exit_code == 0
    assert invoke("predict", model_file, folder / "IM1", folder / "lateral").exit_code == 3
    alone = invoke("predict", model_file, folder / "ct")
    assert alone.exit_code == 3
    assert "1 file, 1 left out." in alone.stdout
    assert "probability" not in alone.stdout
    assert invoke("predict", model_file, folder / "lateral", "--all-views").exit_code == 0
    assert invoke("predict", model_file, folder / "raw", "--all-views").exit_code == 3
    assert invoke("predict", model_file, scans / "DICOMDIR").exit_code == 3
    for name in ("IM1", "IM2", "copy", "scan.tif"):
        (folder / name).unlink()
    assert invoke("predict", model_file, folder).exit_code == 3
    assert invoke("predict", model_file, folder, scans / "gone.dcm").exit_code == 1


@pytest.mark.parametrize(
    ("kinds", "named", "status"),
    [
        ("pp", "", 0),
        ("pl", "", 0),
        ("pl", "0", 0),
        ("pl", "1", 3),
        ("ll", "", 3),
        ("ple", "1", 1),
        ("e", "", 1),
        ("el", "", 1),
    ],
)
def test_which_status_wins(kinds, named, status):
    tally, empty = Tally(), dict.fromkeys(PredictionOptions().columns)
    for row, kind in enumerate(kinds):
        reasons = {"error": {"e": "e"}.get(kind), "left_out": {"l": "l"}.get(kind)}
        tally.add(empty | {"file": str(row)} | reasons, None, named=str(row) in named)
    assert tally.exit_code() == status


@pytest.mark.parametrize(
    "name",
    [
        *("scan.nii.gz", "scan.MHA", "slide.jxl", "more.zip", "array.npy", "scan.nrrd"),
        *("IM4.dcm.gz", "loop.mp4", "letter.docx", "scan.tga", "IM5", "1.2.840.5"),
    ],
)
def test_files_of_other_formats_are_listed(tmp_path, name):
    save(tmp_path / "IM1", IMAGES[0])
    for other in (name, "notes.txt", "labels.csv", "viewer.exe", ".hidden.nii"):
        (tmp_path / other).write_bytes(b"\1\2\3")
    (tmp_path / "README").write_text("Exported by the archive.")
    found = find_files([tmp_path])
    assert names(found.left_out) == {name}
    assert names(found.files) == {"IM1", name}
    assert not found.errors
    assert not found.named


@pytest.mark.parametrize("name", ["IM3", "scan.png", "scan.nii"])
def test_an_empty_file_cannot_be_read(tmp_path, model_file, name):
    save(tmp_path / "IM1", IMAGES[0])
    (tmp_path / name).touch()
    found = find_files([tmp_path])
    assert not found.left_out
    rows = predict_found(model_file, found)
    assert {Path(row["file"]).name for row in rows if row["error"]} == {name}


def test_links_to_folders_and_pipes_are_no_files(tmp_path):
    save(tmp_path / "in" / "IM1", IMAGES[0])
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "in" / "pipe")
    found = find_files([tmp_path / "in"])
    assert names(found.files) == {"IM1", "gone"}
    assert names(found.errors) == {"gone"}


def test_a_pipe_in_a_folder_of_a_class_is_left_out(tmp_path):
    for patient, target in enumerate(("NORMAL", "PNEUMONIA")):
        save(tmp_path / target / "IM1", IMAGES[0], patient=str(patient))
    os.mkfifo(tmp_path / "NORMAL" / "pipe")
    (tmp_path / "NORMAL" / "gone").symlink_to(tmp_path / "nowhere")
    reasons = load_xray_folder(tmp_path).reasons
    assert names(reasons) == {"gone", "pipe"}
    assert all("not a file" in reason for reason in reasons.values())


def test_other_formats_have_the_same_reason_in_folders_of_classes(tmp_path):
    contents = {"array.npy": b"\x93NUMPY\1\0", "clip.gif": b"GIF89a\0\0", "IM9": b"", "x": b"\1"}
    for patient, target in enumerate(("NORMAL", "PNEUMONIA")):
        save(tmp_path / target / "IM1", IMAGES[0], patient=str(patient))
    for name, data in contents.items():
        (tmp_path / "NORMAL" / name).write_bytes(data)
    reasons = load_xray_folder(tmp_path).reasons
    found = {Path(name).name: reason for name, reason in reasons.items()}
    assert found["array.npy"].startswith("this is a NumPy array (NPY), which is not read. Convert")
    assert found["clip.gif"].startswith("this is a GIF image, which is not read. Convert")
    assert found["IM9"] == "this file is empty."
    assert found["x"].startswith("this is not a JPEG, PNG, TIFF")


def test_what_only_decoding_shows_to_hold_no_x_ray_is_left_out(tmp_path, model_file):
    good = save(tmp_path / "IM1", IMAGES[0])
    raw = save(tmp_path / "IM2", IMAGES[1], PresentationIntentType="FOR PROCESSING")
    # As if the file had been replaced since the headers were read.
    files = [str(good), str(raw), str(tmp_path / "gone")]
    rows = predict_found(model_file, FoundFiles(files))
    assert [bool(row["probability"]) for row in rows] == [True, False, False]
    assert [bool(row["left_out"]) for row in rows] == [False, True, False]
    assert [bool(row["error"]) for row in rows] == [False, False, True]


@pytest.fixture
def undated(tmp_path):
    """A folder with a patient with pneumonia, to which studies of other patients are added."""
    save(tmp_path / "PNEUMONIA/0", IMAGES[0], patient="0")
    return tmp_path


def numbers_by_name(data):
    return dict(zip([Path(path).name for path in data.paths], data.study, strict=True))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_date_of_a_study_may_be_in_any_of_its_files(undated):
    save(undated / "NORMAL/a", IMAGES[1], study="1", StudyDate="20200101")
    save(undated / "NORMAL/b", IMAGES[2], study="2", StudyDate="")
    save(undated / "NORMAL/c", IMAGES[3], study="2", series="2", StudyDate="20230101")
    save(undated / "NORMAL/d", IMAGES[4], study="3", StudyDate="20210101")
    data = load_xray_folder(undated)
    numbers = numbers_by_name(data)
    assert numbers["a"] < numbers["d"] < numbers["b"] == numbers["c"]
    series = dict(zip("abcd", data.series[:4], strict=True))
    assert series["a"] < series["d"] < min(series["b"], series["c"])


@pytest.mark.parametrize("name", ["SeriesDate", "AcquisitionDate", "ContentDate"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_other_dates_stand_for_that_of_a_study(undated, name):
    save(undated / "NORMAL/a", IMAGES[1], study="1", StudyDate="", **{name: "20230101"})
    save(undated / "NORMAL/b", IMAGES[2], study="2", StudyDate="20200101")
    save(undated / "NORMAL/c", IMAGES[3], study="3", StudyDate="20240101", **{name: "20190101"})
    numbers = numbers_by_name(load_xray_folder(undated))
    assert numbers["b"] < numbers["a"] < numbers["c"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_date_of_the_study_comes_before_others_in_its_first_file(undated):
    save(undated / "NORMAL/a", IMAGES[1], study="1", StudyDate="", ContentDate="20250101")
    save(undated / "NORMAL/b", IMAGES[2], study="1", StudyDate="20200101")
    save(undated / "NORMAL/c", IMAGES[3], study="2", StudyDate="2021.01.01")
    numbers = numbers_by_name(load_xray_folder(undated))
    assert numbers["a"] == numbers["b"] < numbers["c"]


@pytest.mark.parametrize("date", ["", "00000000"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_studies_without_a_date_come_last(undated, date):
    save(undated / "NORMAL/a", IMAGES[1], study="1", StudyDate=date)
    save(undated / "NORMAL/b", IMAGES[2], study="2", StudyDate="20230101")
    numbers = numbers_by_name(load_xray_folder(undated))
    assert numbers["b"] < numbers["a"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_study_is_one_patient_where_the_identifier_is_empty(undated):
    # The first two have names as of the public collection, by which they would be two patients.
    for study, name in [("1", "IM-0001-0001"), ("1", "IM-0002-0001"), ("2", "c"), ("3", "d")]:
        save(undated / "NORMAL" / name, IMAGES[1], study=study, PatientID="")
    save(undated / "NORMAL/e", IMAGES[2], study="3")
    data = load_xray_folder(undated)
    for keys in (data.patient, data.groups):
        first, second, third, fourth, fifth = keys[:5]
        assert first == second
        assert fourth == fifth
        assert len({first, third, fourth, keys[5]}) == 4
    assert "name no patient" not in data.DESCR
    assert not any(secret in str(dict(data)) for secret in SECRETS)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_folder_unites_studies_where_the_identifier_is_empty(undated):
    save(undated / "NORMAL/x/a", IMAGES[1], study="1", PatientID="", StudyDate="20230101")
    save(undated / "NORMAL/x/b", IMAGES[2], study="2", PatientID="", StudyDate="20200101")
    save(undated / "NORMAL/y/c", IMAGES[3], study="1", PatientID="")
    save(undated / "NORMAL/z/d", IMAGES[4], study="4", PatientID="")
    data = load_xray_folder(undated)
    assert len(set(data.patient[:3])) == 1
    assert len(set(data.patient)) == 3
    numbers = numbers_by_name(data)
    assert numbers["b"] < numbers["a"] == numbers["c"]


def test_a_frequent_identifier_is_no_folder(undated):
    for i in range(15):
        identifier = "4711-X" if i < 3 else f"4711-{i}"
        save(undated / f"NORMAL/{i:02}", IMAGES[1], patient=str(i), PatientID=identifier)
    with pytest.warns(UserWarning, match="'dicom-1' holds 3 of 15 NORMAL images") as record:
        load_xray_folder(undated)
    (text,) = [str(w.message) for w in record if "'dicom-1' holds" in str(w.message)]
    assert "A patient identifier of so large a part of the files" in text
    assert "give groups of your own" in text
    assert "folders" not in text
