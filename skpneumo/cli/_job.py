"""The main job: a cross-validated search, its choice, and an honest look at the test split."""

import os
import re
import time
import warnings
from contextlib import nullcontext

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    StratifiedGroupKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch, check_random_state

import skpneumo
from skpneumo._utils.formatting import ROUNDING
from skpneumo.classifiers import (
    CNNPneumoniaClassifier,
    InceptionPneumoniaClassifier,
    progress_callback,
)
from skpneumo.cli._certified import check_on_test, describe_operating_point
from skpneumo.cli._comparison import RANKING, compare, ranking_metrics
from skpneumo.cli._progress import JobProgress
from skpneumo.cli._test_split import difference_intervals, evaluate_both, summarize
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.datasets._patients import are_identified
from skpneumo.exceptions import DatasetError
from skpneumo.metrics import SCORERS, specificity_at_recall_score
from skpneumo.model_selection import (
    HighestSpecificity,
    OperatingPointClassifierCV,
    choose_candidate,
)
from skpneumo.model_selection._choice import recall_less_margin
from skpneumo.preprocessing import XRayLoader, XRayResizer

CLASS_WEIGHTS = (1, 2, 4)
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
COLUMNS = ("recall", "specificity", "f1", "precision", "accuracy")
_BASELINE_SIZE = (32, 32)
# Of the synthetic X-rays: a network learns them in the few epochs of a demonstration.
_DIFFICULTY = 0.35
_MIN_SPECIFICITY = 0.5
_POSITIVE = "PNEUMONIA"
# How many epochs of the CNN on images of 72 x 64 pixels a fit of the baseline takes as long as, and
# how much longer an epoch of either network takes: proportions of the progress bar.
_EPOCHS_OF_BASELINE = 4
_PIXELS = 72 * 64
_SLOWNESS = {"cnn": 1, "inception": 20}


def load_data(
    folder=None,
    *,
    classes=None,
    views="frontal",
    image_size=None,
    subset=None,
    random_state=0,
):
    """Images to learn from and images to test on.

    Parameters
    ----------
    folder : path, default=None
        See `load_xray_folder`; train and val are joined. None draws synthetic X-rays.
    classes : dict, default=None
        See `load_xray_folder`.
    views : {"frontal", "all"}, default="frontal"
        See `load_xray_folder`.
    image_size : tuple of (int, int), default=None
        Of the synthetic X-rays.
    subset : int, default=None
        Learn from about so many images, of patients drawn at random.
    random_state : int, default=0
        Decides the drawing.

    Returns
    -------
    train, test : Bunch of X, y, groups, identified
        ``identified``: whether the patient of an image is known. ``test`` is None if the folder
        has no test split.
    """
    if folder is None:
        drawn = [
            make_xrays(
                n, image_size=image_size, difficulty=_DIFFICULTY, random_state=random_state + i
            )
            for i, n in enumerate((600, 300))
        ]
        train, test = (
            Bunch(X=d.images, y=d.target, groups=d.groups, identified=np.ones(len(d.target), bool))
            for d in drawn
        )
    else:
        data = load_xray_folder(folder, classes=classes, views=views)
        identified = are_identified(data.patient, map(os.path.basename, data.paths))
        # A child may have images in train and in val, which are one set here.
        groups = np.array([re.sub("^val/", "train/", group) for group in data.groups])
        train, test = (
            Bunch(
                X=data.paths[rows],
                y=data.target[rows],
                groups=groups[rows],
                identified=identified[rows],
            )
            for rows in (data.split != "test", data.split == "test")
        )
        if not len(train.y):
            raise DatasetError(
                f"{folder} holds a test split only: there is nothing to learn from. Give the "
                "folder above it."
            )
    if subset is not None:
        rows = _some_patients(train.groups, subset, random_state)
        train = Bunch(**{name: values[rows] for name, values in train.items()})
    return train, test if len(test.y) else None


def _some_patients(groups, n_images, random_state):
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = check_random_state(random_state).permutation(len(names))
    taken = order[: max(1, np.searchsorted(np.cumsum(counts[order]), n_images, side="right"))]
    return np.flatnonzero(np.isin(inverse, taken))


def make_classifier(model, *, weights="imagenet", epochs=None, random_state=0):
    """Classifier of the job, with the defaults of its class where None is given."""
    options = {"random_state": random_state} | ({} if epochs is None else {"epochs": epochs})
    if model == "cnn":
        return CNNPneumoniaClassifier(**options)
    return InceptionPneumoniaClassifier(weights=weights, **options)


def search(
    classifier,
    train,
    *,
    image_size,
    n_folds,
    min_recall,
    random_state,
    confidence=None,
    on_epoch=None,
):
    """Search over class weights and thresholds, patients kept together.

    Parameters
    ----------
    classifier : BasePneumoniaClassifier
        What to search with.
    train : Bunch of X, y, groups
        Images to learn from.
    image_size : tuple of (int, int)
        Rows and columns the images are brought to.
    n_folds : int
        Of the cross-validation.
    min_recall : float
        The candidate selected has the highest specificity among those whose mean recall exceeds it
        by one standard error.
    random_state : int
        Controls the folds.
    confidence : float, default=None
        Certify ``min_recall`` for new patients with it: the search is repeated inside each of
        ``n_folds`` folds, and the threshold is set by the scores of the images left out.
    on_epoch : callable, default=None
        Called as ``on_epoch(n_done, n_epochs)``, with fractions of an epoch, while training.

    Returns
    -------
    GridSearchCV or OperatingPointClassifierCV
        Fitted, on what ``train.X`` holds. The latter with a ``confidence``.
    """
    n_patients = len(np.unique(train.groups))
    if n_patients < n_folds:
        raise ValueError(
            f"{len(train.y)} images of {n_patients} patients are too few for {n_folds} folds. Use "
            "a larger subset or fewer folds."
        )
    folds = _folds(n_folds, random_state)
    _check_folds(train, n_folds, random_state)
    pipe = make_pipeline(XRayLoader(), XRayResizer(image_size), classifier)
    name = pipe.steps[-1][0]
    weights = [{"NORMAL": 1, _POSITIVE: weight} for weight in CLASS_WEIGHTS]
    estimator = GridSearchCV(
        pipe,
        {f"{name}__class_weight": weights, f"{name}__threshold": list(THRESHOLDS)},
        scoring={name: SCORERS[name] for name in (*COLUMNS, "roc_auc")}
        | {"specificity_at_recall": _specificity_at(min_recall)},
        refit=HighestSpecificity(min_recall, _MIN_SPECIFICITY),
        cv=folds,
        error_score="raise",
    )
    if confidence is not None:
        for rows, _ in folds.split(train.y, train.y, train.groups):
            inner = Bunch(y=train.y[rows], groups=train.groups[rows])
            _check_folds(inner, n_folds, random_state, within="the training part of a fold")
        estimator = OperatingPointClassifierCV(
            estimator, min_recall=min_recall, confidence=confidence, cv=folds
        )
    n_epochs = n_fits(n_folds, confidence) * n_epochs_of_fit(classifier)
    n_done = 0.0

    def listener(fraction):
        nonlocal n_done
        n_done += fraction
        # Fractions of an epoch do not add up exactly.
        on_epoch(round(n_done, 6), n_epochs)

    with nullcontext() if on_epoch is None else progress_callback(listener):
        return estimator.fit(train.X, train.y, groups=train.groups)


def n_fits(n_folds, confidence=None):
    """Networks that a search trains: one for all thresholds, and one at its end."""
    return (len(CLASS_WEIGHTS) * n_folds + 1) * n_searches(n_folds, confidence)


def n_searches(n_folds, confidence=None):
    """How many searches there are: one in each fold of a certified operating point."""
    return 1 if confidence is None else n_folds


def get_searches(fitted):
    """The searches that `search` has fitted."""
    if isinstance(fitted, OperatingPointClassifierCV):
        return fitted.estimator_.fold_estimators_
    return [fitted]


def n_epochs_of_fit(classifier):
    """Maximum number of epochs of one fit, over all its stages."""
    return sum(epochs for epochs, _, _ in classifier._get_stages())


def _specificity_at(min_recall):
    return make_scorer(
        specificity_at_recall_score,
        response_method="predict_proba",
        pos_label=_POSITIVE,
        min_recall=min_recall,
    )


def _folds(n_folds, random_state):
    return StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)


def _check_folds(train, n_folds, random_state, within="the training images"):
    """Raise, before anything is trained, if a side of a fold lacks a class."""
    with warnings.catch_warnings():
        # scikit-learn warns of classes with fewer images than folds, which is an error here.
        warnings.simplefilter("ignore")
        splits = [*_folds(n_folds, random_state).split(train.y, train.y, train.groups)]
    classes = np.unique(train.y)
    if all(np.array_equal(np.unique(train.y[rows]), classes) for split in splits for rows in split):
        return
    found = []
    for label in classes:
        _, counts = np.unique(train.groups[train.y == label], return_counts=True)
        found.append(
            f"{counts.sum():,} images of {label} from {len(counts):,} patient(s), up to "
            f"{counts.max():,} of one"
        )
    raise ValueError(
        f"{n_folds} folds cannot all hold both classes with patients kept together: in {within} "
        f"there are {' and '.join(found)}. Use fewer folds or more patients; if a folder in a "
        "class folder counts as a patient and is none, remove that level of folders."
    )


def _flatten(images):
    return np.asarray(images).reshape(len(images), -1) / 255.0


def fit_baseline(train, *, n_folds, min_recall, random_state, on_fit=None):
    """Logistic regression on 32 x 32 pixels, its threshold chosen by the same rule.

    Parameters
    ----------
    train : Bunch of X, y, groups
        Images to learn from.
    n_folds : int
        Of the cross-validation.
    min_recall : float
        See `search`.
    random_state : int
        Decides the folds.
    on_fit : callable, default=None
        Called without arguments after each of the ``n_folds + 1`` fits.

    Returns
    -------
    model : Pipeline
        Fitted on all of ``train``; it predicts by its threshold.
    found : dict
        "threshold", "mean_recall" and "mean_specificity" over the folds at it, "met": whether
        these are what the rule wants, and "mean_roc_auc" and "mean_specificity_at_recall".
    """
    model = make_pipeline(
        XRayLoader(),
        XRayResizer(_BASELINE_SIZE),
        FunctionTransformer(_flatten),
        FixedThresholdClassifier(
            LogisticRegression(max_iter=1000), response_method="predict_proba"
        ),
    )
    positive = train.y == _POSITIVE
    recall, specificity, ranking = [], [], []
    for rows, left_out in _folds(n_folds, random_state).split(positive, positive, train.groups):
        fold = clone(model).fit(train.X[rows], train.y[rows])
        score = fold.predict_proba(train.X[left_out])[:, 1]
        predicted = score[:, None] >= THRESHOLDS
        recall.append(predicted[positive[left_out]].mean(axis=0))
        specificity.append(1 - predicted[~positive[left_out]].mean(axis=0))
        ranking.append(ranking_metrics(positive[left_out], score, min_recall))
        if on_fit is not None:
            on_fit()
    results = {f"split{i}_test_recall": values for i, values in enumerate(recall)} | {
        "mean_test_recall": np.mean(recall, axis=0),
        "mean_test_specificity": np.mean(specificity, axis=0),
    }
    index, _ = choose_candidate(results, min_recall=min_recall, min_specificity=_MIN_SPECIFICITY)
    model.set_params(fixedthresholdclassifier__threshold=THRESHOLDS[index])
    model.fit(train.X, train.y)
    if on_fit is not None:
        on_fit()
    reached = recall_less_margin(results)[0][index], results["mean_test_specificity"][index]
    found = {
        "threshold": THRESHOLDS[index],
        "mean_recall": float(results["mean_test_recall"][index]),
        "mean_specificity": float(results["mean_test_specificity"][index]),
        "met": bool(np.all(np.add(reached, ROUNDING) >= (min_recall, _MIN_SPECIFICITY))),
    }
    for name in RANKING:
        found[f"mean_{name}"] = float(np.mean([metrics[name] for metrics in ranking]))
    return model, found


def settings_table(cv_results):
    """One dict per candidate: class weight, threshold, and mean and spread of each metric."""
    rows = []
    for i, params in enumerate(cv_results["params"]):
        values = {key.rsplit("__", 1)[1]: value for key, value in params.items()}
        row = {
            "class_weight": values["class_weight"][_POSITIVE],
            "threshold": values["threshold"],
        }
        for column in (*COLUMNS, "roc_auc"):
            row[column] = {
                "mean": float(cv_results[f"mean_test_{column}"][i]),
                "std": float(cv_results[f"std_test_{column}"][i]),
            }
        rows.append(row)
    return rows


def mean_results(searches):
    """``cv_results_`` of several searches over the same candidates, averaged."""
    results = [search.cv_results_ for search in searches]
    scores = (key for key in results[0] if key.startswith(("mean_test_", "std_test_")))
    means = {key: np.mean([found[key] for found in results], axis=0) for key in scores}
    return means | {"params": results[0]["params"]}


def describe_choice(searches, settings, min_recall):
    """The candidates that the searches selected, ready for JSON.

    Returns
    -------
    dict
        Of one search, "index", "reason" and what the row of the candidate holds; of several,
        "indices", by fold, and "reason".
    """
    if len(searches) == 1:
        index, reason = choose_candidate(
            searches[0].cv_results_, min_recall=min_recall, min_specificity=_MIN_SPECIFICITY
        )
        return settings[index] | {"index": index, "reason": reason}
    indices = [int(search.best_index_) for search in searches]
    reason = (
        f"The searches inside the {len(indices)} folds selected the candidates "
        f"{', '.join(map(str, indices))}. The table shows the means over these searches. Only the "
        "class weights are used: the threshold is the certified one."
    )
    return {"indices": indices, "reason": reason}


def _compare_on_test(result, reports):
    """Compare the two models on the same images."""
    positive, min_recall = reports[0].truth, result["min_recall"]
    recall, specificity = (result["test"]["model"][n]["value"] for n in ("recall", "specificity"))
    at_its_recall = specificity_at_recall_score(positive, reports[1].scores, min_recall=recall)
    sides = [
        {name: result["test"][side][name]["value"] for name in ("recall", "specificity")}
        | ranking_metrics(positive, report.scores, min_recall)
        for side, report in zip(("model", "baseline"), reports, strict=True)
    ]
    sides[0]["specificity_at_its_recall"] = specificity
    sides[1]["specificity_at_its_recall"] = at_its_recall
    return compare(
        *sides,
        on="the test split",
        name=result["model"],
        min_recall=min_recall,
        intervals=difference_intervals(*reports, min_recall),
    )


def _compare_by_folds(result, searches):
    """Compare the means of the two models over folds, where no test split decides."""
    names = ("recall", "specificity", *RANKING)
    means = {
        name: float(
            np.mean(
                [search.cv_results_[f"mean_test_{name}"][search.best_index_] for search in searches]
            )
        )
        for name in names
    }
    return compare(
        means,
        {name: result["baseline"][f"mean_{name}"] for name in names},
        on="the folds of the cross-validation"
        + (" and before certification" if result["confidence"] is not None else ""),
        name=result["model"],
        min_recall=result["min_recall"],
    )


def run(
    folder=None,
    *,
    data=None,
    model="cnn",
    weights="imagenet",
    image_size=None,
    n_folds=5,
    epochs=None,
    subset=None,
    min_recall=0.98,
    confidence=None,
    test=True,
    random_state=0,
    on_progress=None,
):
    """Do the whole job; see the options of ``skpneumo train``.

    ``data`` is what `load_data` returned for the folder, if it was loaded before.
    ``on_progress`` is called as ``on_progress(done, doing)``, with the fraction of all work that
    is done and a word or two for what comes next.

    Returns
    -------
    result : dict
        Ready for JSON.
    fitted : Pipeline or OperatingPointClassifierCV
        The candidate selected, fitted on all images to learn from; with a ``confidence`` the
        candidates selected in the folds, whose log odds are averaged, and the certified threshold.
    """
    started = time.perf_counter()
    if data is None:
        data = load_data(folder, image_size=image_size, subset=subset, random_state=random_state)
    train, test_data = data
    if test and test_data is not None and len(np.unique(test_data.y)) < 2:
        warnings.warn(
            f"The test split holds images of {test_data.y[0]} alone and is not evaluated: that "
            "takes images of both classes.",
            UserWarning,
            stacklevel=2,
        )
        test_data = None
    classifier = make_classifier(model, weights=weights, epochs=epochs, random_state=random_state)
    options = {"n_folds": n_folds, "min_recall": min_recall, "random_state": random_state}
    progress = JobProgress(
        on_progress,
        n_fits=n_fits(n_folds, confidence),
        n_searches=n_searches(n_folds, confidence),
        n_baseline_fits=n_folds + 1,
        epochs_of_fit=n_epochs_of_fit(classifier),
        epochs_of_baseline_fit=_EPOCHS_OF_BASELINE
        * _PIXELS
        / (np.prod(image_size) * _SLOWNESS[model]),
    )
    fitted = search(
        classifier,
        train,
        image_size=image_size,
        confidence=confidence,
        on_epoch=progress.epoch,
        **options,
    )
    searches = get_searches(fitted)
    settings = settings_table(mean_results(searches))
    progress.start_baseline()
    baseline, of_baseline = fit_baseline(train, on_fit=progress.baseline_fit, **options)
    progress.show("Test")
    result = {
        "skpneumo": skpneumo.__version__,
        "data": {
            "folder": None if folder is None else str(folder),
            "images": len(train.y),
            "pneumonia": int((train.y == _POSITIVE).sum()),
            "patients": len(np.unique(train.groups)),
            "images_without_patient": int((~train.identified).sum()),
        },
        "model": model,
        "weights": weights if model == "inception" else None,
        "image_size": list(image_size),
        "epochs": classifier.epochs,
        "folds": n_folds,
        "min_recall": min_recall,
        "confidence": confidence,
        "random_state": random_state,
        "settings": settings,
        "chosen": describe_choice(searches, settings, min_recall),
        "operating_point": None if confidence is None else describe_operating_point(fitted),
        "baseline": of_baseline,
        "test": None,
    }
    if test and test_data is not None:
        reports = evaluate_both(fitted, baseline, test_data, image_size)
        result["test"] = dict(zip(("model", "baseline"), map(summarize, reports), strict=True))
        if confidence is not None:
            result["operating_point"]["test"] = check_on_test(reports[0], min_recall)
        compared = _compare_on_test(result, reports)
    else:
        compared = _compare_by_folds(result, searches)
    result["beats_baseline"], result["comparison"] = compared
    progress.finish()
    result["seconds"] = round(time.perf_counter() - started, 1)
    return result, fitted.best_estimator_ if confidence is None else fitted
