"""The X-rays that come with the package."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skpneumo import CNNPneumoniaClassifier, load_pretrained
from skpneumo.datasets import load_sample_xrays, load_xray_folder
from skpneumo.images import XRaySequence

MAX_BYTES = 1_000_000
MAX_SIDE = 512


@pytest.fixture(scope="module")
def data():
    return load_sample_xrays()


def test_fields_are_those_of_a_folder(data, make_collection, tmp_path):
    folder = load_xray_folder(make_collection(tmp_path, {"train": 12}))
    assert set(data) == set(folder)
    for name in set(data) - {"DESCR", "left_out", "reasons"}:
        assert data[name].shape == (12,)
        assert data[name].dtype.kind == folder[name].dtype.kind
    assert data.left_out == []


def test_patients(data):
    assert np.unique(data.target, return_counts=True)[1].tolist() == [6, 6]
    kinds = dict(zip(*np.unique(data.subtype, return_counts=True), strict=True))
    assert kinds == {"": 6, "bacteria": 3, "virus": 3}
    assert set(data.subtype[data.target == "NORMAL"]) == {""}
    # The number alone counts, as one patient may be numbered in either pathogen.
    assert len(set(data.groups)) == 12
    assert data.identified.all()
    # That of the collection, so that no one takes them for a test of networks trained on it.
    assert set(data.split) == {"train"}


def test_found_from_any_folder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert all(map(os.path.isabs, data.paths))
    assert all(map(os.path.isfile, load_sample_xrays().paths))


def test_images_are_grey_small_and_without_metadata(data):
    for path in data.paths:
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "L")
            assert max(image.size) == MAX_SIDE
            assert min(image.size) < MAX_SIDE  # the aspect ratio is kept
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert sum(map(os.path.getsize, data.paths)) < MAX_BYTES


def test_attribution(data):
    for words in ("Kermany", "Zhang", "Goldbaum", "CC BY 4.0", "10.17632/rscbjbr9sj.2", "Changes:"):
        assert words in data.DESCR


def test_packaged_network_predicts_them(data):
    model = load_pretrained("cnn")
    n_right = (model.predict(data.paths) == data.target).sum()
    assert n_right >= 11  # it was trained on them
    assert model[0].outlier_score(data.paths).max() < 1


def test_arrays_and_training(data):
    X = XRaySequence(data.paths, size=(24, 28))
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    assert clf.fit(X, data.target, groups=data.groups).predict_proba(X).shape == (12, 2)


def test_they_are_images_of_the_collection(data, xray_data):
    """The same pictures as the originals, but for size and compression."""
    if not (xray_data / "originals").is_dir():
        pytest.skip("originals are missing")
    for path in map(Path, data.paths):
        with (
            Image.open(path) as image,
            Image.open(xray_data.joinpath("originals", *path.parts[-2:])) as original,
        ):
            scaled = original.convert("L").resize(image.size, Image.Resampling.LANCZOS)
            difference = np.abs(np.asarray(image, float) - np.asarray(scaled, float))
        assert difference.mean() < 3  # about 30 for two patients
