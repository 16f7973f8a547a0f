"""What the README tells people to type works."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.utils import Bunch

from skpneumo import load_model
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import OutlierWarning

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
NO_TRAINING, MAIN_JOB, THRESHOLD, NEW_HOSPITAL = re.findall(
    r"```python\n(.*?)```", README, re.DOTALL
)


def run_readme(code, replacements):
    """Run a block of the README with replacements; return its variables."""
    for of_readme, here in replacements.items():
        assert of_readme in code
        code = code.replace(of_readme, here)
    names = {}
    exec(code, names)
    return names


@pytest.fixture
def collection(tmp_path, monkeypatch):
    """A working directory with a small collection in it, named as in the README."""
    xrays = make_xrays(36, image_size=(40, 36), random_state=0)
    for i, (image, target, group) in enumerate(
        zip(xrays.images, xrays.target, xrays.groups, strict=True)
    ):
        folder = tmp_path / "chest_xray" / "train" / target
        folder.mkdir(parents=True, exist_ok=True)
        number = int(group.removeprefix("patient"))
        name = f"IM-{number:04}-{i:04}" if target == "NORMAL" else f"person{number}_virus_{i}"
        Image.fromarray(image).save(folder / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_to_train(tmp_path, monkeypatch, capsys):
    """As pasted, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    names = run_readme(NO_TRAINING, {})
    model, samples = names["model"], names["samples"]
    labels, rest = capsys.readouterr().out.split("]", 1)
    assert labels + "]" == str(samples.target)  # it was trained on them
    assert f"]] {model[-1].best_threshold_!s}\n[0." in rest
    assert not [*tmp_path.iterdir()]


def test_the_main_job_in_python(collection):
    """The code as it stands, but for the size of the network and of the search."""
    shorter = {
        "(96, 96)": "(40, 36)",
        "CNNPneumoniaClassifier(": "CNNPneumoniaClassifier(filters=(2, 4), epochs=1, ",
        "StratifiedGroupKFold(5": "StratifiedGroupKFold(2",
    }
    names = run_readme(MAIN_JOB, shorter)
    search = names["search"]
    assert len(search.cv_results_["params"]) == 27
    assert set(search.predict(names["train"].paths)) <= {"NORMAL", "PNEUMONIA"}


def test_the_threshold_and_the_report(collection):
    """The same, with a recall that these few can certify, and the training images to test."""
    shorter = {
        "(96, 96)": "(40, 36)",
        "CNNPneumoniaClassifier(image": "CNNPneumoniaClassifier(filters=(2, 4), epochs=1, image",
        "StratifiedGroupKFold(5": "StratifiedGroupKFold(2",
        "min_recall=0.98": "min_recall=0.6",
        "chest_xray/test": "chest_xray/train",
    }
    names = run_readme(THRESHOLD, shorter)
    assert names["model"].recall_lower_bound_ >= 0.6
    assert (collection / "report.html").stat().st_size > 50_000


def test_a_new_hospital(tmp_path, monkeypatch, capsys):
    """The labels of synthetic X-rays in the place of a radiologist."""
    xrays = make_xrays(240, image_size=(48, 40), random_state=0)
    folder = tmp_path / "scans"
    folder.mkdir()
    paths = np.array([str(folder / f"{i}.png") for i in range(len(xrays.images))])
    for path, image in zip(paths, xrays.images, strict=True):
        Image.fromarray(image).save(path)
    labels = dict(zip(paths.tolist(), xrays.target.tolist(), strict=True))
    monkeypatch.chdir(tmp_path)
    names = {
        "local": Bunch(paths=paths, groups=xrays.groups),
        "radiologist": lambda rows: [labels[path] for path in rows.tolist()],
    }
    with warnings.catch_warnings():
        # Synthetic X-rays are not those of the pretrained network.
        warnings.simplefilter("ignore", OutlierWarning)
        exec(NEW_HOSPITAL, names)
    assert names["certifier"].recall_lower_bound_ == 0.95
    assert load_model("model-for-this-hospital.skpneumo").best_threshold_ > 0
    assert "Labels to certify a recall of 95%" in capsys.readouterr().out


def test_the_commands_are_there():
    commands = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    assert commands[0].strip() == (
        "python -m venv .venv && .venv/bin/pip install . && .venv/bin/skpneumo train"
    )
    assert commands[1].strip().endswith("&& .venv/bin/pytest")
