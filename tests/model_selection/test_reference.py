"""The scores that travel with a model: `reference_` and `make_reference`."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skpneumo.model_selection import OperatingPointClassifierCV
from skpneumo.model_selection._reference import make_reference
from skpneumo.sites import TriageClassifierCV


@pytest.fixture
def scored():
    """Labels, scores and patients of 60 images of 20 patients."""
    rng = np.random.default_rng(0)
    patient = rng.integers(20, size=60)
    return patient % 2 == 0, rng.random(60, dtype=np.float32), np.array([f"p{i}" for i in patient])


def by_patient(reference):
    """The images of each patient, whatever its number."""
    columns = zip(*reference.values(), strict=True)
    found = {}
    for label, score, patient in columns:
        found.setdefault(int(patient), []).append((bool(label), float(score)))
    return sorted(sorted(images) for images in found.values())


def test_every_image_stays_with_its_patient(scored):
    y_true, y_score, groups = scored
    reference = make_reference(y_true, y_score, groups)
    expected = {"y_true": y_true, "y_score": y_score}
    expected["patient"] = np.unique(groups, return_inverse=True)[1]
    assert by_patient(reference) == by_patient(expected)
    assert set(reference) == {"y_true", "y_score", "patient"}
    assert [reference[name].dtype for name in reference] == [bool, np.float32, np.int32]


def test_without_groups_each_image_is_a_patient(scored):
    y_true, y_score, _ = scored
    reference = make_reference(y_true, y_score)
    np.testing.assert_array_equal(reference.patient, np.arange(60))
    np.testing.assert_array_equal(reference.y_score, np.sort(y_score))


def test_neither_names_nor_their_order_can_be_recovered(scored):
    y_true, y_score, groups = scored
    reference = make_reference(y_true, y_score, groups)
    rng = np.random.default_rng(1)
    for _ in range(5):
        # Other names in another order, of other files.
        names = dict(zip(groups, rng.permutation(10**6)[: len(groups)], strict=True))
        renamed = np.array([names[name] for name in groups])
        order = rng.permutation(60)
        again = make_reference(y_true[order], y_score[order], renamed[order])
        for name, column in reference.items():
            np.testing.assert_array_equal(again[name], column)


def test_no_more_images_than_the_limit_and_patients_are_whole(scored):
    y_true, y_score, groups = scored
    whole = by_patient(make_reference(y_true, y_score, groups))
    for limit in (60, 59, 31, 7):
        reference = make_reference(y_true, y_score, groups, max_images=limit)
        kept = by_patient(reference)
        assert limit - 8 <= len(reference.y_true) <= limit
        assert all(images in whole for images in kept)
        np.testing.assert_array_equal(np.unique(reference.patient), np.arange(len(kept)))
    one = make_reference(y_true, y_score, np.zeros(60), max_images=7)
    assert len(one.y_true) == 60


def test_the_patients_that_are_kept_are_a_random_part():
    n = 20_000
    y_true = np.arange(n) < 6000
    reference = make_reference(y_true, np.arange(n, dtype=float))
    assert len(reference.y_true) == 5000
    assert np.mean(reference.y_true) == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 5000))
    assert np.median(reference.y_score) == pytest.approx(n / 2, abs=n / 20)


LENIENT = {"min_recall": 0.8, "confidence": 0.9}


@pytest.mark.parametrize(
    "make", [OperatingPointClassifierCV, lambda *args, **params: TriageClassifierCV(
        *args, min_specificity=0.8, **params)]
)  # fmt: skip
@pytest.mark.parametrize("frozen", [False, True])
def test_classifiers_keep_the_scores_that_the_threshold_was_chosen_by(make, frozen):
    X, y = make_classification(400, random_state=0)
    names = np.array([f"patient {i // 2}" for i in range(200)])
    inner = LogisticRegression()
    if frozen:
        inner = FrozenEstimator(inner.fit(X[200:], y[200:]))
    model = make(inner, **LENIENT).fit(X[:200], y[:200], groups=names)
    reference = model.reference_
    # Left out: none is by the final model, unless it was fitted before.
    final = model.predict_proba(X[:200])[:, 1]
    assert set(reference.y_score).issubset(final) is frozen
    assert reference.y_true.sum() == y[:200].sum()
    assert len(np.unique(reference.patient)) == 100
    assert model.best_threshold_ in reference.y_score
    assert not any("patient " in str(column) for column in reference.values())
