import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skpneumo import OperatingPointClassifierCV
from skpneumo._utils.provenance import describe_threshold
from skpneumo._utils.unwrap import check_not_several, get_transformers, unwrap
from skpneumo.evaluation import evaluate
from skpneumo.metrics import specificity_score
from skpneumo.model_selection import LogOddsMeanClassifier

DEFAULT = "scikit-learn's default"
SCORER = make_scorer(specificity_score, pos_label="PNEUMONIA")


def pipeline():
    return make_pipeline(StandardScaler(), LogisticRegression())


WRAPPED = {
    "plain": (LogisticRegression(), ["LogisticRegression"], 0.5, DEFAULT),
    "decision values": (LinearSVC(), ["LinearSVC"], 0.0, DEFAULT),
    "pipeline": (pipeline(), ["Pipeline", "LogisticRegression"], 0.5, DEFAULT),
    "search": (
        GridSearchCV(pipeline(), {"logisticregression__C": [0.1, 1]}, cv=2),
        ["GridSearchCV", "Pipeline", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "fixed": (
        FixedThresholdClassifier(pipeline(), threshold=0.3),
        ["FixedThresholdClassifier", "Pipeline", "LogisticRegression"],
        0.3,
        "parameter of FixedThresholdClassifier",
    ),
    "fixed by default": (
        FixedThresholdClassifier(
            FixedThresholdClassifier(LogisticRegression(), threshold=0.3), threshold="auto"
        ),
        ["FixedThresholdClassifier", "FixedThresholdClassifier", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "tuned": (
        TunedThresholdClassifierCV(LogisticRegression(), scoring=SCORER, cv=2),
        ["TunedThresholdClassifierCV", "LogisticRegression"],
        None,
        "chosen by TunedThresholdClassifierCV",
    ),
    "calibrated, whatever was set inside": (
        CalibratedClassifierCV(FixedThresholdClassifier(LogisticRegression(), threshold=0.3), cv=2),
        ["CalibratedClassifierCV", "FixedThresholdClassifier", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "mean, whatever was set inside": (
        LogOddsMeanClassifier(
            [("a", FixedThresholdClassifier(LogisticRegression(), threshold=0.3))]
        ),
        ["LogOddsMeanClassifier", "FixedThresholdClassifier", "LogisticRegression"],
        0.5,
        DEFAULT,
    ),
    "bagging is no wrapper": (
        BaggingClassifier(n_estimators=2),
        ["BaggingClassifier"],
        0.5,
        DEFAULT,
    ),
    "operating point": (
        OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3, refit=True),
        ["OperatingPointClassifierCV", "Pipeline", "LogisticRegression"],
        None,
        "a recall of 90% of images certified approximately with 95% confidence on 60 positive "
        "images, by out-of-fold scores",
    ),
    "operating point of folds": (
        OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3),
        ["OperatingPointClassifierCV", "FoldMeanClassifier", "Pipeline", "LogisticRegression"],
        None,
        "a recall of 90% of images certified approximately with 95% confidence on 60 positive "
        "images, by out-of-fold scores",
    ),
    "operating point by specificity": (
        OperatingPointClassifierCV(
            LogisticRegression(), min_recall=None, min_specificity=0.8, confidence=None, cv=3
        ),
        ["OperatingPointClassifierCV", "FoldMeanClassifier", "LogisticRegression"],
        None,
        "a specificity of 80% on 30 negative images, by out-of-fold scores; nothing certified",
    ),
    "operating point by cost": (
        OperatingPointClassifierCV(LogisticRegression(), min_recall=None, missed_cost=7, cv=3),
        ["OperatingPointClassifierCV", "FoldMeanClassifier", "LogisticRegression"],
        None,
        "least cost, with a false negative as bad as 7 false positives, by out-of-fold scores",
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrappers_and_threshold(name, train, new):
    model, names, threshold, origin = WRAPPED[name]
    model.fit(train.X, train.y)
    frozen = FrozenEstimator(model)
    nested = unwrap(frozen)
    found = [type(one).__name__ for one in (*nested.wrappers, nested.classifier)]
    assert found == names
    if threshold is None:
        threshold = model.best_threshold_
    assert nested.threshold == threshold
    assert (nested.threshold_source is None) == (origin == DEFAULT)
    assert describe_threshold(frozen).startswith(origin)
    # It is the threshold that predict uses: else it would be NaN.
    assert evaluate(frozen, new.X, new.y).threshold == threshold


def test_models_of_folds_are_branches(train):
    model = OperatingPointClassifierCV(pipeline(), min_recall=0.9, cv=3, refit=False)
    model.fit(train.X, train.y)
    nested = unwrap(model)
    folds = model.estimator_.fold_estimators_
    assert nested.classifiers == tuple(fold[-1] for fold in folds)
    assert nested.fitted_parts == tuple(fold[0] for fold in folds)
    assert [get_transformers(branch) for branch in nested.branches] == [[fold[0]] for fold in folds]


def test_calibrators_and_steps_are_fitted_parts(train):
    calibrated = CalibratedClassifierCV(pipeline(), cv=2).fit(train.X, train.y)
    first, second = calibrated.calibrated_classifiers_
    nested = unwrap(FrozenEstimator(calibrated))
    assert nested.fitted_parts == (
        first.calibrators,
        second.calibrators,
        first.estimator[0],
        second.estimator[0],
    )
    assert nested.classifiers == (first.estimator[-1], second.estimator[-1])


def test_several_networks_are_refused(train):
    calibrated = CalibratedClassifierCV(LogisticRegression(), cv=2)
    folds = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.9, cv=3)
    mean = LogOddsMeanClassifier([("a", LogisticRegression()), ("b", LogisticRegression(C=0.1))])
    for model, message in (
        (calibrated, "CalibratedClassifierCV holds 2 networks side by side"),
        (mean, r"LogOddsMeanClassifier holds 2 .*averaged_estimators_\[0\]\."),
        (folds, r"FoldMeanClassifier holds 3 .*fold_estimators_\[0\] of the operating point"),
    ):
        with pytest.raises(TypeError, match=message):
            check_not_several(unwrap(model.fit(train.X, train.y)))
    check_not_several(unwrap(folds), allow_means=True)
    outer = CalibratedClassifierCV(folds, cv=2).fit(train.X, train.y)
    with pytest.raises(TypeError, match="CalibratedClassifierCV holds 2"):
        check_not_several(unwrap(outer), allow_means=True)
