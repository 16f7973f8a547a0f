"""`skpneumo.sites` against QuaPy and MAPIE, on the same scores of the packaged network.

    python tests/benchmarks/sites_compare.py [runs] [model file]

Prints two Markdown tables, with standard errors over the runs. The first compares estimates of
prevalence: a random half of the patients of the model's reference is what the estimators are fitted
on, and 200 patients of the other half are drawn with replacement at a known prevalence, one image
of each. The second compares thresholds of certified recall on the folder new_site in
SKPNEUMO_TEST_DATA, whose images are the population: each is a patient here, since MAPIE knows no
patients. Samples are random halves, which contain half of what they are judged by, and images drawn
with replacement, for which the certificates are exact. 300 runs take about a quarter of an hour on
one core.
"""

import sys
import time
import warnings

import numpy as np
from _xrays import load_new_site
from scipy.special import expit
from sites_certifier import CONFIDENCE, MIN_RECALL, FirstColumn, certify
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from skpneumo import OperatingPointClassifierCV, load_model, load_pretrained
from skpneumo.sites._mixtures import bin_reference, fit_mixture
from skpneumo.sites._reference import get_reference, select_images

PREVALENCES = (0.3, 0.5, 0.75, 0.9)
N_SITE = 200


class Probabilities(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are given."""

    def fit(self, X, y=None):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        probability = np.asarray(X, dtype=np.float64)[:, 0]
        return np.column_stack([1 - probability, probability])

    def predict(self, X):
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(int)


def import_or_exit(name):
    """A package that is compared with, and is no dependency of the project."""
    try:
        return __import__(name)
    except ImportError:
        sys.exit(f"This study needs the package {name}: pip install {name}")


# -- prevalence -------------------------------------------------------------------------------


def quapy_estimators():
    """Estimators of QuaPy by name; fitting the classifier in them does nothing."""
    import_or_exit("quapy")
    from quapy.method.aggregative import EMQ, PACC, DMy, HDy

    return {
        "QuaPy EMQ (SLD)": lambda: EMQ(Probabilities()),
        "QuaPy EMQ, scores recalibrated (BCTS)": lambda: EMQ.EMQ_BCTS(Probabilities()),
        "QuaPy PACC": lambda: PACC(Probabilities()),
        "QuaPy HDy": lambda: HDy(Probabilities()),
        "QuaPy DMy": lambda: DMy(Probabilities()),
    }


def estimate_by_mixture(y, scores, site, rng):
    """As `check_site` estimates it."""
    return fit_mixture(site, bin_reference(y, scores, np.arange(len(y)), len(site)), rng).prevalence


def prevalence_errors(reference, prevalence, n_runs, estimators):
    """Error and seconds of each estimator in each run, of shape (n_estimators, n_runs, 2)."""
    rng = np.random.default_rng(0)
    y, scores, _ = select_images(reference, by_patient=True)
    rows = [[] for _ in range(1 + len(estimators))]
    for _ in range(n_runs):
        order = rng.permutation(len(y))
        home, other = np.split(order, [len(y) // 2])
        n_positive = round(N_SITE * prevalence)
        site = np.concatenate(
            [
                rng.choice(other[y[other] == label], n)
                for label, n in ((True, n_positive), (False, N_SITE - n_positive))
            ]
        )
        start = time.perf_counter()
        found = estimate_by_mixture(y[home], scores[home], scores[site], rng)
        rows[0].append((found - prevalence, time.perf_counter() - start))
        for row, make in zip(rows[1:], estimators, strict=True):
            start = time.perf_counter()
            quantifier = make().fit(scores[home][:, None], y[home].astype(int))
            found = quantifier.predict(scores[site][:, None])[1]
            row.append((found - prevalence, time.perf_counter() - start))
    return np.array(rows)


def prevalence_table(reference, n_runs):
    """Mean absolute errors and biases."""
    others = quapy_estimators()
    print(f"Prevalence of {N_SITE} patients: mean absolute error (bias), {n_runs} runs each\n")
    print("| | " + " | ".join(f"{p:g}" for p in PREVALENCES) + " | Seconds |")
    print("| --- |" + " ---: |" * (len(PREVALENCES) + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [prevalence_errors(reference, p, n_runs, others.values()) for p in PREVALENCES]
    for i, name in enumerate(["check_site", *others]):
        cells = []
        for errors in found:
            error = errors[i, :, 0]
            size = np.abs(error)
            cells.append(
                f"{size.mean():.3f} ± {size.std() / np.sqrt(n_runs):.3f} ({error.mean():+.3f})"
            )
        seconds = np.mean([errors[i, :, 1].mean() for errors in found])
        print(f"| {name} | " + " | ".join(cells) + f" | {seconds:.2g} |", flush=True)


# -- certified recall -------------------------------------------------------------------------


def mapie_threshold(scores, y, fwer_method, thresholds):
    """Threshold of MAPIE, or None if it finds none that controls the recall."""
    from mapie.risk_control import BinaryClassificationController

    controller = BinaryClassificationController(
        Probabilities().predict_proba,
        "recall",
        target_level=MIN_RECALL,
        confidence_level=CONFIDENCE,
        list_predict_params=thresholds,
        fwer_method=fwer_method,
    )
    return controller.calibrate(scores[:, None], y.astype(int)).best_predict_param


def operating_point(scores, y):
    """Threshold of `OperatingPointClassifierCV` on labelled images."""
    point = OperatingPointClassifierCV(
        FrozenEstimator(FirstColumn()), min_recall=MIN_RECALL, confidence=CONFIDENCE
    )
    return point.fit(scores[:, None], y.astype(int)).best_threshold_


def chosen_thresholds(scores, y, seed):
    """Threshold and number of labels of each method."""
    n = len(y)
    certifier = certify(scores, y, None, seed)
    default = np.linspace(0, 0.99, 100)
    fine = expit(np.linspace(-10, 10, 1001))
    return {
        "RecallCertifier": (certifier.threshold_, certifier.n_labelled_),
        "OperatingPointClassifierCV": (operating_point(scores, y), n),
        "MAPIE, as it is (Bonferroni-Holm, 100 thresholds)": (
            mapie_threshold(scores, y, "bonferroni_holm", default),
            n,
        ),
        "MAPIE, fixed sequence, 100 thresholds": (
            mapie_threshold(scores, y, "fixed_sequence", default),
            n,
        ),
        "MAPIE, fixed sequence, 1,001 thresholds of even log odds": (
            mapie_threshold(scores, y, "fixed_sequence", fine),
            n,
        ),
    }


def recall_table(scores, y, n_runs, *, with_replacement):
    """How often the recall on all images is too low, the specificity, and the labels."""
    import_or_exit("mapie")
    rng = np.random.default_rng(0)
    n = len(y) if with_replacement else len(y) // 2
    found = {}
    for run in range(n_runs):
        rows = rng.choice(len(y), n, replace=with_replacement)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = chosen_thresholds(scores[rows], y[rows], run)
        for name, (threshold, n_labels) in chosen.items():
            # With none, every image is to be predicted positive.
            at = 0 if threshold is None else threshold
            figures = (np.mean(scores[y] >= at) < MIN_RECALL, np.mean(scores[~y] < at), n_labels)
            found.setdefault(name, []).append((*figures, threshold is None))
    drawn = "drawn with replacement" if with_replacement else "a random half"
    print(f"\nnew_site, {n} images, {drawn}, {n_runs} runs\n")
    print("| | Recall below .95 | Specificity | Labels | No threshold |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, figures in found.items():
        broken, specificity, labels, none = np.array(figures, dtype=float).T
        print(
            f"| {name} | {with_error(broken)} | {with_error(specificity)} | "
            f"{labels.mean():.0f} | {none.mean():.1%} |",
            flush=True,
        )


def with_error(values):
    """Mean with its standard error."""
    return f"{values.mean():.3f} ± {values.std() / np.sqrt(len(values)):.3f}"


def main(n_runs=300, path=None):
    """Print the tables."""
    model = load_pretrained("cnn") if path is None else load_model(path)
    prevalence_table(get_reference(model), n_runs)
    _, scores, y, _ = load_new_site(model)
    # In double precision, as MAPIE compares them.
    scores = scores.astype(np.float64)
    for with_replacement in (False, True):
        recall_table(scores, y, n_runs, with_replacement=with_replacement)


if __name__ == "__main__":
    main(*[int(number) for number in sys.argv[1:2]], *sys.argv[2:3])
