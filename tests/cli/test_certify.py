"""``skpneumo certify``."""

import csv

import pytest
from sklearn.frozen import FrozenEstimator

from skpneumo import load_model
from skpneumo.cli._labels_file import match_rows, read_labels, write_labels
from skpneumo.datasets import load_xray_folder
from skpneumo.exceptions import DatasetError
from skpneumo.sites import CertifiedClassifier, RecallCertifier

CLASSES = ["NORMAL", "PNEUMONIA"]
SMALL = ("--min-recall", "0.8", "--images", "15")


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["file"]: row["label"] for row in csv.DictReader(file)}


def type_labels(path, *, delimiter=","):
    """Type the class of its folder beside each file; labels that are there stay."""
    rows = [
        (file, label or file.split("/")[0].split("\\")[0])
        for file, label in read_table(path).items()
    ]
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows([("file", "label"), *rows])


def test_certify(collection, model_file, tmp_path, invoke, words):
    pool, labels, save = collection / "train", tmp_path / "labels.csv", tmp_path / "local.skpneumo"
    command = ("certify", model_file, pool, "--labels", labels, "--save", save, *SMALL)
    done = invoke(*command)
    assert done.exit_code == 4, done.output
    assert "Labelled images: 0 of 54; still needed: about" in words(done.stdout)
    assert f"without a label in {labels}" in words(done.stdout)
    first = read_table(labels)
    assert len(first) == 15
    assert set(first.values()) == {""}
    # Without an answer the same images stay.
    assert invoke(*command).exit_code == 4
    assert read_table(labels) == first
    n_runs = 0
    while done.exit_code == 4:
        type_labels(labels, delimiter=",;"[n_runs % 2])
        done = invoke(*command)
        n_runs += 1
    assert done.exit_code == 0, done.output
    assert 2 <= n_runs <= 10
    assert "a recall of 80% of patients certified with 95% confidence" in words(done.stdout)
    assert f"Wrote {save}. Next: skpneumo predict {save} {pool}" in words(done.stderr)
    model = load_model(save)
    assert isinstance(model, CertifiedClassifier)
    assert f"{model.best_threshold_:.4g}" in done.stdout
    # As the certifier does in Python.
    data = load_xray_folder(pool)
    certifier = RecallCertifier(
        FrozenEstimator(load_model(model_file)), min_recall=0.8, random_state=0
    ).fit(data.paths, groups=data.groups)
    while not certifier.finished_:
        rows = certifier.next_images()
        certifier.record(rows, data.target[rows])
    assert model.recall_lower_bound_ == certifier.recall_lower_bound_
    assert model.unit_ == "patient"


def test_certify_refuses(collection, model_file, tmp_path, invoke, assert_refused):
    pool, labels, save = collection / "train", tmp_path / "labels.csv", tmp_path / "local.skpneumo"
    command = ("certify", model_file, pool, "--labels", labels, "--save", save)
    assert invoke(*command, *SMALL).exit_code == 4
    assert_refused(invoke(*command), 1, "was begun with --min-recall 0.8 and --confidence 0.95")
    other = ("certify", model_file, collection / "test", "--labels", labels, "--save", save)
    assert_refused(invoke(*other, *SMALL), 1, "is the state of another pool")
    other = ("certify", "default", pool, "--labels", labels, "--save", save)
    assert_refused(invoke(*other, *SMALL), 1, "is the state of another model")
    labels.write_text(labels.read_text().replace(",\n", ",measles\n", 1))
    assert_refused(invoke(*command, *SMALL), 1, "line 2: 'measles' is no label")
    labels.with_name("labels.csv.state").unlink()
    assert_refused(invoke(*command, *SMALL), 1, "Restore it, or name a new table")
    (tmp_path / "empty").mkdir()
    empty = ("certify", model_file, tmp_path / "empty", "--labels", tmp_path / "a.csv")
    assert invoke(*empty).exit_code == 2
    assert_refused(invoke(*empty, "--save", save), 1, "holds no")
    assert not save.exists()
    assert invoke(*command, "--min-recall", "1").exit_code == 2


def test_certify_writes_no_model_of_too_few_patients(
    collection, model_file, tmp_path, invoke, assert_refused
):
    labels, save = tmp_path / "labels.csv", tmp_path / "local.skpneumo"
    command = ("certify", model_file, collection / "test", "--labels", labels, "--save", save)
    assert invoke(*command, "--images", "21").exit_code == 4
    for _ in range(10):
        type_labels(labels)
        done = invoke(*command, "--images", "21")
        if done.exit_code != 4:
            break
    assert_refused(done, 1, "are too few to certify", "No model is written")
    assert not save.exists()


def test_labels_may_be_unsure_and_in_any_case(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file;label;reader\na.png;pneumonia;x\nb.png; Normal ;\nc.png;?;\nd.png;;\n")
    labels = read_labels(table, CLASSES)
    assert labels == {"a.png": "PNEUMONIA", "b.png": "NORMAL", "c.png": None, "d.png": ""}
    rows, y = match_rows(labels, ["d.png", "c.png", "b.png", "a.png"], table)
    assert (rows.tolist(), y) == ([3, 2, 1], ["PNEUMONIA", "NORMAL", None])
    write_labels(labels, table)
    assert read_labels(table, CLASSES) == labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "has no columns file and label"),
        (b"name,label\na,NORMAL\n", "has no columns file and label"),
        (b"file,label\na,NORMAL\na,PNEUMONIA\n", "line 3: a is listed twice"),
        (b"file,label\n\xff,NORMAL\n", "is not a text in UTF-8"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, message):
    table = tmp_path / "labels.csv"
    table.write_bytes(text)
    with pytest.raises(DatasetError, match=message):
        read_labels(table, CLASSES)


def test_files_of_another_folder_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"lists a\.png, which is no X-ray of the folder"):
        match_rows({"a.png": "NORMAL"}, ["b.png"], tmp_path / "labels.csv")
