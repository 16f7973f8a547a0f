"""Errors of the library, in the words that are typed."""

import re

import pytest

from skpneumo.cli._wording import in_typed_words

# Names of parameters, calls and values as Python has them.
PYTHON = re.compile(
    r"\b[a-z_]+=\S|\w\((?!s\))|\b(None|True|False)\b|\b(min|image|load|save)_[a-z_]+"
)


@pytest.fixture
def assert_typed(words):
    """Return an assertion: an error that names no options as Python does."""

    def check(done, *messages):
        assert done.exit_code == 1, done.output
        text = words(done.stderr)
        _, _, error = text.partition("Error: ")
        # Paths of this test are no words of ours.
        error = re.sub(r"/\S+", "", error)
        assert not PYTHON.search(error), PYTHON.search(error)
        for message in messages:
            assert message in text

    return check


def test_weights(collection, run_train, assert_typed, tmp_path):
    inception = ("--model", "inception", "--image-size", "75x80")
    assert_typed(
        run_train(collection, *inception, "--weights", "nowhere.h5"),
        "imagenet downloads them, none trains from scratch",
    )
    (tmp_path / "weights.h5").write_bytes(b"no model file")
    assert_typed(
        run_train(collection, "--weights", tmp_path / "weights.h5"),
        "is no model file. Wanted: pretrained, a model file, or none for random weights",
    )
    small = ("--model", "inception", "--weights", "none", "--image-size", "74x80")
    assert_typed(run_train(collection, *small), "Give --image-size 150 or more")


def test_too_few_patients(collection, model_file, invoke, run_train, assert_typed):
    test = collection / "test"
    done = invoke("calibrate", model_file, test)
    assert_typed(
        done,
        "--min-recall 0.98 with --confidence 0.95 cannot be certified with",
        "Add patients, lower --min-recall or --confidence.",
    )
    done = invoke("calibrate", model_file, test, "--min-specificity", "0.9")
    assert_typed(done, "--min-recall 0.98 and --min-specificity 0.9 cannot both be")
    done = run_train(collection, "--min-recall", "0.98", "--confidence", "0.95")
    assert_typed(done, "--min-recall 0.98 with --confidence 0.95")


def test_folders(collection, model_file, tmp_path, invoke, assert_typed):
    (tmp_path / "Lung Opacity").symlink_to(collection / "test" / "PNEUMONIA")
    (tmp_path / "Healthy").symlink_to(collection / "test" / "NORMAL")
    assert_typed(
        invoke("evaluate", model_file, tmp_path),
        "map each to NORMAL or PNEUMONIA: --classes",
    )
    assert_typed(invoke("evaluate", model_file, tmp_path / "gone"))
    (tmp_path / "bare").mkdir()
    assert_typed(invoke("audit", tmp_path / "bare"))
    assert_typed(invoke("check-site", model_file, tmp_path / "bare"))


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("or train from scratch with weights=None.", "or train from scratch with --weights none."),
        (
            "Fetch it elsewhere and pass the file as weights=..., or",
            "Fetch it elsewhere and pass the file as --weights FILE, or",
        ),
        ("or weights='pretrained'", "or --weights pretrained"),
        (
            "views='all', or --all-views on the command line, keeps other views",
            "--all-views keeps other views",
        ),
        (
            "With n_checks=99, p-values are at least 0.1. Raise alpha, or count fewer checks.",
            "With --checks 99, p-values are at least 0.1. Count fewer --checks.",
        ),
        ("a recall of 98 %, at a --min-recall", "a recall of 98 %, at a --min-recall"),
        ("runs/min_recall=3/weights='a'.png", "runs/min_recall=3/weights='a'.png"),
    ],
)
def test_words(text, typed):
    assert in_typed_words(text) == typed
