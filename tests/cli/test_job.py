"""The main job, from a folder to the figures."""

import json
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayLoader,
    XRayResizer,
)
from skpneumo.cli import _job
from skpneumo.cli._certified import check_on_test
from skpneumo.cli._progress import JobProgress
from skpneumo.cli._test_split import evaluate_both
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.evaluation import evaluate
from skpneumo.exceptions import DatasetError
from skpneumo.images import read_xray
from skpneumo.images._files import read_files
from skpneumo.model_selection import choose_candidate

SIZE = (36, 40)
FOLDS = 2
SCORES = {
    "recall": partial(recall_score, pos_label="PNEUMONIA"),
    "specificity": partial(recall_score, pos_label="NORMAL"),
    "f1": partial(f1_score, pos_label="PNEUMONIA", zero_division=0),
    "precision": partial(precision_score, pos_label="PNEUMONIA", zero_division=0),
    "accuracy": accuracy_score,
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """A folder of small X-rays: 54 in train, 10 in val, 21 in test, one child in one of them."""
    root = tmp_path_factory.mktemp("collection") / "chest_xray"
    for seed, (split, n) in enumerate({"train": 54, "val": 10, "test": 21}.items()):
        xrays = make_xrays(n, image_size=(40, 36), difficulty=0.0, random_state=seed)
        for i, (image, target, group) in enumerate(
            zip(xrays.images, xrays.target, xrays.groups, strict=True)
        ):
            number = 100 * seed + int(group.removeprefix("patient"))
            name = f"IM-{number:04}-{i:04}" if target == "NORMAL" else f"person{number}_virus_{i}"
            (root / split / target).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(root / split / target / f"{name}.png")
    return root


TINY = partial(CNNPneumoniaClassifier, filters=(2, 4), learning_rate=0.02)


def make_small(patch):
    """Make search and network small."""
    patch.setattr(_job, "CLASS_WEIGHTS", (1, 4))
    patch.setattr(_job, "THRESHOLDS", (0.3, 0.5, 0.7))
    patch.setattr(_job, "CNNPneumoniaClassifier", TINY)


@pytest.fixture
def small(monkeypatch):
    make_small(monkeypatch)


def build(folder, *names):
    """Create empty files: only names and places count."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


# -- data -----------------------------------------------------------------------------------------


def test_without_a_folder_images_are_drawn():
    train, test = _job.load_data(image_size=(33, 41), random_state=3)
    assert train.X.shape == (600, 33, 41)
    assert test.X.shape == (300, 33, 41)
    expected = make_xrays(600, image_size=(33, 41), difficulty=0.35, random_state=3)
    for part, name in (("X", "images"), ("y", "target"), ("groups", "groups")):
        np.testing.assert_array_equal(train[part], expected[name])
    assert not np.isin(test.X.mean(axis=(1, 2)), train.X.mean(axis=(1, 2))).all()


def test_val_is_learnt_from_and_test_is_kept_apart(collection):
    data = load_xray_folder(collection)
    train, test = _job.load_data(collection)
    for part, splits in ((train, {"train", "val"}), (test, {"test"})):
        assert set(part.X) == set(data.paths[np.isin(data.split, list(splits))])
        assert [Path(path).parent.name for path in part.X] == part.y.tolist()
        assert part.groups.shape == part.y.shape == part.X.shape
    assert len(train.y) == 64
    assert len(test.y) == 21


def test_a_child_in_train_and_val_is_one_group(tmp_path):
    names = ("NORMAL/IM-7-1.png", "PNEUMONIA/person7_virus_1.png", "PNEUMONIA/person8_virus_1.png")
    build(tmp_path, *(f"{split}/{name}" for split in ("train", "val") for name in names))
    train, _ = _job.load_data(tmp_path)
    assert len(train.y) == 6
    assert len(set(train.groups)) == 3


@pytest.mark.parametrize("within", ["", "train"])
def test_a_folder_without_test_split(collection, within, tmp_path):
    build(tmp_path / within, "NORMAL/IM-7-1.png", "PNEUMONIA/person7_virus_1.png")
    train, test = _job.load_data(tmp_path)
    assert len(train.y) == 2
    assert test is None


def test_a_test_split_alone_is_refused(collection):
    with pytest.raises(DatasetError, match=r"nothing to learn from\. Give the folder above it"):
        _job.load_data(collection / "test")


@pytest.mark.parametrize("n_images", [20, 33, 64, 1000])
def test_a_subset_keeps_patients_whole(collection, n_images):
    everything, test = _job.load_data(collection)
    _, counts = np.unique(everything.groups, return_counts=True)
    subsets = [_job.load_data(collection, subset=n_images, random_state=seed) for seed in range(3)]
    for part, test_of_part in subsets:
        left_out = set(everything.X) - set(part.X)
        assert not set(part.groups) & set(everything.groups[np.isin(everything.X, [*left_out])])
        assert abs(len(part.y) - min(n_images, len(everything.y))) < counts.max()
        assert [Path(path).parent.name for path in part.X] == part.y.tolist()
        np.testing.assert_array_equal(test_of_part.X, test.X)
    assert len({tuple(part.X) for part, _ in subsets}) == (3 if n_images < 64 else 1)


def test_a_subset_is_never_empty():
    groups = np.repeat(["one child", "another"], 31)
    assert len(_job._some_patients(groups, 20, 0)) == 31


@pytest.mark.filterwarnings("ignore:.* files name no patient")
def test_images_without_a_patient_are_known(tmp_path):
    build(tmp_path, "NORMAL/IM-7-1.png", "NORMAL/a.png", "PNEUMONIA/b.png", "PNEUMONIA/Jane/c.png")
    train, _ = _job.load_data(tmp_path)
    names = [Path(path).name for path in train.X]
    assert dict(zip(names, train.identified.tolist(), strict=True)) == {
        "IM-7-1.png": True,
        "a.png": False,
        "b.png": False,
        "c.png": True,
    }


def test_other_classes_are_mapped(collection, tmp_path):
    for source, name in (("NORMAL", "Healthy"), ("PNEUMONIA", "Opacity")):
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / "train" / name).symlink_to(collection / "train" / source)
    train, _ = _job.load_data(tmp_path, classes={"Healthy": "NORMAL", "Opacity": "PNEUMONIA"})
    assert train.y.tolist() == load_xray_folder(collection / "train").target.tolist()


# -- search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "expected"),
    [("cnn", CNNPneumoniaClassifier), ("inception", InceptionPneumoniaClassifier)],
)
def test_a_classifier_has_the_defaults_of_its_class(model, expected):
    made = _job.make_classifier(model, random_state=5)
    assert type(made) is expected
    assert made.get_params() == expected(random_state=5).get_params()
    assert _job.make_classifier(model, epochs=4).epochs == 4


@pytest.mark.parametrize("weights", [None, "imagenet", "file.h5"])
def test_inception_starts_from_the_weights_given(weights):
    assert _job.make_classifier("inception", weights=weights).weights == weights


@pytest.fixture
def searched(collection, small):
    train, _ = _job.load_data(collection)
    classifier = _job.make_classifier("cnn", epochs=1)
    options = {"n_folds": FOLDS, "min_recall": 0.8, "random_state": 0}
    return train, _job.search(classifier, train, image_size=SIZE, **options)


def test_a_search_is_what_scikit_learn_does_by_hand(searched):
    """Fits and predictions by fold, scored by scikit-learn's own functions."""
    train, search = searched
    found = search.cv_results_
    assert len(found["params"]) == 2 * 3
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for i, params in enumerate(found["params"]):
        scores = {name: [] for name in (*SCORES, "roc_auc")}
        for rows, held_out in folds.split(train.X, train.y, train.groups):
            pipe = clone(search.estimator).set_params(**params).fit(train.X[rows], train.y[rows])
            truth, called = train.y[held_out], pipe.predict(train.X[held_out])
            for name, score in SCORES.items():
                scores[name].append(score(truth, called))
            probability = pipe.predict_proba(train.X[held_out])[:, 1]
            scores["roc_auc"].append(roc_auc_score(truth, probability))
        for name, values in scores.items():
            np.testing.assert_allclose(found[f"mean_test_{name}"][i], np.mean(values))
            np.testing.assert_allclose(found[f"std_test_{name}"][i], np.std(values))


def test_the_setting_chosen_is_fitted_on_all(searched):
    train, search = searched
    assert search.best_index_ == choose_candidate(search.cv_results_, min_recall=0.8)[0]
    fitted = clone(search.estimator).set_params(**search.best_params_).fit(train.X, train.y)
    np.testing.assert_array_equal(
        search.predict_proba(train.X), fitted.predict_proba(train.X), strict=True
    )
    classifier = search.best_estimator_[-1]
    assert classifier.image_size_ == SIZE
    assert 100 * classifier.threshold in {30, 50, 70}
    assert classifier.class_weight in [{"NORMAL": 1, "PNEUMONIA": w} for w in (1, 4)]


def test_progress_ends_at_its_total(collection, small, monkeypatch):
    monkeypatch.setattr(_job, "CLASS_WEIGHTS", (1,))
    reports = []
    _job.search(
        # shares of a tenth or so of an epoch, which do not add up to 1 exactly
        CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=3, random_state=7),
        _job.load_data(collection, subset=64)[0],
        image_size=SIZE,
        n_folds=FOLDS,
        min_recall=0.8,
        random_state=0,
        on_epoch=lambda *report: reports.append(report),
    )
    done, totals = np.transpose(reports)
    assert set(totals) == {FOLDS + 1}
    assert (np.diff(done) >= 0).all()
    assert done[0] < 1
    assert done[-1] == totals[-1]


# -- baseline -------------------------------------------------------------------------------------


@pytest.mark.parametrize("min_recall", [0.0, 0.9, 1.0])
def test_the_baseline_is_what_scikit_learn_does_by_hand(collection, min_recall):
    train, _ = _job.load_data(collection)
    model, told = _job.fit_baseline(train, n_folds=FOLDS, min_recall=min_recall, random_state=1)
    threshold, recall, specificity, met, auc, at_recall = told.values()
    pixels = np.array([read_xray(path, size=(32, 32)).ravel() / 255 for path in train.X])
    regression = LogisticRegression(max_iter=1000)
    scores = {"recall": [], "specificity": []}
    ranking = {"roc_auc": [], "specificity_at_recall": []}
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1)
    for rows, held_out in folds.split(pixels, train.y, train.groups):
        probability = regression.fit(pixels[rows], train.y[rows]).predict_proba(pixels[held_out])
        positive = train.y[held_out] == "PNEUMONIA"
        ranking["roc_auc"].append(roc_auc_score(positive, probability[:, 1]))
        fpr, tpr, _ = roc_curve(positive, probability[:, 1], drop_intermediate=False)
        ranking["specificity_at_recall"].append((1 - fpr[tpr >= min_recall]).max())
        for name, values in scores.items():
            values.append(
                [
                    SCORES[name](
                        train.y[held_out], np.where(probability[:, 1] >= t, "PNEUMONIA", "NORMAL")
                    )
                    for t in _job.THRESHOLDS
                ]
            )
    means = {f"mean_test_{name}": np.mean(values, axis=0) for name, values in scores.items()}
    by_fold = {f"split{i}_test_recall": np.array(v) for i, v in enumerate(scores["recall"])}
    index, _ = choose_candidate(means | by_fold, min_recall=min_recall)
    assert threshold == _job.THRESHOLDS[index]
    np.testing.assert_allclose(recall, means["mean_test_recall"][index])
    np.testing.assert_allclose(specificity, means["mean_test_specificity"][index])
    error = np.std([fold[index] for fold in scores["recall"]], ddof=1) / np.sqrt(FOLDS)
    assert met == (recall - error >= min_recall - 1e-9 and specificity >= 0.5)
    np.testing.assert_allclose([auc, at_recall], [np.mean(v) for v in ranking.values()])
    expected = regression.fit(pixels, train.y).predict_proba(pixels)
    np.testing.assert_allclose(model.predict_proba(train.X), expected)
    np.testing.assert_array_equal(
        model.predict(train.X) == "PNEUMONIA", expected[:, 1] >= threshold
    )


def test_the_baseline_meets_the_rule_only_with_its_floor_of_specificity(collection, monkeypatch):
    train, _ = _job.load_data(collection)
    # Called at any probability, nobody is spared and none of the ill is missed.
    monkeypatch.setattr(_job, "THRESHOLDS", (0.0,))
    options = {"n_folds": FOLDS, "min_recall": 0.9, "random_state": 1}
    _, told = _job.fit_baseline(train, **options)
    assert (told["mean_recall"], told["mean_specificity"], told["met"]) == (1, 0, False)
    monkeypatch.setattr(_job, "_MIN_SPECIFICITY", 0.0)
    assert _job.fit_baseline(train, **options)[1]["met"]


# -- settings --------------------------------------------------------------------------------------


def test_the_settings_table_holds_what_was_found():
    cv_results = {
        "params": [
            {"a__threshold": t, "a__class_weight": {"NORMAL": 1, "PNEUMONIA": w}}
            for w in (1, 4)
            for t in (0.2, 0.6)
        ]
    }
    columns = (*SCORES, "roc_auc")
    rng = np.random.default_rng(0)
    for column in columns:
        cv_results |= {f"{kind}_test_{column}": rng.random(4) for kind in ("mean", "std")}
    rows = _job.settings_table(cv_results)
    assert [(row["class_weight"], row["threshold"]) for row in rows] == [
        *((1, 0.2), (1, 0.6)),
        *((4, 0.2), (4, 0.6)),
    ]
    for column in columns:
        for kind in ("mean", "std"):
            found = [row[column][kind] for row in rows]
            assert found == cv_results[f"{kind}_test_{column}"].tolist()
    assert json.loads(json.dumps(rows)) == rows


# -- progress -------------------------------------------------------------------------------------


def test_progress_covers_all_of_the_work_in_proportion():
    reports = []
    progress = JobProgress(
        lambda *report: reports.append(report),
        n_fits=4,
        n_baseline_fits=3,
        epochs_of_fit=5,
        epochs_of_baseline_fit=2,
    )
    for epoch in range(1, 21):
        progress.epoch(epoch, 20)
    progress.start_baseline()
    for _ in range(3):
        progress.baseline_fit()
    progress.show("Test")
    progress.finish()
    done, doing = zip(*reports, strict=True)
    assert list(done) == sorted(done)
    assert done[19] == pytest.approx(20 / 27)  # 20 epochs, as many as 6 of the baseline, 1 of tests
    assert done[-3] == done[-2] == pytest.approx(26 / 27)
    assert done[-1] == 1
    assert doing[13:15] == ("Cross-validation", "Final fit")
    assert doing[-3:] == ("Baseline", "Test", "Done")


def test_progress_without_anybody_who_waits():
    options = {"n_fits": 2, "n_baseline_fits": 1, "epochs_of_fit": 1, "epochs_of_baseline_fit": 0.1}
    progress = JobProgress(None, **options)
    progress.epoch(1, 2)
    progress.finish()


# -- the whole job --------------------------------------------------------------------------------


@pytest.fixture
def job(small):
    options = {"image_size": SIZE, "n_folds": FOLDS, "epochs": 1, "min_recall": 0.8}
    return lambda folder, **more: _job.run(folder, **options | more)[0]


def test_the_whole_job(collection, job):
    result = job(collection)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["data"] == {
        "folder": str(collection),
        "images": 64,
        "pneumonia": len([*collection.glob("train/P*/*"), *collection.glob("val/P*/*")]),
        "patients": len(set(_job.load_data(collection)[0].groups)),
        "images_without_patient": 0,
    }
    assert result["image_size"] == list(SIZE)
    chosen = result["settings"][result["chosen"]["index"]]
    assert result["chosen"].items() >= chosen.items()
    assert str(result["chosen"]["index"]) in result["chosen"]["reason"]
    assert result["baseline"]["threshold"] in _job.THRESHOLDS


def test_the_progress_of_the_whole_job_ends_with_it(collection, job):
    reports = []
    # A seed of its own: fits that are reused report no epochs.
    job(collection, random_state=11, on_progress=lambda *report: reports.append(report))
    done, doing = zip(*reports, strict=True)
    assert list(done) == sorted(done)
    assert done.index(1) == len(done) - 1
    assert doing[-1] == "Done"
    assert [*dict.fromkeys(doing)][-4:] == ["Final fit", "Baseline", "Test", "Done"]
    assert done[doing.index("Baseline")] < 0.9


def test_the_model_is_compared_with_the_baseline(collection, job):
    by_test, by_folds = job(collection), job(collection, test=False)
    for result in (by_test, by_folds):
        comparison = result["comparison"]
        assert result["beats_baseline"] in (True, False)
        verb = "beats" if result["beats_baseline"] else "does not beat"
        assert f"{comparison['on']} the cnn {verb} the logistic" in comparison["verdict"]
        assert comparison["min_recall"] == 0.8
    sides = by_test["test"]
    for name in ("recall", "specificity", "roc_auc"):
        row = by_test["comparison"]["metrics"][name]
        for side in ("model", "baseline"):
            assert row[side] == pytest.approx(sides[side][name]["value"])
    row = by_test["comparison"]["metrics"]["roc_auc"]
    low, high = row["interval"]
    assert low <= row["difference"] <= high
    metrics = by_folds["comparison"]["metrics"]
    assert metrics["roc_auc"]["model"] == by_folds["chosen"]["roc_auc"]["mean"]
    assert metrics["recall"]["baseline"] == by_folds["baseline"]["mean_recall"]
    assert metrics["roc_auc"]["baseline"] == by_folds["baseline"]["mean_roc_auc"]


def test_the_test_figures_are_those_of_the_setting_chosen(collection, job):
    result = job(collection)
    train, test = _job.load_data(collection)
    options = {"n_folds": FOLDS, "min_recall": 0.8, "random_state": 0}
    classifier = _job.make_classifier("cnn", epochs=1)
    search = _job.search(classifier, train, image_size=SIZE, **options)
    model, found = _job.fit_baseline(train, **options)
    for side, fitted in (("model", search), ("baseline", model)):
        metrics = evaluate(fitted, test.X, test.y, groups=test.groups).metrics
        predicted = fitted.predict(test.X)
        for name, score in SCORES.items():
            side_metric = result["test"][side][name]
            assert side_metric["value"] == pytest.approx(score(test.y, predicted), nan_ok=True)
            key = "positive_predictive_value" if name == "precision" else name
            np.testing.assert_allclose(side_metric["interval"], metrics[key][1:])
    assert found == result["baseline"]


def test_the_test_split_is_left_alone_where_asked_or_missing(collection, job, tmp_path):
    results = [job(collection), job(collection, test=False)]
    (collection / "test").rename(tmp_path / "test")
    try:
        results.append(job(collection))
    finally:
        (tmp_path / "test").rename(collection / "test")
    assert [result.pop("test") is None for result in results] == [False, True, True]
    by_folds = "the folds of the cross-validation"
    assert [r["comparison"]["on"] for r in results] == ["the test split", by_folds, by_folds]
    for result in results:
        for name in ("seconds", "comparison", "beats_baseline"):
            del result[name]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("known", [True, False])
def test_intervals_are_by_patient_where_patients_are_known(collection, job, known):
    train, test = _job.load_data(collection)
    test.identified[:] = known
    result = job(None, data=(train, test))["test"]
    for side in result.values():
        for unit in ("recall", "specificity"):
            assert (f"{unit}_of_patients" in side) == known
        assert side["n_patients"] == (len(set(test.groups)) if known else None)
        for name in (*SCORES, "roc_auc"):
            low, high = side[name]["interval"]
            assert 0 <= low <= side[name]["value"] <= high <= 1
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_copies_of_images_of_the_same_patients_narrow_no_interval(collection, job):
    train, test = _job.load_data(collection)
    copies = _job.Bunch(**{name: np.repeat(values, 5) for name, values in test.items()})
    once, five_times = (
        job(None, data=(train, images))["test"]["model"] for images in (test, copies)
    )
    assert five_times["n_images"] == 5 * once["n_images"]
    assert five_times["n_patients"] == once["n_patients"]
    for name in ("recall", "specificity", "accuracy"):
        assert five_times[name]["value"] == pytest.approx(once[name]["value"])
        widths = [np.ptp(metrics[name]["interval"]) for metrics in (once, five_times)]
        assert widths[1] > 0.9 * widths[0]  # by image it would be half as wide


def test_each_classifier_decodes_a_test_image_once(collection, monkeypatch):
    train, test = _job.load_data(collection)
    options = {"n_folds": FOLDS, "min_recall": 0.8, "random_state": 0}
    baseline, _ = _job.fit_baseline(train, **options)
    pipe = make_pipeline(XRayLoader(), XRayResizer(SIZE), TINY(epochs=1, random_state=23))
    model = pipe.fit(train.X, train.y)
    decoded = Counter()

    def count(paths, *args):
        decoded.update(paths)
        return read_files(paths, *args)

    certifying = {"min_recall": 0.5, "confidence": 0.5, "cv": 2, "refit": False}
    several = OperatingPointClassifierCV(clone(pipe), **certifying)
    several.fit(train.X, train.y, groups=train.groups)
    monkeypatch.setattr("skpneumo.images._sequence.read_files", count)
    evaluate_both(several, baseline, test, SIZE)
    assert decoded == dict.fromkeys(test.X, 2)
    decoded.clear()
    evaluate_both(model, baseline, test, SIZE)
    assert decoded == dict.fromkeys(test.X, 2)


def test_a_test_split_of_one_class_is_reported_before_training(collection, job):
    train, test = _job.load_data(collection)
    rows = test.y == "NORMAL"
    test = _job.Bunch(**{name: values[rows] for name, values in test.items()})
    with pytest.warns(UserWarning, match="holds images of NORMAL alone and is not evaluated"):
        result = job(None, data=(train, test))
    assert result["test"] is None
    assert result["comparison"]["on"] == "the folds of the cross-validation"


@pytest.mark.parametrize(("min_recall", "known"), [(0.95, True), (0.8, False), (0.951, False)])
def test_a_difference_has_an_interval_where_evaluate_measures_it(
    collection, job, min_recall, known
):
    result = job(collection, min_recall=min_recall)
    rows = result["comparison"]["metrics"]
    low, high = rows["roc_auc"]["interval"]
    assert low <= rows["roc_auc"]["difference"] <= high
    interval = rows["specificity_at_recall"]["interval"]
    assert (interval is not None) == known
    for name in ("recall", "specificity", "specificity_at_its_recall"):
        assert rows[name]["interval"] is None


# -- certified operating points -------------------------------------------------------------------


@pytest.fixture(scope="module")
def certified(collection):
    """A job with a certified operating point; its result, its model, and what it reported."""
    reports = []
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        result, model = _job.run(
            collection,
            image_size=SIZE,
            n_folds=FOLDS,
            epochs=1,
            min_recall=0.8,
            confidence=0.9,
            random_state=29,
            on_progress=lambda *report: reports.append(report),
        )
    return result, model, reports


def test_the_search_is_inside_the_certified_operating_point(certified, collection):
    result, model, _ = certified
    assert isinstance(model, OperatingPointClassifierCV)
    assert isinstance(model.estimator, GridSearchCV)
    assert (model.min_recall, model.confidence, model.unit_) == (0.8, 0.9, "patient")
    searches = model.estimator_.fold_estimators_
    chosen = [choose_candidate(search.cv_results_, min_recall=0.8)[0] for search in searches]
    assert result["chosen"]["indices"] == chosen
    assert f"candidates {', '.join(map(str, chosen))}." in result["chosen"]["reason"]
    for i, row in enumerate(result["settings"]):
        for name in ("recall", "roc_auc"):
            for kind in ("mean", "std"):
                values = [search.cv_results_[f"{kind}_test_{name}"][i] for search in searches]
                assert row[name][kind] == pytest.approx(np.mean(values))


def test_each_search_is_fitted_without_the_patients_that_its_model_scores(certified, collection):
    _, model, _ = certified
    train, _ = _job.load_data(collection)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=29)
    scores = np.empty(len(train.y))
    for (rows, left_out), search in zip(
        folds.split(train.X, train.y, train.groups), model.estimator_.fold_estimators_, strict=True
    ):
        again = clone(model.estimator).fit(train.X[rows], train.y[rows], groups=train.groups[rows])
        assert again.best_params_ == search.best_params_
        scores[left_out] = again.predict_proba(train.X[left_out])[:, 1]
    assert np.isclose(scores, model.best_threshold_).any()


def test_the_certified_operating_point_is_in_the_result(certified, collection):
    result, model, _ = certified
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["confidence"] == 0.9
    point = result["operating_point"]
    train, test = _job.load_data(collection)
    for label, key in (("PNEUMONIA", "n_positive_patients"), ("NORMAL", "n_negative_patients")):
        assert point[key] == len(set(train.groups[train.y == label]))
        assert f" {point[key]} " in point["reason"]
    assert point["threshold"] == model.best_threshold_
    assert point["certified_recall"] >= 0.8
    assert (
        point["images_per_patient"] == (train.y == "PNEUMONIA").sum() / point["n_positive_patients"]
    )
    for words in (
        "the recall of new patients is at least 80%",
        "90% confidence",
        "This is approximate",
    ):
        assert words in point["reason"]
    predicted = model.predict_proba(test.X)[:, 1] >= model.best_threshold_
    side = result["test"]["model"]
    assert side["missed"] == (~predicted & (test.y == "PNEUMONIA")).sum()
    assert side["false_alarms"] == (predicted & (test.y == "NORMAL")).sum()
    tested = point["test"]
    assert tested["metric"] == "recall_of_patients"
    assert tested["value"] == side["recall_of_patients"]["value"]


def test_progress_counts_the_fits_of_all_searches(certified):
    _, _, reports = certified
    done, doing = zip(*reports, strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == 1
    names = [f"Search {i} of {FOLDS}" for i in range(1, FOLDS + 1)]
    assert [*dict.fromkeys(doing)] == [*names, "Baseline", "Test", "Done"]
    assert done[doing.index("Baseline")] == max(
        fraction for fraction, name in reports if name == names[-1]
    )
    assert _job.n_fits(5) == 3 * 5 + 1
    assert _job.n_fits(5, 0.95) == 5 * 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_recall": 0.98, "confidence": 0.95}, "cannot be certified with .* at least 149"),
        ({"min_recall": 0.8, "confidence": 0.9, "n_folds": 30}, "30 folds cannot all hold both"),
    ],
)
def test_what_cannot_be_certified_is_an_error_before_training(collection, small, options, message):
    epochs = []
    options = {"image_size": SIZE, "n_folds": FOLDS, "random_state": 0} | options
    with pytest.raises(ValueError, match=message):
        _job.search(
            _job.make_classifier("cnn", epochs=1),
            _job.load_data(collection)[0],
            on_epoch=lambda *done: epochs.append(done),
            **options,
        )
    assert epochs == []


def test_folds_inside_folds_hold_both_classes_or_nothing_is_trained(small):
    """Six negative patients are enough for three folds, but not for three folds in each of them."""
    groups = np.array([f"n{i}" for i in range(3)] + [f"p{i}" for i in range(27)])
    train = _job.Bunch(
        X=np.zeros((30, *SIZE), dtype=np.uint8),
        y=np.repeat(["NORMAL", "PNEUMONIA"], [3, 27]),
        groups=groups,
    )
    with pytest.raises(ValueError, match="in the training part of a fold there are 2 images of N"):
        _job.search(
            _job.make_classifier("cnn", epochs=1),
            train,
            image_size=SIZE,
            n_folds=3,
            min_recall=0.5,
            confidence=0.9,
            random_state=0,
        )


@pytest.mark.parametrize(
    ("right", "verdict"),
    [(100, "90% is reached"), (85, "the interval contains"), (40, "90% is not reached")],
)
def test_the_test_split_is_held_against_what_was_certified(right, verdict):
    """By patients of two images each, some of whom have one false negative."""
    scores = np.full((200, 2), 0.9)
    scores[right:100, 1] = 0.1
    scores[100:] = 0.1
    X, y = scores.reshape(-1, 1), np.repeat(["NORMAL", "PNEUMONIA"], 200)[::-1]
    model = DecisionTreeClassifier(max_depth=1).fit([[0.1], [0.9]], ["NORMAL", "PNEUMONIA"])
    report = evaluate(model, X, y, groups=np.repeat(np.arange(200), 2))
    found = check_on_test(report, 0.9)
    assert found["metric"] == "recall_of_patients"
    assert found["value"] == right / 100
    assert verdict in found["verdict"]


def test_the_whole_job_on_real_xrays(xray_data, job):
    root = xray_data / "chest_xray"
    result = job(root, subset=120)
    data = load_xray_folder(root)
    n_test = (data.split == "test").sum()
    for side in result["test"].values():
        assert side["n_images"] == n_test
        n_ill = (data.target[data.split == "test"] == "PNEUMONIA").sum()
        assert round(side["recall"]["value"] * n_ill) == n_ill - side["missed"]
        for name in (*SCORES, "roc_auc"):
            assert side[name]["value"] is None or 0 <= side[name]["value"] <= 1
    for row in result["settings"]:
        for name in (*SCORES, "roc_auc"):
            assert 0 <= row[name]["mean"] <= 1
            assert 0 <= row[name]["std"] <= 0.5
    assert 90 < result["data"]["images"] <= 120


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (
            ["a"] * 8 + ["b", "c", "d", "e"],
            r"8 images of NORMAL from 1 patient\(s\), up to 8 of one",
        ),
        ([*"aaaabbbb", *"cdef"], r"NORMAL from 2 patient\(s\), up to 4"),
        ([*"abcdefgh", *"iiii"], r"4 images of PNEUMONIA from 1 patient\(s\), up to 4 of one"),
    ],
)
def test_folds_that_lack_a_class_are_refused_before_training(groups, found, small):
    train = _job.Bunch(
        X=np.zeros((12, *SIZE), dtype=np.uint8),
        y=np.repeat(["NORMAL", "PNEUMONIA"], [8, 4]),
        groups=np.array(groups),
    )
    classifier = _job.make_classifier("cnn", epochs=1)
    epochs = []
    with pytest.raises(ValueError, match=f"3 folds cannot all hold both classes.*{found}"):
        _job.search(
            classifier,
            train,
            image_size=SIZE,
            n_folds=3,
            min_recall=0.5,
            random_state=0,
            on_epoch=lambda *done: epochs.append(done),
        )
    assert epochs == []


def test_no_real_patient_is_in_two_folds(xray_data):
    """Told by the children's fine key, which the folds do not see."""
    data = load_xray_folder(xray_data / "chest_xray")
    patients = dict(zip(data.paths, data.patient, strict=True))
    train, test = _job.load_data(xray_data / "chest_xray")
    rows_tested = []
    for rows, held_out in _job._folds(5, 0).split(train.X, train.y, train.groups):
        sides = [{patients[path] for path in train.X[side]} for side in (rows, held_out)]
        assert not sides[0] & sides[1]
        rows_tested += held_out.tolist()
    assert sorted(rows_tested) == list(range(len(train.y)))
    assert not {patients[path] for path in train.X} & {patients[path] for path in test.X}
