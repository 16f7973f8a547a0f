"""How often the intervals and certified metrics of the library hold in simulations: one table.

    python tests/benchmarks/coverage.py [--runs N] [--seed N] [--jobs N] [--output FILE]

Patients are drawn again and again from populations whose truth is known: one image each, or several
that are alike (an intraclass correlation of 0.3 or 0.8); one in ten or six in ten with pneumonia;
models from poor to nearly perfect, with probabilities that are calibrated, too extreme or not
extreme enough. Every
metric of `evaluate` has a row, with the proportion of the samples whose 95 % interval contained the
truth, the lowest of the models and samples of a column, also for differences of two models by
`compare`. "10 x 10" is 10 patients of 10 images each; `--output` keeps every single number. Below
are the certified metrics of `OperatingPointClassifierCV` (see `certified.py`). Wanted: no interval
below .93, or .91 for 10 patients; no certified metric too low more often than stated if it is
valid. On two cores it takes about half an hour.
"""

import argparse
import json
import re
import sys
from itertools import chain
from typing import NamedTuple

import numpy as np
from certified import certified_rows
from joblib import Parallel, delayed
from scipy import special

from skpneumo.evaluation._differences import compute_differences
from skpneumo.evaluation._metrics import compute_metrics
from skpneumo.evaluation._predictions import Predictions

CONFIDENCE = 0.95
_N_TRUTH = 200_000


class Setting(NamedTuple):
    """A population and how it is sampled."""

    n_patients: int
    n_images: int
    prevalence: float
    correlated: float

    def __str__(self):
        if self.n_images == 1:
            return f"{self.n_patients:,}, {self.prevalence:g}"
        return f"{self.n_patients} x {self.n_images}, {self.prevalence:g}, ICC {self.correlated:g}"

    @property
    def wanted(self):
        """Lowest coverage that is wanted."""
        return 0.91 if self.n_patients <= 10 else 0.93


SETTINGS = [
    Setting(60, 1, 0.6, 0),
    Setting(60, 1, 0.1, 0),
    Setting(300, 1, 0.6, 0),
    Setting(300, 1, 0.1, 0),
    Setting(3000, 1, 0.1, 0),
    Setting(10, 10, 0.6, 0.3),
    Setting(10, 10, 0.6, 0.8),
    Setting(20, 10, 0.6, 0.3),
    Setting(20, 10, 0.6, 0.8),
    Setting(60, 4, 0.6, 0.3),
    Setting(60, 4, 0.6, 0.8),
    Setting(60, 5, 0.1, 0.8),
    Setting(60, 5, 0.6, 0.8),
    Setting(200, 4, 0.1, 0.8),
]
# Distance of the classes in standard deviations, and the slope that log odds are multiplied by.
MODELS = {"poor": (1.0, 0.5), "good": (2.5, 1.6), "nearly perfect": (4.0, 1.0)}
# A second model shares so much of the noise of the first one, for the differences.
_SHARED = 0.8


def draw(rng, setting, model):
    """Draw images of patients of both classes.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the draws.
    setting : Setting
        What is drawn.
    model : str
        A key of `MODELS`.

    Returns
    -------
    predictions, other : Predictions
        Of the model and of a slightly worse one.
    """
    distance, slope = MODELS[model]
    n, prevalence = setting.n_patients, setting.prevalence
    positive = np.zeros(n, dtype=bool)
    while not 0 < positive.sum() < n:
        positive = rng.random(n) < prevalence
    clusters = np.repeat(np.arange(n), setting.n_images)
    y_true = positive[clusters]

    def noise():
        of_patient, of_image = rng.normal(size=n)[clusters], rng.normal(size=len(clusters))
        return np.sqrt(setting.correlated) * of_patient + np.sqrt(1 - setting.correlated) * of_image

    first, second = noise(), noise()
    second = np.sqrt(_SHARED) * first + np.sqrt(1 - _SHARED) * second
    drawn = []
    for distance_of_one, values in ((distance, first), (0.9 * distance, second)):
        score = distance_of_one * y_true + values
        log_odds = distance_of_one * (score - distance_of_one / 2) + special.logit(prevalence)
        probability = special.expit(slope * log_odds)
        y_pred = score >= distance_of_one - 1.5  # a recall of .93
        groups = clusters if setting.n_images > 1 else None
        drawn.append(Predictions(y_true, y_pred, probability, groups))
    return tuple(drawn)


def truth_of(setting, model):
    """Metrics of a large sample, and differences; without their intervals."""
    rng = np.random.default_rng(0)
    large = Setting(_N_TRUTH // setting.n_images, *setting[1:])
    predictions, other = draw(rng, large, model)
    metrics = {name: one.value for name, one in compute_metrics(predictions, CONFIDENCE).items()}
    others = compute_metrics(other, CONFIDENCE)
    return metrics | {f"Δ {name}": metrics[name] - others[name].value for name in metrics}


def simulate(setting, model, n_runs, seed):
    """Coverage of each interval in one setting.

    Returns
    -------
    list of dict
        "metric", "setting", "model", "truth", "covered" (proportion of the intervals that contain
        it), "too_high" and "too_low" (proportions of intervals above and below it), and
        "without": the proportion of the samples without an interval.
    """
    truth = truth_of(setting, model)
    rng = np.random.default_rng([seed, SETTINGS.index(setting), list(MODELS).index(model)])
    ends = {name: [] for name in truth}
    for _ in range(n_runs):
        predictions, other = draw(rng, setting, model)
        found = compute_metrics(predictions, CONFIDENCE)
        differences = compute_differences(predictions, other, CONFIDENCE)
        for name, figure in found.items():
            ends[name].append(figure[1:])
            ends[f"Δ {name}"].append(differences[name][1:])
    rows = []
    for name, intervals in ends.items():
        low, high = np.transpose(intervals)
        has = ~np.isnan(low)
        low, high = low[has], high[has]
        above, below = low > truth[name] + 1e-9, high < truth[name] - 1e-9
        rows.append(
            {
                "metric": name,
                "setting": str(setting),
                "n_patients": setting.n_patients,
                "n_images": setting.n_images,
                "model": model,
                "truth": truth[name],
                "covered": 1 - np.mean(above | below) if has.any() else None,
                "too_high": np.mean(above) if has.any() else None,
                "too_low": np.mean(below) if has.any() else None,
                "without": 1 - np.mean(has),
                "n_runs": n_runs,
                "wanted": setting.wanted,
            }
        )
    return rows


def print_intervals(rows):
    """Table of the lowest coverage by metric and kind of sample, and what falls short."""
    kinds = {}
    for row in rows:
        kinds.setdefault(_kind_of_sample(row), []).append(row)
    print(f"| metric | {' | '.join(kinds)} | difference of two models, all samples |")
    print("| --- " * (len(kinds) + 2) + "|")
    names = dict.fromkeys(_stem(row["metric"]) for row in rows if not row["metric"].startswith("Δ"))
    for name in names:
        cells = [_lowest(part, name) for part in kinds.values()]
        print(f"| {name.replace('_', ' ')} | {' | '.join([*cells, _lowest(rows, f'Δ {name}')])} |")
    short = [row for row in rows if row["without"] < 0.9 and row["covered"] < row["wanted"]]
    print(f"\n{len(rows):,} intervals, {len(short)} below what is wanted:")
    for row in sorted(short, key=lambda row: row["covered"]):
        print(
            f"- {row['metric']}, {row['setting']}, {row['model']}: {row['covered']:.3f} "
            f"(too high {row['too_high']:.3f}, too low {row['too_low']:.3f}, no interval in "
            f"{row['without']:.2f}; truth {row['truth']:.4f})"
        )


def _stem(name):
    """Name of a metric without the prevalence, recall or threshold probability that it is at."""
    return re.sub(r"(_at(?:_prevalence|_recall)?)_[0-9.]+$", r"\1", name).removesuffix("_at")


def _kind_of_sample(row):
    if row["n_images"] == 1:
        return "60 to 3,000 patients, one image"
    if row["n_patients"] == 60:
        return "60 x 4 or 5"
    return f"{row['n_patients']} x {row['n_images']}"


def _lowest(rows, name):
    """Lowest coverage among some rows; too few intervals say nothing of their coverage."""
    known = [
        row["covered"] for row in rows if _stem(row["metric"]) == name and row["without"] < 0.9
    ]
    return f"{min(known):.3f}" if known else "none"


def main():
    """Simulate all settings and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", help="JSON file for all rows")
    parser.add_argument("--no-certified", action="store_true", help="intervals only")
    options = parser.parse_args()
    parts = Parallel(n_jobs=options.jobs, verbose=1)(
        delayed(simulate)(setting, model, options.runs, options.seed)
        for setting in sorted(SETTINGS, key=lambda s: -s.n_patients * s.n_images)
        for model in MODELS
    )
    names = [str(setting) for setting in SETTINGS]
    rows = sorted(chain.from_iterable(parts), key=lambda row: names.index(row["setting"]))
    print_intervals(rows)
    certified = [] if options.no_certified else certified_rows(options.runs, options.seed)
    if certified:
        print("\n| certified | conditions | claim | stated | found | samples |")
        print("| --- | --- | --- | --- | --- | --- |")
        for row in certified:
            found = f"{row.found:.3f} ± {np.sqrt(row.found * (1 - row.found) / row.n_runs):.3f}"
            print(
                f"| {row.what} | {row.setting} | {row.claim} | {row.nominal:g} | {found} | "
                f"{row.n_runs:,} |"
            )
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            everything = {"intervals": rows, "certified": [row._asdict() for row in certified]}
            json.dump(everything, file, indent=1, default=float)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
