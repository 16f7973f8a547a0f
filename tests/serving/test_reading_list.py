"""The reading list certifies what the library certifies, whatever happens on the way."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from skpneumo.serving._agreement import Agreement
from skpneumo.serving._reading_api import _normalize
from skpneumo.serving._reading_list import ReadingList
from skpneumo.serving._records import ReadingRecords, RecordedReading
from skpneumo.sites import RecallCertifier

WORDS = {"NORMAL": "negative", "PNEUMONIA": "positive"}


class FirstColumn(ClassifierMixin, BaseEstimator):
    """A fitted classifier that scores by the first column."""

    classes_ = np.array(["NORMAL", "PNEUMONIA"])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]


@pytest.fixture
def pool():
    """Scores, labels and patients: two images of each, sorted by class, few positive."""
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(210), 2)
    y = np.where(patient < 130, "NORMAL", "PNEUMONIA")
    return rng.normal(2.2 * (y == "PNEUMONIA")[:, None], 1, (420, 1)), y, patient


def make_certifier(pool, min_recall=0.8):
    X, _, patient = pool
    estimator = FrozenEstimator(FirstColumn())
    return RecallCertifier(estimator, min_recall=min_recall, random_state=0).fit(X, groups=patient)


def open_list(pool, path, n_readers=1, **options):
    return ReadingList(make_certifier(pool, **options), n_readers, ReadingRecords(path))


def read(reading_list, reader, label, *, is_third=False):
    """Record one reading by a function of the row; whether there was one to read."""
    row = reading_list.get_next(reader, is_third=is_third)
    if row is None:
        return False
    reading_list.record(RecordedReading(reader, row, label(row), is_third))
    return True


def by_the_library(pool, y=None):
    certifier = make_certifier(pool)
    y = pool[1] if y is None else y
    while not certifier.finished_:
        rows = certifier.next_images(1)
        certifier.record(rows, y[rows])
    return certifier


def test_the_threshold_is_that_of_the_library(pool, tmp_path):
    wanted = by_the_library(pool)
    reading_list = open_list(pool, tmp_path / "list.sqlite")
    while read(reading_list, "A", lambda row: WORDS[pool[1][row]]):
        pass
    found = reading_list.certifier
    assert found.finished_
    assert found.threshold_ == wanted.threshold_
    assert found.n_labelled_ == wanted.n_labelled_ < 420
    with pytest.raises(ValueError, match="finished"):
        reading_list.record(RecordedReading("A", 0, "negative", False))


def test_after_a_restart_it_goes_on_where_it_was(pool, tmp_path):
    path, rng = tmp_path / "list.sqlite", np.random.default_rng(0)
    wanted, n_restarts = by_the_library(pool), 0
    reading_list = open_list(pool, path)
    while read(reading_list, "A", lambda row: WORDS[pool[1][row]]):
        if rng.random() < 0.05 and n_restarts < 8:
            n_restarts += 1
            row, state = reading_list.get_next("A"), reading_list.certifier._labels.copy()
            reading_list.records.close()
            reading_list = open_list(pool, path)
            assert reading_list.get_next("A") == row
            np.testing.assert_array_equal(reading_list.certifier._labels, state)
    assert n_restarts == 8
    assert reading_list.certifier.threshold_ == wanted.threshold_
    assert reading_list.certifier.n_labelled_ == wanted.n_labelled_


def test_a_corrected_label_counts_as_if_it_had_been_the_first(pool, tmp_path):
    path, y = tmp_path / "list.sqlite", pool[1]
    reading_list, wrong = open_list(pool, path), {}
    opposite = {"negative": "positive", "positive": "negative"}
    for number in range(10**6):
        row = reading_list.get_next("A")
        if row is None:
            break
        label = WORDS[y[row]]
        if number % 7 == 3:
            wrong[row] = label
            label = opposite[label]
        reading_list.record(RecordedReading("A", row, label, False))
        for other in list(wrong):
            if not reading_list.certifier.finished_:
                reading_list.record(RecordedReading("A", other, wrong.pop(other), False))
    replayed = open_list_again(reading_list, pool, path)
    assert replayed.certifier.threshold_ == reading_list.certifier.threshold_
    if not wrong:
        assert reading_list.certifier.threshold_ == by_the_library(pool).threshold_


def open_list_again(reading_list, pool, path, **options):
    reading_list.records.close()
    return open_list(pool, path, **options)


def test_two_readers_are_blinded_and_a_third_decides(pool, tmp_path):
    path, y = tmp_path / "list.sqlite", pool[1]
    reading_list, asked = open_list(pool, path, n_readers=2), set()

    def careless(row):
        return "unsure" if row % 9 == 0 else WORDS[y[row]]

    def decide(row):
        asked.add(row)
        return WORDS[y[row]]

    while not reading_list.certifier.finished_:
        progressed = [
            read(reading_list, "A", lambda row: WORDS[y[row]]),
            read(reading_list, "B", careless),
            # Nobody decides about an own reading.
            read(reading_list, "A", decide, is_third=True),
            read(reading_list, "C", decide, is_third=True),
        ]
        assert any(progressed)
        # Nobody reads an image a third time.
        row = reading_list.get_next("C")
        assert row is None or len(reading_list.images.get(row, Agreement({})).labels) < 2
    assert reading_list.certifier.threshold_ == by_the_library(pool).threshold_
    assert asked
    assert all(row % 9 == 0 for row in asked)
    replayed = open_list_again(reading_list, pool, path, n_readers=2)
    assert replayed.certifier.threshold_ == reading_list.certifier.threshold_


def test_a_reader_may_not_read_what_is_not_wanted(pool, tmp_path):
    reading_list = open_list(pool, tmp_path / "list.sqlite")
    unwanted = next(row for row in range(420) if row not in reading_list.window)
    with pytest.raises(ValueError, match="not to be read"):
        reading_list.record(RecordedReading("A", unwanted, "negative", False))
    row = reading_list.get_next("A")
    reading_list.record(RecordedReading("A", row, "negative", False))
    with pytest.raises(ValueError, match="not to be read"):
        reading_list.record(RecordedReading("B", row, "negative", False))
    assert len(reading_list.records.list_readings()) == 1


def test_agreement_of_readers():
    one = Agreement({"A": "negative"})
    assert one.conclude(1) == "negative"
    assert one.conclude(2) is None
    assert not one.is_disagreement(2)
    two = one.add(RecordedReading("B", 0, "unsure", False))
    assert two.is_disagreement(2)
    assert two.add(RecordedReading("C", 0, "positive", True)).conclude(2) == "positive"
    assert two.add(RecordedReading("B", 0, "negative", False)).conclude(2) == "negative"


WRITER = """
import sys
from skpneumo.serving._records import ReadingRecords, RecordedReading
records = ReadingRecords(sys.argv[1])
for row in range(10**6):
    records.add(RecordedReading("A", row, "negative", False))
    print(row, flush=True)
"""


def test_what_was_recorded_survives_a_kill(tmp_path):
    path, kept = tmp_path / "list.sqlite", 0
    for number in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True
        )
        first = process.stdout.readline()
        assert first == "0\n"
        time.sleep(0.02 * number)
        os.kill(process.pid, signal.SIGKILL)
        acknowledged = first + process.communicate()[0]
        n_whole = acknowledged.count("\n")
        records = ReadingRecords(path)
        readings = records.list_readings()
        records.close()
        # The last one may be on the disk before it was acknowledged.
        assert kept + n_whole <= len(readings) <= kept + n_whole + 1
        kept = len(readings)


def test_records_hold_no_names(pool, tmp_path):
    path = tmp_path / "list.sqlite"
    reading_list = open_list(pool, path)
    read(reading_list, "A", lambda row: "unsure")
    with pytest.raises(OSError, match="another server"):
        ReadingRecords(path)
    reading_list.records.close()
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT reader, image, label FROM readings").fetchall()
    assert len(rows) == 1
    assert rows[0][::2] == ("A", "unsure")
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database" * 100)
    with pytest.raises(OSError, match="cannot be recorded"):
        ReadingRecords(broken)


@pytest.mark.parametrize("name", ["ab c", " AB  C", "Ab c "])
def test_a_name_written_in_another_way_is_the_same_reader(name):
    assert _normalize(name) == "AB C"
