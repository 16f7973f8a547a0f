"""A training job: a search, a baseline, and the evaluation of both on the test split."""

import time
import warnings

import numpy as np

import skpneumo
from skpneumo.cli._training._baseline import fit_baseline
from skpneumo.cli._training._candidates import (
    describe_selection,
    list_candidates,
    mean_of_selected,
    mean_results,
)
from skpneumo.cli._training._certification import check_on_test, describe_operating_point
from skpneumo.cli._training._classifiers import (
    baseline_epochs,
    count_epochs,
    get_weights_warning,
    model_name,
)
from skpneumo.cli._training._comparison import AT_THRESHOLD, RANKING, compare
from skpneumo.cli._training._data import POSITIVE
from skpneumo.cli._training._progress import JobProgress
from skpneumo.cli._training._search import get_searches, search
from skpneumo.cli._training._test_split import compare_on_test, evaluate_both, summarize


def run(data, classifier, options, *, test=True, on_progress=None):
    """Search, fit a baseline, evaluate both on the test split and compare them.

    Parameters
    ----------
    data : Bunch of folder, train, test
        Returned by `load_folder` or `draw_synthetic`.
    classifier : BasePneumoniaClassifier
        Not fitted.
    options : SearchOptions
        Candidates and folds.
    test : bool, default=True
        Whether to evaluate on the test split, if there is one of both classes.
    on_progress : callable, default=None
        Called as ``on_progress(fraction, doing)``, with the fraction of the work that is done and
        what is done next.

    Returns
    -------
    result : dict
        Ready for JSON.
    model : Pipeline or OperatingPointClassifierCV
        The candidate selected, fitted on all training images; with a confidence the candidates
        selected in the folds, whose log odds are averaged, and the certified threshold.
    """
    started = time.perf_counter()
    train, test_images = data.train, _check_test(data.test) if test else None
    name, certified = model_name(classifier), options.confidence is not None
    progress = _make_progress(classifier, options, on_progress)
    fitted = search(classifier, train, options, on_epochs=progress.add_epochs)
    searches = get_searches(fitted)
    candidates = list_candidates(mean_results(searches))
    point = describe_operating_point(fitted) if certified else None
    progress.start_baseline()
    baseline, baseline_summary = fit_baseline(train, options, on_fit=progress.add_baseline_fit)
    progress.show("Test")
    if test_images is None:
        test_summary = None
        beats, comparison = _compare_on_folds(searches, baseline_summary, name, options)
    else:
        reports = evaluate_both(fitted, baseline, test_images, options.image_size)
        test_summary = dict(zip(("model", "baseline"), map(summarize, reports), strict=True))
        if certified:
            point["test"] = check_on_test(reports[0], options.min_recall)
        beats, comparison = compare_on_test(*reports, name=name, min_recall=options.min_recall)
    progress.finish()
    result = _describe_job(data, classifier, options) | {
        "candidates": candidates,
        "selected": describe_selection(searches, candidates, options),
        "operating_point": point,
        "baseline": baseline_summary,
        "test": test_summary,
        "beats_baseline": beats,
        "comparison": comparison,
        "seconds": round(time.perf_counter() - started, 1),
    }
    # Predictions need nothing of a search but its best estimator, which is a smaller file.
    return result, fitted if certified else fitted.best_estimator_


def _check_test(images):
    """Return the images of the test split, or None without images of both classes."""
    if images is None or len(np.unique(images.y)) > 1:
        return images
    warnings.warn(
        f"The test split holds images of {images.y[0]} alone and is not evaluated: that takes "
        "images of both classes.",
        UserWarning,
        stacklevel=3,
    )
    return None


def _make_progress(classifier, options, on_progress):
    return JobProgress(
        on_progress,
        n_fits=options.n_fits,
        n_searches=options.n_searches,
        epochs_per_fit=count_epochs(classifier),
        n_baseline_fits=options.n_folds + 1,
        epochs_per_baseline_fit=baseline_epochs(classifier, options.image_size),
    )


def _describe_job(data, classifier, options):
    train = data.train
    return {
        "skpneumo": skpneumo.__version__,
        "data": {
            "folder": None if data.folder is None else str(data.folder),
            "images": len(train.y),
            "pneumonia": int((train.y == POSITIVE).sum()),
            "patients": len(np.unique(train.groups)),
            "images_without_patient": int((~train.identified).sum()),
        },
        "model": model_name(classifier),
        "weights": classifier.weights,
        "weights_warning": get_weights_warning(classifier),
        "image_size": list(options.image_size),
        "epochs": classifier.epochs,
        "folds": options.n_folds,
        "min_recall": options.min_recall,
        "confidence": options.confidence,
        "random_state": options.random_state,
    }


def _compare_on_folds(searches, baseline_summary, name, options):
    """Compare the means of model and baseline over folds, if there is no test split."""
    metrics = (*AT_THRESHOLD, *RANKING)
    certified = " and before certification" if options.confidence is not None else ""
    return compare(
        {metric: mean_of_selected(searches, metric) for metric in metrics},
        {metric: baseline_summary[f"mean_{metric}"] for metric in metrics},
        on=f"the folds of the cross-validation{certified}",
        name=name,
        min_recall=options.min_recall,
    )
