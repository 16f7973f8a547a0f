"""Each image is scored by a model that was fitted without it."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB

from skpneumo.model_selection import OperatingPointClassifierCV

LABELS = np.array(["NORMAL", "PNEUMONIA"])


def test_each_image_is_scored_by_a_model_that_did_not_see_it(table):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, refit=True).fit(X, y)
    out = cross_val_predict(LogisticRegression(), X, y, cv=5, method="predict_proba")[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    whole = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(model.decision_function(X), whole.decision_function(X))
    y_pred = whole.predict_proba(X)[:, 1] >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X), LABELS[y_pred.astype(int)])


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(
    ("cv", "splitter"),
    [
        (None, StratifiedGroupKFold(5)),
        (3, StratifiedGroupKFold(3)),
        (GroupKFold(4), GroupKFold(4)),
        ("splits", GroupKFold(4)),
    ],
)
def test_the_images_of_a_patient_are_kept_together(table, cv, splitter, routing):
    X, y, groups = table
    if cv == "splits":
        cv = splitter.split(X, y, groups)
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=cv)
    with config_context(enable_metadata_routing=routing):
        model.fit(X, y, groups=groups)
    out = cross_val_predict(
        LogisticRegression(), X, y, cv=splitter, groups=groups, method="predict_proba"
    )[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    assert model.n_positive_units_ == len(np.unique(groups[y == "PNEUMONIA"]))


def test_sample_weights_reach_every_fit(table, rng):
    X, y, _ = table
    weight = rng.exponential(1, 300)
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, cv=3, refit=True)
    model.fit(X, y, sample_weight=weight)
    out = np.empty(300)
    for train, test in StratifiedKFold(3).split(X, y):
        part = LogisticRegression().fit(X[train], y[train], sample_weight=weight[train])
        out[test] = part.predict_proba(X[test])[:, 1]
    np.testing.assert_array_equal(model.curve_.threshold, np.unique(out))
    whole = LogisticRegression().fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.estimator_.coef_, whole.coef_)


def test_class_weights_by_text_labels(table):
    X, y, _ = table
    named, numbered = (
        OperatingPointClassifierCV(
            LogisticRegression(class_weight={label: 5}), cv=3, min_recall=0.9
        )
        for label in ("PNEUMONIA", 1)
    )
    named.fit(X, y)
    numbered.fit(X, (y == "PNEUMONIA").astype(int))
    np.testing.assert_array_equal(named.curve_.threshold, numbered.curve_.threshold)
    assert named.best_threshold_ == numbered.best_threshold_
    assert set(named.predict(X)) == set(LABELS)


def test_n_jobs_does_not_change_the_threshold(table):
    X, y, groups = table
    one, two = (
        OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, n_jobs=n_jobs)
        for n_jobs in (None, 2)
    )
    one.fit(X, y, groups=groups)
    two.fit(X, y, groups=groups)
    assert one.best_threshold_ == two.best_threshold_
    np.testing.assert_array_equal(one.curve_.threshold, two.curve_.threshold)


class Counter(LogisticRegression):
    """Counts fits."""

    sizes = []

    def fit(self, X, y):
        self.sizes.append(len(X))
        return super().fit(X, y)


def test_the_number_of_fits_is_that_of_the_splits_and_of_the_refit(table):
    X, y, _ = table
    del Counter.sizes[:]
    OperatingPointClassifierCV(Counter(), min_recall=0.9, cv=3).fit(X, y)
    assert Counter.sizes == [200, 200, 200]
    del Counter.sizes[:]
    OperatingPointClassifierCV(Counter(), min_recall=0.9, cv=3, refit=True).fit(X, y)
    assert sorted(Counter.sizes) == [200, 200, 200, 300]


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored by StratifiedKFold")
@pytest.mark.parametrize("routing", [False, True])
def test_a_splitter_that_separates_images_of_a_patient_is_refused(table, routing):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=StratifiedKFold(3))
    with config_context(enable_metadata_routing=routing):
        with pytest.raises(
            ValueError, match=r"cv has images of \d+ patients.*StratifiedGroupKFold"
        ):
            model.fit(X, y, groups=groups)
        model.fit(X, y, groups=np.arange(300))


@pytest.mark.parametrize(
    "cv",
    [ShuffleSplit(4, test_size=0.25), [([0, 299], [1, 298])], RepeatedKFold(n_repeats=2), []],
)
def test_a_cv_that_does_not_leave_out_each_image_once_is_refused(table, cv):
    X, y, _ = table
    model = OperatingPointClassifierCV(LogisticRegression(), cv=cv, min_recall=0.8)
    with pytest.raises(ValueError, match=r"cv must leave out each of the 300 images once, got"):
        model.fit(X, y)


def test_a_fold_without_one_of_the_classes_is_refused(table):
    X, y, _ = table  # sorted: the first training part holds the positive ones only
    model = OperatingPointClassifierCV(GaussianNB(), cv=KFold(2), min_recall=0.8)
    message = r"GaussianNB.predict_proba returns .* shape \(90, 1\).*StratifiedGroupKFold"
    with pytest.raises(ValueError, match=message):
        model.fit(X[60:240], y[60:240])
