"""Fixtures shared by the whole suite."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

# The environment is set before anything is imported that reads it, and processes that tests start
# inherit it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The same networks on every processor; .ci/run and developers choose the other value.
os.environ.setdefault("SKPNEUMO_PRECISION", "float32")
# Two workers with as many threads of BLAS as there are cores wait for each other: for small
# matrices six times as long as one thread takes.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What a developer's terminal asks for is not what tests compare with: those of widths and colours
# set their own.
for name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(name, None)
_cache = tempfile.TemporaryDirectory(prefix="skpneumo-cache-")
os.environ["SKPNEUMO_CACHE"] = _cache.name


@pytest.fixture(autouse=True)
def _no_workers_left():
    """End joblib's workers after a test that started some.

    They would serve the next test too, and loky takes a worker that grows by 300 MB, as one does
    that imports TensorFlow in its second test, for one that leaks: it ends it, and at times hangs.
    """
    yield
    from joblib.externals.loky import reusable_executor

    if reusable_executor._executor is not None:
        reusable_executor._executor.shutdown(wait=True, kill_workers=True)


@pytest.fixture(scope="session")
def estimator_html():
    """scikit-learn's `estimator_html_repr`, where the locale lets it read its own style sheets."""
    from sklearn.base import BaseEstimator
    from sklearn.utils import estimator_html_repr

    try:
        estimator_html_repr(BaseEstimator())
    except UnicodeDecodeError:
        pytest.skip("scikit-learn cannot read its style sheets in this locale")
    return estimator_html_repr


@pytest.fixture(scope="session")
def xray_data():
    """Folder of real chest X-rays beside the checkout (or where SKPNEUMO_TEST_DATA says)."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SKPNEUMO_TEST_DATA", beside))
    if not (folder / "chest_xray").is_dir():
        pytest.skip(f"real X-rays are not at {folder}; set SKPNEUMO_TEST_DATA to their folder")
    return folder


def draw_table(n, seed):
    """Rows of three numbers, sorted by class, more positive than negative, two of each patient."""
    rng = np.random.default_rng(seed)
    positive = np.arange(n) >= n // 3
    X = rng.normal(0.6 * positive[:, None], 1, (n, 3))
    subtype = np.where(positive, np.where(np.arange(n) % 3, "bacteria", "virus"), "")
    y = np.where(positive, "PNEUMONIA", "NORMAL")
    return SimpleNamespace(X=X, y=y, groups=np.arange(n) // 2, subtype=subtype)


@pytest.fixture(scope="session")
def train():
    """Data on which a linear classifier errs."""
    return draw_table(90, 0)


@pytest.fixture(scope="session")
def new():
    """More of the same data."""
    return draw_table(120, 2)


@pytest.fixture(scope="session")
def linear(train):
    """A linear classifier, fitted on `train`."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(train.X, train.y)


@pytest.fixture(scope="session")
def make_collection():
    """Return `write_collection`, which writes a folder of synthetic X-rays."""
    return write_collection


def write_collection(root, n_images, *, image_size=(40, 36), difficulty=0.0):
    """Write synthetic X-rays as PNG files, named as those of the public collection.

    Parameters
    ----------
    root : path
        Folder to write to, created if needed.
    n_images : dict of str to int
        Number of images by split, such as ``{"train": 54, "test": 21}``; ``{"": 8}`` writes a
        folder without splits. No patient is in two of them.
    image_size : tuple of (int, int), default=(40, 36)
        Rows and columns.
    difficulty : float, default=0.0
        See `make_xrays`.

    Returns
    -------
    Path
        ``root``.
    """
    from PIL import Image

    from skpneumo.datasets import make_xrays

    for i, (split, n) in enumerate(n_images.items()):
        options = {"image_size": image_size, "difficulty": difficulty, "random_state": i}
        xrays = make_xrays(n, **options)
        for row, image in enumerate(xrays.images):
            patient = 1000 * i + int(xrays.groups[row].removeprefix("patient"))
            if xrays.target[row] == "NORMAL":
                name = f"IM-{patient:04}-{row:04}.png"
            else:
                name = f"person{patient}_virus_{row}.png"
            folder = Path(root, split, xrays.target[row])
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / name)
    return Path(root)


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests recorded."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "table" and report.when == "call":
                terminalreporter.write_line(text)
