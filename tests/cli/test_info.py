"""``skpneumo info``, ``card``, ``export`` and ``fetch``."""

import hashlib
import json

import numpy as np
import pytest

import skpneumo
from skpneumo import load_model, persistence
from skpneumo._utils.model_file import read_manifest
from skpneumo.datasets import _registry, make_xrays
from skpneumo.networks import resolve_precision
from skpneumo.persistence import model_card, pretrained_path


def test_info(invoke, tmp_path, words):
    output = tmp_path / "info.json"
    done = invoke("info", "--json", "--output", output)
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert json.loads(output.read_text(encoding="utf-8")) == facts
    assert facts["versions"]["skpneumo"] == skpneumo.__version__
    assert facts["precision"] == resolve_precision("auto")
    assert facts["cache_bytes"] >= 0
    assert facts["models"] == ["mean", "cnn", "inception"]
    for columns in ("60", None):
        text = words(invoke("info", columns=columns).stdout)
        assert f"skpneumo {skpneumo.__version__}" in text
        assert "models mean, cnn, inception" in text


def test_info_about_a_model(model_file, invoke):
    facts = json.loads(invoke("info", model_file, "--json").stdout)
    manifest = read_manifest(model_file)
    assert facts["fingerprint"] == manifest["model"]["fingerprint"]
    assert facts["classes"] == ["NORMAL", "PNEUMONIA"]
    assert facts["threshold"] == load_model(model_file).steps[-1][1].threshold
    assert facts["file"] == str(model_file)
    default = json.loads(invoke("info", "default", "--json").stdout)
    assert default["file"] == str(pretrained_path("mean"))


def test_card(model_file, tmp_path, invoke, words):
    path = tmp_path / "card.md"
    done = invoke("card", model_file, "--save", path)
    assert done.exit_code == 0, done.output
    assert path.read_text(encoding="utf-8") == model_card(model_file)
    assert words(done.stdout) == words(model_card(model_file))
    assert f"Wrote {path}." in words(done.stderr)
    assert json.loads(invoke("card", model_file, "--json").stdout) == read_manifest(model_file)


@pytest.mark.parametrize("command", ["card", "info"])
def test_what_is_no_model_is_refused(command, tmp_path, invoke, assert_refused):
    assert_refused(invoke(command, tmp_path / "gone"), 1, "there is no such file")
    (tmp_path / "a.skpneumo").write_bytes(b"no model")
    assert_refused(invoke(command, tmp_path / "a.skpneumo"), 1, "a.skpneumo")


def test_fetch(tmp_path, monkeypatch, invoke, words):
    # Put there by hand, as the error of a machine without internet access proposes.
    path = tmp_path / "pneumoniamnist.npz"
    images, labels = np.zeros((3, 9, 7), "uint8"), np.array([[0], [1], [1]])
    np.savez(path, test_images=images, test_labels=labels)
    checksum = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    remote = _registry.PNEUMONIAMNIST[28]._replace(checksum=checksum)
    monkeypatch.setitem(_registry.PNEUMONIAMNIST, 28, remote)
    done = invoke("fetch", "pneumoniamnist", "--data-home", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["path"], found["images"]) == (str(path), 3)
    assert "CC BY 4.0" in found["licence"]
    assert "Downloads 4 to 200 MB, unless it is there." in words(done.stderr)
    done = invoke("fetch", "pneumoniamnist", "--data-home", tmp_path, "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_fetch_refuses(invoke, assert_refused):
    wanted = "got 'mnist', wanted kermany, pneumoniamnist or imagenet"
    assert_refused(invoke("fetch", "mnist"), 2, wanted)
    assert_refused(
        invoke("fetch", "pneumoniamnist", "--size", "32"), 2, "wanted 28, 64, 128 or 224"
    )


def test_export_refuses(model_file, invoke, assert_refused, tmp_path):
    done = invoke("export", model_file, tmp_path / "model.pt")
    assert_refused(done, 2, "must end in .onnx or .tflite")
    done = invoke("export", model_file, tmp_path / "model.onnx", "--precision", "int8")
    assert_refused(done, 2, "got 'int8', wanted float32 or float16")


@pytest.mark.skipif(not hasattr(persistence, "export_onnx"), reason="needs export_onnx")
def test_export(model_file, tmp_path, invoke, words):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    done = invoke("export", model_file, path, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["precision"] == "float32"
    assert f"Wrote {path}. Next: run it with onnxruntime." in words(done.stderr)
    images = make_xrays(3, image_size=(50, 44), random_state=0).images
    (probability,) = runtime.InferenceSession(path).run(["probability"], {"images": images})
    expected = load_model(model_file)[-1].predict_proba(images)[:, 1]
    np.testing.assert_allclose(probability, expected, atol=1e-3)
