"""The JSON API: the numbers of the library, and reasons where there are none."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from skpneumo.images import read_xray


def send(page, *files, path="/predict", field="files", **params):
    """Send files, as (name, content)."""
    return page.post(path, files=[(field, file) for file in files], params=params)


def test_the_numbers_are_those_of_the_library_to_the_bit(page, model, xrays, encode, tmp_path):
    files = [(f"{row}.png", encode(xrays.images[row])) for row in range(0, 8, 2)]
    large = np.kron(xrays.images[4], np.ones((9, 11), np.uint8))
    files.append(("large.jpeg", encode(large, "JPEG")))  # decoded at a reduced size
    found = send(page, *files).json()
    assert found["positive"] == "PNEUMONIA"
    assert found["threshold"] == pytest.approx(float(model[-1].best_threshold_))
    for (name, content), prediction in zip(files, found["predictions"], strict=True):
        path = tmp_path / name
        path.write_bytes(content)
        assert prediction["file"] == name
        assert prediction["outcome"] == "predicted"
        assert prediction["probability"] == float(model.predict_proba([str(path)])[0, 1])
        assert prediction["label"] == model.predict([str(path)])[0]
        assert prediction["outlier_score"] == float(model[0].outlier_score([str(path)])[0])


def test_bad_files_do_not_stop_the_others(page, xrays, encode):
    inverted = encode(255 - xrays.images[0])
    found = send(
        page,
        ("a.png", encode(xrays.images[0])),
        ("b.png", b""),
        ("c.txt", b"no image at all"),
        ("d.png", encode(xrays.images[0])[:300]),
        ("e.png", inverted),
    ).json()["predictions"]
    outcomes = [prediction["outcome"] for prediction in found]
    assert outcomes == ["predicted", *["unreadable"] * 3, "out of distribution"]
    for prediction in found[1:]:
        assert prediction["reason"]
        assert prediction["probability"] is prediction["label"] is None
        assert prediction["sentences"] == []
        assert "No answer" in prediction["headline"]
        # Neither the place of the file on the server nor its name there.
        assert "/" not in prediction["reason"].replace("JPEG/PNG", "")
    labelled = send(page, ("e.png", inverted), label_outliers=True).json()["predictions"][0]
    assert labelled["outcome"] == "predicted"
    assert labelled["outlier_score"] > 1


def dicom(image, **elements):
    """A DICOM file of a chest X-ray with a name and an identifier in it."""
    from pydicom import Dataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CHEST", "PA"
    dataset.PatientName, dataset.PatientID = "Secret^Sally", "ID-77123"
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 7, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = image.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.file_meta = Dataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def test_dicom_files_keep_their_secrets(page, xrays, caplog):
    chest, lateral = xrays.images[0], dicom(xrays.images[1], ViewPosition="LL")
    other = dicom(xrays.images[2], PatientID="ID-99")
    response = send(
        page,
        ("1.dcm", dicom(chest)),
        ("2.dcm", lateral),
        ("3.dcm", other),
        ("4.dcm", dicom(chest)[:-900]),
    )
    first, second, third, fourth = response.json()["predictions"]
    assert first["outcome"] == "predicted"
    assert second["outcome"] == "left out"
    assert "lateral" in second["reason"]
    assert first["patient"] == second["patient"] != third["patient"]
    assert fourth["outcome"] == "unreadable"
    everything = response.text + caplog.text
    for secret in ("Secret", "Sally", "ID-77123", "77123"):
        assert secret not in everything
    allowed = send(page, ("2.dcm", lateral), all_views=True, label_outliers=True).json()[
        "predictions"
    ][0]
    assert allowed["probability"] is not None


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "C:\\scans\\x.png",
        "/etc/passwd",
        "x\x00\n\x1b[31my.png",
        "a" * 3000,
        "‮gnp.x",
    ],
)
def test_names_of_clients_are_never_paths(page, xrays, encode, name):
    found = page.post("/predict", files=[("files", (name, encode(xrays.images[0])))])
    assert found.status_code == 200
    shown = found.json()["predictions"][0]["file"]
    assert "/" not in shown
    assert "\\" not in shown
    assert len(shown) <= 200
    assert shown.isprintable()


def test_nothing_is_kept(page, xrays, encode, tmp_path, monkeypatch):
    state = page.app.state.page
    store = os.environ["SKPNEUMO_CACHE"]
    before = sum(len(files) for _, _, files in os.walk(store))
    send(page, ("a.png", encode(xrays.images[0])))
    send(page, ("a.png", encode(xrays.images[0])), path="/heatmap", field="file")
    assert [name for name in os.listdir(state.scratch) if name != "first.png"] == []
    assert sum(len(files) for _, _, files in os.walk(store)) <= before + 3  # SQLite's own files
    assert state.session.n_waiting == 0


def test_the_picture_is_the_image_and_no_larger_than_reading_needs(page, xrays, encode):
    response = send(page, ("a.png", encode(xrays.images[3])), path="/picture", field="file")
    assert response.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(read_xray(response.content), xrays.images[3])
    wide = np.zeros((40, 5000), np.uint8)
    response = send(page, ("b.png", encode(wide)), path="/picture", field="file")
    assert Image.open(io.BytesIO(response.content)).size == (2048, 16)
    refused = send(page, ("b.png", b"nothing"), path="/picture", field="file")
    assert refused.status_code == 422
    assert "JPEG" in refused.json()["detail"]


def test_the_heatmap_is_transparent_where_there_is_no_evidence(
    page, model, xrays, encode, tmp_path
):
    from skpneumo.inspection import GradCAM

    path = tmp_path / "a.png"
    path.write_bytes(encode(xrays.images[-1]))
    response = send(page, ("a.png", path.read_bytes()), path="/heatmap", field="file")
    drawn = Image.open(io.BytesIO(response.content))
    assert drawn.text["Software"] == "skpneumo heatmap"
    heat = GradCAM(model).transform([str(path)])[0]
    np.testing.assert_allclose(np.asarray(drawn)[..., 3] / 255, heat, atol=1 / 255)


def test_the_model_describes_itself(page, model):
    facts = page.get("/model").json()
    assert facts["classes"] == ["NORMAL", "PNEUMONIA"]
    reference = model[-1].reference_
    assert facts["reference"]["n_positive"] == reference.y_true.sum()
    assert sum(facts["reference"]["negative"]) == pytest.approx(1)
    recall = np.mean(reference.y_score[reference.y_true] >= model[-1].best_threshold_)
    assert facts["reference"]["recall"] == pytest.approx(recall)
    assert facts["certified_value"] == 0.8
    assert not facts["is_certified_at_site"]


def test_words_say_how_sure_that_makes_anyone(page, xrays, encode):
    found = send(page, ("a.png", encode(xrays.images[-1]))).json()["predictions"][0]
    text = " ".join(found["sentences"])
    assert "Its probability of PNEUMONIA is" in text
    assert "labelled NORMAL score as high or higher" in text
    assert "None of this was measured at your hospital" in text


def test_the_check_of_a_site_needs_no_images(page, model):
    from skpneumo.sites import check_scores

    scores = np.random.default_rng(0).uniform(0.4, 0.6, 80)
    images = [{"probability": score, "patient": f"p{row // 2}"} for row, score in enumerate(scores)]
    found = page.post("/check-site", json={"images": images}).json()
    wanted = check_scores(model, scores, groups=[image["patient"] for image in images])
    assert found["shift"] == wanted.shift
    assert found["summary"] == wanted.summarize()
    assert len(found["edges"]) == len(found["site"]) + 1
    few = page.post("/check-site", json={"images": images[:9]})
    assert few.status_code == 422
    assert "at least 20" in few.json()["detail"]


def test_wrong_values_are_not_sent_back(page):
    response = page.post("/check-site", json={"images": [{"probability": 7, "file": "Secret.dcm"}]})
    assert response.status_code == 422
    assert "less than or equal to 1" in response.json()["detail"]
    assert "Secret" not in response.text


def test_a_model_without_probabilities_is_refused(open_page, train):
    from sklearn.svm import LinearSVC

    with pytest.raises(ValueError, match="predict_proba"):
        open_page(LinearSVC().fit(train.X, train.y))


def test_a_triage_answers_in_three_ways(open_page, xrays, encode):
    from sklearn.frozen import FrozenEstimator

    from skpneumo import CNNPneumoniaClassifier
    from skpneumo.sites import TriageClassifierCV

    cnn = CNNPneumoniaClassifier((36, 32), filters=(2, 4), epochs=2, random_state=0)
    cnn.fit(xrays.images, xrays.target)
    triage = TriageClassifierCV(
        FrozenEstimator(cnn), min_recall=0.9, min_specificity=0.9, confidence=0.8
    )
    triage.fit(xrays.images, xrays.target)
    with open_page(triage) as page:
        files = [(f"{row}.png", encode(xrays.images[row])) for row in range(0, 260, 30)]
        found = send(page, *files).json()
        assert found["rule_in_threshold"] == pytest.approx(float(triage.rule_in_threshold_))
        answers = {prediction["triage"] for prediction in found["predictions"]}
    assert answers <= {"ruled out", "to be read", "ruled in"}
    assert None not in answers
