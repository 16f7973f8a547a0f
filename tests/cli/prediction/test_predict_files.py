"""Files in, a prediction for each out; what cannot be read stops nothing."""

import os
import shutil
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline as make_pipeline_with_samplers
from matplotlib import pyplot as plt
from PIL import Image
from sklearn.pipeline import make_pipeline

from skpneumo import CNNPneumoniaClassifier, XRayOutlierDetector, XRayOverSampler
from skpneumo._utils.heatmap_marks import HEATMAP_METADATA, is_heatmap
from skpneumo.cli._prediction import FoundFiles, PredictionOptions, find_files
from skpneumo.cli._prediction._heatmaps import prepare_folder
from skpneumo.cli._prediction._predict_files import predict_batch
from skpneumo.cli._prediction._results import describe_errors
from skpneumo.cli._prediction._tally import Tally
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.exceptions import DatasetError
from skpneumo.images import read_xray


class Brightness:
    """Predicts bright images positive; it reads the files."""

    classes_ = np.array(["NORMAL", "PNEUMONIA"])

    def predict_proba(self, files):
        bright = np.array([read_xray(file).mean() / 255 for file in files])
        return np.stack([1 - bright, bright], axis=1)

    def predict(self, files):
        return self.classes_[(self.predict_proba(files)[:, 1] > 0.5).astype(int)]


class Vanishing(Brightness):
    """Before it predicts for the first time, a file vanishes."""

    def __init__(self, file):
        self.file = file

    def predict_proba(self, files):
        if os.path.exists(self.file):
            os.remove(self.file)
        return super().predict_proba(files)


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """A working directory with a folder of three X-rays, one of them in a folder in it."""
    monkeypatch.chdir(tmp_path)
    os.makedirs("scans/more")
    images = make_xrays(3, image_size=(40, 33), random_state=0).images
    for image, name in zip(images, ("a.png", "b.png", "more/c.png"), strict=True):
        Image.fromarray(image).save(f"scans/{name}")
    return "scans"


def draw_heatmap(path):
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.imshow(np.eye(4))
    figure.savefig(path, format="png", metadata=HEATMAP_METADATA)
    plt.close(figure)


def predict_found(model, found):
    shared = SimpleNamespace(get=lambda: model)
    return predict_batch(found.with_reasons(found.files), shared, PredictionOptions())[0]


def predict(*paths):
    return predict_found(Brightness(), find_files(paths))


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("gone.png", "there is no such file or folder"),
        ("gone/*.png", "no file matches this pattern"),
        ("scans/[0-9]?.png", "no file matches this pattern"),
        ("", "this name is empty"),
        ("nul\0.png", "a character that no file can have"),
        ("x" * 300, "the name is too long"),
        ("scans/a.png/b.png", "is a file, not a folder"),
        ("empty", "this folder holds no JPEG, PNG, TIFF, BMP, WebP, JPEG 2000 or DICOM file"),
        ("broken.png", "this link leads to nowhere.png, which does not exist"),
        ("circle.png", "links lead in a circle"),
        ("pipe.png", "this is a pipe or a device"),
        (os.devnull, "this is a pipe or a device"),
        ("notes.txt", "this is not a JPEG, PNG, TIFF"),
        ("nothing.png", "this is not a JPEG, PNG, TIFF"),
        ("map.png", "this is a heatmap that skpneumo drew, not an X-ray"),
    ],
)
def test_what_cannot_be_read_is_a_row_among_the_others(scans, name, cause):
    os.mkdir("empty")
    os.symlink("nowhere.png", "broken.png")
    os.symlink("circle.png", "circle.png")
    os.mkfifo("pipe.png")
    draw_heatmap("map.png")
    for file, text in (("notes.txt", "no image"), ("nothing.png", "")):
        with open(file, "w") as opened:
            opened.write(text)
    rows = predict("scans/a.png", name, "scans/more")
    assert [row["file"] for row in rows] == ["scans/a.png", name, "scans/more/c.png"]
    assert [row["error"] is None for row in rows] == [True, False, True]
    assert cause in rows[1]["error"]
    assert "Errno" not in rows[1]["error"]
    assert rows[1]["probability"] is rows[1]["label"] is None
    expected = Brightness().predict_proba(["scans/a.png", "scans/more/c.png"])[:, 1]
    assert [row["probability"] for row in rows[::2]] == expected.tolist()
    tally = Tally()
    for row in rows:
        tally.add(row, None)
    assert describe_errors(tally).startswith(f"1 of 3 could not be read: {name} (")
    assert (tally.exit_code(), len(tally.scores)) == (1, 2)


@contextmanager
def without_privileges():
    """As a user without the rights of root, whom no permission stops."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read(scans, tmp_path):
    tmp_path.chmod(0o755)
    os.chmod("scans/more", 0)
    os.chmod("scans/b.png", 0)
    try:
        with without_privileges():
            by_folder, by_name = predict("scans"), predict("scans/a.png", "scans/more")
    finally:
        os.chmod("scans/more", 0o755)
    assert [row["file"] for row in by_folder] == ["scans/a.png", "scans/b.png", "scans/more"]
    assert [row["file"] for row in by_name] == ["scans/a.png", "scans/more"]
    for first, *rest in (by_folder, by_name):
        assert first["error"] is None
        assert all("permission denied" in row["error"] for row in rest)


def test_a_file_that_vanishes_meanwhile(scans):
    rows = predict_found(Vanishing("scans/b.png"), find_files([scans]))
    assert [row["error"] is None for row in rows] == [True, False, True]
    assert "there is no such file" in rows[1]["error"]
    assert rows[0]["probability"] is not None


def test_one_file_named_twice(scans):
    rows = predict("scans/a.png", "gone.png", "scans/a.png", "gone.png", "scans")
    names = ["scans/a.png", "gone.png", "scans/b.png", "scans/more/c.png"]
    assert [row["file"] for row in rows] == names


def test_nothing_but_errors(scans):
    rows = predict("gone.png", "gone")
    assert all(row["error"] for row in rows)
    with pytest.raises(DatasetError, match="No X-rays are named"):
        find_files([])


def test_steps_without_a_transform_are_passed_over(collection):
    train = load_xray_folder(collection / "train")
    cnn = CNNPneumoniaClassifier((40, 36), filters=(2, 4), epochs=1, random_state=0)
    detector = XRayOutlierDetector(contamination=0)
    sampler = XRayOverSampler(random_state=0)
    files = train.paths[:3].tolist()
    for model in (
        make_pipeline_with_samplers(sampler, cnn),
        make_pipeline_with_samplers(sampler, detector, cnn),
        make_pipeline("passthrough", detector, cnn),
    ):
        model.fit(train.paths, train.target)
        rows = predict_found(model, FoundFiles(files))
        expected = (
            detector.outlier_score(files).tolist()
            if detector in model.named_steps.values()
            else [None] * 3
        )
        assert [row["outlier_score"] for row in rows] == expected


# -- heatmaps -------------------------------------------------------------------------------------


def test_heatmaps_in_a_folder_are_skipped_and_listed(scans):
    os.mkdir("scans/maps")
    for name in ("scans/maps/0000-a.png", "scans/z.png", "scans/renamed"):
        draw_heatmap(name)
    found = find_files([scans])
    assert found.files == ["scans/a.png", "scans/b.png", "scans/more/c.png"]
    assert sorted(found.skipped) == ["scans/maps/0000-a.png", "scans/renamed", "scans/z.png"]
    assert not found.errors
    only = find_files(["scans/maps"])
    assert "JPEG 2000 or DICOM file, but 1 heatmap" in only.errors["scans/maps"]


@pytest.mark.filterwarnings("ignore:2 of 2 files name no patient")
def test_heatmaps_are_no_images_of_a_collection(scans):
    for label, image in (("NORMAL", "a"), ("PNEUMONIA", "b")):
        os.mkdir(label)
        shutil.copy(f"scans/{image}.png", label)
    draw_heatmap("NORMAL/0000-a.png")
    with pytest.warns(UserWarning, match=r"left out.*0000-a\.png"):
        data = load_xray_folder(".")
    assert [os.path.basename(path) for path in data.paths] == ["a.png", "b.png"]


def test_only_the_mark_makes_a_heatmap(scans, tmp_path):
    draw_heatmap("map.png")
    assert is_heatmap("map.png")
    # X-rays may have been converted with matplotlib.
    plt.imsave("converted.png", np.eye(40), cmap="gray")
    with open("cut.png", "wb") as file, open("map.png", "rb") as whole:
        file.write(whole.read(20))
    for name in ("scans/a.png", "converted.png", "cut.png", "gone.png", "scans"):
        assert not is_heatmap(name)


# -- places to write to ---------------------------------------------------------------------------


def test_the_folder_of_heatmaps_is_tried(scans, tmp_path):
    prepare_folder(tmp_path / "new" / "maps")
    assert not os.listdir("new/maps")
    with pytest.raises(FileExistsError):
        prepare_folder(tmp_path / "scans" / "a.png")
    os.chmod(tmp_path / "new" / "maps", 0o555)
    tmp_path.chmod(0o755)
    maps = (tmp_path / "new" / "maps").relative_to(tmp_path)
    with without_privileges(), pytest.raises(PermissionError) as caught:
        prepare_folder(maps)
    assert caught.value.filename == os.fspath(maps)
