"""A small collection, a small model, and the command line in this process."""

import os
import re
from functools import partial
from unittest import mock

import pytest
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skpneumo import CNNPneumoniaClassifier, XRayOutlierDetector, cli, save_model
from skpneumo.cli import _training
from skpneumo.datasets import load_xray_folder

TinyCNN = partial(CNNPneumoniaClassifier, filters=(2, 4), learning_rate=0.02)


@pytest.fixture(scope="session")
def collection(make_collection, tmp_path_factory):
    """A folder of small X-rays: 54 in train, 21 in test."""
    root = tmp_path_factory.mktemp("collection") / "chest_xray"
    return make_collection(root, {"train": 54, "test": 21})


@pytest.fixture(scope="session")
def model_file(collection, tmp_path_factory):
    """A network with an outlier detector that was hardly trained, as a file."""
    train = load_xray_folder(collection / "train")
    cnn = CNNPneumoniaClassifier((40, 36), filters=(2, 4), epochs=1, random_state=0)
    model = make_pipeline(XRayOutlierDetector(contamination=0), cnn).fit(train.paths, train.target)
    path = tmp_path_factory.mktemp("models") / "model.skpneumo"
    save_model(model, path)
    return path


@pytest.fixture(scope="session")
def make_tiny_classifier():
    """Return a function like `make_classifier` whose CNN is tiny."""

    def make(model="cnn", *, weights="default", epochs=1, memory=None, random_state=0):
        options = {"epochs": epochs, "memory": memory, "random_state": random_state}
        if model == "cnn" and weights == "default":
            return TinyCNN(**options)
        return make_classifier(model, weights=weights, **options)

    make_classifier = _training.make_classifier
    return make


@pytest.fixture(scope="session")
def invoke():
    """Return a function that runs ``skpneumo``; results are as wide as they are long."""
    return run_command


@pytest.fixture(scope="session")
def run_train(make_tiny_classifier):
    """Return a function that runs ``skpneumo train``; equal fits are done once per process."""

    def run(*arguments, **options):
        small = ("--image-size", "36x40", "--epochs", "1", "--folds", "2", "--min-recall", "0.8")
        with mock.patch.object(_training, "make_classifier", make_tiny_classifier):
            return run_command("train", *small, *arguments, **{"columns": "80"} | options)

    return run


def run_command(*arguments, columns=None, charset="utf-8"):
    # The command sets variables, which later tests would hand to processes that they start.
    with mock.patch.dict(os.environ):
        runner = CliRunner(charset=charset, env={"COLUMNS": columns})
        return runner.invoke(cli.app, [*map(str, arguments)])


@pytest.fixture(scope="session")
def words():
    """Return a function that removes colours, frames and line breaks from a text."""
    return plain_words


def plain_words(text):
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    return " ".join(re.sub("[│╭╮╰╯─━]", " ", text).split())


@pytest.fixture(scope="session")
def holds():
    """Return a function that finds a part in a text, wherever lines end in it."""
    return is_part


def is_part(text, part):
    return "".join(plain_words(str(part)).split()) in "".join(plain_words(text).split())


@pytest.fixture(scope="session")
def assert_refused():
    """Return an assertion: exit code and message; no results, no traceback."""

    def check(done, code, *messages):
        assert done.exit_code == code
        assert isinstance(done.exception, SystemExit)
        assert done.stdout == ""
        for message in messages:
            assert is_part(done.stderr, message)
        assert "Traceback" not in done.stderr
        assert "Errno" not in done.stderr

    return check
