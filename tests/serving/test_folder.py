"""A folder in the page: its list, its report, and its reading list from begin to end."""

import json
import shutil
import time
import warnings

import numpy as np
import pytest

from skpneumo import load_model
from skpneumo.exceptions import OutlierWarning
from skpneumo.prediction import identify_patients
from skpneumo.serving._folder import find_images, label_by_folders
from skpneumo.serving._reading_list import MODEL_NAME, RECORDS_NAME
from skpneumo.sites import RecallCertifier


def wait_for_folder(page, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = page.get("/folder", params={"since": 10**9}).json()
        if state["n_done"] == state["n_files"] and (state["site_check"] or state["site_note"]):
            return state
        time.sleep(0.1)
    raise TimeoutError("The folder was not predicted in time.")


@pytest.fixture(scope="module")
def site(folder_of):
    return folder_of(70)


@pytest.fixture(scope="module")
def folder_page(open_page, site):
    with open_page(folder=site) as page:
        wait_for_folder(page)
        yield page


def test_images_are_found_by_what_they_are(site, tmp_path):
    root = tmp_path / "site"
    shutil.copytree(site, root)
    (root / "notes.txt").write_text("no image")
    (root / ".hidden.png").write_bytes(b"")
    (root / "link").symlink_to(root)
    assert len(find_images(root)) == len(find_images(site)) == 71
    assert find_images(root) == sorted(find_images(root))


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("NORMAL/a.png", "NORMAL"),
        ("test/pneumonia/deep/a.png", "PNEUMONIA"),
        ("a.png", None),
        ("NORMAL/PNEUMONIA/a.png", None),
        ("normal.png", None),
    ],
)
def test_labels_by_folders(path, label):
    assert (
        label_by_folders(f"/NORMAL/root/{path}", "/NORMAL/root", ["NORMAL", "PNEUMONIA"]) == label
    )


def test_the_list_holds_every_file(folder_page, site, model):
    rows = folder_page.get("/folder").json()["rows"]
    files = find_images(site)
    assert [row["row"] for row in rows] == list(range(71))
    for row in rows[::12]:
        path, prediction = files[row["row"]], row["prediction"]
        if prediction["outcome"] == "predicted":
            assert prediction["probability"] == float(model.predict_proba([path])[0, 1])
    assert rows[-1]["prediction"]["outcome"] == "unreadable"
    assert {row["label"] for row in rows} == {"NORMAL", "PNEUMONIA", None}
    later = folder_page.get("/folder", params={"since": 60}).json()["rows"]
    assert [row["row"] for row in later] == list(range(60, 71))


def test_the_site_is_checked(folder_page):
    state = folder_page.get("/folder").json()
    if state["site_check"] is None:
        assert "at least 50" in state["site_note"]
    else:
        assert state["site_check"]["shift"] in ("none", "prevalence", "population")


def test_images_are_shown_by_their_number(folder_page, site):
    shown = folder_page.get("/folder/0/picture")
    assert shown.headers["content-type"] == "image/png"
    assert folder_page.get("/folder/0/heatmap").status_code == 200
    refused = folder_page.get("/folder/70/picture")
    assert refused.status_code == 422
    assert str(site) not in refused.text
    for row in (-1, 71, 10**30):
        assert folder_page.get(f"/folder/{row}/picture").status_code in (404, 422)


def test_the_report_is_that_of_the_folders(folder_page):
    report = folder_page.post("/folder/report", data={"labels": "{}"})
    assert report.status_code == 200
    assert "Confusion matrix" in report.text
    assert "sandbox" in report.headers["content-security-policy"]
    assert "<script" not in report.text
    for broken in ("[1]", "{", '{"x": "NORMAL"}'):
        assert folder_page.post("/folder/report", data={"labels": broken}).status_code == 422


def test_the_report_of_uploads_needs_no_images(page):
    rng = np.random.default_rng(0)
    images = [
        {"probability": score, "label": label, "patient": f"p{number}"}
        for number, (score, label) in enumerate(
            zip(rng.uniform(size=40), ["NORMAL"] * 15 + ["pneumonia"] * 25, strict=True)
        )
    ]
    found = page.post("/report", data={"images": json.dumps({"images": images})})
    assert found.status_code == 200
    assert "40 images of 40 patients" in found.text
    one = page.post("/report", data={"images": json.dumps({"images": images[:5]})})
    assert one.status_code == 422
    assert "Images of both classes are needed" in one.json()["detail"]
    none = page.post("/report", data={"images": '{"images": [{"probability": 0.5}]}'})
    assert "No predicted image has a label" in none.json()["detail"]


def test_without_a_folder_there_is_none(page):
    for path in ("/folder", "/reading-list", "/folder/0/picture"):
        refused = page.get(path)
        assert refused.status_code == 404
        assert "--folder" in refused.json()["detail"]


def test_a_site_is_certified_through_the_page(open_page, folder_of, model):
    """Played by a script that knows the labels, with a restart in the middle."""
    site = folder_of(40, random_state=7, broken=False)
    files = find_images(site)
    labels = {row: "NORMAL" if "NORMAL" in file else "PNEUMONIA" for row, file in enumerate(files)}
    wanted = RecallCertifier(model, min_recall=0.8, confidence=0.8, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        wanted.fit(files, groups=identify_patients(files))
    while not wanted.finished_:
        rows = wanted.next_images(1)
        wanted.record(rows, [labels[row] for row in rows.tolist()])
    begun, state, n_read = False, None, 0
    for limit in (17, 1000):
        with open_page(folder=site) as page:
            wait_for_folder(page)
            assert page.get("/reading-list").json()["is_begun"] == begun
            if not begun:
                goal = {"min_recall": 0.8, "confidence": 0.8, "n_readers": 1}
                assert page.post("/reading-list", json=goal).status_code == 200
                again = page.post("/reading-list", json=goal)
                assert "begun already" in again.json()["detail"]
                begun = True
            state = page.get("/reading-list", params={"reader": "AB"}).json()
            assert state["n_read_by_me"] == n_read
            while state["row"] is not None and n_read < limit:
                row = state["row"]
                assert page.get(f"/reading-list/{row}/picture").status_code == 200
                label = "positive" if labels[row] == "PNEUMONIA" else "negative"
                reading = {"reader": "AB", "row": row, "label": label}
                response = page.post("/reading-list/readings", json=reading)
                assert response.status_code == 200
                for hidden in ("probability", "score", "NORMAL", "PNEUMONIA", ".png"):
                    assert hidden not in response.text or response.json()["result"]
                state, n_read = response.json(), n_read + 1
    result = state["result"]
    assert result["threshold"] == float(wanted.threshold_)
    assert result["n_labelled"] == wanted.n_labelled_ == n_read
    assert result["specificity"] == wanted.estimate_specificity().value
    assert (site / RECORDS_NAME).exists()
    loaded = load_model(site / MODEL_NAME)
    assert loaded.best_threshold_ == wanted.threshold_
    with open_page(loaded) as page:
        assert page.get("/model").json()["is_certified_at_site"]
        assert page.get("/model").json()["reference"] is not None


def test_back_shows_the_reading_before(open_page, folder_of):
    site = folder_of(30, random_state=8, broken=False)
    with open_page(folder=site) as page:
        wait_for_folder(page)
        page.post("/reading-list", json={"min_recall": 0.8, "confidence": 0.8})
        ask = {"reader": "AB"}
        rows = []
        for label in ("negative", "unsure", "positive"):
            rows.append(page.get("/reading-list", params=ask).json()["row"])
            page.post("/reading-list/readings", json=ask | {"row": rows[-1], "label": label})
        back = page.get("/reading-list", params=ask | {"back": 10**6}).json()
        assert (back["row"], back["label"]) == (rows[2], "positive")
        back = page.get("/reading-list", params=ask | {"back": rows[2]}).json()
        assert (back["row"], back["label"]) == (rows[1], "unsure")
        changed = page.post(
            "/reading-list/readings", json=ask | {"row": rows[1], "label": "negative"}
        )
        assert changed.json()["n_read_by_me"] == 3
        other = page.post(
            "/reading-list/readings", json={"reader": "CD", "row": rows[1], "label": "positive"}
        )
        assert other.status_code == 409
        wrong = page.post("/reading-list/readings", json={"reader": " ", "row": 0, "label": "x"})
        assert wrong.status_code == 422


def test_a_list_of_other_files_is_refused(open_page, folder_of):
    site = folder_of(30, random_state=9, broken=False)
    with open_page(folder=site) as page:
        wait_for_folder(page)
        page.post("/reading-list", json={"min_recall": 0.8, "confidence": 0.8})
    find_images(site)
    next(site.glob("NORMAL/*.png")).unlink()
    with open_page(folder=site) as page:
        wait_for_folder(page)
        refused = page.get("/reading-list")
        assert refused.status_code == 409
        assert "another pool" in refused.json()["detail"]


def test_two_readers_and_a_third_through_the_page(open_page, folder_of):
    site = folder_of(30, random_state=10, broken=False)
    with open_page(folder=site) as page:
        goal = {"min_recall": 0.8, "confidence": 0.8, "n_readers": 2}
        begun = page.post("/reading-list", json=goal).json()
        assert begun["n_readers"] == 2

        def read(reader, label, **options):
            row = page.get("/reading-list", params={"reader": reader} | options).json()["row"]
            reading = {"reader": reader, "row": row, "label": label} | options
            return row, page.post("/reading-list/readings", json=reading).json()

        row, state = read("A", "negative")
        assert state["n_labelled"] == 0
        same, state = read("B", "positive")
        assert same == row
        assert (state["n_labelled"], state["n_disagreements"]) == (0, 1)
        # Of the readings of others nothing is told.
        assert set(state) & {"images", "labels", "history"} == set()
        for reader in ("A", "B"):
            params = {"reader": reader, "is_third": True}
            assert page.get("/reading-list", params=params).json()["row"] is None
        decided, state = read("C", "positive", is_third=True)
        assert decided == row
        assert (state["n_labelled"], state["n_disagreements"]) == (1, 0)
        assert state["waiting_for"] == "There is no image on which the readers disagree."
        other, state = read("A", "negative")
        assert other != row
        assert state["readers"] == ["A", "B"]
