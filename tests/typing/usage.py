"""Public usage, for type checkers: ``mypy`` and ``pyright``, which read only this file.

What is wrong carries ``type: ignore``; both report an ignored error that is none.
"""

from pathlib import Path
from typing import assert_type

import keras
import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

import skpneumo
from skpneumo import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    OperatingPointClassifierCV,
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayOverSampler,
    XRayResizer,
    load_model,
    load_pretrained,
    save_model,
)
from skpneumo.datasets import Audit, audit, load_xray_folder, make_xrays
from skpneumo.evaluation import Estimate, Evaluation, evaluate
from skpneumo.exceptions import ImageReadError
from skpneumo.images import XRaySequence, read_xray
from skpneumo.inspection import GradCAMDisplay, LearningHistoryDisplay
from skpneumo.metrics import SCORERS, recall_scorer, specificity_at_recall_score
from skpneumo.model_selection import HighestSpecificity, choose_candidate
from skpneumo.persistence import model_card, pretrained_path
from skpneumo.sites import (
    RecallCertifier,
    RecallMonitor,
    SiteCheck,
    TriageClassifierCV,
    check_site,
    plan_labels,
)


def train_and_evaluate(images: np.ndarray, y: np.ndarray, groups: list[str]) -> None:
    """Arrays, patients, fitted attributes and results."""
    clf = CNNPneumoniaClassifier(
        image_size=(96, 88),
        class_weight={"NORMAL": 1, "PNEUMONIA": 4},
        augmentation=XRayAugmenter(rotation=5),
        validation=StratifiedGroupKFold(5),
        memory=Path("fits"),
        random_state=np.random.RandomState(0),
    )
    assert_type(clf.fit(images, y, groups=groups), CNNPneumoniaClassifier)
    assert_type(clf.partial_fit(images, y), CNNPneumoniaClassifier)
    assert_type(clf.predict_proba([Path("a.jpeg"), Path("b.dcm")]), np.ndarray)
    assert_type(clf.score(images, y), float)
    assert_type(clf.history_, dict[str, list[float]])
    assert_type(clf.filters_, tuple[int, ...])
    clf.model_.count_params()
    clf.set_params(callbacks=[keras.callbacks.CSVLogger("log.csv")])
    CNNPneumoniaClassifier(callbacks=[keras.callbacks.CSVLogger("log.csv")]).fit(images, y)
    report = evaluate(clf, images, y, groups=groups)
    assert_type(report, Evaluation)
    assert_type(report.metrics["recall"], Estimate)
    assert_type(report.n_patients, int | None)
    assert_type(report.compare(report), dict[str, Estimate])
    InceptionPneumoniaClassifier(weights="imagenet", trainable="head").fit(["a.png"], [1])

    CNNPneumoniaClassifier(treshold=0.4)  # type: ignore
    CNNPneumoniaClassifier(threshold="low")  # type: ignore
    CNNPneumoniaClassifier(trainable="blocks")  # type: ignore
    InceptionPneumoniaClassifier(filters=(4, 8))  # type: ignore
    clf.fit(images, y, group=groups)  # type: ignore
    evaluate(clf, images, y, group=groups)  # type: ignore
    report.save(3)  # type: ignore
    report.metrics["recall"].upper  # type: ignore
    report.to_jsn()  # type: ignore


def search(folder: str) -> None:
    """Folders, searches, operating points and files."""
    train = load_xray_folder(folder, on_error="skip")
    assert_type(audit(train), Audit)
    clf = CNNPneumoniaClassifier(random_state=0)
    found = GridSearchCV(clf, {"threshold": [0.3, 0.5]}, scoring=SCORERS["f2"])
    found.fit(train.paths, train.target, groups=train.groups)
    assert_type(choose_candidate(found.cv_results_)[1], str)
    assert_type(HighestSpecificity(min_recall=0.98)(found.cv_results_), int)
    model = OperatingPointClassifierCV(found, min_recall=0.98, cv=StratifiedGroupKFold(5))
    model = model.fit(train.paths, train.target, groups=train.groups)
    assert_type(model.best_threshold_, float)
    assert_type(model.recall_lower_bound_, float)
    assert_type(model.describe_threshold(), str)
    recall_scorer(model, train.paths, train.target)
    assert_type(specificity_at_recall_score([0, 1, 1], [0.1, 0.4, 0.8], min_recall=0.9), float)
    save_model(model, "model.skpneumo", training_data=(train.paths, train.target))
    load_model(Path("model.skpneumo")).predict(["a.jpeg"])
    load_pretrained("cnn")[-1].set_operating_point(min_recall=0.95)
    assert_type(model_card(pretrained_path("mean")), str)

    OperatingPointClassifierCV(found, recall=0.98)  # type: ignore
    load_xray_folder(folder, on_error="ignore")  # type: ignore
    load_pretrained("resnet")  # type: ignore
    save_model(model)  # type: ignore
    specificity_at_recall_score([0, 1], [0.1, 0.4], recall=0.9)  # type: ignore


def transform(images: np.ndarray, paths: list[str], y: list[str]) -> None:
    """Transformers, images and displays."""
    sequence = XRaySequence(paths, size=(96, 88))
    assert_type(sequence[0], np.ndarray)
    assert_type(sequence[1:], XRaySequence)
    assert_type(sequence.find_unreadable(), dict[str, ImageReadError])
    assert_type(read_xray("a.dcm", size=(64, 48), aspect="pad"), np.ndarray)
    XRayResizer((128, 112)).transform(XRayLoader().fit(paths).transform(paths))
    XRayOverSampler(sampling_strategy=0.5, random_state=0).fit_resample(sequence, y)
    assert_type(XRayOutlierDetector().fit(sequence).outlier_score(images), np.ndarray)
    clf = CNNPneumoniaClassifier().fit(sequence, y)
    assert_type(GradCAMDisplay.from_estimator(clf, "a.jpeg").plot(), GradCAMDisplay)
    assert_type(LearningHistoryDisplay.from_estimator(clf).best_epoch_, int | None)
    make_xrays(60, image_size=(48, 40), random_state=0)
    skpneumo.metrics.threshold_curve(y, [0.3, 0.6])
    skpneumo.clear_cache(disk=False)
    skpneumo.show_versions()
    with skpneumo.progress(GridSearchCV(clf, {"threshold": [0.3]})):
        clf.fit(images, y)
    assert_type(skpneumo.__version__, str)

    XRayResizer(aspect="stretched")  # type: ignore
    XRayAugmenter(rotate=5)  # type: ignore
    read_xray("a.dcm", image_size=(64, 48))  # type: ignore
    make_xrays(60, size=(48, 40))  # type: ignore
    skpneumo.clear_cache(disc=False)  # type: ignore
    skpneumo.XRayLoder()  # type: ignore


def new_hospital(paths: list[str], groups: list[str]) -> None:
    """A fitted model elsewhere."""
    model = load_pretrained()
    check = check_site(model, paths, groups=groups)
    assert_type(check, SiteCheck)
    assert_type(check.prevalence_interval, tuple[float, float])
    plan_labels(model, prevalence=0.25).to_dict()
    certifier = RecallCertifier(model, min_recall=0.95).fit(paths, groups=groups)
    assert_type(certifier, RecallCertifier)
    while not certifier.finished_:
        certifier.record(certifier.next_images(20), ["PNEUMONIA"] * 20)
    assert_type(certifier.recall_lower_bound_, float)
    assert_type(RecallMonitor().update("PNEUMONIA", "NORMAL").alarm_, bool)
    triage = TriageClassifierCV(model, min_specificity=0.95).fit(paths, ["NORMAL"] * len(paths))
    assert_type(triage.rule_in_threshold_, float)

    check_site(model, paths, patients=groups)  # type: ignore
    certifier.next_images(number=20)  # type: ignore
    check.prevalance  # type: ignore
