"""Warnings of data and estimators for which the certified recall does not hold."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpneumo.images import XRaySequence
from skpneumo.metrics import recall_scorer
from skpneumo.model_selection import OperatingPointClassifierCV


class ByName(ClassifierMixin, BaseEstimator):
    """Scores paths by the number before the extension."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.array([float(os.path.splitext(os.fsdecode(path))[0][-3:]) for path in X])


class ByPath(ByName):
    def decision_function(self, X):
        return super().decision_function(X.paths)


def names(n_patients, n_images=80):
    return [f"train/person{i % n_patients}_virus_{i:03}.jpeg" for i in range(n_images)]


@pytest.mark.parametrize(
    "container",
    [list, tuple, np.array, pd.Series, XRaySequence, lambda n: list(map(Path, n))],
)
def test_file_names_of_repeated_patients_without_groups_warn(container):
    y = np.repeat([0, 1], [20, 60])
    model = OperatingPointClassifierCV(ByName(), min_recall=0.8)
    message = (
        r"groups=None .* names of 80 files are those of 40 patient.s., such as virus-0 with 2 "
        "images.*6 to 24 %.*Pass the patient of each image as groups"
    )
    X = names(40)
    if container is XRaySequence:
        model.set_params(estimator=ByPath())
    with pytest.warns(UserWarning, match=message):
        model.fit(container(X), y)
    groups = np.arange(80) % 40
    model.fit(container(X), y, groups=groups)
    model.fit(container(names(80)), y)
    model.set_params(confidence=None).fit(container(X), y)
    model.set_params(min_recall=None, missed_cost=3).fit(container(X), y)


@pytest.mark.parametrize(
    "X",
    [
        [f"scan-{i // 2}-{i:03}.png" for i in range(80)],
        [f"IM_{i:03}.dcm" for i in range(80)],
        [f"{i:03}" for i in range(80)],
        # Programs that export DICOM files count them in each folder.
        [f"patient-{i // 2}/IM-0001-{i:04}.dcm" for i in range(80)],
        [f"site-{i}/normal-1-{i:03}.png" for i in range(80)],
    ],
)
def test_file_names_without_a_patient_do_not_warn(X):
    OperatingPointClassifierCV(ByName(), min_recall=0.8).fit(X, np.repeat([0, 1], [20, 60]))


GRID = {"C": [0.1, 1]}


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "LogisticRegression"),
        (FixedThresholdClassifier(LogisticRegression()), "FixedThresholdClassifier"),
        (BaggingClassifier(LogisticRegression(), 2, random_state=0), "BaggingClassifier"),
    ],
)
def test_a_fitted_estimator_warns_that_it_may_have_been_selected(table, estimator, name):
    X, y, _ = table
    model = OperatingPointClassifierCV(estimator, min_recall=0.8, cv=2).fit(X, y)
    fitted = clone(estimator).fit(X, y)
    message = (
        f"^{name} is fitted already.*15 % did with the best of 7 candidates and 28 % with the best "
        r"of 40.*Pass the search itself.*FrozenEstimator.*sklearn\.base\.clone"
    )
    with pytest.warns(UserWarning, match=message):
        same = OperatingPointClassifierCV(fitted, min_recall=0.8, cv=2).fit(X, y)
    assert same.best_threshold_ == model.best_threshold_
    for options in ({"confidence": None}, {"min_recall": None, "missed_cost": 3}):
        OperatingPointClassifierCV(fitted, **{"cv": 2, "min_recall": 0.8} | options).fit(X, y)
    OperatingPointClassifierCV(clone(fitted), min_recall=0.8, cv=2).fit(X, y)


@pytest.mark.parametrize("around", [CalibratedClassifierCV, TunedThresholdClassifierCV])
def test_a_fitted_estimator_inside_another_warns(table, around):
    X, y, _ = table
    best = GridSearchCV(LogisticRegression(), GRID, cv=2).fit(X, y).best_estimator_
    options = {"scoring": recall_scorer} if around is TunedThresholdClassifierCV else {}
    with pytest.warns(UserWarning, match="^LogisticRegression is fitted already"):
        OperatingPointClassifierCV(around(best, cv=2, **options), min_recall=0.8, cv=2).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [
        GridSearchCV(LogisticRegression(), GRID, cv=2),
        make_pipeline(StandardScaler(), GridSearchCV(LogisticRegression(), GRID, cv=2)),
        OperatingPointClassifierCV(LogisticRegression(), min_recall=0.5, cv=2),
        RidgeClassifierCV(cv=2),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        FrozenEstimator(LogisticRegression()),
    ],
)
def test_a_fitted_estimator_that_selects_again_in_each_split_does_not_warn(table, estimator):
    X, y, _ = table
    if isinstance(estimator, FrozenEstimator):
        estimator = FrozenEstimator(LogisticRegression().fit(X, y))
    fitted = estimator.fit(X, y)
    OperatingPointClassifierCV(fitted, min_recall=0.8, cv=2).fit(X, y)
