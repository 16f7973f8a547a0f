"""``--classes``, which several commands have."""

import json
import shutil

import pytest


@pytest.fixture
def other_classes(collection, tmp_path):
    """The collection with other names of classes."""
    root = tmp_path / "xrays"
    for split in ("train", "test"):
        shutil.copytree(collection / split / "NORMAL", root / split / "Healthy")
        shutil.copytree(collection / split / "PNEUMONIA", root / split / "Lung Opacity")
    return root


MAPPED = ("--classes", "Healthy=NORMAL", "--classes", "lung_opacity=PNEUMONIA")


def test_other_classes_are_mapped_on_the_command_line(
    collection, other_classes, model_file, invoke, words, run_train
):
    for done in (invoke("evaluate", model_file, other_classes), run_train(other_classes)):
        assert done.exit_code == 1
        assert "--classes 'Lung Opacity=PNEUMONIA'" in words(done.stderr)
    done = invoke("evaluate", model_file, other_classes, *MAPPED)
    assert done.exit_code == 0, done.output
    assert "21 images" in done.stdout
    audited = invoke("audit", other_classes, *MAPPED)
    assert audited.exit_code == 0, audited.output
    assert "75 X-rays" in audited.output
    trained = json.loads(run_train(other_classes, *MAPPED, "--json").stdout)
    assert trained["data"]["images"] == 54


def test_a_mapping_of_classes_that_cannot_be_is_refused(other_classes, assert_refused, run_train):
    for pairs in (["Healthy"], ["Healthy=NORMAL", "Healthy=PNEUMONIA"]):
        options = [option for pair in pairs for option in ("--classes", pair)]
        assert_refused(run_train(other_classes, *options), 2, "Opacity=PNEUMONIA, got")
    done = run_train(other_classes, "--classes", "Healthy=well")
    assert_refused(done, 1, "to NORMAL or PNEUMONIA, got 'Healthy': 'well'")
    assert_refused(run_train("--classes", "a=NORMAL"), 2, "--classes is for a folder")
