"""Evaluation reports of X-rays that were predicted before."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skpneumo.evaluation import evaluate
from skpneumo.prediction import identify_patients
from skpneumo.serving._answers import PREDICTED


class ScoredBefore(ClassifierMixin, BaseEstimator):
    """Classifier of images whose probabilities are known: each row of ``X`` is one.

    Parameters
    ----------
    classes : list of str
        The labels.
    threshold : float
        Of the model.
    fingerprint : str
        Of the model, for the report.
    """

    def __init__(self, classes, threshold, fingerprint):
        self.classes = classes
        self.threshold = threshold
        self.fingerprint = fingerprint

    @property
    def classes_(self):
        """The labels."""
        return np.asarray(self.classes)

    def fit(self, X, y=None):
        """Do nothing."""
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        """Probabilities of both classes."""
        positive = np.asarray(X)[:, 0]
        return np.column_stack([1 - positive, positive])

    def predict(self, X):
        """Labels by the threshold."""
        is_positive = np.asarray(X)[:, 0] >= self.threshold
        return self.classes_[is_positive.astype(int)]


def match_labels(labels, classes):
    """Labels, in any case of letters, as the model has them; None for all others."""
    by_word = {label.casefold(): label for label in classes}
    return [by_word.get((label or "").strip().casefold()) for label in labels]


def evaluate_scored(model, images, facts):
    """Evaluate predictions by labels.

    Parameters
    ----------
    model : classifier
        The model that predicted them; it is not used again.
    images : list of Scored
        The predictions.
    facts : dict
        Of `collect_facts`.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    ValueError
        If labels of a class are missing.
    """
    labels = match_labels([image.label for image in images], facts["classes"])
    rows = [row for row, label in enumerate(labels) if label is not None]
    _check_labelled(rows, facts["classes"])
    estimator = ScoredBefore(facts["classes"], facts["threshold"], facts["fingerprint"])
    report = evaluate(
        estimator,
        np.array([[images[row].probability] for row in rows]),
        np.array([labels[row] for row in rows]),
        groups=[images[row].patient or f"image {row}" for row in rows],
    )
    return report.to_html()


def evaluate_folder(model, scan, labels):
    """Evaluate the model on the files of a folder.

    Parameters
    ----------
    model : classifier
        Fitted.
    scan : FolderScan
        The files, predicted.
    labels : dict of int to str
        Labels by row; without one, that of the names of the folders counts.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    ValueError
        If labels of a class are missing.
    """
    answers = scan.answers
    found = match_labels(
        [labels.get(row) or scan.get_label(row) for row in range(len(answers))], scan.classes
    )
    rows = [
        row
        for row, (answer, label) in enumerate(zip(answers, found, strict=True))
        if label is not None and answer.outcome == PREDICTED
    ]
    _check_labelled(rows, scan.classes)
    files = [scan.files[row] for row in rows]
    y = np.array([found[row] for row in rows])
    return evaluate(model, files, y, groups=identify_patients(files)).to_html()


def _check_labelled(rows, classes):
    if not rows:
        raise ValueError(
            f"No predicted image has a label. Labels are {classes[0]} and {classes[1]}: the names "
            "of folders, or the column label of a table beside the column file."
        )
