"""The table of ``skpneumo predict``, which grows and is taken up again."""

import csv
import os

import pytest

from skpneumo.cli._prediction import PredictionOptions
from skpneumo.cli._prediction._table_file import TableFile
from skpneumo.exceptions import DatasetError

ORIGIN = {"model": "0123456789abcdef", "threshold": "0.3"}
LABELS = ["NORMAL", "PNEUMONIA"]
# Names with all that CSV must quote.
FILES = ["a.png", 'b,"c".png', "line\nbreak.png", "k\xf6nig \udcf6.png", "e.png"]


def make_row(i, file, **changes):
    row = dict.fromkeys(PredictionOptions().columns) | {"file": file}
    answers = {"probability": 0.1 * i, "label": LABELS[i % 2], "outlier": False}
    return row | answers | {"outlier_score": 1 / (i + 3)} | changes


def make_rows():
    return [make_row(i, file) for i, file in enumerate(FILES)]


def open_table(path, *, labels=LABELS, triage=False, **changes):
    columns = PredictionOptions(triage=triage).columns
    return TableFile(path, columns, ORIGIN | changes, labels)


def load(path, files=FILES, options=None, **changes):
    options = options or PredictionOptions()
    return list(open_table(path, **changes).load(files, options.may_keep))


@pytest.fixture
def path(tmp_path):
    """A table of all files, which took part in two runs."""
    path = tmp_path / "out.csv"
    assert load(path) == []
    for rows in (make_rows()[:2], make_rows()[2:]):
        table = open_table(path)
        table.append(rows)
        table.close()
    os.utime(path, (2**31, 2**31))
    return path


def test_rows_come_back_as_they_were(path):
    assert load(path) == make_rows()
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["probability"] for row in rows] == [str(0.1 * i) for i in range(5)]
    assert {row["model"] for row in rows} == {ORIGIN["model"]}
    assert {row["threshold"] for row in rows} == {"0.3"}


def test_whole_numbers_as_labels(tmp_path):
    path, row = tmp_path / "out.csv", make_row(1, "a.png", label=1)
    load(path, labels=[0, 1])
    table = open_table(path, labels=[0, 1])
    table.append([row])
    table.close()
    assert load(path, labels=[0, 1]) == [row]


def test_wherever_a_run_was_killed_only_the_last_row_is_lost(path):
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    ends, one = [head], path.with_name("one.csv")
    for row in make_rows():
        one.unlink(missing_ok=True)
        load(one)
        table = open_table(one)
        table.append([row])
        table.close()
        ends.append(ends[-1] + len(one.read_bytes()) - head)
    assert ends[-1] == len(whole)
    for n_bytes in range(head, len(whole) + 1):
        path.write_bytes(whole[:n_bytes])
        n_whole = sum(end <= n_bytes for end in ends[1:])
        assert load(path) == make_rows()[:n_whole], n_bytes
        # The part is gone, so that what is appended begins on a line of its own.
        assert path.read_bytes() == whole[: ends[n_whole]]


def test_rows_of_other_files_stay(path):
    whole = path.read_bytes()
    assert load(path, ["new.png", "e.png"]) == make_rows()[-1:]
    assert path.read_bytes() == whole


def test_what_could_not_be_read_is_tried_again(path):
    table = open_table(path)
    table.append([make_row(0, "gone.png", probability=None, label=None, error="no file.")])
    table.close()
    assert load(path, [*FILES, "gone.png"]) == make_rows()
    assert "gone.png" not in path.read_text(encoding="utf-8")


def test_outliers_are_kept_with_the_same_option_only(tmp_path):
    path = tmp_path / "out.csv"
    bare = make_row(0, "a.png", probability=None, label=None, outlier=True, outlier_score=2.0)
    for labelled in (False, True):
        rows = [bare | {"probability": 0.5, "label": "PNEUMONIA"} if labelled else bare]
        for label_outliers in (False, True):
            path.unlink(missing_ok=True)
            load(path)
            table = open_table(path)
            table.append(rows)
            table.close()
            options = PredictionOptions(label_outliers=label_outliers)
            expected = rows if labelled == label_outliers else []
            assert load(path, ["a.png"], options) == expected


def test_a_file_that_was_changed_is_predicted_again(tmp_path):
    path, files = tmp_path / "out.csv", [str(tmp_path / name) for name in ("a.png", "b.png")]
    for file in files:
        open(file, "w").close()
        os.utime(file, (1e9, 1e9))
    load(path)
    table = open_table(path)
    table.append([make_row(i, file) for i, file in enumerate(files)])
    table.close()
    os.utime(path, (2e9, 2e9))
    os.utime(files[0], (2e9 + 1, 2e9 + 1))
    assert [row["file"] for row in load(path, files)] == files[1:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "f" * 16}, "another model: 0123456789abcdef, now ffffffffffffffff"),
        ({"threshold": "0.5"}, "another threshold: 0.3, now 0.5"),
        ({"triage": True, "rule_in_threshold": "0.9"}, "was begun without --triage"),
    ],
)
def test_a_table_of_another_model_or_threshold_is_refused(path, changes, message):
    whole = path.read_bytes()
    with pytest.raises(DatasetError, match=message):
        load(path, **changes)
    assert path.read_bytes() == whole
    assert os.listdir(path.parent) == ["out.csv"]


@pytest.mark.parametrize(
    "content", [b"file,label\na.png,NORMAL\n", b"\x89PNG\r\n\x1a\n" + bytes(300), b"no table"]
)
def test_another_file_is_not_replaced(tmp_path, content):
    path = tmp_path / "out.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="is no table of skpneumo predict, and is not replaced"):
        load(path)
    assert path.read_bytes() == content


def test_a_line_in_the_middle_that_was_damaged_is_named(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"a.png,0.5\n", *lines[1:]]))
    with pytest.raises(DatasetError, match=r"line 2: 2 values instead of 9\. Mend it, or name"):
        load(path)


def test_an_empty_file_is_a_table_without_rows(tmp_path):
    path = tmp_path / "out.csv"
    path.touch()
    assert load(path) == []
    assert path.read_text(encoding="utf-8").startswith("file,probability,label,outlier,")
