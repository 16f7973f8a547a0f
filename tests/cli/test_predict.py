"""``skpneumo predict``."""

import csv
import json
import os
import pickle
import re
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from joblib import parallel_config
from PIL import Image
from sklearn.pipeline import make_pipeline

from skpneumo import (
    CNNPneumoniaClassifier,
    XRayOutlierDetector,
    XRayResizer,
    load_model,
    load_pretrained,
    save_model,
)
from skpneumo.cli._prediction import PredictionOptions, _job, _tally
from skpneumo.cli._prediction._predict_files import predict_batch
from skpneumo.datasets import load_xray_folder
from skpneumo.exceptions import OutlierWarning


def read_rows(table):
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def test_predict(collection, model_file, tmp_path, invoke):
    (tmp_path / "scans" / "more").mkdir(parents=True)
    files = sorted((collection / "test" / "NORMAL").iterdir())[:3]
    for i, file in enumerate(files):
        shutil.copy(file, tmp_path / "scans" / "more" / f"{i}.scan")
    negative = tmp_path / "negative.png"
    Image.fromarray(255 - np.asarray(Image.open(files[0]))).save(negative)
    (tmp_path / "scans" / "notes.txt").write_text("no image")
    table = tmp_path / "out.csv"
    done = invoke("predict", model_file, tmp_path / "scans", negative, "--csv", table)
    assert done.exit_code == 0, done.output
    assert "Not a medical device" in done.stdout
    rows = read_rows(table)
    assert [Path(row["file"]).name for row in rows] == [
        "0.scan",
        "1.scan",
        "2.scan",
        "negative.png",
    ]
    model, paths = load_model(model_file), [row["file"] for row in rows]
    with pytest.warns(OutlierWarning, match=r"above 1: .*3 \(negative\.png, "):
        probability = model.predict_proba(paths)[:, 1]
    for row, expected in zip(rows, probability, strict=True):
        flagged = row["outlier"] == "True"
        assert (float(row["outlier_score"]) > 1) == flagged
        assert row["probability"] == ("" if flagged else str(float(expected)))
        assert row["label"] in ({""} if flagged else {"NORMAL", "PNEUMONIA"})
    assert rows[3]["outlier"] == "True"
    n = sum(row["outlier"] == "True" for row in rows)
    assert f" {negative} " in done.stdout  # on one line, however long
    assert re.search(
        rf"^4 files, {n} out-of-distribution, not labelled\. "
        r"Decision threshold for PNEUMONIA: 0\.\d+\. Not a medical device\.$",
        done.stdout,
        re.M,
    )
    assert done.stdout.count("out-of-distribution, not labelled") == n + 1
    assert {row["error"] for row in rows} == {""}
    assert f"Wrote {table}.\nNext: see the evidence: skpneumo explain" in done.stderr
    # With the option they are predicted as the others.
    done = invoke(
        "predict", model_file, tmp_path / "scans", negative, "--csv", table, "--label-outliers"
    )
    assert done.exit_code == 0, done.output
    assert f"{4 - n} of 4 files are in {table} already" in done.stderr or n == 4
    rows = read_rows(table)
    np.testing.assert_array_equal([float(row["probability"]) for row in rows], probability)
    assert {row["label"] for row in rows} <= {"NORMAL", "PNEUMONIA"}
    assert f"4 files, {n} out-of-distribution. " in done.stdout
    assert "not labelled" not in done.stdout


def test_files_after_a_bad_one_are_predicted(collection, model_file, tmp_path, invoke):
    bad, good = tmp_path / "scans/bad.jpeg", next((collection / "test" / "NORMAL").iterdir())
    bad.parent.mkdir()
    bad.write_bytes(b"no image")
    done = invoke(
        "predict", model_file, bad.parent, good,
        "--csv", tmp_path / "out.csv", "--heatmaps", tmp_path / "maps",
    )  # fmt: skip
    assert done.exit_code == 1
    rows = read_rows(tmp_path / "out.csv")
    assert rows[0]["error"].startswith("this is not a JPEG, PNG, TIFF")
    assert (rows[0]["probability"], rows[0]["label"], rows[1]["error"]) == ("", "", "")
    assert "2 files, 1 not read" in done.stdout
    assert 0 < float(rows[1]["probability"]) < 1
    (drawn,) = os.listdir(tmp_path / "maps")
    assert re.fullmatch(rf"{good.stem}-[0-9a-f]{{8}}\.png", drawn)


def test_predict_draws_heatmaps(collection, model_file, tmp_path, invoke, holds):
    files = sorted((collection / "test" / "PNEUMONIA").iterdir())[:2]
    done = invoke("predict", model_file, *files, "--heatmaps", tmp_path / "maps")
    assert done.exit_code == 0, done.output
    drawn = sorted((tmp_path / "maps").iterdir())
    assert [file.stem.rpartition("-")[0] for file in drawn] == [file.stem for file in files]
    assert np.ptp(np.asarray(Image.open(drawn[0]))) > 100
    assert f"Wrote 2 heatmaps in {tmp_path / 'maps'}." in done.stderr
    # They are no X-rays: of a folder they are skipped, and by name refused.
    shutil.copy(files[0], tmp_path)
    done = invoke("predict", model_file, tmp_path, "--csv", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    rows = read_rows(tmp_path / "out.csv")
    assert [row["file"] for row in rows] == [str(tmp_path / files[0].name)]
    assert "1 file, " in done.stdout
    assert "2 heatmaps skipped" in done.stdout
    assert holds(
        done.stderr, f"2 heatmaps are skipped, which skpneumo drew: {drawn[0]}, {drawn[1]}."
    )
    done = invoke("predict", model_file, drawn[0], files[0])
    assert done.exit_code == 1
    assert "this is a heatmap that skpneumo drew, not an X-ray" in done.stdout


def test_out_of_distribution_images_have_no_heatmap(collection, model_file, tmp_path, invoke):
    file = next((collection / "test" / "NORMAL").iterdir())
    Image.fromarray(255 - np.asarray(Image.open(file))).save(tmp_path / "negative.png")
    arguments = ("predict", model_file, tmp_path / "negative.png", "--heatmaps", tmp_path / "maps")
    done = invoke(*arguments)
    assert done.exit_code == 0
    assert "1 file, 1 out-of-distribution, not labelled." in done.stdout
    assert not os.listdir(tmp_path / "maps")
    assert invoke(*arguments, "--label-outliers").exit_code == 0
    (drawn,) = os.listdir(tmp_path / "maps")
    assert drawn.startswith("negative-")


def test_names_of_any_length(collection, model_file, tmp_path, invoke):
    file = next((collection / "test" / "NORMAL").iterdir())
    shutil.copy(file, tmp_path / f"{'x' * 250}.png")
    done = invoke(
        "predict", model_file, tmp_path / f"{'x' * 250}.png", "--heatmaps", tmp_path / "m"
    )
    assert done.exit_code == 0, done.output
    assert len(os.listdir(tmp_path / "m")) == 1


def test_one_missing_file_stops_nothing(collection, model_file, tmp_path, invoke, holds):
    file, gone = next((collection / "test" / "NORMAL").iterdir()), tmp_path / "gone.png"
    table = tmp_path / "out.csv"
    done = invoke("predict", model_file, gone, file, tmp_path / "*.png", "--csv", table)
    assert done.exit_code == 1
    rows = read_rows(table)
    assert [bool(row["error"]) for row in rows] == [True, False, True]
    assert "3 files, 2 not read" in done.stdout
    assert holds(done.stderr, f"Error: 2 of 3 could not be read: {gone} (there is no such file")
    assert done.stderr.endswith(f"Wrote {table}.\n")


def test_the_table_does_not_replace_an_x_ray(
    collection, model_file, tmp_path, invoke, assert_refused
):
    original = next((collection / "test" / "NORMAL").iterdir())
    file = shutil.copy(original, tmp_path)
    done = invoke("predict", model_file, file, "--csv", file)
    assert_refused(done, 1, "is no table of skpneumo predict, and is not replaced")
    assert Path(file).read_bytes() == original.read_bytes()


def test_the_detector_scores_the_output_of_the_steps_before_it(collection, tmp_path, invoke):
    train = load_xray_folder(collection / "train")
    cnn = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    steps = XRayResizer((60, 30), aspect="pad"), XRayOutlierDetector(), cnn
    model = make_pipeline(*steps).fit(train.paths, train.target)
    save_model(model, tmp_path / "model.skpneumo")
    files = sorted((collection / "test" / "NORMAL").iterdir())[:3]
    table = tmp_path / "out.csv"
    done = invoke("predict", tmp_path / "model.skpneumo", *files, "--csv", table)
    assert done.exit_code == 0, done.output
    expected = model[1].outlier_score(model[0].transform(files))
    scores = [float(row["outlier_score"]) for row in read_rows(table)]
    np.testing.assert_array_equal(scores, expected)
    assert not np.allclose(scores, model[1].outlier_score(files))


def test_a_table_through_a_link(collection, model_file, tmp_path, invoke):
    (tmp_path / "link.csv").symlink_to(tmp_path / "out.csv")
    file = next((collection / "test" / "NORMAL").iterdir())
    done = invoke("predict", model_file, file, "--csv", tmp_path / "link.csv")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "link.csv").is_symlink()
    assert file.name in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_predict_refuses_a_folder_of_heatmaps_before_it_predicts(
    collection, model_file, tmp_path, invoke, words
):
    (tmp_path / "file").touch()
    with mock.patch.object(_job, "predict_all") as predict_all:
        done = invoke("predict", model_file, collection, "--heatmaps", tmp_path / "file/maps")
    assert done.exit_code == 1
    assert "file/maps" in words(done.stderr)
    predict_all.assert_not_called()


def test_predict_names_what_is_missing(collection, model_file, tmp_path, invoke):
    for path, cause in ((tmp_path / "gone", "there is no such file"), (tmp_path, "holds no JPEG")):
        done = invoke("predict", model_file, path)
        assert done.exit_code == 1
        assert cause in re.sub(r"\s+", " ", done.stderr)
        assert cause in done.stdout
    done = invoke("predict", tmp_path / "gone.skpneumo", collection)
    assert done.exit_code == 1
    assert "there is no such file" in re.sub(r"\s+", " ", done.stderr)


def test_without_a_model_the_pretrained_network_predicts(collection, tmp_path, invoke):
    files = sorted((collection / "test" / "PNEUMONIA").iterdir())[:2]
    table = tmp_path / "out.csv"
    # Another model has pictures of its own.
    for named, name, n_pictures in (([], "mean", 2), (["default"], "mean", 2), (["cnn"], "cnn", 4)):
        done = invoke("predict", *named, *files, "--csv", table, "--heatmaps", tmp_path / "maps")
        assert done.exit_code == 0, done.output
        rows = read_rows(table)
        model = load_pretrained(name)
        paths = [str(file) for file in files]
        probability = model.predict_proba(paths)[:, 1]
        np.testing.assert_array_equal([float(row["probability"]) for row in rows], probability)
        assert len(list((tmp_path / "maps").iterdir())) == n_pictures
        table.unlink()


def test_folders_are_searched_to_the_end_and_once(collection, model_file, tmp_path, invoke):
    deep = tmp_path / "scans" / "a/b/c/d/e/f"
    deep.mkdir(parents=True)
    file = next((collection / "test" / "NORMAL").iterdir())
    shutil.copy(file, deep)
    (tmp_path / "scans" / "again").symlink_to(tmp_path / "scans", target_is_directory=True)
    (tmp_path / "scans" / ".DS_Store").touch()
    table = tmp_path / "out.csv"
    assert invoke("predict", model_file, tmp_path / "scans", "--csv", table).exit_code == 0
    rows = read_rows(table)
    assert [row["file"] for row in rows] == [str(deep / file.name)]


def test_a_model_stands_before_the_images(collection, model_file, tmp_path, invoke, words):
    file = next((collection / "test" / "NORMAL").iterdir())
    for arguments, message in (
        ([file, model_file], "model.skpneumo is a model. Name one, before the X-rays."),
        ([model_file, model_file, file], "is a model. Name one"),
        (["default"], "No X-rays are named, only a model."),
    ):
        done = invoke("predict", *arguments)
        assert done.exit_code == 1
        assert done.stdout == ""
        assert message.replace(" ", "") in words(done.stderr).replace(" ", "")


def test_a_folder_named_default(collection, tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    Path("default").mkdir()
    file = next((collection / "test" / "NORMAL").iterdir())
    shutil.copy(file, "default")
    by_folder = invoke("predict", "./default", "--csv", "out.csv")
    assert by_folder.exit_code == 0, by_folder.output
    assert f"default/{file.name}" in Path("out.csv").read_text(encoding="utf-8")
    assert invoke("evaluate", "default", collection).exit_code == 0


def test_a_model_is_recognized_by_its_content(collection, model_file, tmp_path, invoke):
    renamed = shutil.copy(model_file, tmp_path / "model.bin")
    file = next((collection / "test" / "NORMAL").iterdir())
    outputs = [invoke("predict", model, file).stdout for model in (model_file, renamed)]
    assert outputs[0] == outputs[1] != invoke("predict", file).stdout


# -- a table that grows ---------------------------------------------------------------------------


def test_rows_of_a_table_are_not_computed_again(
    collection, model_file, tmp_path, invoke, holds, assert_refused
):
    table, scans = tmp_path / "out.csv", tmp_path / "scans"
    scans.mkdir()
    originals = sorted((collection / "test" / "NORMAL").iterdir())
    for i, file in enumerate(originals[:3]):
        shutil.copyfile(file, scans / f"{i}.png")
        os.utime(scans / f"{i}.png", (1e9, 1e9))
    command = ("predict", model_file, scans, "--csv", table, "--label-outliers")
    assert invoke(*command).exit_code == 0
    # A number that no network computes shows which rows were kept.
    rows = read_rows(table)
    altered = table.read_text(encoding="utf-8").replace(rows[1]["probability"], "0.12345678")
    table.write_text(altered[: altered.rindex(rows[2]["file"]) + 9], encoding="utf-8")
    (scans / "bad.png").write_bytes(b"no image")
    shutil.copyfile(originals[3], scans / "3.png")
    for n_known in (2, 4):
        done = invoke(*command)
        assert done.exit_code == 1
        assert holds(done.stderr, f"{n_known} of 5 files are in {table} already.")
        found = {Path(row["file"]).name: row for row in read_rows(table)}
        assert len(found) == len(read_rows(table)) == 5
        assert found["1.png"]["probability"] == "0.12345678"
        assert found["2.png"]["probability"] == rows[2]["probability"]
        assert found["bad.png"]["error"]
    assert "0.123" in done.stdout
    (scans / "bad.png").unlink()
    done = invoke(*command, "--threshold", "0.9")
    assert_refused(done, 1, "holds predictions of another threshold: 0.5, now 0.9. Name another")
    done = invoke("predict", "cnn", *command[2:])
    assert_refused(done, 1, "holds predictions of another model")


def test_jobs(collection, model_file, invoke):
    command = ("predict", model_file, collection, "gone.png", "--label-outliers", "--json")
    alone = invoke(*command)
    # Processes take half a minute to start TensorFlow; the switch to threads is the same.
    with parallel_config("threading"):
        together = invoke(*command, "--jobs", "2")
    results = [json.loads(done.stdout) for done in (alone, together)]
    scores = [[row.pop("outlier_score") for row in r["predictions"]] for r in results]
    assert results[0] == results[1]
    np.testing.assert_allclose(*scores, rtol=1e-5)
    # What is sent to processes can be sent.
    pickle.dumps((predict_batch, PredictionOptions(threshold=0.5)))


def test_json_output_and_quiet_mean_the_same_as_elsewhere(collection, model_file, tmp_path, invoke):
    files, output = sorted((collection / "test" / "NORMAL").iterdir())[:2], tmp_path / "out.json"
    done = invoke("predict", model_file, *files, "--json", "--output", output)
    result = json.loads(done.stdout)
    assert json.loads(output.read_text(encoding="utf-8")) == result
    assert [row["file"] for row in result["predictions"]] == [str(file) for file in files]
    assert result["left_out"] == result["unreadable"] == result["skipped"] == []
    output.unlink()
    done = invoke("predict", model_file, *files, "--quiet", "--output", output)
    assert (done.exit_code, done.output) == (0, "")
    assert json.loads(output.read_text(encoding="utf-8")) == result
    done = invoke("predict", model_file, "gone.png", "--quiet")
    assert done.stdout == ""
    assert done.stderr.startswith("Error: 1 of 1 could not be read: gone.png (")


def test_a_long_table_is_cut_on_the_screen_alone(
    collection, model_file, tmp_path, invoke, monkeypatch
):
    monkeypatch.setattr(_tally, "MAX_SHOWN", 2)
    files, table = sorted((collection / "test" / "NORMAL").iterdir())[:5], tmp_path / "out.csv"
    done = invoke("predict", model_file, *files)
    assert done.stdout.count(".png") == 2
    assert "… and 3 more: --csv FILE writes all.\n5 files" in done.stdout
    assert (
        len(json.loads(invoke("predict", model_file, *files, "--json").stdout)["predictions"]) == 5
    )
    done = invoke("predict", model_file, *files, "--csv", table)
    assert f"… and 3 more: all are in {table}.\n5 files" in done.stdout
    assert len(read_rows(table)) == 5


def test_demo(invoke, words):
    done = invoke("predict", "cnn", "--demo", columns="80")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("true label: NORMAL") == done.stdout.count("label: PNEUMONIA") == 6
    assert "12 files" in done.stdout
    assert "were trained on these X-rays" in words(done.stderr)
    done = invoke("predict")
    assert done.exit_code == 2
    assert "Error: Name X-rays or folders of them, or try --demo." in words(done.stderr)
