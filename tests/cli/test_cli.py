"""The command line, as people use it."""

import copy
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import warnings
from functools import partial
from itertools import pairwise
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline as make_pipeline_with_samplers
from PIL import Image
from rich.console import Console
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skpneumo import (
    CNNPneumoniaClassifier,
    XRayOutlierDetector,
    XRayOverSampler,
    XRayResizer,
    cli,
    load_model,
    load_pretrained,
    save_model,
)
from skpneumo._utils.formatting import percent
from skpneumo.cli import _app, _job, _prediction, _tables
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.evaluation import evaluate
from skpneumo.exceptions import OutlierWarning
from skpneumo.persistence import model_card

COLUMNS = ("recall", "specificity", "F1", "precision", "accuracy")
FULL = Path("/dev/full")  # where each write fails, as on a full disk
needs_full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
SMALL = ("--image-size", "36x40", "--epochs", "1", "--folds", "2", "--min-recall", "0.8")


@pytest.fixture(scope="module")
def collection(make_collection, tmp_path_factory):
    """A folder of small X-rays: 54 in train, 21 in test."""
    root = tmp_path_factory.mktemp("collection") / "chest_xray"
    return make_collection(root, {"train": 54, "test": 21})


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Make the search, the network, the synthetic data and the terminal small."""
    terminal = partial(Console, width=80, color_system=None, force_terminal=False)
    tiny = partial(CNNPneumoniaClassifier, filters=(2, 4), learning_rate=0.02)
    # The command line sets variables, which later tests hand to processes they start.
    with mock.patch.dict(os.environ), pytest.MonkeyPatch.context() as patch:
        patch.setattr(_job, "CLASS_WEIGHTS", (1, 4))
        patch.setattr(_job, "THRESHOLDS", (0.3, 0.5, 0.7))
        patch.setattr(_job, "CNNPneumoniaClassifier", tiny)
        patch.setattr(_job, "make_xrays", lambda n, **options: make_xrays(n // 10, **options))
        patch.setattr(_app, "_OUT", terminal())
        patch.setattr(_app, "_ERR", terminal(stderr=True))
        yield


def train(*arguments, charset="utf-8"):
    """Run ``skpneumo train``; equal trainings are done once in this process."""
    arguments = ["train", *SMALL, *map(str, arguments)]
    return CliRunner(charset=charset).invoke(cli.app, arguments)


@pytest.fixture(scope="module")
def output(collection):
    """Where the two runs below write their results."""
    return collection.parent / "results.json"


@pytest.fixture(scope="module")
def done(collection, output):
    """A run that printed tables."""
    return train(collection, "--output", output)


@pytest.fixture(scope="module")
def done_as_json(done, collection, output):
    """The same with ``--json``."""
    output.unlink()
    return train(collection, "--output", output, "--json")


@pytest.fixture
def result(done_as_json):
    return json.loads(done_as_json.stdout)


def words(text):
    """Without the colours, the frames and the line breaks that depend on the terminal."""
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    return " ".join(re.sub("[│╭╮╰╯─━]", " ", text).split())


def holds(text, part):
    """Whether a part is in a text, wherever lines end: a path may be longer than any line."""
    return "".join(words(str(part)).split()) in "".join(words(text).split())


# -- what is printed ------------------------------------------------------------------------------


def test_tables_choice_baseline_and_test_are_printed(done, result, collection):
    assert done.exit_code == 0
    assert done.exception is None
    n_patients = result["test"]["model"]["n_patients"]
    search, test = done.stdout.split(f"Test: 21 images, 95 % intervals by patient ({n_patients})")
    assert holds(test, result["comparison"]["verdict"])
    for column in COLUMNS:
        assert column in search
        assert re.search(rf"^ *{column} ", test, re.M)
    assert "cnn" in test
    assert "logistic regression" in test
    assert words(result["chosen"]["reason"]) in words(search)
    baseline = result["baseline"]
    met = "" if baseline["met"] else ", which none of its thresholds meets"
    assert (
        f"logistic regression on 32x32 pixels, at its threshold {baseline['threshold']:g} by the "
        f"same rule{met}: mean recall {percent(baseline['mean_recall'])}, mean specificity "
        f"{percent(baseline['mean_specificity'])}"
    ) in words(search)
    assert holds(done.stdout, f"{collection}: 54 images of")
    assert "new patients is lower in about 22% of simulated searches" in words(search)


def test_a_baseline_that_falls_short_is_told(result, capsys):
    for met in (True, False):
        result["baseline"]["met"] = met
        _app._print(result)
        told = "by the same rule, which none of its thresholds meets: mean"
        assert (told in words(capsys.readouterr().out)) != met


def test_a_model_that_does_not_beat_the_baseline_is_called_so(done, result, capsys):
    """One epoch of a tiny network does not."""
    verdict = result["comparison"]["verdict"]
    assert result["beats_baseline"] is False
    assert "the cnn does not beat the logistic regression. AUC: 0." in verdict
    assert holds(done.stdout, verdict)
    assert f"Warning: {verdict}" in done.stderr
    assert done.exit_code == 0
    result["beats_baseline"], result["comparison"]["verdict"] = True, "The cnn beats it: AUC 1."
    _app._print(result)
    assert "The cnn beats it: AUC 1." in capsys.readouterr().out


def test_what_was_written_is_named_on_standard_error(done, output):
    assert done.stderr.endswith(f"Wrote {output}.\n")
    assert "Wrote" not in done.stdout


def test_the_model_is_written(result, collection, tmp_path):
    path = tmp_path / "model.skpneumo"
    done = train(collection, "--save", path)
    assert done.exit_code == 0, done.output
    test = load_xray_folder(collection / "test")
    called = load_model(path).predict(test.paths) == "PNEUMONIA"
    told = result["test"]["model"]
    assert (~called & (test.target == "PNEUMONIA")).sum() == told["missed"]
    assert (called & (test.target == "NORMAL")).sum() == told["false_alarms"]
    card = model_card(path)
    assert holds(card.replace("\\", ""), result["comparison"]["verdict"])
    assert " ".join(result["chosen"]["reason"].split()) in card
    assert "Data: 54 images of" in card


@needs_full_disk
def test_what_cannot_be_written_loses_nothing_else(collection, tmp_path):
    output, save = tmp_path / "results.json", tmp_path / "model.skpneumo"
    for options, kept in (
        (("--save", FULL, "--output", output), output),
        (("--save", save, "--output", FULL), save),
    ):
        done = train(collection, *options)
        assert done.exit_code == 1
        assert "no space is left on the device" in done.stderr.lower()
        assert "Errno" not in done.stderr
        assert "Test: 21 images" in done.stdout
        assert f"Wrote {kept}." in done.stderr
    assert json.loads(output.read_text(encoding="utf-8"))["test"]
    assert len(load_model(save).classes_) == 2


def test_each_row_tells_its_setting_and_figures(done, result):
    printed = done.stdout
    for i, row in enumerate(result["settings"]):
        head = rf"{i} +1:{row['class_weight']} +{row['threshold']:g}"
        means = [percent(row[name.lower()]["mean"]).rstrip("%") for name in COLUMNS]
        means = "".join(rf" +{re.escape(mean)} ±\S+" for mean in means)
        (found,) = re.findall(f"^.*{head}{means}", printed, re.M)
        assert ("→" in found) == (i == result["chosen"]["index"])
    for name, title in (("missed", "false negatives"), ("false_alarms", "false positives")):
        model, baseline = (side[name] for side in result["test"].values())
        assert re.search(rf"{title}.* {model} +{baseline} *$", printed, re.M)
    for name in COLUMNS:
        low, high = result["test"]["model"][name.lower()].get("interval") or (None, None)
        if low is not None:
            assert f"[{low:.3f}, {high:.3f}]" in printed


def test_the_widest_figures_fit_into_80_columns(result, capsys):
    result["settings"] = [copy.deepcopy(result["settings"][0]) for _ in range(27)]
    result["chosen"]["index"] = 26
    for row in result["settings"]:
        for name in COLUMNS:
            # the widest there is: with a mean of 100 % nothing spreads
            row[name.lower()] = {"mean": 0.5, "std": 0.5}
    _app._print(result)
    printed = capsys.readouterr().out
    assert "→ 26" in printed
    assert "…" not in printed
    assert printed.count("50.0 ±50.0") == 27 * len(COLUMNS)
    assert max(map(len, printed.splitlines())) <= 80


def test_what_is_not_defined_is_printed_as_such(result, capsys):
    for side in result["test"].values():
        side["precision"] = {"value": None, "interval": None}
    _app._print(result)
    assert re.search(r"^ *precision +n/a +n/a *$", capsys.readouterr().out, re.M)


def test_what_standard_output_cannot_encode_is_no_error(collection):
    done = train(collection, charset="ascii")
    assert done.exception is None
    assert "accuracy" in done.stdout


def test_progress_goes_to_standard_error(done, done_as_json):
    assert "100%" in done.stderr
    assert "WARNING" not in done.stderr
    for run in (done, done_as_json):
        assert "100%" not in run.stdout


def test_json_is_printed_alone_and_written(done_as_json, output):
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    assert done_as_json.exit_code == 0
    result = json.loads(done_as_json.stdout, parse_constant=refuse)
    assert json.loads(output.read_text(encoding="utf-8")) == result
    assert result["test"]["model"]["n_images"] == 21


def test_options_reach_the_job_and_without_a_folder_images_are_synthetic(capsys):
    options = ("--seed", "3", "--subset", "40", "--image-size", "41", "--min-recall", "0.6")
    result = json.loads(train(*options, "--json", "--no-test").stdout)
    assert result["data"]["folder"] is None
    assert 20 < result["data"]["images"] < 50
    assert result["image_size"] == [41, 41]
    assert result["min_recall"] == 0.6
    assert result["random_state"] == 3
    assert (result["model"], result["epochs"], result["folds"]) == ("cnn", 1, 2)
    assert result["test"] is None
    _app._print(result)
    assert capsys.readouterr().out.startswith("Synthetic X-rays: ")


# -- certified operating points -------------------------------------------------------------------


def test_confidence_certifies_the_recall(collection, tmp_path):
    output, save = tmp_path / "results.json", tmp_path / "model.skpneumo"
    done = train(collection, "--confidence", "0.9", "--output", output, "--save", save)
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text(encoding="utf-8"))
    point = result["operating_point"]
    assert result["confidence"] == 0.9
    for text in (result["chosen"]["reason"], point["reason"], point["test"]["verdict"]):
        assert words(text) in words(done.stdout)
    assert "Nothing is certified" not in words(done.stdout)
    assert done.stdout.count("→") == len(set(result["chosen"]["indices"]))
    card = model_card(save).replace("\\", "")
    assert holds(card, point["reason"])
    assert holds(card, result["chosen"]["reason"])
    test = load_xray_folder(collection / "test")
    loaded = load_model(save)
    assert loaded.best_threshold_ == point["threshold"]
    predicted = loaded.predict(test.paths) == "PNEUMONIA"
    assert (~predicted & (test.target == "PNEUMONIA")).sum() == result["test"]["model"]["missed"]
    assert "100%" in done.stderr
    # The mean of the heatmaps of the networks of the folds.
    done = invoke("predict", save, *test.paths[-2:], "--heatmaps", tmp_path / "maps")
    assert done.exit_code == 0, done.output
    assert len([*(tmp_path / "maps").iterdir()]) == 2


def test_confidence_without_a_test_split_says_nothing_of_one(collection):
    done = train(collection, "--confidence", "0.9", "--no-test")
    assert done.exit_code == 0, done.output
    assert "Certified operating point" in done.stdout
    assert "test split" not in words(done.stdout)
    assert "of the cross-validation and before certification the cnn" in words(done.stdout)


def test_without_confidence_nothing_is_certified(result, collection, tmp_path):
    assert result["confidence"] is None
    assert result["operating_point"] is None
    save = tmp_path / "model.skpneumo"
    train(collection, "--save", save)
    assert "Nothing is certified" in " ".join(model_card(save).split())


def test_too_few_patients_are_an_error_before_training(collection):
    done = train(collection, "--min-recall", "0.98", "--confidence", "0.95")
    assert_refused(done, 1, "cannot be certified with", "positive patients: it takes at least 149")
    assert "Search 1" not in done.stderr


# -- the test split -------------------------------------------------------------------------------


@pytest.fixture
def damaged_test(collection):
    """The collection while the images of its test split cannot be read."""
    files = {file: file.read_bytes() for file in (collection / "test").glob("*/*")}
    for file in files:
        file.write_bytes(b"no image")
    yield collection
    for file, content in files.items():
        file.write_bytes(content)


def test_no_test_opens_no_file_of_the_test_split(damaged_test):
    done = train(damaged_test, "--no-test")
    assert done.exit_code == 0
    assert "→" in done.stdout
    assert "Test:" not in done.stdout


def test_a_test_image_that_cannot_be_read_is_named(damaged_test):
    done = train(damaged_test)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    name = sorted(file.name for file in damaged_test.glob("test/NORMAL/*"))[0]
    assert holds(done.stderr, name)


# -- errors ---------------------------------------------------------------------------------------


def assert_refused(done, code, *says):
    """An exit code and a message for people; nothing on standard output, no traceback."""
    assert done.exit_code == code
    assert isinstance(done.exception, SystemExit)
    assert done.stdout == ""
    for text in says:
        assert holds(done.stderr, text)
    assert "Traceback" not in done.stderr
    assert "Errno" not in done.stderr


@pytest.mark.parametrize("size", ["", "x", "0", "-3", "112x", "112x96x3", "wide", "3.5", "90000"])
def test_a_size_that_is_none_is_refused(size):
    assert_refused(train("--image-size", size), 2, "is no size; give 112 or ROWSxCOLUMNS such as")


def test_a_missing_folder_is_named(tmp_path):
    done = train(tmp_path / "nowhere")
    assert_refused(
        done, 1, "Error: There is no folder", "Give the folder of an unpacked", "NORMAL/"
    )
    assert holds(done.stderr, tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["xrays[old]", "xrays[/b]"])
def test_brackets_in_a_name_are_no_markup(result, tmp_path, name, capsys):
    (tmp_path / name).mkdir(parents=True)
    done = train(tmp_path / name)
    assert_refused(done, 1, "holds no folders of classes")
    assert holds(done.stderr, name)
    result["data"]["folder"] = name
    _app._print(result)
    assert f"{name}: 54 images" in capsys.readouterr().out


def test_one_class_is_refused(collection, tmp_path):
    (tmp_path / "NORMAL").symlink_to(collection / "train" / "NORMAL")
    assert_refused(train(tmp_path), 1, "must hold images of both classes")


def test_a_test_split_alone_is_refused(collection):
    assert_refused(train(collection / "test"), 1, "a test split only", "Give the folder above it")


def test_inception_refuses_small_images(collection):
    done = train(collection, "--model", "inception", "--weights", "none", "--image-size", "74x80")
    assert_refused(done, 1, "at least 75 x 75 pixels, got 74 x 80")


def test_a_missing_weights_file_is_named(collection):
    options = ("--model", "inception", "--weights", "nowhere.h5", "--image-size", "75x80")
    assert_refused(
        train(collection, *options), 1, "There is no weights file nowhere.h5", "imagenet"
    )


def test_where_nothing_can_be_written_nothing_is_trained(collection, tmp_path):
    done = train(collection, "--output", tmp_path / "nowhere" / "results.json")
    assert_refused(done, 2, "cannot write to")
    assert holds(done.stderr, tmp_path / "nowhere" / "results.json")
    for option in ("--output", "--save"):
        assert_refused(train(collection, option, tmp_path), 2, option)
    twice = train(collection, "--output", tmp_path / "a", "--save", tmp_path / "a")
    assert_refused(twice, 2, "--output and --save both name")
    assert not list(tmp_path.iterdir())


def test_weights_are_for_inception():
    assert_refused(train("--weights", "w.h5"), 2, "--weights is for --model inception")


def test_more_folds_than_patients_are_refused(collection):
    done = train(collection, "--folds", "50")
    assert_refused(done, 1, "patients are too few for 50 folds", "fewer folds")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--folds", "1", "wanted a whole number of 2 or more"),
        ("--folds", "five", "got 'five', wanted a whole number of 2 or more"),
        ("--min-recall", "1.1", "wanted a number from 0 to 1"),
        ("--confidence", "0", "got '0', wanted a number between 0 and 1"),
        ("--confidence", "1.0", "wanted a number between 0 and 1"),
        ("--confidence", "95", "wanted a number between 0 and 1"),
        ("--confidence", "high", "wanted a number between 0 and 1"),
        ("--epochs", "0", "wanted a whole number of 1 or more"),
        ("--subset", "1e3", "got '1e3', wanted a whole number of 20 or more"),
        ("--seed", "-1", "wanted a whole number of 0 or more"),
        ("--model", "resnet", "wanted cnn or inception"),
    ],
)
def test_options_out_of_range_are_refused(arguments):
    *arguments, wanted = arguments
    done = train(*arguments)
    assert_refused(done, 2, "Invalid value for", arguments[0], wanted)
    assert "Input should" not in done.stderr


@pytest.mark.parametrize("recall", ["0", "1"])
def test_a_recall_that_cannot_be_certified_is_refused(recall):
    done = train("--confidence", "0.9", "--min-recall", recall)
    assert_refused(done, 2, f"certifies a recall between 0 and 1, got --min-recall {recall}.")


# -- in a process of its own ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def offline(collection, tmp_path_factory):
    """The installed command, where the weights of Inception are not and cannot be downloaded."""
    script = Path(sysconfig.get_path("scripts"), "skpneumo")
    kept = {name for name in os.environ if name[:3] != "TF_" and name != "FORCE_COLOR"}
    environment = {name: os.environ[name] for name in kept} | {
        "KERAS_HOME": str(tmp_path_factory.mktemp("keras")),
        "https_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [script, "train", collection, "--model", "inception", "--image-size", "75x80", "--json"],
        capture_output=True,
        text=True,
        env=environment,
    )


def test_offline_the_error_says_which_file_to_fetch(offline):
    assert offline.returncode == 1
    assert "Error: The ImageNet weights of InceptionV3 could not be downloaded" in offline.stderr
    assert "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5" in offline.stderr
    assert "Traceback" not in offline.stderr


def test_only_results_are_on_standard_output(offline):
    assert offline.stdout == ""


def test_tensorflow_is_silent(offline):
    assert not re.search(r"absl|oneDNN|cuda|tf\.function", offline.stderr)


def test_audit(collection, tmp_path):
    page = tmp_path / "audit.html"
    done = CliRunner().invoke(cli.app, ["audit", str(collection), "--report", str(page)])
    assert done.exit_code == 0, done.output
    assert "75 X-rays" in done.stdout
    assert words(done.stderr).endswith(f"Wrote {page}.")
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


def test_audit_text_is_folded_once_at_the_width_of_the_terminal(collection, tmp_path):
    shutil.copytree(collection, tmp_path / "copy")
    for name in ("copy1.jpeg", "copy2.jpeg"):
        folder = tmp_path / "copy" / "train" / "NORMAL"
        shutil.copy(next(folder.glob("IM*")), folder / name)
    command = [sys.executable, "-m", "skpneumo", "audit", str(tmp_path / "copy")]
    done = subprocess.run(
        command, env=os.environ | {"COLUMNS": "60"}, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 60
    # In each finding, what goes on in the next line has no room in this one.
    heads = ("ERROR: ", "WARNING: ", "INFO: ", "  Why: ", "  Do: ")
    in_finding, n_folds = False, 0
    for line, following in pairwise(lines):
        in_finding = line.startswith(heads[:3]) or (in_finding and not line.startswith("  Do: "))
        if in_finding and not following.startswith(heads):
            assert len(f"{line} {following.split()[0]}") > 60, (line, following)
            n_folds += 1
    assert n_folds


def test_audit_tells_what_is_left_out_as_a_warning(collection, tmp_path):
    shutil.copytree(collection, tmp_path / "copy")
    (tmp_path / "copy" / "train" / "NORMAL" / "notes.txt").touch()
    done = CliRunner().invoke(cli.app, ["audit", str(tmp_path / "copy")])
    assert done.exit_code == 0, done.output
    assert re.search(r"^Warning: 1 file.*notes\.txt", done.stderr, re.DOTALL | re.MULTILINE)
    assert "UserWarning" not in done.output


def test_audit_of_what_is_none(tmp_path):
    done = CliRunner().invoke(cli.app, ["audit", str(tmp_path)])
    assert done.exit_code == 1
    assert "holds no folders of classes" in re.sub(r"\s+", " ", done.output)
    done = CliRunner().invoke(cli.app, ["audit", str(tmp_path), "--report", "a.pdf"])
    assert done.exit_code == 2
    assert "must end in .html" in re.sub(r"\s+", " ", done.output)


@pytest.fixture(scope="module")
def model_file(collection, tmp_path_factory):
    """A guarded network that was hardly trained, as a file."""
    train = load_xray_folder(collection / "train")
    cnn = CNNPneumoniaClassifier((40, 36), filters=(2, 4), epochs=1, random_state=0)
    model = make_pipeline(XRayOutlierDetector(contamination=0), cnn).fit(train.paths, train.target)
    path = tmp_path_factory.mktemp("models") / "model.skpneumo"
    save_model(model, path)
    return path


def invoke(*arguments):
    # Workers of pytest-xdist have COLUMNS set, as if someone wanted that width.
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": None})


def test_predict(collection, model_file, tmp_path):
    (tmp_path / "scans" / "more").mkdir(parents=True)
    files = sorted((collection / "test" / "NORMAL").iterdir())[:3]
    for i, file in enumerate(files):
        shutil.copy(file, tmp_path / "scans" / "more" / f"{i}.scan")
    negative = tmp_path / "negative.png"
    Image.fromarray(255 - np.asarray(Image.open(files[0]))).save(negative)
    (tmp_path / "scans" / "notes.txt").write_text("no image")
    table = tmp_path / "out.csv"
    done = invoke("predict", model_file, tmp_path / "scans", negative, "--csv", table)
    assert done.exit_code == 0, done.output
    assert "Not a medical device" in done.stdout
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [Path(row["file"]).name for row in rows] == [
        "0.scan",
        "1.scan",
        "2.scan",
        "negative.png",
    ]
    model, paths = load_model(model_file), [row["file"] for row in rows]
    with pytest.warns(OutlierWarning, match=r"above 1: .*3 \(negative\.png, "):
        probability = model.predict_proba(paths)[:, 1]
    for row, expected in zip(rows, probability, strict=True):
        flagged = row["outlier"] == "True"
        assert (float(row["outlier_score"]) > 1) == flagged
        assert row["probability"] == ("" if flagged else str(float(expected)))
        assert row["label"] in ({""} if flagged else {"NORMAL", "PNEUMONIA"})
    assert rows[3]["outlier"] == "True"
    n = sum(row["outlier"] == "True" for row in rows)
    assert f" {negative} " in done.stdout  # on one line, however long
    assert re.search(
        rf"^4 files, {n} out-of-distribution, not labelled\. "
        r"Decision threshold for PNEUMONIA: 0\.\d+\. Not a medical device\.$",
        done.stdout,
        re.M,
    )
    assert done.stdout.count("out-of-distribution, not labelled") == n + 1
    assert {row["error"] for row in rows} == {""}
    assert done.stderr.endswith(f"Wrote {table}.\n")
    # Only where that is wanted they get what the model makes of them.
    done = invoke(
        "predict", model_file, tmp_path / "scans", negative, "--csv", table, "--label-outliers"
    )
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    np.testing.assert_array_equal([float(row["probability"]) for row in rows], probability)
    assert {row["label"] for row in rows} <= {"NORMAL", "PNEUMONIA"}
    assert f"4 files, {n} out-of-distribution. " in done.stdout
    assert "not labelled" not in done.stdout


def test_labels_of_a_stranger_s_model_are_told_as_they_are():
    row = {"file": "a", "probability": 0.7, "label": "[red]ill", "outlier": None, "error": None}
    console = Console(width=80, color_system=None)
    with console.capture() as told:
        console.print(_tables.predictions_table([row], "[red]ill"))
        console.print(_tables.predictions_summary([row], "[red]ill", 0.5), markup=False)
    assert told.get().count("[red]ill") == 2


def test_predict_goes_on_after_a_bad_file(collection, model_file, tmp_path):
    bad, good = tmp_path / "scans/bad.jpeg", next((collection / "test" / "NORMAL").iterdir())
    bad.parent.mkdir()
    bad.write_bytes(b"no image")
    done = invoke(
        "predict", model_file, bad.parent, good,
        "--csv", tmp_path / "out.csv", "--heatmaps", tmp_path / "maps",
    )  # fmt: skip
    assert done.exit_code == 1
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0]["error"].startswith("this is not a JPEG, PNG, TIFF")
    assert (rows[0]["probability"], rows[0]["label"], rows[1]["error"]) == ("", "", "")
    assert "2 files, 1 not read" in done.stdout
    assert 0 < float(rows[1]["probability"]) < 1
    assert os.listdir(tmp_path / "maps") == [f"0001-{good.stem}.png"]


def test_predict_draws_heatmaps(collection, model_file, tmp_path):
    files = sorted((collection / "test" / "PNEUMONIA").iterdir())[:2]
    done = invoke("predict", model_file, *files, "--heatmaps", tmp_path / "maps")
    assert done.exit_code == 0, done.output
    drawn = sorted((tmp_path / "maps").iterdir())
    assert [file.name for file in drawn] == [f"{i:04}-{f.stem}.png" for i, f in enumerate(files)]
    assert np.ptp(np.asarray(Image.open(drawn[0]))) > 100
    assert f"Wrote 2 heatmaps in {tmp_path / 'maps'}." in done.stderr
    # They are no X-rays: of a folder they are skipped, and by name refused.
    shutil.copy(files[0], tmp_path)
    done = invoke("predict", model_file, tmp_path, "--csv", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == [str(tmp_path / files[0].name)]
    assert "1 file, " in done.stdout
    assert "2 heatmaps skipped" in done.stdout
    assert holds(
        done.stderr, f"2 heatmaps are skipped, which skpneumo drew: {drawn[0]}, {drawn[1]}."
    )
    done = invoke("predict", model_file, drawn[0], files[0])
    assert done.exit_code == 1
    assert "this is a heatmap that skpneumo drew, not an X-ray" in done.stdout


def test_out_of_distribution_images_have_no_heatmap(collection, model_file, tmp_path):
    file = next((collection / "test" / "NORMAL").iterdir())
    Image.fromarray(255 - np.asarray(Image.open(file))).save(tmp_path / "negative.png")
    arguments = ("predict", model_file, tmp_path / "negative.png", "--heatmaps", tmp_path / "maps")
    done = invoke(*arguments)
    assert done.exit_code == 0
    assert "1 file, 1 out-of-distribution, not labelled." in done.stdout
    assert not os.listdir(tmp_path / "maps")
    assert invoke(*arguments, "--label-outliers").exit_code == 0
    assert os.listdir(tmp_path / "maps") == ["0000-negative.png"]


def test_names_of_any_length(collection, model_file, tmp_path):
    file = next((collection / "test" / "NORMAL").iterdir())
    shutil.copy(file, tmp_path / f"{'x' * 250}.png")
    done = invoke(
        "predict", model_file, tmp_path / f"{'x' * 250}.png", "--heatmaps", tmp_path / "m"
    )
    assert done.exit_code == 0, done.output
    assert len(os.listdir(tmp_path / "m")) == 1


def test_one_missing_file_stops_nothing(collection, model_file, tmp_path):
    file, gone = next((collection / "test" / "NORMAL").iterdir()), tmp_path / "gone.png"
    table = tmp_path / "out.csv"
    done = invoke("predict", model_file, gone, file, tmp_path / "*.png", "--csv", table)
    assert done.exit_code == 1
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [bool(row["error"]) for row in rows] == [True, False, True]
    assert "3 files, 2 not read" in done.stdout
    assert holds(done.stderr, f"Error: 2 of 3 could not be read: {gone} (there is no such file")
    assert done.stderr.endswith(f"Wrote {table}.\n")


def test_the_table_does_not_replace_an_x_ray(collection, model_file, tmp_path):
    original = next((collection / "test" / "NORMAL").iterdir())
    file = shutil.copy(original, tmp_path)
    done = invoke("predict", model_file, file, "--csv", file)
    assert_refused(done, 1, "The table would replace")
    assert Path(file).read_bytes() == original.read_bytes()


def test_what_steps_before_the_detector_make_of_an_image_counts(collection, tmp_path):
    train = load_xray_folder(collection / "train")
    cnn = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    steps = XRayResizer((60, 30), aspect="pad"), XRayOutlierDetector(), cnn
    model = make_pipeline(*steps).fit(train.paths, train.target)
    save_model(model, tmp_path / "model.skpneumo")
    files = sorted((collection / "test" / "NORMAL").iterdir())[:3]
    table = tmp_path / "out.csv"
    done = invoke("predict", tmp_path / "model.skpneumo", *files, "--csv", table)
    assert done.exit_code == 0, done.output
    expected = model[1].outlier_score(model[0].transform(files))
    told = [
        float(row["outlier_score"])
        for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    ]
    np.testing.assert_array_equal(told, expected)
    assert not np.allclose(told, model[1].outlier_score(files))


def test_steps_that_leave_images_as_they_are_are_passed_over(collection):
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
        told = [row["outlier_score"] for row in _prediction.predict_files(model, files)]
        expected = (
            detector.outlier_score(files).tolist()
            if detector in model.named_steps.values()
            else [None] * 3
        )
        assert told == expected


def test_a_table_through_a_link(collection, model_file, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "out.csv")
    file = next((collection / "test" / "NORMAL").iterdir())
    done = invoke("predict", model_file, file, "--csv", tmp_path / "link.csv")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "link.csv").is_symlink()
    assert file.name in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_predict_refuses_a_place_of_heatmaps_before_it_looks(collection, model_file, tmp_path):
    (tmp_path / "file").touch()
    with mock.patch.object(_prediction, "predict_files") as look:
        done = invoke("predict", model_file, collection, "--heatmaps", tmp_path / "file/maps")
    assert done.exit_code == 1
    assert "file/maps" in words(done.stderr)
    look.assert_not_called()


def test_predict_says_what_is_not_there(collection, model_file, tmp_path):
    for path, cause in ((tmp_path / "gone", "there is no such file"), (tmp_path, "holds no JPEG")):
        done = invoke("predict", model_file, path)
        assert done.exit_code == 1
        assert cause in re.sub(r"\s+", " ", done.stderr)
        assert cause in done.stdout
    done = invoke("predict", tmp_path / "gone.skpneumo", collection)
    assert done.exit_code == 1
    assert "there is no such file" in re.sub(r"\s+", " ", done.stderr)


def test_without_a_model_the_network_of_the_package_is_asked(collection, tmp_path):
    files = sorted((collection / "test" / "PNEUMONIA").iterdir())[:2]
    table = tmp_path / "out.csv"
    for named in ([], ["default"]):
        done = invoke("predict", *named, *files, "--csv", table, "--heatmaps", tmp_path / "maps")
        assert done.exit_code == 0, done.output
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
        model = load_pretrained("cnn")
        paths = [str(file) for file in files]
        probability = model.predict_proba(paths)[:, 1]
        np.testing.assert_array_equal([float(row["probability"]) for row in rows], probability)
        assert len(list((tmp_path / "maps").iterdir())) == 2
        table.unlink()


def test_folders_are_searched_to_the_end_and_once(collection, model_file, tmp_path):
    deep = tmp_path / "scans" / "a/b/c/d/e/f"
    deep.mkdir(parents=True)
    file = next((collection / "test" / "NORMAL").iterdir())
    shutil.copy(file, deep)
    (tmp_path / "scans" / "again").symlink_to(tmp_path / "scans", target_is_directory=True)
    (tmp_path / "scans" / ".DS_Store").touch()
    table = tmp_path / "out.csv"
    assert invoke("predict", model_file, tmp_path / "scans", "--csv", table).exit_code == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == [str(deep / file.name)]


def test_a_model_stands_before_the_images(collection, model_file, tmp_path):
    file = next((collection / "test" / "NORMAL").iterdir())
    for arguments, says in (
        ([file, model_file], "model.skpneumo is a model. Name one, before the X-rays."),
        ([model_file, model_file, file], "is a model. Name one"),
        (["default"], "No X-rays are named, only a model."),
    ):
        done = invoke("predict", *arguments)
        assert done.exit_code == 1
        assert done.stdout == ""
        assert says.replace(" ", "") in words(done.stderr).replace(" ", "")


def test_a_folder_named_default(collection, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("default").mkdir()
    file = next((collection / "test" / "NORMAL").iterdir())
    shutil.copy(file, "default")
    by_folder = invoke("predict", "./default", "--csv", "out.csv")
    assert by_folder.exit_code == 0, by_folder.output
    assert f"default/{file.name}" in Path("out.csv").read_text(encoding="utf-8")
    assert invoke("evaluate", "default", collection).exit_code == 0


def test_a_model_is_told_by_its_content(collection, model_file, tmp_path):
    renamed = shutil.copy(model_file, tmp_path / "model.bin")
    file = next((collection / "test" / "NORMAL").iterdir())
    outputs = [invoke("predict", model, file).stdout for model in (model_file, renamed)]
    assert outputs[0] == outputs[1] != invoke("predict", file).stdout


def test_evaluate_the_network_of_the_package(collection):
    done = invoke("evaluate", "default", collection)
    assert done.exit_code == 0, done.output
    test = load_xray_folder(collection / "test")
    known = {"groups": test.groups, "subtype": test.subtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        expected = evaluate(load_pretrained("cnn"), test.paths, test.target, **known)
    assert done.stdout.strip() == str(expected).strip()


def test_evaluate(collection, model_file, tmp_path):
    page = tmp_path / "report.html"
    done = invoke("evaluate", model_file, collection, "--report", page)
    assert done.exit_code == 0, done.output
    model, test = load_model(model_file), load_xray_folder(collection / "test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        expected = evaluate(model, test.paths, test.target, groups=test.groups)
    assert "21 images" in done.stdout
    assert expected.data_fingerprint in page.read_text(encoding="utf-8")
    shutil.copytree(collection / "test", tmp_path / "test")
    for file in (tmp_path / "test").glob("*/*"):
        Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    done = invoke("evaluate", model_file, tmp_path / "test", "--report", page)
    # Once, not again where those among them that were called wrong are drawn.
    assert words(done.stderr).count("images are unlike") == 1
    assert re.search(r"above 1: 0 \(IM-\d{4}-\d{4}\.png, \d\.\d{3}\), ", words(done.stderr))
    assert words(done.stderr).endswith(f"Wrote {page}.")
    assert invoke("evaluate", model_file, collection, "--report", "a.pdf").exit_code == 2
    (tmp_path / "bare").mkdir()
    done = invoke("evaluate", model_file, tmp_path / "bare")
    assert done.exit_code == 1
    assert "holds no folders of classes" in re.sub(r"\s+", " ", done.stderr)


def test_evaluate_takes_no_training_images_unless_they_are_named(collection, model_file, tmp_path):
    for split in ("train", "val"):
        shutil.copytree(collection / "test", tmp_path / split)
    done = invoke("evaluate", model_file, tmp_path)
    assert done.exit_code == 1
    assert "has no test split, only train and val" in words(done.stderr)
    assert "21 images" in invoke("evaluate", model_file, tmp_path / "val").stdout


@pytest.mark.parametrize(("split", "other"), [("train", "holdout"), ("val", "eval"), ("train", "")])
def test_evaluate_falls_back_to_no_other_split(collection, model_file, tmp_path, split, other):
    shutil.copytree(collection / "test", tmp_path / "xrays" / split)
    if other:
        shutil.copytree(collection / "test", tmp_path / "xrays" / other)
    done = invoke("evaluate", model_file, tmp_path / "xrays")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"has no test split, only {split}" in words(done.stderr)
    assert (f"Left out, as not understood: '{other}'" in words(done.stderr)) == bool(other)
    assert "21 images" in invoke("evaluate", model_file, tmp_path / "xrays" / split).stdout


def test_evaluate_finds_the_test_split_in_another_spelling(collection, model_file, tmp_path):
    shutil.copytree(collection / "train", tmp_path / "train")
    shutil.copytree(collection / "test", tmp_path / "test_images")
    assert "21 images" in invoke("evaluate", model_file, tmp_path).stdout


@pytest.fixture
def other_classes(collection, tmp_path):
    """The collection with other names of classes."""
    root = tmp_path / "xrays"
    for split in ("train", "test"):
        shutil.copytree(collection / split / "NORMAL", root / split / "Healthy")
        shutil.copytree(collection / split / "PNEUMONIA", root / split / "Lung Opacity")
    return root


MAPPED = ("--classes", "Healthy=NORMAL", "--classes", "lung_opacity=PNEUMONIA")


def test_other_classes_are_mapped_on_the_command_line(collection, other_classes, model_file):
    for plain in (invoke("evaluate", model_file, other_classes), train(other_classes)):
        assert plain.exit_code == 1
        assert "--classes 'Lung Opacity=PNEUMONIA'" in words(plain.stderr)
    done = invoke("evaluate", model_file, other_classes, *MAPPED)
    assert done.exit_code == 0, done.output
    assert "21 images" in done.stdout
    audited = CliRunner().invoke(cli.app, ["audit", str(other_classes), *MAPPED])
    assert audited.exit_code == 0, audited.output
    assert "75 X-rays" in audited.output
    trained = json.loads(train(other_classes, *MAPPED, "--json").stdout)
    assert trained["data"]["images"] == 54


def test_a_mapping_of_classes_that_cannot_be_is_refused(other_classes):
    for pairs in (["Healthy"], ["Healthy=NORMAL", "Healthy=PNEUMONIA"]):
        options = [option for pair in pairs for option in ("--classes", pair)]
        assert_refused(train(other_classes, *options), 2, "Opacity=PNEUMONIA, got")
    done = train(other_classes, "--classes", "Healthy=well")
    assert_refused(done, 1, "to NORMAL or PNEUMONIA, got 'Healthy': 'well'")
    assert_refused(train("--classes", "a=NORMAL"), 2, "--classes is for a folder")


def test_train_reports_files_without_a_patient(collection, tmp_path):
    shutil.copytree(collection / "train", tmp_path / "train")
    for i, file in enumerate(sorted((tmp_path / "train/PNEUMONIA").iterdir())[:4]):
        file.rename(file.with_name(f"scan {i}.png"))
    done = train(tmp_path)
    assert done.exit_code == 0, done.output
    assert "4 of 54 files name no patient" in words(done.stdout)
    assert words(done.stderr).startswith("Warning: 4 of 54 files name no patient")
    assert json.loads(train(tmp_path, "--json").stdout)["data"]["images_without_patient"] == 4


def test_patients_that_leave_a_fold_without_a_class_stop_train_at_once(collection, tmp_path):
    shutil.copytree(collection / "train/NORMAL", tmp_path / "NORMAL")
    shutil.copytree(collection / "train/PNEUMONIA", tmp_path / "PNEUMONIA/site")
    for i, file in enumerate(sorted((tmp_path / "PNEUMONIA/site").iterdir())):
        file.rename(file.with_name(f"{i}.png"))
    done = train(tmp_path)
    assert_refused(done, 1, "2 folds cannot all hold both classes", "from 1 patient(s)")
    assert "the folder 'site' holds" in words(done.stderr)
    assert "Training" not in done.stderr
