"""`skpneumo.progress` shows what runs inside of it, and nothing else."""

import re
import sys

import pytest
from rich.console import Console
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    StratifiedGroupKFold,
)
from sklearn.pipeline import make_pipeline

import skpneumo
from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV, XRayLoader
from skpneumo._utils.count_fits import count_fits
from skpneumo._utils.progress import BYTES, Display, ignore, track
from skpneumo.datasets import audit, load_xray_folder, make_xrays

CLF = CNNPneumoniaClassifier()
GRID = {"class_weight": [None, {"PNEUMONIA": 2}], "threshold": [0.3, 0.5, 0.7]}


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (CLF, 1),
        (make_pipeline(XRayLoader(), CLF), 1),
        (LogisticRegression(), 0),
        (FrozenEstimator(CLF), 0),
        (GridSearchCV(CLF, GRID, cv=4), 6 * 4 + 1),
        (GridSearchCV(CLF, GRID, refit=False), 6 * 5),
        (RandomizedSearchCV(CLF, GRID, n_iter=3, cv=StratifiedGroupKFold(4)), 3 * 4 + 1),
        (GridSearchCV(CLF, GRID, cv=LeaveOneGroupOut()), None),
        (GridSearchCV(CLF, GRID, cv=iter([])), None),
        (OperatingPointClassifierCV(GridSearchCV(CLF, GRID, cv=2), cv=3), 3 * 13),
        (OperatingPointClassifierCV(CLF, cv=3, refit=True), 4),
        (CalibratedClassifierCV(CLF, cv=3), 3),
    ],
)
def test_fits_are_counted_before_they_run(estimator, expected):
    assert count_fits(estimator) == expected


def test_nothing_is_shown_outside(capsys):
    with track("Reading", 3) as update:
        update(advance=1)
    assert update is ignore
    assert capsys.readouterr() == ("", "")


def test_a_search_and_a_prediction_are_shown(capsys):
    xrays = make_xrays(40, image_size=(37, 41), random_state=0)
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=16, random_state=0)
    search = GridSearchCV(clf, {"threshold": [0.3, 0.5]}, cv=2)
    with skpneumo.progress(search):
        search.fit(xrays.images, xrays.target)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.search(r"Fits .* 5/5", shown.err)
    assert len(shown.err.splitlines()) == 1
    with skpneumo.progress():
        search.predict(xrays.images[::-1])
    assert re.search(r"Predicting .* 40/40 X-rays", capsys.readouterr().err)


def test_workers_do_not_break(train, capsys):
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2, n_jobs=2)
    with skpneumo.progress(search):
        search.fit(train.X, train.y)
    assert "Fits" in capsys.readouterr().err


def test_an_audit_is_shown(make_collection, tmp_path, capsys):
    data = load_xray_folder(make_collection(tmp_path, {"train": 12, "test": 9}))
    capsys.readouterr()
    with skpneumo.progress(), skpneumo.progress():
        audit(data)
    assert re.search(r"Reading X-rays .* 21/21 files", capsys.readouterr().err)


def test_more_fits_than_were_counted_raise_the_number():
    with Display(1, counts_fits=True) as display:
        for _ in range(3):
            display.count_fit()
        (task,) = display._bars.tasks
        assert (task.completed, task.total) == (3, 3)


@pytest.mark.parametrize("columns", ["60", "80"])
def test_a_line_fits_a_narrow_terminal(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    with skpneumo.progress(), track("Unpacking chest_xray.zip", 10**9, BYTES) as update:
        update(completed=5 * 10**8)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert len(lines[0]) <= int(columns)


def test_a_notebook_shows_one_output_that_changes(monkeypatch, capsys):
    """Without ipywidgets: one display is updated. Here IPython is replaced by what it is given."""
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data)

    def display(data, raw, display_id):
        shown.append(data)
        return Handle()

    module = type(sys)("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", type(sys)("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("skpneumo._utils.progress._NOTEBOOK_INTERVAL", 0)
    assert Console().is_jupyter
    with skpneumo.progress(), track("Reading", 3, "files") as update:
        for _ in range(3):
            update(advance=1)
    assert "1/3 files" in shown[1]["text/plain"]
    assert "3/3 files" in shown[-1]["text/plain"]
    assert shown[-1]["text/plain"].count("Reading") == 1
    assert shown[-1]["text/html"].startswith("<pre>")
    assert capsys.readouterr() == ("", "")
