"""Many files in, a prediction for each out, the same in whatever parts and processes."""

import os
import pickle
import shutil

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skpneumo import CNNPneumoniaClassifier, clear_cache
from skpneumo.exceptions import ImageReadError, ModelFileError
from skpneumo.prediction import _shared_model, predict_files


def check_rows(rows, files):
    """Compare with what the model itself predicts for the files that can be read."""
    rows = list(rows)
    assert [row.file for row in rows] == files.paths
    read = [row for row in rows if row.error is None]
    assert [row[:3] for row in read] == files.expected
    np.testing.assert_allclose([row.outlier_score for row in read], files.outlier_score, rtol=1e-9)
    unread = [row for row in rows if row.error is not None]
    assert [row.file for row in unread] == [files.paths[1], files.paths[-1]]
    assert {row[1:4] for row in unread} == {(None, None, None)}
    assert all(type(row.error) is ImageReadError for row in unread)
    assert [str(row.error).removeprefix(row.file) for row in unread] == [
        ": this is not a JPEG, PNG, TIFF, BMP, WebP, JPEG 2000 or DICOM image.",
        ": No such file or directory.",
    ]


@pytest.mark.parametrize("chunk_size", [1, 5, 8, 30, 1000])
def test_the_size_of_chunks_does_not_matter(model, files, chunk_size):
    clear_cache()
    check_rows(predict_files(model, files.paths, chunk_size=chunk_size), files)


def test_threads(model, files):
    clear_cache()
    with joblib.parallel_config("threading", n_jobs=3):
        rows = predict_files(model, files.paths, chunk_size=4)
    # The backend is that of the call.
    check_rows(rows, files)


def test_processes_with_a_model_and_with_its_file(model, model_file, files):
    check_rows(predict_files(model_file, files.paths, n_jobs=2, chunk_size=5), files)
    check_rows(predict_files(model, files.paths, n_jobs=2, chunk_size=5), files)


def test_few_files_are_predicted_in_one_batch(model, files):
    few = files.readable[:3]
    rows = list(predict_files(model, few, chunk_size=2))
    assert [row.probability for row in rows] == model.predict_proba(few)[:, 1].tolist()


def test_a_file_that_is_named_twice(model, files):
    rows = list(predict_files(model, [files.paths[0], files.paths[1]] * 2))
    assert rows[:2] == rows[2:]
    assert rows[0][:3] == files.expected[0]


def test_a_table(model, files):
    table = pd.DataFrame(predict_files(model, files.paths))
    assert table.columns.tolist() == ["file", "probability", "label", "outlier_score", "error"]
    assert table["probability"].dtype == float
    assert table["probability"].isna().sum() == 2


def test_a_model_without_a_detector(model, files):
    row = next(predict_files(model[-1], files.readable))
    assert row == (*files.expected[0], None, None)


def test_chunks_are_not_computed_before_they_are_needed(model, files, tmp_path):
    copies = [shutil.copy(path, tmp_path) for path in files.readable]
    rows = predict_files(model, copies, chunk_size=4)
    assert next(rows).error is None
    for path in copies:
        os.remove(path)
    assert [row.error is None for row in rows] == [True] * 3 + [False] * 25


def test_a_file_is_loaded_once(model_file, files, monkeypatch, tmp_path):
    loaded, load_model = [], _shared_model.load_model
    monkeypatch.setattr(
        _shared_model, "load_model", lambda path: loaded.append(path) or load_model(path)
    )
    path = tmp_path / "model.skpneumo"
    shutil.copy(model_file, path)
    for _ in range(2):
        check_rows(predict_files(path, files.paths, chunk_size=6), files)
    assert loaded == [str(path)]
    os.utime(path, (0, 0))
    check_rows(predict_files(path, files.paths), files)
    assert len(loaded) == 2


def test_a_process_unpickles_a_model_once(model):
    shared = _shared_model.share_model(model)
    first, second = (pickle.loads(pickle.dumps(shared)).get() for _ in range(2))
    assert first is second
    assert first is not model
    # As another worker would be sent it by this one.
    assert pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(shared)))).get() is first


def test_wrong_input(model, model_file, tmp_path):
    with pytest.raises(ModelFileError, match="there is no such file"):
        predict_files(tmp_path / "no.skpneumo", ["a.png"])
    with pytest.raises(NotFittedError):
        predict_files(CNNPneumoniaClassifier(), ["a.png"])
    with pytest.raises(ValueError, match="Row 1 of X holds None"):
        predict_files(model_file, ["a.png", None])
    with pytest.raises(ValueError, match="chunk_size must be an integer of at least 1, got 0"):
        predict_files(model, ["a.png"], chunk_size=0)
    assert list(predict_files(model, [])) == []


def test_an_error_of_the_model_is_raised(files):
    linear = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="Expected 2D array"):
        next(predict_files(linear, files.readable))
