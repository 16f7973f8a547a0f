"""RecallCertifier: what it certifies, which images it wants read, and what it does with labels."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo import CNNPneumoniaClassifier, load_model, save_model
from skpneumo._utils.bounds import min_score_per_patient
from skpneumo._utils.unwrap import unwrap
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import evaluate
from skpneumo.sites import CertifiedClassifier, RecallCertifier
from skpneumo.sites._label_plans import certified_ranks, whole_rank

SHIFT = 3.3


def make_pool(n_patients, prevalence, seed, *, n_images=1):
    """Images of patients of a site, their labels and patients; scores are normal."""
    rng = np.random.default_rng(seed)
    y = np.repeat(rng.random(n_patients) < prevalence, n_images)
    patient = np.repeat(rng.normal(size=n_patients), n_images)
    scores = np.sqrt(0.5) * (patient + rng.normal(size=len(y))) + SHIFT * y
    groups = np.repeat([f"patient {i}" for i in rng.permutation(n_patients)], n_images)
    return scores[:, None], np.where(y, "PNEUMONIA", "NORMAL"), groups


def read_all(certifier, y, n=20):
    """Record true labels until the certifier is finished."""
    while not certifier.finished_:
        rows = certifier.next_images(n)
        certifier.record(rows, y[rows])
    return certifier


@pytest.fixture
def model(by_first_column):
    return FrozenEstimator(by_first_column())


# -- what is certified ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_patients", "prevalence", "plan"), [(250, 0.8, "upwards"), (300, 0.3, "random sample")]
)
def test_the_recall_is_too_low_as_often_as_stated(model, n_patients, prevalence, plan):
    too_low, plans, n_runs = [], [], 250
    certifier = RecallCertifier(model, confidence=0.9)
    for seed in range(n_runs):
        X, y, _ = make_pool(n_patients, prevalence, seed)
        read_all(certifier.set_params(random_state=seed).fit(X), y, 10)
        too_low.append(norm.sf(certifier.threshold_ - SHIFT) < 0.95)
        plans.append(certifier.plan_ == plan)
    error = np.sqrt(0.1 * 0.9 / n_runs)
    assert np.mean(too_low) <= 0.1 + 3 * error
    # Not wasted either.
    assert np.mean(too_low) >= 0.07 - 3 * error
    assert np.mean(plans) > 0.7


def test_fewer_labels_than_images_and_nearly_the_same_specificity(model):
    labelled, lost = [], []
    for seed in range(20):
        X, y, _ = make_pool(1200, 0.625, seed)
        certifier = read_all(RecallCertifier(model, random_state=seed).fit(X), y)
        labelled.append(certifier.n_labelled_ / 1200)
        positive = np.sort(X[y == "PNEUMONIA", 0])
        rank = whole_rank(certified_ranks(len(positive), 0.95, 0.95)[0], certifier._target.draw)
        lost.append(norm.cdf(positive[rank - 1]) - norm.cdf(certifier.threshold_))
    assert np.mean(labelled) < 0.43
    assert np.mean(lost) < 0.03


def test_the_threshold_is_the_score_of_a_positive_patient_with_the_rank_that_was_chosen(model):
    X, y, groups = make_pool(400, 0.8, 3, n_images=2)
    certifier = read_all(RecallCertifier(model, random_state=1).fit(X, groups=groups), y)
    pool, plan = certifier.pool_, certifier._progress.plan
    positive = y == "PNEUMONIA"
    scores = np.full(len(pool.order), np.inf)
    np.minimum.at(scores, pool.patients[positive], X[positive, 0])
    certifying = pool.order[20 : 20 + plan.n_patients]
    if plan.kind == "upwards":
        sampled = certifying[: plan.sample_size]
        rank = plan.ranks[np.isfinite(scores[sampled]).sum()]
    else:
        last = np.flatnonzero(np.cumsum(np.isfinite(scores[certifying])) == plan.n_positive)[0]
        certifying = certifying[: last + 1]
        rank = certified_ranks(plan.n_positive, 0.95, 0.95)[0]
    expected = np.sort(scores[certifying])[whole_rank(rank, certifier._target.draw) - 1]
    assert certifier.threshold_ == expected


@pytest.mark.parametrize("n_images", [1, 3])
def test_of_a_small_pool_the_threshold_is_that_of_all_labels(model, n_images):
    X, y, groups = make_pool(180, 0.6, 0, n_images=n_images)
    certifier = read_all(RecallCertifier(model, random_state=0).fit(X, groups=groups), y)
    assert certifier.plan_ == "random sample"
    positive = y == "PNEUMONIA"
    scores = np.sort(min_score_per_patient(X[positive, 0], groups[positive]))
    rank = whole_rank(certified_ranks(len(scores), 0.95, 0.95)[0], certifier._target.draw)
    assert certifier.threshold_ == scores[rank - 1]


# -- which images are read --------------------------------------------------------------------


def test_a_positive_patient_needs_one_label_in_a_sample(model):
    X, y, groups = make_pool(60, 0.5, 0, n_images=3)
    certifier = RecallCertifier(model, min_recall=0.8).fit(X, groups=groups)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_all(certifier, y)
    n_positive = np.sum(y == "PNEUMONIA") // 3
    assert certifier.n_labelled_ == n_positive + 3 * (60 - n_positive)


def test_the_lowest_positive_image_of_a_patient_counts(model):
    """Images of one patient may have both labels: this is no contradiction."""
    X, _, groups = make_pool(80, 0.5, 1, n_images=3)
    by_patient = pd.Series(X[:, 0]).groupby(groups).rank().to_numpy()
    # The lowest image of each patient is negative.
    y = np.where(by_patient == 1, "NORMAL", "PNEUMONIA")
    certifier = read_all(RecallCertifier(model, random_state=0).fit(X, groups=groups), y)
    assert certifier.n_labelled_ == 160
    second = np.sort(X[by_patient == 2, 0])
    assert certifier.threshold_ in second[:2]


def test_reading_upwards_ends_at_the_threshold(model):
    X, y, _ = make_pool(500, 0.8, 2)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    while not certifier.finished_:
        rows = certifier.next_images(1)
        certifier.record(rows, y[rows])
    assert certifier.plan_ == "upwards"
    above = X[:, 0] > certifier.threshold_
    read = certifier._labels != -2
    sampled = np.isin(certifier.pool_.patients, certifier.pool_.order[:70])
    assert not np.any(read & above & ~sampled)


def test_rows_stay_the_same_until_they_are_recorded_in_any_order(model):
    X, y, _ = make_pool(300, 0.6, 0)
    whole = read_all(RecallCertifier(model, random_state=0).fit(X), y)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    rng = np.random.default_rng(0)
    while not certifier.finished_:
        rows = certifier.next_images(15)
        np.testing.assert_array_equal(certifier.next_images(15), rows)
        part = rng.permutation(rows)[: rng.integers(len(rows)) + 1]
        certifier.record(part, y[part])
    assert certifier.threshold_ == whole.threshold_
    assert certifier.next_images().size == 0


def test_equal_random_states_are_equal_and_others_differ(model):
    X, _, _ = make_pool(300, 0.6, 0)
    orders = [RecallCertifier(model, random_state=s).fit(X).next_images() for s in (0, 0, 1)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


def test_progress(model):
    X, y, _ = make_pool(1000, 0.7, 0)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    assert certifier.plan_ is None
    estimates = []
    while not certifier.finished_:
        assert certifier.n_remaining_ >= 1
        estimates.append(certifier.n_labelled_ + certifier.n_remaining_)
        rows = certifier.next_images()
        certifier.record(rows, y[rows])
    assert certifier.n_remaining_ == 0
    assert np.median(estimates) == pytest.approx(certifier.n_labelled_, rel=0.25)


# -- scores -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_threshold_has_the_type_of_the_scores(by_first_column, dtype):
    X, y, _ = make_pool(300, 0.6, 0)
    model = FrozenEstimator(by_first_column(dtype))
    certifier = read_all(RecallCertifier(model, random_state=0).fit(X), y)
    assert certifier.threshold_.dtype == dtype
    predicted = certifier.classifier_.predict(X) == "PNEUMONIA"
    np.testing.assert_array_equal(predicted, X[:, 0].astype(dtype) >= certifier.threshold_)
    assert predicted[X[:, 0].astype(dtype) == certifier.threshold_].all()


def test_ties_are_predicted_positive(model):
    X, y, _ = make_pool(300, 0.6, 0)
    certifier = read_all(RecallCertifier(model).fit(np.zeros_like(X)), y)
    assert certifier.threshold_ == 0
    assert (certifier.classifier_.predict(np.zeros_like(X)) == "PNEUMONIA").all()


# -- labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_unsure_readings_lower_the_threshold(model, missing):
    X, y, _ = make_pool(400, 0.75, 0)
    sure = read_all(RecallCertifier(model, random_state=0).fit(X), y)
    unsure = y.astype(object)
    pilot = sure.pool_.order[:20]
    doubtful = np.random.default_rng(0).random(len(y)) < 0.05
    doubtful[pilot] = False
    unsure[doubtful] = missing
    certifier = read_all(RecallCertifier(model, random_state=0).fit(X), unsure)
    assert certifier.plan_ == sure.plan_
    assert certifier.threshold_ <= sure.threshold_
    assert certifier.recall_lower_bound_ == 0.95


def test_unsure_readings_never_raise_the_threshold(model):
    """Whatever makes readers unsure, if the pilot is the same."""
    for seed in range(15):
        X, y, _ = make_pool(300, 0.45 + 0.03 * seed, seed)
        certifier = RecallCertifier(model, min_recall=0.9, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            sure = read_all(certifier.fit(X), y).threshold_
            unsure = y.astype(object)
            # Low positive and high negative images.
            doubtful = (X[:, 0] > 1) & (X[:, 0] < 3)
            doubtful[certifier.pool_.order[:20]] = False
            unsure[doubtful] = None
            assert read_all(certifier.fit(X), unsure).threshold_ <= sure


def test_an_unsure_reading_may_become_a_label(model):
    X, y, _ = make_pool(300, 0.6, 0)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    rows = certifier.next_images()
    certifier.record(rows, [None] * len(rows))
    certifier.record(rows, y[rows])
    assert certifier.n_labelled_ == len(rows)
    whole = read_all(RecallCertifier(model, random_state=0).fit(X), y)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    rows = certifier.next_images(5)
    certifier.record(rows, [None, *y[rows[1:]]]).record(rows[:1], y[rows[:1]])
    assert read_all(certifier, y).threshold_ == whole.threshold_


def test_labels_that_are_refused(model):
    X, y, _ = make_pool(300, 0.6, 0)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    rows = certifier.next_images()
    others = np.setdiff1d(np.arange(300), rows)[:2]
    first, other = rows[0], {"NORMAL": "PNEUMONIA", "PNEUMONIA": "NORMAL"}[y[rows[0]]]
    certifier.record([first], [y[first]])
    for wrong_rows, labels, message in (
        (others, y[others], "were not asked for"),
        ([-1], ["NORMAL"], "were not asked for"),
        ([300], ["NORMAL"], "were not asked for"),
        (rows, np.full(20, "virus"), "labels that are not known here"),
        ([first], [other], "is labelled"),
        ([first], [None], "and unsure"),
        (rows[[1, 1]], ["NORMAL", "PNEUMONIA"], "is labelled"),
        (rows, y[rows][:5], "inconsistent numbers of samples"),
        ([0.5], ["NORMAL"], "must be row numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            certifier.record(wrong_rows, labels)
        assert certifier.n_labelled_ == 1
    certifier.record([first], [y[first]])  # the same once more
    certifier.record([], [])
    assert certifier.n_labelled_ == 1


@pytest.mark.parametrize("n_positive", [1, 30])
def test_too_few_positive_patients(model, n_positive):
    X, _, _ = make_pool(250, 0, 0)
    y = np.repeat(["PNEUMONIA", "NORMAL"], [n_positive, 250 - n_positive])
    certifier = RecallCertifier(model, random_state=0).fit(X)
    with pytest.warns(UserWarning, match=r"too few to certify min_recall=0\.95.*at least 59"):
        read_all(certifier, y)
    # Those of the pilot are not counted.
    n_counted = n_positive - np.sum(y[certifier.pool_.order[:20]] == "PNEUMONIA")
    assert certifier.classifier_.n_positive_units_ == n_counted
    assert certifier.recall_lower_bound_ == pytest.approx(0.05 ** (1 / n_counted))
    assert certifier.n_labelled_ == 250


def test_no_positive_patient(model):
    X, y, _ = make_pool(250, 0, 0)
    certifier = RecallCertifier(model, random_state=0).fit(X)
    with pytest.warns(UserWarning, match="nothing is certified"):
        read_all(certifier, y)
    assert np.isnan(certifier.threshold_)
    assert certifier.recall_lower_bound_ == 0
    with pytest.raises(ValueError, match="No patient of the pool is positive"):
        _ = certifier.classifier_


# -- the API of estimators --------------------------------------------------------------------


def test_wrong_use(model):
    X, _, _ = make_pool(60, 0.5, 0)
    certifier = RecallCertifier(model)
    with pytest.raises(NotFittedError):
        certifier.next_images()
    certifier.fit(X)
    for name in ("threshold_", "recall_lower_bound_", "classifier_"):
        with pytest.raises(NotFittedError, match="labels are not complete"):
            getattr(certifier, name)
    with pytest.raises(ValueError, match="n must be a whole number"):
        certifier.next_images(0)
    with pytest.raises(NotFittedError):
        RecallCertifier(LogisticRegression()).fit(X)
    for wrong in ({"min_recall": 1}, {"confidence": 0}, {"random_state": "a"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            RecallCertifier(model, **wrong).fit(X)
    with pytest.raises(ValueError, match="groups holds no value for 1"):
        certifier.fit(X, groups=[None, *range(59)])


def test_clone_keeps_a_frozen_model(model):
    X, _, _ = make_pool(60, 0.5, 0)
    certifier = clone(RecallCertifier(model, min_recall=0.9))
    assert not hasattr(certifier, "pool_")
    assert certifier.fit(X).min_recall == 0.9


def test_the_model_of_the_site(model):
    X, y, groups = make_pool(200, 0.6, 0, n_images=2)
    certifier = read_all(RecallCertifier(model, min_recall=0.9).fit(X, groups=groups), y)
    classifier = certifier.classifier_
    assert isinstance(classifier, CertifiedClassifier)
    assert unwrap(classifier).threshold == certifier.threshold_
    assert classifier.get_certified_target() == ("recall_of_patients", 0.9)
    assert classifier.describe_threshold().startswith(
        "a recall of 90% of patients certified with 95% confidence on "
    )
    assert classifier.images_per_patient_ == 2
    X, y, groups = make_pool(100, 0.5, 1, n_images=2)
    report = evaluate(classifier, X, y, groups=groups)
    assert report.provenance.certified_target == ("recall_of_patients", 0.9)
    assert f"of {classifier.n_images_} images" in str(report).replace("\n", " ")
    with pytest.raises(TypeError, match="classifier_ of a RecallCertifier"):
        classifier.fit(X, y)


# -- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_recorded", [0, 10, 25, 100])
def test_a_state_goes_on(model, tmp_path, n_recorded):
    X, y, groups = make_pool(300, 0.7, 0, n_images=2)
    whole = read_all(RecallCertifier(model, random_state=0).fit(X, groups=groups), y, 10)
    certifier = RecallCertifier(model, random_state=0).fit(X, groups=groups)
    for _ in range(n_recorded // 5):
        rows = certifier.next_images(5)
        certifier.record(rows, y[rows])
    rows = certifier.next_images(8)
    certifier.save(tmp_path / "state.json")
    loaded = RecallCertifier.load(tmp_path / "state.json", model, X, groups=groups)
    loaded.record(rows, y[rows])
    assert loaded.n_labelled_ == certifier.n_labelled_ + len(rows)
    assert read_all(loaded, y).threshold_ == whole.threshold_
    assert "patient 1" not in (tmp_path / "state.json").read_text()


def test_states_of_others_are_refused(model, by_first_column, tmp_path):
    X, _, groups = make_pool(300, 0.7, 0, n_images=2)
    path = tmp_path / "state.json"
    RecallCertifier(model, random_state=0).fit(X, groups=groups).save(path)
    other = FrozenEstimator(by_first_column("float32"))
    for wrong, message in (
        ((other, X, groups), "another model"),
        ((model, X[::-1], groups), "another pool"),
        ((model, X[:-1], groups[:-1]), "another pool"),
        ((model, X, None), "another pool"),
    ):
        estimator, images, patients = wrong
        with pytest.raises(ValueError, match=message):
            RecallCertifier.load(path, estimator, images, groups=patients)


def test_damaged_states_are_refused(model, tmp_path):
    X, _, _ = make_pool(60, 0.7, 0)
    path = tmp_path / "state.json"
    RecallCertifier(model, random_state=0).fit(X).save(path)
    state = json.loads(path.read_text())
    for text in ("", "[]", '{"format": "other"}', path.read_bytes()[:200].decode(), "\x00"):
        path.write_text(text)
        with pytest.raises(ValueError, match="holds no state of a RecallCertifier"):
            RecallCertifier.load(path, model, X)
    for change in (
        {"labels": [5] * 60},
        {"labels": state["labels"][1:]},
        {"order": state["order"][1:]},
        {"requested": [60]},
        {"scores": "abc"},
        {"dtype": "O"},
        {"draw": 2.0},
        {"plan": {"kind": "other"}},
        {"min_recall": 7.0},
        {"extra": 1},
    ):
        path.write_text(json.dumps(state | change))
        with pytest.raises(ValueError, match="is damaged"):
            RecallCertifier.load(path, model, X)


def test_the_model_of_the_site_as_a_file(tmp_path):
    xrays = make_xrays(120, image_size=(34, 32), random_state=0)
    cnn = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    cnn.fit(xrays.images[:40], xrays.target[:40])
    pool = slice(40, None)
    certifier = RecallCertifier(FrozenEstimator(cnn), min_recall=0.8, random_state=0)
    certifier.fit(xrays.images[pool], groups=xrays.groups[pool])
    classifier = read_all(certifier, xrays.target[pool]).classifier_
    save_model(classifier, tmp_path / "local.skpneumo")
    loaded = load_model(tmp_path / "local.skpneumo")
    assert loaded.describe_threshold() == classifier.describe_threshold()
    assert loaded.best_threshold_ == classifier.best_threshold_
    np.testing.assert_array_equal(loaded.predict(xrays.images), classifier.predict(xrays.images))
    save_model(loaded, tmp_path / "again.skpneumo")
    certifier.save(tmp_path / "state.json")
    assert RecallCertifier.load(
        tmp_path / "state.json",
        FrozenEstimator(cnn),
        xrays.images[pool],
        groups=xrays.groups[pool],
    ).finished_


def test_parameters_that_are_set_later_change_nothing(model):
    X, y, _ = make_pool(250, 0.6, 0)
    whole = read_all(RecallCertifier(model, random_state=0).fit(X), y)
    certifier = RecallCertifier(model, random_state=0).fit(X).set_params(min_recall=0.5)
    read_all(certifier, y)
    assert certifier.threshold_ == whole.threshold_
    assert certifier.classifier_.recall_lower_bound_ == 0.95


def test_a_model_that_cannot_be_pickled_is_refused():
    X, y = make_classification(300, random_state=0)
    model = make_pipeline(FunctionTransformer(lambda X: X), LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match="instead of a lambda"):
        RecallCertifier(FrozenEstimator(model)).fit(X)


def test_corrected_labels_after_a_reset_are_those_from_the_start():
    X, y = make_classification(600, class_sep=1.5, random_state=0)
    model = FrozenEstimator(LogisticRegression().fit(X, y))
    corrected, wrong = (RecallCertifier(model, random_state=0).fit(X) for _ in range(2))
    while not corrected.finished_:
        corrected.record(rows := corrected.next_images(20), y[rows])
    rows = wrong.next_images(20)
    wrong.record(rows, 1 - y[rows])
    with pytest.raises(ValueError, match=r"call reset, and record all labels again"):
        wrong.record(rows, y[rows])
    wrong.reset().record(rows, y[rows])
    while not wrong.finished_:
        wrong.record(rows := wrong.next_images(20), y[rows])
    assert wrong.threshold_ == corrected.threshold_
    assert wrong.n_labelled_ == corrected.n_labelled_


def test_labels_of_a_series_of_texts():
    X, y = make_classification(300, random_state=0)
    y = pd.Series(np.where(y == 1, "PNEUMONIA", "NORMAL"), dtype=object)
    model = FrozenEstimator(LogisticRegression().fit(X, y))
    certifier = RecallCertifier(model, random_state=0).fit(X)
    rows = certifier.next_images(1)
    with pytest.raises(ValueError, match="'NORMAL' and 'PNEUMONIA'"):
        certifier.record([*rows, *rows], ["NORMAL", "PNEUMONIA"])


def test_the_draw_depends_on_the_scores_and_not_on_the_seed_alone():
    X, y = make_classification(400, random_state=0)
    model = FrozenEstimator(LogisticRegression().fit(X, y))
    draws = {
        RecallCertifier(model, random_state=seed).fit(X[rows])._target.draw
        for seed in (0, 1)
        for rows in (slice(0, 200), slice(200, 400))
    }
    assert len(draws) == 2


def test_patients_in_the_place_of_labels_are_refused():
    X, y = make_classification(300, random_state=0)
    model = FrozenEstimator(LogisticRegression().fit(X, y))
    with pytest.raises(TypeError, match=r"Pass the patients as groups="):
        RecallCertifier(model).fit(X, np.arange(300))


def test_specificity_is_that_of_new_patients(by_first_column):
    """What the certified recall costs, by the negative patients of the random samples."""
    rng = np.random.default_rng(5)
    y = np.where(np.arange(3000) < 2100, "NORMAL", "PNEUMONIA")
    X = rng.normal(2.5 * (y == "PNEUMONIA")[:, None], 1, (3000, 1))
    certifier = RecallCertifier(by_first_column(), random_state=0).fit(X)
    with pytest.raises(NotFittedError, match="not complete"):
        certifier.estimate_specificity()
    while not certifier.finished_:
        rows = certifier.next_images(50)
        certifier.record(rows, y[rows])
    found = certifier.estimate_specificity()
    truth = norm.cdf(float(certifier.threshold_))
    assert found.low < truth < found.high
    assert found.low < found.value < found.high
    assert 20 < found.n < certifier.n_labelled_


def test_specificity_counts_a_patient_by_the_highest_image(by_first_column):
    """In a pool that is read as a whole, the estimate is the proportion itself."""
    rng = np.random.default_rng(6)
    patient = np.repeat(np.arange(120), 2)
    y = np.where(patient < 40, "NORMAL", "PNEUMONIA")
    X = rng.normal(2.0 * (y == "PNEUMONIA")[:, None], 1, (240, 1))
    certifier = RecallCertifier(by_first_column(), random_state=0).fit(X, groups=patient)
    while not certifier.finished_:
        rows = certifier.next_images(7)
        certifier.record(rows, y[rows])
    highest = X[patient < 40, 0].reshape(40, 2).max(axis=1)
    found = certifier.estimate_specificity()
    assert found.n == 40
    assert found.value == np.mean(highest < certifier.threshold_)
