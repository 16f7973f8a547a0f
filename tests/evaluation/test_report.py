"""The HTML report: complete, self-contained, small, escaped, and without paths of files."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FunctionTransformer, make_pipeline
from sklearn.svm import LinearSVC

from skpneumo import CNNPneumoniaClassifier
from skpneumo._utils.formatting import percent
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import Estimate, _gallery, evaluate
from skpneumo.evaluation._checklists import fill_checklists, load_checklists
from skpneumo.evaluation._plots import curves
from skpneumo.evaluation._report import _confusion_rows, _judge_calibration
from skpneumo.exceptions import ImageReadError
from skpneumo.images import resize_xrays

VOID = {"meta", "link", "img", "br"}
HOSTILE = "<script>alert(1)</script>&\"'"


class Page(HTMLParser):
    """Content of a page: tags with attributes, texts by the tag around them, open tags."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def text(self, *tags):
        return [text for tag, text in self.texts if not tags or tag in tags]

    def attributes(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]


def row_numbers(X):
    """Replace each image by the number of its row."""
    return np.arange(len(X), dtype=float)[:, None]


def erring(images, labels=("NORMAL", "PNEUMONIA")):
    """A classifier without a network that predicts the first half of the images negative, and
    alternating labels: every other prediction is wrong."""
    halves = np.sort(np.resize(labels, len(images)))
    model = make_pipeline(FunctionTransformer(row_numbers), LogisticRegression())
    return model.fit(images, halves), np.resize(labels, len(images))


@pytest.fixture(scope="module")
def network():
    """A calibrated network after little training."""
    xrays = make_xrays(40, image_size=(48, 40), random_state=0)
    cnn = CNNPneumoniaClassifier(
        filters=(8, 16), epochs=10, augmentation=None, random_state=0, memory="/nowhere/else"
    )
    cnn.set_params(memory=None).fit(xrays.images, xrays.target)
    cnn.set_params(memory="/nowhere/else")
    return CalibratedClassifierCV(FrozenEstimator(cnn)).fit(xrays.images, xrays.target)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Images of 60 x 44 pixels in a folder, sorted by class."""
    folder = tmp_path_factory.mktemp("Jane Doe")
    xrays = make_xrays(30, image_size=(60, 44), random_state=1)
    order = np.argsort(xrays.target, kind="stable")
    paths = []
    for i, image in enumerate(xrays.images[order]):
        paths.append(folder / f"scan{i}.{'jpeg' if i % 2 else 'png'}")
        Image.fromarray(image).save(paths[-1])
    return np.array(paths), xrays.target[order], xrays.groups[order], xrays.subtype[order]


@pytest.fixture(scope="module")
def full(network, files):
    """Evaluation and page of the network."""
    paths, y, groups, subtype = files
    report = evaluate(network, paths, y, groups=groups, subtype=subtype)
    return report, report.to_html()


def test_page_has_all_sections_in_order(full):
    page = Page(full[1])
    assert page.open == []
    assert page.text("h1") == [
        f"CNNPneumoniaClassifier on 30 images of {full[0].n_patients} patients"
    ]
    assert page.text("h2") == [
        "Metrics",
        "Curves",
        "Recall by subtype",
        "Calibration",
        "Misclassified images",
        "Provenance",
        "Checklists",
    ]
    for title in (
        "Confusion matrix",
        "At the threshold",
        "ROC curve",
        "Precision and recall",
        "Thresholds",
        "Decision curve",
        "Before and after calibration",
    ):
        assert title in page.text("h3")
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert max(np.diff(levels)) == 1
    assert page.text("p")[0].startswith("Research software, not a medical device.")


def test_verdict_has_counts_recall_and_specificity(full):
    report, html = full
    t = report.table
    (verdict,) = (text for text in Page(html).text("p") if text.startswith("Of 1"))
    n_positive = t["false_negative"] + t["true_positive"]
    n_negative = t["true_negative"] + t["false_positive"]
    assert f"Of {n_positive} images labelled PNEUMONIA, " in verdict
    assert f"Of {n_negative} labelled NORMAL, " in verdict
    for name in ("recall", "specificity"):
        value, low, high = report.metrics[name]
        text = f"{percent(value)} (95% interval {percent(low)} to {percent(high, up=True)})"
        assert f"{name} {text}" in verdict
    assert str(t["false_negative"] or "none") in verdict


def test_every_metric_and_count_is_shown(full):
    report, html = full
    texts = Page(html).text()
    for name, estimate in report.metrics.items():
        if name == "recall" or "prevalence" in name:
            assert percent(estimate.value) in texts, name
    for n in report.table.values():
        assert str(n) in texts
    t = report.table
    for wrong, right in (("false_positive", "true_negative"), ("false_negative", "true_positive")):
        proportion = percent(t[wrong] / (t[wrong] + t[right]), up=True)
        assert any(text.startswith(proportion) for text in texts)
    for text in (
        report.provenance.data_fingerprint,
        report.provenance.model["fingerprint"],
        "epochs",
    ):
        assert text in texts
    assert f"Threshold 0.5: {report.threshold_description}." in texts


def test_calibration_is_shown_before_and_after(full):
    report, html = full
    before = np.mean((report.predictions.y_true - report.predictions.y_score_uncalibrated) ** 2)
    row = html[html.index("ideal</th>") :]
    row = row[row.index("Brier") :]
    assert re.findall(r'number">([\d.]+)<', row)[:2] == [
        f"{before:.3f}",
        f"{report.metrics['brier'].value:.3f}",
    ]


def test_nothing_is_loaded(full):
    page = Page(full[1])
    for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
        for reference in page.attributes(name):
            assert reference.startswith(("data:", "#")), reference
    assert not re.search(r"@import|url\((?!#)", full[1])
    assert "script" not in {tag for tag, _ in page.tags}
    policy = next(attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs)
    assert "default-src 'none'" in policy


def test_ids_are_unique_and_references_exist(full):
    page = Page(full[1])
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)
    links = [link for name in ("href", "xlink:href") for link in page.attributes(name)]
    links += re.findall(r"url\((#[^)]*)\)", full[1])
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_it_is_accessible(full):
    page = Page(full[1])
    for tag, attrs in page.tags:
        if tag == "img":
            assert attrs["alt"]
        if tag == "svg":
            assert attrs["role"] == "img"
            assert attrs["aria-label"]
        if tag == "th":
            assert attrs["scope"] in ("row", "col")
        if tag == "html":
            assert attrs["lang"] == "en"


def luminance(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_contrast_is_enough_in_light_and_dark(full):
    light, dark = (
        dict(re.findall(r"--(\w+(?:-\w+)?): (#\w{6})", block))
        for block in re.findall(r"\.skpneumo \{\s+(--back.*?)\}", full[1], re.DOTALL)[:2]
    )
    for colours in (light, dark):
        for front, back in (
            *((front, back) for front in ("ink", "muted", "accent") for back in ("paper", "back")),
            ("second", "paper"),
            ("ink", "good"),
            ("error", "error-soft"),
            ("warning", "warning-soft"),
        ):
            one, other = sorted(luminance(colours[name]) for name in (front, back))
            assert (other + 0.05) / (one + 0.05) >= 4.5, (front, back)


def images_of(page):
    """Images of a page."""
    return [
        Image.open(io.BytesIO(base64.b64decode(source.partition("base64,")[2])))
        for source in page.attributes("src")
    ]


def test_gallery_shows_the_errors_most_extreme_scores_first(full, files):
    report, html = full
    page = Page(html)
    false_negatives = np.flatnonzero(report.predictions.y_true & ~report.predictions.y_pred)
    false_positives = np.flatnonzero(~report.predictions.y_true & report.predictions.y_pred)
    assert len(false_negatives) + len(false_positives) > 3
    order = [
        *false_negatives[np.argsort(report.predictions.y_score[false_negatives])],
        *false_positives[np.argsort(-report.predictions.y_score[false_positives])],
    ]
    names = [path.name for path in files[0][order]]
    assert [text for text in page.text("code") if text.startswith("scan")] == names
    assert page.text("strong")[-len(order) :] == [
        f"{report.predictions.y_score[i]:.3f}" for i in order
    ]
    shown = images_of(page)
    assert len(shown) == 2 * len(order)  # each with its heatmap
    pixels = [np.asarray(image, dtype=float) for image in shown]
    assert all(np.ptp(image, axis=-1).max() < 3 for image in pixels[::2])  # grey
    assert all(np.ptp(image, axis=-1).max() > 30 for image in pixels[1::2])
    original = np.asarray(Image.open(files[0][order[0]]), dtype=float)
    assert np.abs(pixels[0].mean(axis=-1) - original).mean() < 6
    assert f"patient {report.predictions.groups[order[0]] + 1}" in html
    # The method that drew them is named, and no other.
    assert "On the right: a heatmap by layer conductance." in html
    assert "A heatmap by layer conductance beside each misclassified image." in html
    assert "Grad-CAM" not in html


def test_paths_are_not_shown(full, files):
    assert str(files[0][0].parent) not in full[1]
    assert "Jane" not in full[1]
    assert "nowhere" not in full[1]
    assert "/nowhere" not in full[0].to_json()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/data/Jane Doe/scan.JPEG", "scan.JPEG"),
        ("C:\\Jane Doe\\scan.png", "scan.png"),
        ("/data/Jane Doe/1.2.840.dcm", "1.2.840.dcm"),
        ("/data/Jane Doe", "image 7"),
        ("Jane Doe^1999", "image 7"),
        (None, "image 7"),
    ],
)
def test_only_names_of_image_files_are_shown(path, shown):
    assert _gallery._shown_name(path, 7) == shown


def test_a_full_gallery_of_large_images_is_below_3_mb(network):
    images = resize_xrays(make_xrays(120, image_size=(90, 70), random_state=3).images, (480, 400))
    grain = np.random.default_rng(0).normal(scale=3, size=images.shape)
    images = np.clip(images + grain, 0, 255).astype(np.uint8)
    y = np.where(np.arange(120) < 60, "NORMAL", "PNEUMONIA")
    report = evaluate(network, images, y)
    all_wrong = report.predictions._replace(y_pred=~report.predictions.y_true)
    report = replace(report, predictions=all_wrong)
    html = report.to_html()
    assert len(images_of(Page(html))) == 2 * 2 * 24
    assert html.count("The 24 with the most extreme scores; 36 more are not shown.") == 2
    assert len(html.encode()) < 3_000_000


def test_each_picture_leads_to_its_enlargement(full):
    page = Page(full[1])
    targets = [attrs["id"] for tag, attrs in page.tags if tag == "li" and "id" in attrs]
    links = [attrs["href"] for _, attrs in page.tags if attrs.get("title") == "Enlarge"]
    assert links == [f"#{target}" for target in targets]
    assert len(set(targets)) == full[0].table["false_negative"] + full[0].table["false_positive"]


@pytest.mark.parametrize(
    ("slope", "intercept", "sentence"),
    [
        ((1.1, 0.8, 1.4), (0.1, -0.2, 0.3), "include their ideal values"),
        ((0.6, 0.4, 0.9), (0.1, -0.2, 0.3), "do not both include"),
        ((1.1, 0.8, 1.4), (0.9, 0.2, 1.3), "do not both include"),
        ((1.1, np.nan, np.nan), (0.1, -0.2, 0.3), "Too few errors"),
    ],
)
def test_calibration_is_judged_by_the_intervals(full, slope, intercept, sentence):
    found = {"calibration_slope": Estimate(*slope), "calibration_intercept": Estimate(*intercept)}
    assert sentence in _judge_calibration(replace(full[0], metrics=full[0].metrics | found))


def test_no_error_has_the_colour_of_one(full):
    table = {"true_negative": 5, "false_positive": 0, "false_negative": 2, "true_positive": 9}
    rows = _confusion_rows(SimpleNamespace(classes=full[0].classes, table=table))
    assert [[cell[2] for cell in cells] for _, cells in rows] == [["good"] * 2, ["error", "good"]]


def test_hostile_names_are_escaped(tmp_path):
    labels = ("<b>well</b>", HOSTILE)
    images = make_xrays(20, image_size=(40, 33), random_state=0).images
    paths = []
    for i, image in enumerate(images):
        paths.append(tmp_path / f"<img src=x onerror=alert({i})>.png")
        Image.fromarray(image).save(paths[-1])
    model, y = erring(paths, sorted(labels))
    report = evaluate(model, paths, y, subtype=[f"<i>{label}" for label in y])
    for html in (report.to_html(), report._repr_html_()):
        page = Page(html)
        assert page.open == []
        assert not {"script", "b", "i"} - {"b", "i"} & {tag for tag, _ in page.tags}
        assert "onerror" not in {name for _, attrs in page.tags for name in attrs}
        assert "<script>" not in html
        assert "<b>well" not in html
        assert "<i>&lt;" not in html
        assert any("<b>well</b>" in text for text in page.text())


def test_the_embedded_part_does_not_style_the_notebook(full):
    report, html = full
    part = report._repr_html_()
    page = Page(part)
    assert page.open == []
    tags = {tag for tag, _ in page.tags}
    assert not {"html", "head", "body", "title", "meta", "h1", "h2", "h3", "img", "a"} & tags
    style = re.search("<style>(.*?)</style>", part, re.DOTALL)[1]
    for selectors in re.findall(r"([^{}]+)\{", style):
        for selector in selectors.split(","):
            assert re.match(r"\s*(@media|@container|(body|div)?\.skpneumo\b)", selector), selector
    assert {percent(report.metrics["recall"].value), "ROC curve"} <= set(page.text())
    assert len(part) < len(html)


def test_without_a_network_there_are_no_heatmaps():
    images = make_xrays(20, image_size=(40, 33), random_state=0).images
    model, y = erring(images)
    html = evaluate(model, images, y).to_html()
    page = Page(html)
    assert "No heatmaps: There is no network to inspect" in html
    assert {image.size for image in images_of(page)} == {(33, 40)}
    assert "image 1" in page.text("code")
    assert "Grad-CAM" not in html


def test_an_error_within_the_heatmaps_is_raised(full, monkeypatch):
    def fail(self, X):
        raise TypeError("a bug")

    monkeypatch.setattr(_gallery.GradCAM, "transform", fail)
    with pytest.raises(TypeError, match="a bug"):
        full[0].to_html()


def test_without_images_the_errors_are_listed(report):
    html = report.to_html()
    assert "The data are not images, so none are shown." in html
    assert images_of(Page(html)) == []
    assert "<code>CalibratedClassifierCV</code> calibrates a classifier." in html


def test_without_errors(linear):
    positive = np.arange(40) >= 10
    X = np.where(positive, 4.0, -9.0)[:, None] * np.ones(3)
    html = evaluate(linear, X, np.where(positive, "PNEUMONIA", "NORMAL")).to_html()
    assert (
        "Of 30 images labelled PNEUMONIA, none is predicted NORMAL (missed): recall 100.0%" in html
    )
    assert "none is predicted PNEUMONIA: specificity" in html
    assert Page(html).text("p").count("None.") == 2
    assert "nan" not in html.replace("nance", "")


def test_decision_values_have_neither_decision_curve_nor_calibration(train, new):
    model = LinearSVC().fit(train.X, train.y)
    html = evaluate(model, new.X, new.y).to_html()
    assert "Decision curve" not in html
    assert "Calibration" not in Page(html).text("h2")
    assert "In bold: the score of PNEUMONIA" in html


def test_missing_files_are_named(network, files, tmp_path):
    paths = [tmp_path / path.name for path in files[0]]
    for path, old in zip(paths, files[0], strict=True):
        path.write_bytes(old.read_bytes())
    report = evaluate(network, paths, files[1])
    for path in paths:
        path.unlink()
    with pytest.raises(ImageReadError, match="scan"):
        report.to_html()
    assert "ROC curve" in report._repr_html_()


def test_curves_of_many_images_stay_small():
    rng = np.random.default_rng(0)
    positive = np.arange(30_000) >= 10_000
    X = rng.normal(positive[:, None], 1, (30_000, 1))
    report = evaluate(LogisticRegression().fit(X, positive), X, positive)
    for _, _, svg in curves(report):
        assert len(svg) < 400_000


def test_curves_take_the_colours_of_the_page(full):
    for svg in re.findall("<svg.*?</svg>", full[1], re.DOTALL):
        assert not re.search(r"#[0-9a-f]{6}\b", svg)
        assert "var(--ink)" in svg or "var(--muted)" in svg
        assert "<style" not in svg


def test_drawing_does_not_change_matplotlib(report):
    import matplotlib

    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"axes.grid": False, "font.size": 30}):
        one = report._repr_html_()
        assert matplotlib.rcParams["font.size"] == 30
    assert dict(matplotlib.rcParams) == before
    assert len(one) == pytest.approx(len(report._repr_html_()), rel=0.01)


def test_checklists_are_complete(full):
    claim, stard_ai = load_checklists()
    assert list(claim.items) == [str(i) for i in range(1, 45)]
    numbers = [int(re.match(r"\d+", number)[0]) for number in stard_ai.items]
    assert sorted(set(numbers)) == list(range(1, 41))
    texts = Page(full[1]).text()
    for checklist in (claim, stard_ai):
        assert set(checklist.items.values()) <= set(texts)


def test_checklists_have_the_answers_of_the_evaluation(full):
    report, html = full
    for (_, rows), accuracy in zip(fill_checklists(report, "Some-CAM"), ("38", "31"), strict=True):
        answers = {number: (answer, rest) for number, _, answer, rest in rows}
        for name in ("images", "patients"):
            estimate = report.metrics["recall" if name == "images" else "recall_of_patients"]
            assert f"recall of {name} {percent(estimate.value)} [" in answers[accuracy][0]
        assert answers["4"] == ("", "")  # objectives
        assert sum(not answer for answer, _ in answers.values()) > 20
    assert "for the authors" in Page(html).text("span")
    claim, _ = fill_checklists(report, "")
    assert {number: answer for number, _, answer, _ in claim[1]}["31"] == ""
