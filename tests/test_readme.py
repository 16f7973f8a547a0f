"""What the README tells people to type works."""

import re
from pathlib import Path

import pytest
from PIL import Image

from skpneumo.datasets import make_xrays

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


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


def test_nothing_to_train(collection, capsys):
    """With synthetic X-rays in the place of the scans."""
    code, *_ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scans = sorted((collection / "chest_xray/train/NORMAL").iterdir())[:2]
    for of_readme, here in zip(("scan-001.jpeg", "scan-002.dcm"), map(str, scans), strict=True):
        assert of_readme in code
        code = code.replace(of_readme, here)
    names = {}
    exec(code, names)
    model, paths = names["model"], list(map(str, scans))
    predicted = model.predict(paths), model.predict_proba(paths[:1])
    expected = [
        " ".join(map(str, predicted)),
        model[-1].best_threshold_,
        model[0].outlier_score(paths[:1]),
    ]
    assert capsys.readouterr().out == "\n".join([*map(str, expected), ""])


def test_the_main_job_in_python(collection):
    """The code as it stands, but for the size of the network and of the search."""
    _, code, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shorter = {
        "(96, 96)": "(40, 36)",
        "CNNPneumoniaClassifier(": "CNNPneumoniaClassifier(filters=(2, 4), epochs=1, ",
        "StratifiedGroupKFold(5": "StratifiedGroupKFold(2",
    }
    for of_readme, here in shorter.items():
        assert of_readme in code
        code = code.replace(of_readme, here)
    names = {}
    exec(code, names)
    search = names["search"]
    assert len(search.cv_results_["params"]) == 27
    assert set(search.predict(names["train"].paths)) <= {"NORMAL", "PNEUMONIA"}


def test_the_threshold_and_the_report(collection):
    """The same, with a recall that these few can certify, and the training images to test."""
    *_, code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shorter = {
        "(96, 96)": "(40, 36)",
        "CNNPneumoniaClassifier(image": "CNNPneumoniaClassifier(filters=(2, 4), epochs=1, image",
        "StratifiedGroupKFold(5": "StratifiedGroupKFold(2",
        "min_recall=0.98": "min_recall=0.6",
        "chest_xray/test": "chest_xray/train",
    }
    for of_readme, here in shorter.items():
        assert of_readme in code
        code = code.replace(of_readme, here)
    names = {}
    exec(code, names)
    assert names["model"].recall_lower_bound_ >= 0.6
    assert (collection / "report.html").stat().st_size > 50_000


def test_the_commands_are_there():
    commands = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    assert commands[0].strip() == (
        "python -m venv .venv && .venv/bin/pip install . && .venv/bin/skpneumo train"
    )
    assert commands[1].strip().endswith("&& .venv/bin/pytest")
