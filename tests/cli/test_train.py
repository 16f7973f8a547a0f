"""``skpneumo train``."""

import json
import re
import shutil
from pathlib import Path

import pytest

import skpneumo
from skpneumo import load_model
from skpneumo._utils.formatting import percent
from skpneumo.cli._training import SearchOptions, estimate_seconds
from skpneumo.cli._training._search import make_search
from skpneumo.datasets import load_xray_folder
from skpneumo.persistence import model_card

COLUMNS = ("recall", "specificity", "F1", "precision", "accuracy")
FULL = Path("/dev/full")  # where each write fails, as on a full disk
needs_full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


@pytest.fixture(scope="module")
def output(collection):
    """Where the two runs below write their results."""
    return collection.parent / "results.json"


@pytest.fixture(scope="module")
def done(collection, output, run_train):
    """A run that printed tables."""
    return run_train(collection, "--output", output)


@pytest.fixture(scope="module")
def done_as_json(done, collection, output, run_train):
    """The same with ``--json``."""
    output.unlink()
    return run_train(collection, "--output", output, "--json")


@pytest.fixture
def result(done_as_json):
    return json.loads(done_as_json.stdout)


def test_tables_choice_baseline_and_test_are_printed(done, result, collection, words, holds):
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
    assert words(result["selected"]["reason"]) in words(search)
    baseline = result["baseline"]
    met = "" if baseline["met"] else ", which none of its thresholds meets"
    assert (
        f"logistic regression on 32x32 pixels, at its threshold {baseline['threshold']:g} by the "
        f"same rule{met}: mean recall {percent(baseline['mean_recall'])}, mean specificity "
        f"{percent(baseline['mean_specificity'])}"
    ) in words(search)
    assert holds(done.stdout, f"{collection}: 54 images of")
    assert "new patients is lower in about 22% of simulated searches" in words(search)


def test_a_model_that_does_not_beat_the_baseline_is_reported(done, result, holds):
    """One epoch of a tiny network does not."""
    verdict = result["comparison"]["verdict"]
    assert result["beats_baseline"] is False
    assert "the cnn does not beat the logistic regression. AUC: 0." in verdict
    assert holds(done.stdout, verdict)
    assert f"Warning: {verdict}" in done.stderr
    assert done.exit_code == 0


def test_what_was_written_is_named_on_standard_error(done, output):
    assert f"Wrote {output}.\n" in done.stderr
    assert "Wrote" not in done.stdout


def test_the_model_is_written(result, collection, tmp_path, holds, run_train):
    path = tmp_path / "model.skpneumo"
    done = run_train(collection, "--save", path)
    assert done.exit_code == 0, done.output
    test = load_xray_folder(collection / "test")
    y_true, y_pred = test.target == "PNEUMONIA", load_model(path).predict(test.paths) == "PNEUMONIA"
    summary = result["test"]["model"]
    assert (~y_pred & y_true).sum() == summary["false_negatives"]
    assert (y_pred & ~y_true).sum() == summary["false_positives"]
    card = model_card(path)
    assert holds(card.replace("\\", ""), result["comparison"]["verdict"])
    assert " ".join(result["selected"]["reason"].split()) in card
    assert "Data: 54 images of" in card


@needs_full_disk
def test_what_cannot_be_written_loses_nothing_else(collection, tmp_path, run_train):
    output, save = tmp_path / "results.json", tmp_path / "model.skpneumo"
    for options, kept in (
        (("--save", FULL, "--output", output), output),
        (("--save", save, "--output", FULL), save),
    ):
        done = run_train(collection, *options)
        assert done.exit_code == 1
        assert "no space is left on the device" in done.stderr.lower()
        assert "Errno" not in done.stderr
        assert "Test: 21 images" in done.stdout
        assert f"Wrote {kept}." in done.stderr
    assert json.loads(output.read_text(encoding="utf-8"))["test"]
    assert len(load_model(save).classes_) == 2


def test_each_row_shows_a_candidate_and_its_metrics(done, result):
    printed = done.stdout
    for i, row in enumerate(result["candidates"]):
        head = rf"{i} +1:{row['class_weight']} +{row['threshold']:g}"
        means = [percent(row[name.lower()]["mean"]).rstrip("%") for name in COLUMNS]
        means = "".join(rf" +{re.escape(mean)} ±\S+" for mean in means)
        (found,) = re.findall(f"^.*{head}{means}", printed, re.M)
        assert ("→" in found) == (i == result["selected"]["index"])
    for name in ("false_negatives", "false_positives"):
        model, baseline = (side[name] for side in result["test"].values())
        assert re.search(rf"{name.replace('_', ' ')}.* {model} +{baseline} *$", printed, re.M)
    for name in ("recall", "specificity", "f1", "positive_predictive_value", "accuracy", "roc_auc"):
        if interval := result["test"]["model"][name]["interval"]:
            assert "[{:.3f}, {:.3f}]".format(*interval) in printed


def test_what_standard_output_cannot_encode_is_no_error(collection, run_train):
    done = run_train(collection, charset="ascii")
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


def test_options_reach_the_job_and_without_a_folder_images_are_synthetic(run_train):
    options = ("--seed", "3", "--subset", "40", "--image-size", "41", "--min-recall", "0.6")
    result = json.loads(run_train(*options, "--json", "--no-test").stdout)
    assert result["data"]["folder"] is None
    assert 20 < result["data"]["images"] < 50
    assert result["image_size"] == [41, 41]
    assert result["min_recall"] == 0.6
    assert result["random_state"] == 3
    assert (result["model"], result["epochs"], result["folds"]) == ("cnn", 1, 2)
    assert result["test"] is None
    printed = run_train(*options, "--no-test").stdout
    assert printed.startswith("Synthetic X-rays: ")
    assert "Test:" not in printed


# -- certified operating points -------------------------------------------------------------------


def test_confidence_certifies_the_recall(collection, tmp_path, invoke, words, holds, run_train):
    output, save = tmp_path / "results.json", tmp_path / "model.skpneumo"
    done = run_train(collection, "--confidence", "0.9", "--output", output, "--save", save)
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text(encoding="utf-8"))
    point = result["operating_point"]
    assert result["confidence"] == 0.9
    for text in (result["selected"]["reason"], point["reason"], point["test"]["verdict"]):
        assert words(text) in words(done.stdout)
    assert "Nothing is certified" not in words(done.stdout)
    assert done.stdout.count("→") == len(set(result["selected"]["indices"]))
    card = model_card(save).replace("\\", "")
    assert holds(card, point["reason"])
    assert holds(card, result["selected"]["reason"])
    test = load_xray_folder(collection / "test")
    loaded = load_model(save)
    assert loaded.best_threshold_ == point["threshold"]
    y_true, y_pred = test.target == "PNEUMONIA", loaded.predict(test.paths) == "PNEUMONIA"
    assert (~y_pred & y_true).sum() == result["test"]["model"]["false_negatives"]
    assert "100%" in done.stderr
    # The mean of the heatmaps of the networks of the folds.
    done = invoke("predict", save, *test.paths[-2:], "--heatmaps", tmp_path / "maps")
    assert done.exit_code == 0, done.output
    assert len([*(tmp_path / "maps").iterdir()]) == 2


def test_confidence_without_a_test_split(collection, words, run_train):
    done = run_train(collection, "--confidence", "0.9", "--no-test")
    assert done.exit_code == 0, done.output
    assert "Certified operating point" in done.stdout
    assert "test split" not in words(done.stdout)
    assert "of the cross-validation and before certification the cnn" in words(done.stdout)


def test_without_confidence_nothing_is_certified(result, collection, tmp_path, run_train):
    assert result["confidence"] is None
    assert result["operating_point"] is None
    save = tmp_path / "model.skpneumo"
    run_train(collection, "--save", save)
    assert "Nothing is certified" in " ".join(model_card(save).split())


def test_too_few_patients_are_an_error_before_training(collection, assert_refused, run_train):
    done = run_train(collection, "--min-recall", "0.98", "--confidence", "0.95")
    assert_refused(
        done, 1, "cannot be certified with", "positive patients: at least 149 are needed"
    )
    assert "Search 1" not in done.stderr


# -- the test split -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def damaged_test(collection, tmp_path_factory):
    """The collection with images in its test split that cannot be read."""
    root = tmp_path_factory.mktemp("damaged")
    shutil.copytree(collection / "test", root / "test")
    (root / "train").symlink_to(collection / "train")
    for file in (root / "test").glob("*/*"):
        file.write_bytes(b"no image")
    return root


def test_no_test_opens_no_file_of_the_test_split(damaged_test, run_train):
    done = run_train(damaged_test, "--no-test")
    assert done.exit_code == 0
    assert "→" in done.stdout
    assert "Test:" not in done.stdout


def test_a_test_image_that_cannot_be_read_is_named(damaged_test, holds, run_train):
    done = run_train(damaged_test)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    name = sorted(file.name for file in damaged_test.glob("test/NORMAL/*"))[0]
    assert holds(done.stderr, name)


# -- patients -------------------------------------------------------------------------------------


def test_more_folds_than_patients_are_refused(collection, assert_refused, run_train):
    done = run_train(collection, "--folds", "50")
    assert_refused(done, 1, "patients are too few for 50 folds", "fewer folds")


def test_train_reports_files_without_a_patient(collection, tmp_path, words, run_train):
    shutil.copytree(collection / "train", tmp_path / "train")
    for i, file in enumerate(sorted((tmp_path / "train/PNEUMONIA").iterdir())[:4]):
        file.rename(file.with_name(f"scan {i}.png"))
    done = run_train(tmp_path)
    assert done.exit_code == 0, done.output
    assert "4 of 54 files name no patient" in words(done.stdout)
    assert words(done.stderr).startswith("Warning: 4 of 54 files name no patient")
    assert json.loads(run_train(tmp_path, "--json").stdout)["data"]["images_without_patient"] == 4


def test_patients_that_leave_a_fold_without_a_class_stop_train_at_once(
    collection, tmp_path, words, assert_refused, run_train
):
    shutil.copytree(collection / "train/NORMAL", tmp_path / "NORMAL")
    shutil.copytree(collection / "train/PNEUMONIA", tmp_path / "PNEUMONIA/site")
    for i, file in enumerate(sorted((tmp_path / "PNEUMONIA/site").iterdir())):
        file.rename(file.with_name(f"{i}.png"))
    done = run_train(tmp_path)
    assert_refused(done, 1, "2 folds cannot all hold both classes", "from 1 patient(s)")
    assert "the folder 'site' holds" in words(done.stderr)
    assert "Training" not in done.stderr


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["", "x", "0", "-3", "112x", "112x96x3", "wide", "3.5", "90000"])
def test_a_size_that_is_none_is_refused(size, assert_refused, run_train):
    assert_refused(
        run_train("--image-size", size), 2, "is no size; give 112 or ROWSxCOLUMNS such as"
    )


def test_a_missing_folder_is_named(tmp_path, holds, assert_refused, run_train):
    done = run_train(tmp_path / "nowhere")
    assert_refused(
        done, 1, "Error: There is no folder", "Give the folder of an unpacked", "NORMAL/"
    )
    assert holds(done.stderr, tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["xrays[old]", "xrays[/b]"])
def test_brackets_in_a_name_are_no_markup(tmp_path, name, holds, assert_refused, run_train):
    (tmp_path / name).mkdir(parents=True)
    done = run_train(tmp_path / name)
    assert_refused(done, 1, "holds no folders of classes")
    assert holds(done.stderr, name)


def test_one_class_is_refused(collection, tmp_path, assert_refused, run_train):
    (tmp_path / "NORMAL").symlink_to(collection / "train" / "NORMAL")
    assert_refused(run_train(tmp_path), 1, "must hold images of both classes")


def test_a_test_split_alone_is_refused(collection, assert_refused, run_train):
    assert_refused(
        run_train(collection / "test"), 1, "a test split only", "Give the folder above it"
    )


def test_inception_refuses_small_images(collection, assert_refused, run_train):
    done = run_train(
        collection, "--model", "inception", "--weights", "none", "--image-size", "74x80"
    )
    assert_refused(done, 1, "at least 75 x 75 pixels, got 74 x 80")


def test_a_missing_weights_file_is_named(collection, assert_refused, run_train):
    options = ("--model", "inception", "--weights", "nowhere.h5", "--image-size", "75x80")
    assert_refused(
        run_train(collection, *options), 1, "There is no weights file nowhere.h5", "imagenet"
    )


def test_where_nothing_can_be_written_nothing_is_trained(
    collection, tmp_path, holds, assert_refused, run_train
):
    done = run_train(collection, "--output", tmp_path / "nowhere" / "results.json")
    assert_refused(done, 2, "cannot write to")
    assert holds(done.stderr, tmp_path / "nowhere" / "results.json")
    for option in ("--output", "--save"):
        assert_refused(run_train(collection, option, tmp_path), 2, option)
    twice = run_train(collection, "--output", tmp_path / "a", "--save", tmp_path / "a")
    assert_refused(twice, 2, "--output and --save both name")
    assert not list(tmp_path.iterdir())


def test_there_are_no_imagenet_weights_of_the_cnn(assert_refused, run_train):
    assert_refused(run_train("--weights", "imagenet"), 2, "only of --model inception")


def test_default_is_no_word_for_weights(assert_refused, run_train):
    assert_refused(run_train("--weights", "default"), 2, "got default")


def test_a_file_that_is_no_model_is_named(collection, assert_refused, run_train, tmp_path):
    done = run_train(collection, "--weights", "nowhere.skpneumo")
    assert_refused(done, 1, "nowhere.skpneumo: there is no such file.")
    path = tmp_path / "weights.h5"
    path.write_bytes(b"no model file")
    assert_refused(run_train(collection, "--weights", path), 1, f"{path}", "is no model file")


@pytest.mark.parametrize("start", ["pretrained", "file"])
def test_a_training_that_starts_from_a_trained_network(
    collection, model_file, tmp_path, holds, run_train, start
):
    path, output = tmp_path / "model.skpneumo", tmp_path / "results.json"
    weights = start if start == "pretrained" else model_file
    done = run_train(collection, "--weights", weights, "--save", path, "--output", output)
    assert done.exit_code == 0, done.output
    warning = "estimates on images which that network has seen are too optimistic"
    assert holds(done.stderr, warning)
    assert holds(done.stdout, f"initial weights: {weights}")
    result = json.loads(output.read_text(encoding="utf-8"))
    assert result["weights"] == str(weights)
    assert warning in result["weights_warning"]
    assert ("Kermany" in result["weights_warning"]) == (start == "pretrained")
    data, initial = model_card(path).split("## Initial network")
    assert warning in data
    assert str(tmp_path) not in data
    assert ("CC BY 4.0" in initial) == (start == "pretrained")


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
def test_options_out_of_range_are_refused(arguments, assert_refused, run_train):
    *arguments, wanted = arguments
    done = run_train(*arguments)
    assert_refused(done, 2, "Invalid value for", arguments[0], wanted)
    assert "Input should" not in done.stderr


@pytest.mark.parametrize("recall", ["0", "1"])
def test_a_recall_that_cannot_be_certified_is_refused(recall, assert_refused, run_train):
    done = run_train("--confidence", "0.9", "--min-recall", recall)
    assert_refused(done, 2, f"certifies a recall between 0 and 1, got --min-recall {recall}.")


# -- a run that is resumed, and several processes -------------------------------------------------


def test_a_run_with_a_memory_is_resumed(collection, tmp_path, run_train):
    options = (collection, "--seed", "7", "--no-test", "--json", "--memory", tmp_path / "memory")
    first = json.loads(run_train(*options).stdout)
    files = {file for file in (tmp_path / "memory").rglob("*") if file.is_file()}
    assert files
    skpneumo.clear_cache(disk=False)
    again = json.loads(run_train(*options).stdout)
    assert again | {"seconds": 0} == first | {"seconds": 0}
    assert {file for file in (tmp_path / "memory").rglob("*") if file.is_file()} == files


def test_jobs_reach_the_search(make_tiny_classifier):
    options = SearchOptions(image_size=(40, 36), n_folds=2, n_jobs=3)
    assert make_search(make_tiny_classifier(), options).n_jobs == 3


def test_the_estimate_of_the_duration(make_tiny_classifier):
    def estimate(model="cnn", n_images=4000, epochs=20, **options):
        options = SearchOptions(image_size=(96, 96), **options)
        classifier = make_tiny_classifier(model, weights=None, epochs=epochs)
        return estimate_seconds(classifier, options, n_images)

    assert estimate(n_images=8000) == pytest.approx(2 * estimate())
    assert estimate(epochs=10) == pytest.approx(estimate() / 2)
    assert estimate(confidence=0.95) == pytest.approx(5 * estimate())
    assert estimate("inception") > 5 * estimate()
