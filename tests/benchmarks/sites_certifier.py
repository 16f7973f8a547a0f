"""`RecallCertifier`: how often the certified recall is not reached, and how many labels it needs.

    python tests/benchmarks/sites_certifier.py [runs] [simulated runs]

Prints two Markdown tables. For the first, `new_site` of the folder that SKPNEUMO_TEST_DATA names,
scored by the packaged network, is the population: pools of 1,200 images are drawn from it with
replacement, images as independent or patients with all their images. The second has sites whose
score distributions are known, so that the recall of each threshold is exact. On one core it takes
about a quarter of an hour.
"""

import os
import sys
import time
import warnings

import numpy as np
from _xrays import load_new_site
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from skpneumo import load_pretrained
from skpneumo._utils.bounds import min_score_per_patient
from skpneumo.sites import RecallCertifier
from skpneumo.sites._label_plans import certified_ranks, whole_rank

MIN_RECALL, CONFIDENCE = 0.95, 0.95
N_IMAGES = 1200
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(101)


class FirstColumn(ClassifierMixin, BaseEstimator):
    """A fitted model whose score is the first column."""

    classes_ = np.array([0, 1])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return X[:, 0]


def certify(scores, y, groups, seed, *, batch=20, unsure=None):
    """Certify a pool by its true labels.

    Parameters
    ----------
    scores : ndarray of shape (n_images,)
        Scores of the pool.
    y : ndarray of shape (n_images,)
        True labels, 0 or 1.
    groups : ndarray of shape (n_images,) or None
        The patient of each image.
    seed : int
        Of the order of the patients.
    batch : int, default=20
        Number of images that are read at once.
    unsure : ndarray of bool of shape (n_images,), default=None
        Images that the reader is unsure of.

    Returns
    -------
    RecallCertifier
    """
    certifier = RecallCertifier(
        FrozenEstimator(FirstColumn()),
        min_recall=MIN_RECALL,
        confidence=CONFIDENCE,
        random_state=seed,
    ).fit(scores[:, None], groups=groups)
    labels = y.astype(float)
    if unsure is not None:
        labels[unsure] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        while not certifier.finished_:
            rows = certifier.next_images(batch)
            certifier.record(rows, labels[rows])
    return certifier


def full_threshold(positive, draw):
    """Threshold if every patient of the pool is labelled, with the same draw."""
    rank = whole_rank(certified_ranks(len(positive), MIN_RECALL, CONFIDENCE)[0], draw)
    return np.sort(positive)[max(rank, 1) - 1]


# -- a real site ------------------------------------------------------------------------------


def draw_pool(scores, y, groups, prevalence, rng):
    """A pool of about 1,200 images, with a prevalence of images.

    Patients are drawn with replacement, until they have as many images of each class as wanted.
    """
    parts, n_patients = [], 0
    for label, wanted in ((1, N_IMAGES * prevalence), (0, N_IMAGES * (1 - prevalence))):
        rows_by_patient = [
            np.flatnonzero((groups == g) & (y == label)) for g in set(groups[y == label])
        ]
        sizes = np.array([len(rows) for rows in rows_by_patient])
        drawn = rng.integers(len(sizes), size=round(wanted / sizes.mean()))
        for patient in drawn:
            rows = rows_by_patient[patient]
            parts.append((rows, np.full(len(rows), n_patients)))
            n_patients += 1
    rows, new_groups = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, new_groups


def site_rows(n_runs, site, prevalence, by_patient, seed=0):
    """Figures of pools of a real site, one per run."""
    scores, y, groups = site
    if not by_patient:
        groups = np.arange(len(y))
    positive = min_score_per_patient(scores[y], groups[y])
    negative = scores[~y]
    rng = np.random.default_rng(seed)
    for run in range(n_runs):
        rows, pool_groups = draw_pool(scores, y, groups, prevalence, rng)
        certifier = certify(scores[rows], y[rows], pool_groups if by_patient else None, seed=run)
        own = y[rows]
        full = full_threshold(
            min_score_per_patient(scores[rows][own], pool_groups[own]), certifier._target.draw
        )
        threshold = certifier.threshold_
        yield (
            np.mean(positive >= threshold) < MIN_RECALL,
            certifier.n_labelled_ / len(rows),
            np.mean(negative < threshold),
            np.mean(negative < full),
            np.mean(positive >= full) < MIN_RECALL,
            certifier.plan_ == "upwards",
        )


# -- simulated sites --------------------------------------------------------------------------

# Name, number of images of each patient, correlation within patients, decimals of probabilities,
# and the proportion of images that the reader is unsure of; if any, of low positive images too.
SITES = (
    ("continuous", 1, 0, None, 0),
    ("probabilities of 2 decimals", 1, 0, 2, 0),
    ("3 images per patient, ICC 0.5", 3, 0.5, None, 0),
    ("unsure of a tenth and of all low positive images", 1, 0, None, 0.1),
)
SHIFT = 3.3


def simulated_rows(n_runs, n_patients, prevalence, site, seed=0):
    """Figures of simulated sites, one per run."""
    _, n_images, icc, decimals, unsure_fraction = site
    rng = np.random.default_rng(seed)
    for run in range(n_runs):
        y = rng.random(n_patients) < prevalence
        scores = rng.normal(size=(n_patients, 1)) * np.sqrt(icc)
        scores = scores + rng.normal(size=(n_patients, n_images)) * np.sqrt(1 - icc)
        scores = (scores + SHIFT * y[:, None]).ravel()
        labels, groups = np.repeat(y, n_images), np.repeat(np.arange(n_patients), n_images)
        unsure = None
        if unsure_fraction:
            unsure = labels & (scores < SHIFT - 1.5) | (rng.random(len(labels)) < unsure_fraction)
        if decimals:
            scores = expit(scores - SHIFT / 2).round(decimals)
        certifier = certify(scores, labels, groups if n_images > 1 else None, run, unsure=unsure)
        full = full_threshold(
            min_score_per_patient(scores[labels], groups[labels]), certifier._target.draw
        )
        edges = np.array([certifier.threshold_, full])
        if decimals:
            # Scores are at least a threshold if they round to it.
            edges = logit(np.maximum(edges - 0.5 * 0.1**decimals, 1e-12)) + SHIFT / 2
        recall = _patient_recall(edges - SHIFT, n_images, icc)
        yield (
            recall[0] < MIN_RECALL - 1e-12,
            certifier.n_labelled_ / len(scores),
            *norm.cdf(edges),
            recall[1] < MIN_RECALL - 1e-12,
            certifier.plan_ == "upwards",
        )


def _patient_recall(threshold, n_images, icc):
    """Fraction of the patients whose images all reach the threshold."""
    if n_images == 1:
        return norm.sf(threshold)
    threshold = np.asarray(threshold)[..., None]
    image = norm.sf((threshold - np.sqrt(icc) * _NODES) / np.sqrt(1 - icc))
    return image**n_images @ _WEIGHTS / _WEIGHTS.sum()


# -- tables -----------------------------------------------------------------------------------

HEAD = (
    "| Pools | Prevalence | Recall below .95 | Labels | Specificity | All labelled: specificity "
    "| All labelled: recall below .95 | Read upwards | Of these, recall below .95 | Runs |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def print_row(name, prevalence, figures):
    """Means of the figures of the runs, with the standard error of the first."""
    figures = np.array(list(figures), dtype=float)
    broken, labels, specificity, full, full_broken, upwards = figures.mean(axis=0)
    error = np.sqrt(broken * (1 - broken) / len(figures))
    of_upwards = figures[figures[:, 5] == 1, 0]
    of_upwards = f"{of_upwards.mean():.3f}" if len(of_upwards) else "-"
    print(
        f"| {name} | {prevalence:g} | {broken:.3f} ± {error:.3f} | {labels:.1%} | "
        f"{specificity:.3f} | {full:.3f} | {full_broken:.3f} | {upwards:.0%} | {of_upwards} | "
        f"{len(figures)} |",
        flush=True,
    )


def main(n_runs, n_simulated):
    """Print the tables."""
    start = time.perf_counter()
    if "SKPNEUMO_TEST_DATA" in os.environ:
        site = load_new_site(load_pretrained("cnn"))[1:]
        print("new_site, pools of 1,200 images\n")
        print(HEAD)
        for by_patient in (False, True):
            for prevalence in (0.625, 0.25):
                name = "patients" if by_patient else "images as patients"
                print_row(name, prevalence, site_rows(n_runs, site, prevalence, by_patient))
    print("\nSimulated sites, pools of 1,200 patients (300 where stated)\n")
    print(HEAD)
    for site in SITES:
        for n_patients, prevalence in ((1200, 0.85), (1200, 0.625), (1200, 0.25), (300, 0.5)):
            name = site[0] + (", 300" if n_patients == 300 else "")
            print_row(name, prevalence, simulated_rows(n_simulated, n_patients, prevalence, site))
    print(f"\n{time.perf_counter() - start:.0f} seconds.")


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[1:]] + [500, 2000][len(sys.argv) - 1 :]
    main(*numbers)
