"""Data and options of small training jobs."""

from functools import partial

import pytest

from skpneumo.cli._training import SearchOptions, load_folder

Options = partial(
    SearchOptions,
    image_size=(36, 40),
    n_folds=2,
    min_recall=0.8,
    class_weights=(1, 4),
    thresholds=(0.3, 0.5, 0.7),
)


@pytest.fixture(scope="session")
def make_options():
    """Return `SearchOptions` with a small search by default."""
    return Options


@pytest.fixture(scope="session")
def three_splits(make_collection, tmp_path_factory):
    """A folder of small X-rays: 54 in train, 10 in val, 21 in test."""
    root = tmp_path_factory.mktemp("collection") / "chest_xray"
    return make_collection(root, {"train": 54, "val": 10, "test": 21})


@pytest.fixture
def data(three_splits):
    """The images of `three_splits`, loaded."""
    return load_folder(three_splits)


@pytest.fixture
def make_empty_files():
    """Return a function that creates empty files: only names and folders count."""
    return create_files


def create_files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder
