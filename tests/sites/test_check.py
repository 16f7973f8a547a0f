"""check_site: which differences it finds, which it cannot find, and how it says so."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from skpneumo import OperatingPointClassifierCV
from skpneumo.sites import (
    PrevalenceThresholdClassifier,
    SiteCheckDisplay,
    TriageClassifierCV,
    check_scores,
    check_site,
)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def data():
    return make_classification(3000, class_sep=1.5, flip_y=0.02, random_state=0)


@pytest.fixture(scope="module")
def model(data):
    X, y = data
    return OperatingPointClassifierCV(LogisticRegression(), min_recall=0.95).fit(X[:1000], y[:1000])


@pytest.fixture(scope="module")
def site(data):
    """Rows that the model has not seen, and their labels."""
    return data[0][1000:], data[1][1000:]


@pytest.fixture(scope="module")
def checks(model, site):
    """A check of each kind."""
    X, y = site
    rare = np.concatenate([np.flatnonzero(y == 0)[:320], np.flatnonzero(y == 1)[:80]])
    return {
        "none": check_site(model, X[:400]),
        "prevalence": check_site(model, X[rare]),
        "population": check_site(model, X[:400] + 0.5),
    }


# -- what it finds ----------------------------------------------------------------------------


@pytest.mark.parametrize("shift", ["none", "prevalence", "population"])
def test_shifts(checks, shift):
    check = checks[shift]
    assert check.shift == shift
    assert (check.p_value < check.alpha) is (shift != "none")
    assert (check.n_images, check.n_patients, check.n_checks) == (400, None, 1)


def test_estimates_of_a_mixture(checks, model, site):
    X, y = site
    for shift, prevalence in (("none", y[:400].mean()), ("prevalence", 0.2)):
        check = checks[shift]
        low, high = check.prevalence_interval
        assert low <= check.prevalence <= high
        assert low - 0.02 <= prevalence <= high + 0.02
        specificity = np.mean(model.predict(X[y == 0]) == 0)
        assert check.expected_specificity == pytest.approx(specificity, abs=0.04)
        low, high = check.expected_specificity_interval
        assert low < check.expected_specificity < high
        low, high = check.expected_positive_rate_interval
        assert low < check.expected_positive_rate < high
        assert low - 0.03 < check.positive_rate < high + 0.03
    reference = model.reference_
    assert checks["none"].reference_prevalence == reference.y_true.mean()
    negative = reference.y_score[~reference.y_true]
    expected = np.mean(negative < model.best_threshold_)
    assert checks["none"].expected_specificity == pytest.approx(expected)
    assert checks["none"].positive_rate == model.predict(X[:400]).mean()


def test_nothing_is_estimated_of_another_population(checks):
    check = checks["population"]
    for name in ("prevalence", "expected_specificity", "expected_positive_rate"):
        assert np.isnan(getattr(check, name))
        assert np.isnan(getattr(check, f"{name}_interval")).all()
    assert 0 < check.positive_rate < 1


def test_positive_patients_that_look_negative_are_not_found(model, site):
    """It never shows that all is well, since this is a mixture again."""
    X, y = site
    looks_negative = X[:400].copy()
    missed = np.flatnonzero(y[:400] == 1)[:40]
    looks_negative[missed] = X[np.flatnonzero(y == 0)[-40:]]
    check = check_site(model, looks_negative)
    assert check.shift != "population"
    assert check.expected_specificity > 0.8
    assert "recall is not checked" in check.summarize()


def test_scores_are_compared_as_check_site_computes_them(checks, model, site):
    scores = model.predict_proba(site[0][:400])[:, 1]
    for given in (scores, scores.tolist(), scores[::-1]):
        check = check_scores(model, given)
        assert check.to_dict() == checks["none"].to_dict()


def test_by_decision_values_and_single_precision(site, data):
    X, y = data
    clf = LogisticRegression().fit(X[:1000], y[:1000])
    clf = make_pipeline(FunctionTransformer(np.float32), FrozenEstimator(clf))
    model = OperatingPointClassifierCV(FrozenEstimator(clf), min_recall=0.95)
    model.fit(X[1000:2000], y[1000:2000])
    assert check_site(model, X[2000:2400]).shift == "none"


@pytest.mark.parametrize(
    "wrap", [FrozenEstimator, lambda model: make_pipeline("passthrough", model)]
)
def test_models_around_the_reference(checks, model, site, wrap):
    assert check_site(wrap(model), site[0][:400]).to_dict() == checks["none"].to_dict()


def test_triage_models_have_a_reference(data, site):
    X, y = data
    triage = TriageClassifierCV(LogisticRegression(), min_recall=0.95).fit(X[:1000], y[:1000])
    assert check_site(triage, site[0][:400]).threshold == triage.best_threshold_


# -- patients, levels, repeated checks --------------------------------------------------------


def test_patients_are_compared_by_one_image_each(model, site):
    X, y = site
    # A hundred images of one positive patient do not make the prevalence higher.
    row = np.flatnonzero(y == 1)[0]
    many = np.concatenate([X[:300], np.repeat(X[[row]], 300, axis=0)])
    groups = np.append(np.arange(300), np.full(300, row)).astype(str)
    check = check_site(model, many, groups=groups)
    assert check.shift == "none"
    assert (check.n_images, check.n_patients) == (600, len(np.unique(groups)))
    assert "600 images of" in str(check)
    assert "prevalence of patients" in str(check)
    assert check_site(model, many).shift != "none"


def test_repeated_checks_multiply_the_p_value(model, site):
    X, _ = site
    once, often = (check_site(model, X[:400] + 0.5, n_checks=n) for n in (1, np.int64(20)))
    assert often.p_value == pytest.approx(20 * once.p_value)
    assert "20 checks counted" in str(often)
    assert json.loads(often.to_json())["n_checks"] == 20


def test_levels(model, site):
    X, y = site
    rare = np.concatenate([np.flatnonzero(y == 0)[:200], np.flatnonzero(y == 1)[:140]])
    strict, lenient = (check_site(model, X[rare], alpha=alpha) for alpha in (0.0015, 0.5))
    assert strict.p_value == lenient.p_value
    assert (strict.shift, lenient.shift) == ("none", "prevalence")
    for name in ("prevalence_interval", "expected_specificity_interval"):
        (low, high), (inner_low, inner_high) = getattr(strict, name), getattr(lenient, name)
        assert low < inner_low < inner_high < high


def test_home_images_are_rarely_found_different(model):
    """Of new samples of the same distribution, with new references, 5 % at most."""
    rng, n_runs, found = np.random.default_rng(0), 50, 0
    for _ in range(n_runs):
        y = rng.random(700) < 0.5
        scores = rng.normal(2 * y, 1)
        frozen = FrozenEstimator(_Scores().fit(scores[:2, None], [0, 1]))
        point = OperatingPointClassifierCV(frozen, min_recall=0.9).fit(scores[:600, None], y[:600])
        found += check_scores(point, scores[600:]).shift != "none"
    assert found / n_runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_runs)


class _Scores(LogisticRegression):
    """Returns the first column as decision values."""

    predict_proba = property(doc="It has none.")

    def decision_function(self, X):
        return np.asarray(X)[:, 0]


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0}, "alpha must lie between 0 and 1"),
        ({"alpha": True}, "alpha must lie between 0 and 1"),
        ({"alpha": "0.05"}, "alpha must lie between 0 and 1"),
        ({"n_checks": 0}, "n_checks must be an integer of at least 1, got 0"),
        ({"n_checks": 1.0}, "n_checks must be an integer"),
        ({"n_checks": True}, "n_checks must be an integer"),
        ({"n_checks": 42}, "a check at alpha=0.05 would find nothing"),
        ({"alpha": 0.001}, "a check at alpha=0.001 would find nothing"),
        ({"groups": np.arange(10)}, "inconsistent numbers of samples"),
        ({"groups": np.arange(400) // 40}, "at least 20 patients; got 10. Collect more"),
    ],
)
def test_odd_parameters_are_refused(model, site, params, message):
    for check, X in ((check_site, site[0]), (check_scores, np.linspace(0, 1, 400))):
        with pytest.raises(ValueError, match=message):
            check(model, X[:400], **params)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros(19), "at least 20 images; got 19"),
        ([], r"0 sample\(s\)"),
        (np.full(30, np.nan), "NaN"),
        (np.zeros((30, 2)), "1d array"),
        (["a"] * 30, "could not convert|dtype"),
    ],
)
def test_odd_scores_are_refused(model, scores, message):
    with pytest.raises(ValueError, match=message):
        check_scores(model, scores)


def test_models_without_a_reference_are_refused(model, data):
    X, y = data
    plain = LogisticRegression().fit(X, y)
    old = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.95).fit(X, y)
    del old.reference_
    calibrated = CalibratedClassifierCV(FrozenEstimator(model)).fit(X, y)
    for other, name in (
        (plain, "LogisticRegression"),
        (old, "OperatingPointClassifierCV"),
        # Calibrated scores are other ones than those of the reference.
        (calibrated, "CalibratedClassifierCV"),
    ):
        # Before anything is predicted.
        with pytest.raises(ValueError, match=f"^{name} holds no reference scores. .*load_pretrain"):
            check_site(other, None)
    with pytest.raises(NotFittedError):
        check_site(OperatingPointClassifierCV(LogisticRegression()), X)


# -- text, JSON and pages ---------------------------------------------------------------------


def test_text(checks):
    texts = {shift: str(check) for shift, check in checks.items()}
    assert texts["none"].startswith("No difference found; recall is not checked by this.\n\n")
    assert texts["prevalence"].startswith("The prevalence differs.\n\n")
    assert texts["population"].startswith("The population differs.\n\n")
    assert texts["population"].count("cannot be told from scores alone") == 3
    assert "cannot be told" not in texts["none"]
    for text in texts.values():
        assert max(map(len, text.splitlines())) < 80
        assert "RecallCertifier" in text
        assert "400 images" in text
    assert repr(checks["none"]) == texts["none"]
    assert not any("works" in text or "all is well" in text for text in texts.values())


def test_one_line(checks):
    for check in checks.values():
        assert "\n" not in check.summarize()
    assert checks["population"].summarize().startswith("Check of the site (p-value 0.001): the pop")
    assert "p-value below 0.001" in replace(checks["none"], p_value=1e-4).summarize()


def test_dict_and_json(checks):
    for shift, check in checks.items():
        found = json.loads(check.to_json())
        assert found == check.to_dict()
        assert found["shift"] == shift
        assert found["prevalence_interval"] == (
            [None, None] if shift == "population" else list(check.prevalence_interval)
        )
        assert {"meaning", "advice", "threshold", "histogram"} <= found.keys()
    assert checks["population"].to_dict()["expected_specificity"] is None
    # The threshold of a model that predicts nothing positive.
    assert json.loads(replace(checks["none"], threshold=np.inf).to_json())["threshold"] is None


@pytest.mark.parametrize("suffix", ["html", "json", "txt"])
def test_save(checks, tmp_path, suffix):
    path = tmp_path / f"check.{suffix}"
    check = checks["population"]
    check.save(path)
    text = path.read_text(encoding="utf-8")
    # Figures of two renderings have other ids.
    expected = {"html": check.to_html, "json": check.to_json, "txt": check.__str__}[suffix]()
    assert text[:5000] == expected[:5000]
    assert len(text.strip()) == len(expected.strip())
    with pytest.raises(ValueError, match=r"ends in .html, .json, .txt; got 'check.pdf'"):
        check.save(tmp_path / "check.pdf")
    with pytest.raises(FileNotFoundError):
        check.save(tmp_path / "missing" / "check.html")


def test_page(checks):
    for check in checks.values():
        page, cell = check.to_html(), check._repr_html_()
        assert page.startswith("<!DOCTYPE html>")
        assert "<svg" in page
        assert "<html" not in cell
        for text in (check.headline, check.meaning, check.advice, "this site"):
            assert text in page
            assert text in cell
        assert "src=" not in page
        assert "never shows that a model works" in page


def test_histograms_hold_all_scores(checks, model, site):
    found = checks["none"].histogram
    assert found["is_log_odds"]
    for name in ("site", "negative", "positive"):
        assert sum(found[name]) == pytest.approx(1)
    assert len(found["edges"]) == len(found["site"]) + 1
    certain = np.repeat([0.0, 1.0], 200)
    edges = check_scores(model, certain).histogram["edges"]
    assert (edges[0], edges[-1]) == (-15, 15)


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_display(checks, pyplot):
    check = checks["prevalence"]
    display = SiteCheckDisplay.from_check(check)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["reference, negative", "reference, positive", "this site", "threshold"]
    assert display.ax_.get_xlabel() == "log odds of pneumonia"
    assert display.figure_ is display.ax_.figure
    drawn = display.ax_.patches[2].get_data()
    np.testing.assert_array_equal(drawn.values, check.histogram["site"])
    _, ax = pyplot.subplots()
    assert SiteCheckDisplay(check.histogram).plot(ax).ax_ is ax
    assert not ax.lines
    assert SiteCheckDisplay(check.histogram | {"is_log_odds": False}).plot().ax_.get_xlabel() == (
        "score"
    )


@pytest.mark.parametrize("threshold", [0.0, 1.0, np.nextafter(1, 2), np.inf])
def test_thresholds_at_the_ends_are_drawn_there(checks, pyplot, threshold):
    display = SiteCheckDisplay.from_check(replace(checks["none"], threshold=threshold))
    assert display.ax_.lines[0].get_xdata()[0] == (15 if threshold else -15)


def test_a_threshold_of_another_site_is_not_compared_with_the_reference(data, model):
    X = data[0][:200]
    local = PrevalenceThresholdClassifier(model, prevalence=0.5).fit(X)
    with pytest.raises(ValueError, match="ThresholdClassifier was chosen on other data"):
        check_site(local, X)


def test_data_frames_of_several_sites_make_a_table(checks):
    frame = pd.concat({name: check.to_frame() for name, check in checks.items()})
    assert frame["shift"].tolist() == [*checks]
    for (name, _), row in frame.iterrows():
        check = checks[name]
        np.testing.assert_equal(
            (row["prevalence"], row["prevalence_low"], row["prevalence_high"]),
            (check.prevalence, *check.prevalence_interval),
        )
        assert row["p_value"] == check.p_value
    assert "histogram" not in frame
