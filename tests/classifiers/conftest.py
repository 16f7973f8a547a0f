"""A small collection, sorted by class and imbalanced as real folders are, and a tiny network."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from skpneumo import CNNPneumoniaClassifier
from skpneumo._utils.caching import RESULTS
from skpneumo.classifiers import progress_callback
from skpneumo.datasets import make_xrays


@pytest.fixture(autouse=True)
def _no_earlier_results():
    """Forget the results of earlier tests, but not the trainers, which save a second a fit."""
    RESULTS.clear()


@pytest.fixture(scope="session")
def xrays():
    """50 images of 37 x 41 pixels, the negative ones first, and the patient of each."""
    data = make_xrays(50, image_size=(37, 41), prevalence=0.7, difficulty=0.0, random_state=0)
    order = np.argsort(data.target, kind="stable")
    return SimpleNamespace(X=data.images[order], y=data.target[order], groups=data.groups[order])


@pytest.fixture(scope="session")
def paths(xrays, tmp_path_factory):
    """The same images as files."""
    folder = tmp_path_factory.mktemp("xrays")
    for i, image in enumerate(xrays.X):
        Image.fromarray(image).save(folder / f"{i}.png")
    return np.array([str(folder / f"{i}.png") for i in range(len(xrays.X))])


@pytest.fixture
def tiny():
    """Make a classifier that fits in a second."""

    def make(**options):
        defaults = {"filters": (2, 4), "epochs": 1, "batch_size": 16, "random_state": 0}
        return CNNPneumoniaClassifier(**defaults | options)

    return make


@pytest.fixture(scope="session")
def fitted(xrays):
    """What `tiny().fit(xrays.X, xrays.y)` gives. Tests share it, so they leave it as it is."""
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=16, random_state=0)
    return clf.fit(xrays.X, xrays.y)


@pytest.fixture
def count_predicted(monkeypatch):
    """Count the images that networks of a module predict: a list whose sum grows."""

    def counting(module):
        numbers, predict_batches = [], module.predict_batches

        def spy(model, read, n, batch_size, **options):
            numbers.append(n)
            return predict_batches(model, read, n, batch_size, **options)

        monkeypatch.setattr(module, "predict_batches", spy)
        return numbers

    return counting


@pytest.fixture
def trained_epochs():
    """Count the epochs that were trained: a list whose sum grows."""
    fractions = []
    with progress_callback(fractions.append):
        yield fractions


class Killed(BaseException):
    """What ends a training as an interrupt would."""


@pytest.fixture
def training_begins():
    """Assert that a fit in a context trains, and end it there: its first step takes a second."""

    def stop(fraction):
        raise Killed

    @contextmanager
    def begins(why):
        try:
            with progress_callback(stop):
                yield
        except Killed:
            return
        pytest.fail(f"{why}: nothing was trained")

    return begins


@pytest.fixture
def killed_after():
    """End what is fitted in a context in the epoch after so many."""

    @contextmanager
    def killed(n_epochs):
        done = []

        def listen(fraction):
            done.append(fraction)
            if sum(done) > n_epochs + 1e-6:
                raise Killed

        with pytest.raises(Killed), progress_callback(listen):
            yield

    return killed
