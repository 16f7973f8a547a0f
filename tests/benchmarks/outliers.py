"""The rate at which `XRayOutlierDetector` flags new images of the kind that it was fitted on.

    python tests/benchmarks/outliers.py [n_runs]

Wanted: at most the nominal rate plus Monte Carlo error, and less than 1 / (n + 1) below it. Real
X-rays, split by patient, are added where SKPNEUMO_TEST_DATA names the folder with them.
"""

import os
import sys
from typing import NamedTuple

import numpy as np
from _xrays import load_folder

from skpneumo.datasets import make_xrays
from skpneumo.images import check_xrays
from skpneumo.preprocessing._outliers import (
    _N_FOLDS,
    _cross_fitted_distances,
    _distance,
    _subspace,
    _thumbnails,
    _upper_limit,
)

N_COMPONENTS = 20
N_NEW = 2000
NOMINAL = (0.01, 0.05, 0.1)


class Row(NamedTuple):
    """A line of the table of simulations."""

    what: str
    setting: str
    claim: str
    nominal: float
    found: float
    n_runs: int


def flagged(rows, patients, n):
    """Proportion of new images that each nominal rate flags after a fit on the first n."""
    new = np.flatnonzero(~np.isin(patients, patients[:n]))[:N_NEW]
    folds = np.unique(patients[:n], return_inverse=True)[1] % _N_FOLDS
    cross_fitted = _cross_fitted_distances(rows[:n], folds, N_COMPONENTS)
    distances = _distance(rows[new], *_subspace(rows[:n], N_COMPONENTS))
    return [np.mean(distances > _upper_limit(cross_fitted, rate)) for rate in NOMINAL]


def synthetic(n, images_per_patient, seed):
    """Rates of one fit on fresh synthetic X-rays."""
    options = {"image_size": (36, 32), "images_per_patient": images_per_patient}
    xrays = make_xrays(n + N_NEW, random_state=seed, **options)
    order = np.argsort(xrays.groups, kind="stable")  # the names of patients are in random order
    return flagged(_thumbnails(xrays.images[order]), xrays.groups[order], n)


def real(rows, patients, n, seed):
    """Rates of one fit on the X-rays of some patients, drawn at random."""
    rank = np.random.default_rng(seed).permutation(patients.max() + 1)
    order = np.argsort(rank[patients], kind="stable")
    return flagged(rows[order], patients[order], n)


def table_rows(setting, rates):
    """Lines of the table for the runs of one setting."""
    for nominal, found in zip(NOMINAL, np.transpose(rates), strict=True):
        error = found.std() / np.sqrt(len(found))
        row = Row("flagged", setting, "approximate", nominal, float(found.mean()), len(found))
        print(
            *row[:3], nominal, f"{row.found:.4f} ± {error:.4f}", row.n_runs, sep=" | ", flush=True
        )


def main():
    """Print the table."""
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for n in (60, 100, 200, 600, 2000):
        for size in (1, 4):
            rates = [synthetic(n, size, seed) for seed in range(n_runs)]
            table_rows(f"make_xrays, {n} images, {size} per patient", rates)
    if "SKPNEUMO_TEST_DATA" not in os.environ:
        return
    train = load_folder()
    train_rows = train.split == "train"
    rows = _thumbnails(check_xrays(train.paths[train_rows]))
    patients = np.unique(train.groups[train_rows], return_inverse=True)[1]
    for n in (60, 100, 200, 600, 2000):
        table_rows(
            f"chest_xray/train, {n} images",
            [real(rows, patients, n, seed) for seed in range(n_runs)],
        )


main()
