"""The search over class weights and thresholds, patients kept together."""

import warnings
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo.classifiers import progress_callback
from skpneumo.cli._training._data import POSITIVE
from skpneumo.metrics import SCORERS, specificity_at_recall_score
from skpneumo.model_selection import HighestSpecificity, OperatingPointClassifierCV
from skpneumo.preprocessing import XRayLoader, XRayResizer

METRICS = ("recall", "specificity", "f1", "precision", "accuracy", "roc_auc")


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The candidates of a search, and how one of them is selected.

    Parameters
    ----------
    image_size : tuple of (int, int)
        Rows and columns that the network sees.
    n_folds : int, default=5
        Folds of the cross-validation.
    min_recall : float, default=0.98
        The candidate selected has the highest specificity among those whose mean recall exceeds it
        by one standard error.
    min_specificity : float, default=0.5
        The mean specificity that the candidate should have.
    confidence : float, default=None
        Certify ``min_recall`` for new patients with this confidence: the search is repeated inside
        each fold, and the scores of the images left out set the threshold.
    n_jobs : int, default=1
        Processes that fit at once.
    random_state : int, default=0
        Controls the folds.
    class_weights : tuple of float, default=(1, 2, 4)
        Weights of PNEUMONIA; that of NORMAL is 1.
    thresholds : tuple of float, default=(0.1, 0.2, ..., 0.9)
        Decision thresholds on the probability of PNEUMONIA.
    """

    image_size: tuple
    n_folds: int = 5
    min_recall: float = 0.98
    min_specificity: float = 0.5
    confidence: float | None = None
    n_jobs: int = 1
    random_state: int = 0
    class_weights: tuple = (1, 2, 4)
    thresholds: tuple = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

    @property
    def n_searches(self):
        """Number of searches: one inside each fold of a certified operating point."""
        return 1 if self.confidence is None else self.n_folds

    @property
    def n_fits(self):
        """Number of networks that are trained: one for all thresholds, and one to refit."""
        return (len(self.class_weights) * self.n_folds + 1) * self.n_searches

    def make_folds(self):
        """Create the splitter, which keeps patients together."""
        return StratifiedGroupKFold(self.n_folds, shuffle=True, random_state=self.random_state)


def search(classifier, train, options, on_epochs=None):
    """Search over class weights and thresholds.

    Parameters
    ----------
    classifier : BasePneumoniaClassifier
        The classifier to search with.
    train : Bunch of X, y, groups
        Training images.
    options : SearchOptions
        Candidates and folds.
    on_epochs : callable, default=None
        Called as ``on_epochs(n)`` while training, with the number of epochs since the last call.

    Returns
    -------
    GridSearchCV or OperatingPointClassifierCV
        Fitted on what ``train.X`` holds. The latter with a confidence.
    """
    check_folds(train, options)
    estimator = make_search(classifier, options)
    if options.confidence is not None:
        estimator = OperatingPointClassifierCV(
            estimator,
            min_recall=options.min_recall,
            confidence=options.confidence,
            cv=options.make_folds(),
        )
    with nullcontext() if on_epochs is None else progress_callback(on_epochs):
        return estimator.fit(train.X, train.y, groups=train.groups)


def make_search(classifier, options):
    """Create the search, not fitted.

    Parameters
    ----------
    classifier : BasePneumoniaClassifier
        The classifier to search with.
    options : SearchOptions
        Candidates and folds.

    Returns
    -------
    GridSearchCV
    """
    pipe = make_pipeline(XRayLoader(), XRayResizer(options.image_size), classifier)
    step = pipe.steps[-1][0]
    # For the comparison with the baseline, at any recall: `SCORERS` has some recalls only.
    specificity_at_recall = make_scorer(
        specificity_at_recall_score,
        response_method="predict_proba",
        pos_label=POSITIVE,
        min_recall=options.min_recall,
    )
    return GridSearchCV(
        pipe,
        {
            f"{step}__class_weight": [{"NORMAL": 1, POSITIVE: w} for w in options.class_weights],
            f"{step}__threshold": list(options.thresholds),
        },
        scoring={name: SCORERS[name] for name in METRICS}
        | {"specificity_at_recall": specificity_at_recall},
        refit=HighestSpecificity(options.min_recall, options.min_specificity),
        cv=options.make_folds(),
        n_jobs=options.n_jobs,
        # By default a fit that fails is a warning and a NaN, and another candidate is selected.
        error_score="raise",
    )


def get_searches(fitted):
    """Return the searches that `search` has fitted.

    Parameters
    ----------
    fitted : GridSearchCV or OperatingPointClassifierCV
        Returned by `search`.

    Returns
    -------
    list of GridSearchCV
        One, or one for each fold of an operating point.
    """
    if isinstance(fitted, OperatingPointClassifierCV):
        return fitted.estimator_.fold_estimators_
    return [fitted]


def check_folds(train, options):
    """Raise if folds, or folds inside folds, lack a class, before anything is trained.

    Parameters
    ----------
    train : Bunch of y, groups
        Training images.
    options : SearchOptions
        Candidates and folds.

    Raises
    ------
    ValueError
        If there are too few patients.
    """
    y, groups = train.y, train.groups
    n_patients = len(np.unique(groups))
    if n_patients < options.n_folds:
        raise ValueError(
            f"{len(y)} images of {n_patients} patients are too few for {options.n_folds} folds. "
            "Use a larger subset or fewer folds."
        )
    folds = options.make_folds()
    _check_classes(y, groups, folds, "the training images")
    if options.confidence is not None:
        for rows, _ in folds.split(y, y, groups):
            _check_classes(y[rows], groups[rows], folds, "the training part of a fold")


def _check_classes(y, groups, folds, within):
    with warnings.catch_warnings():
        # scikit-learn warns of classes with fewer images than folds, which is an error here.
        warnings.simplefilter("ignore")
        splits = [*folds.split(y, y, groups)]
    classes = np.unique(y)
    if all(np.array_equal(np.unique(y[rows]), classes) for split in splits for rows in split):
        return
    found = []
    for label in classes:
        _, counts = np.unique(groups[y == label], return_counts=True)
        found.append(
            f"{counts.sum():,} images of {label} from {len(counts):,} patient(s), up to "
            f"{counts.max():,} of one"
        )
    raise ValueError(
        f"{folds.n_splits} folds cannot all hold both classes with patients kept together: in "
        f"{within} there are {' and '.join(found)}. Use fewer folds or more patients; if a folder "
        "in a class folder counts as a patient and is none, remove that level of folders."
    )
