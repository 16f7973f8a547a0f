"""The audit: every planted fault is found, a clean folder has none, no folder is shown."""

import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.datasets._auditing._audit import audit
from skpneumo.datasets._auditing._balance import interval
from skpneumo.datasets._auditing._duplicates import near_copies
from skpneumo.datasets._auditing._scan import scan_files, scan_images
from skpneumo.datasets._auditing._shortcuts import probe
from skpneumo.datasets._auditing._suspects import find_suspects
from skpneumo.exceptions import DatasetError

SIZE = (72, 64)
HOSTILE = "<img src=x onerror=alert(1)>"


def names(report, *levels):
    return [f.name for f in report.findings if not levels or f.level in levels]


def only(report, name):
    (finding,) = [finding for finding in report.findings if finding.name == name]
    return finding


def opened(file):
    with Image.open(file) as image:
        return image.copy()


def file_path(split, target, i):
    name = f"IM-{i}-0001.jpeg" if target == "NORMAL" else f"person{i}_virus_{i}.jpeg"
    return Path(split, target, name)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Folder of 50 patients of each class in train and test, one image each."""
    folder = tmp_path_factory.mktemp("Jane Doe")
    xrays = make_xrays(
        200, image_size=SIZE, prevalence=0.5, images_per_patient=1, difficulty=0.6, random_state=0
    )
    for i, image in enumerate(xrays.images[np.argsort(xrays.target, kind="stable")]):
        target = "NORMAL" if i < 100 else "PNEUMONIA"
        file = folder / file_path("train" if i % 2 else "test", target, i)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file, quality=95)
    return folder


@pytest.fixture
def folder(clean, tmp_path):
    """A copy of it to plant faults in."""
    return shutil.copytree(clean, tmp_path / "Jane Doe")


@pytest.fixture(scope="module")
def many_faults(clean, tmp_path_factory):
    """One folder with a fault of nearly every kind, and its audit."""
    folder = shutil.copytree(clean, tmp_path_factory.mktemp("faults") / "Jane Doe")
    plant_copies(folder)
    for i, change in enumerate(SUSPECTS.values()):
        file = folder / file_path("train", "NORMAL", 31 + 2 * i)
        change(opened(file)).save(file)
    (folder / file_path("test", "NORMAL", 0)).write_bytes(b"\xff\xd8\xff broken")
    for split, k in (("train", 2), ("test", 3)):  # one patient, two exposures
        rng = np.random.default_rng(k)
        image = make_xrays(2, image_size=SIZE, random_state=k).images[0]
        image = np.clip(image + rng.normal(0, 9, SIZE), 0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / split / "PNEUMONIA" / f"person900_bacteria_{k}.png")
    return folder, audit(load_xray_folder(folder))


def plant_copies(folder):
    def copy(source, target):
        shutil.copy(folder / source, folder / target)

    copy(file_path("train", "NORMAL", 1), "test/NORMAL/IM-701-0001.jpeg")
    copy(file_path("train", "NORMAL", 3), "train/PNEUMONIA/person702_virus_1.jpeg")
    copy(file_path("train", "NORMAL", 5), "train/NORMAL/IM-703-0001.jpeg")
    copy(file_path("train", "NORMAL", 7), "train/NORMAL/IM-7-0002.jpeg")
    image = opened(folder / file_path("train", "PNEUMONIA", 151))
    image = ImageEnhance.Brightness(image.resize((110, 100))).enhance(1.2)
    image.save(folder / "test/PNEUMONIA/person704_virus_1.jpeg", quality=60)


def coloured(image):
    return Image.merge("RGB", [image, image.point(lambda v: v // 2), image.point(lambda v: v // 4)])


def noise(image):
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, image.size[::-1], dtype=np.uint8))


SUSPECTS = {
    "blank": lambda image: Image.new("L", image.size, 77),
    "coloured": coloured,
    "not_chest": noise,
    "inverted": lambda image: image.point(lambda v: 255 - v),
    "rotated": lambda image: image.transpose(Image.Transpose.ROTATE_90),
}


def test_a_clean_folder_has_no_faults(clean):
    report = audit(load_xray_folder(clean))
    assert names(report, "error", "warning") == []
    assert names(report) == ["one_size"]
    assert report.counts == {s: {"NORMAL": 50, "PNEUMONIA": 50} for s in ("train", "test")}
    assert report.n_images == report.n_patients == 200
    assert report.skipped_checks == []
    assert report.metadata["NORMAL"]["aspect"] == pytest.approx([64 / 72] * 3)
    assert report.metadata["NORMAL"]["mode"] == {"JPEG L": 100}
    assert report.shortcut["low"] < 0.6
    assert "1 note." in str(report)


@pytest.mark.parametrize(
    ("name", "level", "files"),
    [
        ("exact_copies_across_splits", "error", ["test/NORMAL/IM-701-", "train/NORMAL/IM-1-"]),
        ("exact_copies_across_labels", "error", ["train/NORMAL/IM-3-", "person702_virus_1.jpeg"]),
        ("exact_copies_across_patients", "warning", ["IM-5-0001.jpeg", "IM-703-0001.jpeg"]),
        ("exact_copies_of_one_patient", "warning", ["IM-7-0001.jpeg", "IM-7-0002.jpeg"]),
        ("near_copies_across_splits", "error", ["person704_virus_1.jpeg", "person151_virus_151"]),
        ("patients_across_splits", "error", ["person900_bacteria_2", "person900_bacteria_3"]),
        ("unreadable", "error", ["test/NORMAL/IM-0-0001.jpeg"]),
        ("suspects_blank", "warning", ["IM-31-"]),
        ("suspects_coloured", "warning", ["IM-33-"]),
        ("suspects_not_chest", "warning", ["IM-35-"]),
        ("suspects_inverted", "warning", ["IM-37-"]),
        ("suspects_rotated", "warning", ["IM-39-"]),
    ],
)
def test_a_planted_fault_is_found(many_faults, name, level, files):
    folder, report = many_faults
    finding = only(report, name)
    (line,), (rows,) = finding.details, finding.rows
    assert finding.level == level
    assert len(rows) == len(files)
    assert all(file in line for file in files)
    paths = load_xray_folder(folder).paths[rows]
    assert all(any(file in path for path in paths) for file in files)
    assert all((finding.found, finding.why, finding.advice))


def test_nothing_else_is_found_and_errors_come_first(many_faults):
    levels = [finding.level for finding in many_faults[1].findings]
    assert levels == sorted(levels, key=("error", "warning", "info").index)
    assert len(names(many_faults[1], "error", "warning")) == 12


def test_the_metadata_are_those_of_readable_files(many_faults):
    modes = {label: facts["mode"] for label, facts in many_faults[1].metadata.items()}
    assert modes == {
        "NORMAL": {"JPEG L": 101, "JPEG RGB": 1},
        "PNEUMONIA": {"JPEG L": 102, "PNG L": 2},
    }


def test_one_number_of_two_pathogens_is_two_patients(folder):
    # Kermany's numbers start again with each: the overlap that is often reported.
    (folder / file_path("test", "PNEUMONIA", 150)).rename(
        folder / "test/PNEUMONIA/person151_bacteria_1.jpeg"
    )
    data = load_xray_folder(folder)
    assert "patients_across_splits" not in names(audit(data))
    merged = [group.partition("/")[2] for group in data.groups]
    assert len(set(merged)) < len(merged)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("NORMAL-28501-0001.jpeg", "NORMAL-28501-0002.jpeg"),
        ("IM-0701-0001.jpeg", "IM-0701-0001 - Copy.jpeg"),
        ("IM-0701-0001.jpeg", "aug_0_IM-0701-0001.jpeg"),
    ],
)
def test_a_patient_in_two_splits_is_found_by_other_names_too(folder, train, test):
    (folder / file_path("train", "NORMAL", 1)).rename(folder / "train/NORMAL" / train)
    (folder / file_path("test", "NORMAL", 2)).rename(folder / "test/NORMAL" / test)
    for split in ("train", "test"):
        (folder / split / "NORMAL").rename(folder / split / "0_normal")
    report = audit(load_xray_folder(folder))
    assert [len(rows) for rows in only(report, "patients_across_splits").rows] == [2]
    assert "patients_unknown" not in names(report)


@pytest.mark.filterwarnings("ignore:.* files name no patient")
def test_numbered_files_are_no_patients_but_are_reported(folder):
    for split in ("train", "test"):
        for target in ("NORMAL", "PNEUMONIA"):
            for i, file in enumerate(sorted((folder / split / target).iterdir())):
                file.rename(file.with_name(f"{target}{i}.jpeg"))
    report = audit(load_xray_folder(folder))
    assert names(report, "error") == []
    finding = only(report, "names_across_splits")
    assert finding.level == "warning"
    assert len(finding.rows) == 100
    assert only(report, "patients_unknown").level == "info"


def test_metadata_that_predict_the_label_are_a_shortcut(folder):
    for file in folder.rglob("PNEUMONIA/*.jpeg"):
        opened(file).resize((90, 60)).convert("RGB").save(file, quality=30)
    report = audit(load_xray_folder(folder))
    finding = only(report, "shortcut")
    assert finding.level == "warning"
    assert report.shortcut["auc"] == report.shortcut["high"] == 1
    assert set(report.shortcut["alone"].values()) == {1}
    assert report.metadata["PNEUMONIA"]["mode"] == {"JPEG RGB": 100}
    assert report.metadata["PNEUMONIA"]["width"][1] == 90
    assert "one_size" not in names(report)


def test_small_lacking_and_shifted_splits(folder):
    for i in range(1, 91, 2):
        (folder / file_path("train", "NORMAL", i)).unlink()
    for i in range(110, 199, 2):
        (folder / file_path("test", "PNEUMONIA", i)).unlink()
    (folder / "val/NORMAL").mkdir(parents=True)
    (folder / file_path("train", "NORMAL", 91)).rename(folder / "val/NORMAL/IM-91-0001.jpeg")
    report = audit(load_xray_folder(folder))
    small = [f.found for f in report.findings if f.name == "small_split"]
    assert [
        re.match(r"The split (\w+) is too small: (.*?) \(", text).groups() for text in small
    ] == [
        ("val", "1 of NORMAL"),
        ("test", "5 of PNEUMONIA"),
    ]
    assert only(report, "class_missing").found == "The split val holds no PNEUMONIA."
    shift = only(report, "class_shift")
    assert shift.level == "warning"
    assert "train 92.6%, val 0.0%, test 9.1%" in shift.found
    assert names(report, "error") == []


def test_small_splits_have_wide_intervals():
    widths = np.array([np.ptp(interval(n)) for n in (8, 43, 44, 1000)])
    assert (np.diff(widths) < 0).all()
    assert widths[1] > 0.2 > widths[2]


def test_files_left_out_while_loading_are_reported(folder):
    file = folder / file_path("train", "NORMAL", 1)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.warns(UserWarning, match="cannot be read"):
        data = load_xray_folder(folder, on_error="skip")
    report = audit(data)
    finding = only(report, "unreadable")
    assert "1 of them already left out" in finding.found
    assert finding.details[0].startswith("train/NORMAL/IM-1-0001.jpeg: ")
    assert finding.rows == []
    assert "Jane" not in str(report)


def test_a_file_that_is_gone_is_unreadable(clean):
    data = load_xray_folder(clean)
    gone = data.paths.astype(object)
    gone[3] = str(clean / "gone.jpeg")
    finding = only(audit({"paths": gone, "target": data.target}), "unreadable")
    assert finding.rows == [[3]]
    assert "No such file" in finding.details[0]


@pytest.mark.parametrize("turn", ["inverted", "rotated"])
def test_a_whole_collection_that_is_inverted_or_rotated(turn):
    images = make_xrays(80, image_size=SIZE, random_state=1).images
    images = 255 - images if turn == "inverted" else np.rot90(images, 1, (1, 2))
    _, thumbnails = scan_images(np.ascontiguousarray(images))
    assert len(find_suspects(thumbnails, np.zeros(80))[turn]) >= 78


def test_arrays_are_audited_without_file_metadata():
    xrays = make_xrays(60, image_size=SIZE, random_state=0)
    xrays.images[7] = xrays.images[9]
    report = audit({"images": xrays.images / 255, "target": (xrays.target == "NORMAL").astype(int)})
    assert only(report, "exact_copies_across_patients").rows == [[7, 9]]
    assert report.shortcut is None
    assert len(report.skipped_checks) == 2
    assert sorted(report.metadata) == ["0", "1"]
    assert report.to_html().count("<img") == 2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: "chest_xray", r"Got 'chest_xray'. For a folder: audit\(load_xray_folder"),
        (lambda data: {"paths": data.paths}, r"Got keys \['paths'\]"),
        (lambda data: dict(data, split=["train"]), "got 200 images, 1 of split"),
        (lambda data: {"paths": [], "target": []}, "got 0 images"),
    ],
)
def test_wrong_data_are_refused(clean, change, text):
    with pytest.raises(DatasetError, match=text):
        audit(change(load_xray_folder(clean)))


def test_near_copies_are_found_through_changes_and_others_are_not():
    images = make_xrays(150, image_size=(90, 84), random_state=3).images
    part = images[:20].astype(float)
    rng = np.random.default_rng(0)
    changed = {
        "darker": part * 0.7,
        "gamma": 255 * (part / 255) ** 0.7,
        "noisy": np.clip(part + rng.normal(0, 6, part.shape), 0, 255),
        "negative": 255 - part,
    }
    for change, copies in changed.items():
        _, thumbnails = scan_images(np.concatenate([images, copies.astype(np.uint8)]))
        groups = near_copies(thumbnails)
        assert groups == [[i, 150 + i] for i in range(20)], change


def test_blank_images_are_no_copies_of_each_other():
    blank = np.full((3, 64, 64), 8, dtype=np.uint8)
    blank[:, 20, 30] = 9
    assert near_copies(blank) == []
    assert near_copies(np.zeros((0, 64, 64), dtype=np.uint8)) == []


def test_the_probe_finds_nothing_in_chance():
    rng = np.random.default_rng(0)
    metadata = {"width": rng.normal(size=300), "mode": rng.choice(["JPEG L", "PNG L"], 300)}
    result = probe(metadata, np.arange(300) % 3 == 0, np.arange(300))
    assert 0.4 < result["auc"] < 0.6
    assert result["low"] < 0.6


def test_the_probe_does_not_learn_patients():
    # Each patient has a size of its own, and many images: the size identifies the patient.
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(60), 10)
    is_positive, width = rng.random(60) < 0.5, rng.permutation(60).astype(float)
    metadata = {"width": width[patient]}
    assert probe(metadata, is_positive[patient], patient)["low"] < 0.6
    assert probe(metadata, is_positive[patient], np.arange(600))["low"] > 0.8


class Page(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_reports_show_everything_but_the_folder(many_faults, tmp_path):
    _, report = many_faults
    for ending in ("txt", "json", "html"):
        report.save(tmp_path / f"audit.{ending}")
        text = (tmp_path / f"audit.{ending}").read_text(encoding="utf-8")
        assert "person704_virus_1.jpeg" in text
        assert "Jane" not in text
        assert str(tmp_path.parent) not in text
    assert json.loads(report.to_json()) == report.to_dict()
    page = Page(report.to_html())
    shown = "".join(page.texts)
    for finding in report.findings:
        for text in (finding.found, finding.why, finding.advice, *finding.details):
            assert text in shown
    assert {attrs["src"][:22] for tag, attrs in page.tags if tag == "img"} == {
        "data:image/webp;base64"
    }
    assert all(attrs["alt"] for tag, attrs in page.tags if tag == "img")
    assert "script" not in dict(page.tags)
    with pytest.raises(ValueError, match=r"ends in .html, .json, .txt; got 'audit.pdf'"):
        report.save("audit.pdf")


@pytest.mark.parametrize("width", [40, 60, 88, 120])
def test_text_is_folded_once(many_faults, width):
    _, report = many_faults
    text = report.to_text(width)
    assert "".join(text.split()) == "".join(str(report).split())
    lines = text.splitlines()
    assert all(len(line) <= width or " " not in line.strip() for line in lines)
    # What goes on in the next line has no room in this one.
    first = next(i for i, line in enumerate(lines) if line.startswith("ERROR: "))
    for line, following in pairwise(lines[first:]):
        if following.startswith("      ") and line.strip():
            assert len(f"{line} {following.split()[0]}") > width, (line, following)


def test_the_table_of_classes_fits_fifty_columns(many_faults):
    lines = many_faults[1].to_text(50).splitlines()
    (header,) = (i for i, line in enumerate(lines) if "% PNEUMONIA" in line)
    assert lines[header].split() == ["NORMAL", "PNEUMONIA", "%", "PNEUMONIA"]
    for line in lines[header + 1 : header + 1 + len(many_faults[1].counts)]:
        assert re.fullmatch(r"\w+ +[\d,]+ +[\d,]+ +\d+\.\d%", line)
        assert len(line) == len(lines[header])


def test_the_embedded_part_does_not_style_the_notebook(many_faults):
    part = many_faults[1]._repr_html_()
    tags = {tag for tag, _ in Page(part).tags}
    assert not {"html", "head", "body", "title", "meta", "h1", "h2", "h3", "img"} & tags
    style = re.search("<style>(.*?)</style>", part, re.DOTALL)[1]
    for selectors in re.findall(r"([^{}]+)\{", style):
        for selector in selectors.split(","):
            assert re.match(r"\s*(@media|@container|(body|div)?\.skpneumo\b)", selector), selector


def test_hostile_names_are_escaped(tmp_path):
    image = make_xrays(2, image_size=SIZE, random_state=0).images[0]
    paths = [tmp_path / f"{HOSTILE}{i}.png" for i in range(2)]
    for path in paths:
        Image.fromarray(image).save(path)
    report = audit({"paths": paths, "target": [f"<b>{HOSTILE}"] * 2})
    for html in (report.to_html(), report._repr_html_()):
        page = Page(html)
        assert "b" not in dict(page.tags)
        assert "onerror" not in {name for _, attrs in page.tags for name in attrs}
        assert any(HOSTILE in text for text in page.texts)


def write_dicom(path, image, identifier):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3.4"
    dataset.Modality = "DX"
    dataset.PatientName, dataset.PatientBirthDate = "Doe^Jane", "20190203"
    dataset.PatientID = identifier
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = image.tobytes()
    dataset["PixelData"].VR = "OW"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def test_patients_of_dicom_files_are_separated_and_not_shown(tmp_path):
    images = make_xrays(8, image_size=SIZE, random_state=0).images
    for i, image in enumerate(images):
        place = tmp_path / ("train", "test")[i % 2] / ("NORMAL", "PNEUMONIA")[i // 4]
        identifier = "4711-0815" if i in (3, 6) else f"4711-{i}"
        write_dicom(place / f"Doe^Jane {i}", image, identifier)
    report = audit(load_xray_folder(tmp_path))
    finding = only(report, "patients_across_splits")
    assert len(finding.rows) == 1
    assert report.metadata["NORMAL"]["mode"] == {"DICOM": 4}
    assert report.metadata["NORMAL"]["width"] == [64] * 3
    for text in (str(report), report.to_json(), report.to_html()):
        for secret in ("4711", "20190203", "dicom-", "Doe"):
            assert secret not in text


def test_the_real_collection(xray_data):
    data = load_xray_folder(xray_data / "chest_xray")
    rng = np.random.default_rng(0)
    chosen = np.sort(
        np.concatenate(
            [
                np.flatnonzero(data.split != "train"),
                rng.choice(np.flatnonzero(data.split == "train"), 250, replace=False),
            ]
        )
    )
    part = {name: data[name][chosen] for name in data if isinstance(data[name], np.ndarray)}
    report = audit(part)
    assert names(report, "error") == []
    assert "small_split" in names(report)
    assert "The split val is too small: 8 of NORMAL, 7 of PNEUMONIA" in str(report)
    # The merged numbers of pathogens, which are an artefact, are in both.
    merged = {split: set() for split in ("train", "test")}
    for group in part["groups"]:
        split, _, number = group.partition("/")
        if split in merged:
            merged[split].add(number)
    assert merged["train"] & merged["test"]
    copies = only(report, "exact_copies_of_one_patient")
    assert any("person258_bacteria_1207" in line for line in copies.details)
    assert not [name for name in names(report) if name.startswith("near")]
    assert (
        only(report, "shortcut").found.endswith("kilobytes, 0.90.") or report.shortcut["low"] > 0.8
    )
    n_suspects = sum(len(f.rows) for f in report.findings if f.name.startswith("suspects"))
    assert n_suspects <= 0.005 * len(chosen)


def test_real_images_that_are_inverted_or_rotated(xray_data):
    paths = load_xray_folder(xray_data / "chest_xray").paths[::60]
    records, thumbnails = scan_files(paths)
    assert not any(record.cause for record in records)
    upright = find_suspects(thumbnails, np.zeros(len(thumbnails)))
    assert sum(map(len, upright.values())) <= 1
    negatives = find_suspects(255 - thumbnails, np.zeros(len(thumbnails)))
    assert len(negatives["inverted"]) >= len(thumbnails) - 1
    for quarters, least in ((1, 0.98), (2, 0.85), (3, 0.98)):
        found = find_suspects(np.rot90(thumbnails, quarters, (1, 2)), np.zeros(len(thumbnails)))
        assert len(found["rotated"]) >= least * len(thumbnails)


def test_a_data_frame_lists_the_images_of_each_finding(tmp_path, make_collection):
    make_collection(tmp_path, {"train": 16, "test": 9})
    files = sorted(tmp_path.rglob("*.png"))
    shutil.copy(files[0], files[0].with_name("IM-7777-0001.png"))
    files[1].write_bytes(b"no image")
    data = load_xray_folder(tmp_path)
    report = audit(data)
    frame = report.to_frame()
    for finding in report.findings:
        lines = frame[frame["finding"] == finding.name]
        groups = [rows["row"].tolist() for _, rows in lines.groupby("group")]
        assert groups == finding.rows or not finding.rows
        assert len(lines) >= 1
        assert lines["level"].eq(finding.level).all()
        known = lines.dropna(subset="row")
        assert known["path"].tolist() == [data.paths[row] for row in known["row"]]
    assert "unreadable" in {*frame["finding"]}
    assert frame["finding"].str.startswith("exact_copies").sum() == 2
