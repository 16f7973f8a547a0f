"""``skpneumo evaluate``."""

import re
import shutil
import warnings

import numpy as np
import pytest
from PIL import Image

from skpneumo import load_model, load_pretrained
from skpneumo.datasets import load_xray_folder
from skpneumo.evaluation import evaluate
from skpneumo.exceptions import OutlierWarning


def test_evaluate(collection, model_file, tmp_path, invoke, words):
    page = tmp_path / "report.html"
    done = invoke("evaluate", model_file, collection, "--report", page)
    assert done.exit_code == 0, done.output
    model, test = load_model(model_file), load_xray_folder(collection / "test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        expected = evaluate(model, test.paths, test.target, groups=test.groups)
    assert "21 images" in done.stdout
    assert expected.provenance.data_fingerprint in page.read_text(encoding="utf-8")
    shutil.copytree(collection / "test", tmp_path / "test")
    for file in (tmp_path / "test").glob("*/*"):
        Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    done = invoke("evaluate", model_file, tmp_path / "test", "--report", page)
    # Once, not again where those among them that are misclassified are drawn.
    assert words(done.stderr).count("images are out of distribution") == 1
    assert re.search(r"above 1: 0 \(IM-\d{4}-\d{4}\.png, \d\.\d{3}\), ", words(done.stderr))
    assert f"Wrote {page}. Next: set a threshold for this hospital" in words(done.stderr)
    assert invoke("evaluate", model_file, collection, "--report", "a.pdf").exit_code == 2
    (tmp_path / "bare").mkdir()
    done = invoke("evaluate", model_file, tmp_path / "bare")
    assert done.exit_code == 1
    assert "holds no folders of classes" in re.sub(r"\s+", " ", done.stderr)


def test_evaluate_the_pretrained_network(collection, invoke):
    done = invoke("evaluate", "default", collection)
    assert done.exit_code == 0, done.output
    test = load_xray_folder(collection / "test")
    known = {"groups": test.groups, "subtype": test.subtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        expected = evaluate(load_pretrained(), test.paths, test.target, **known)
    assert done.stdout.strip() == str(expected).strip()


def test_evaluate_takes_no_training_images_unless_they_are_named(
    collection, model_file, tmp_path, invoke, words
):
    for split in ("train", "val"):
        shutil.copytree(collection / "test", tmp_path / split)
    done = invoke("evaluate", model_file, tmp_path)
    assert done.exit_code == 1
    assert "has no test split, only train and val" in words(done.stderr)
    assert "21 images" in invoke("evaluate", model_file, tmp_path / "val").stdout


@pytest.mark.parametrize(("split", "other"), [("train", "holdout"), ("val", "eval"), ("train", "")])
def test_evaluate_falls_back_to_no_other_split(
    collection, model_file, tmp_path, split, other, invoke, words
):
    shutil.copytree(collection / "test", tmp_path / "xrays" / split)
    if other:
        shutil.copytree(collection / "test", tmp_path / "xrays" / other)
    done = invoke("evaluate", model_file, tmp_path / "xrays")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"has no test split, only {split}" in words(done.stderr)
    assert (f"Left out, as not understood: '{other}'" in words(done.stderr)) == bool(other)
    assert "21 images" in invoke("evaluate", model_file, tmp_path / "xrays" / split).stdout


def test_evaluate_finds_the_test_split_in_another_spelling(
    collection, model_file, tmp_path, invoke
):
    shutil.copytree(collection / "train", tmp_path / "train")
    shutil.copytree(collection / "test", tmp_path / "test_images")
    assert "21 images" in invoke("evaluate", model_file, tmp_path).stdout
