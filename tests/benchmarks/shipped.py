"""A network that comes with the package: `chest_xray/test`, shifted copies of it, and `new_site`.

    python tests/benchmarks/shipped.py [NAME or FILE] [--no-shifts]

Its threshold is the one that was chosen on out-of-fold training data. Shifted copies are those of
`_shifts.py`, 18 kinds at five severities, as arrays. Intervals are of 95 %, by patients.
"""

import argparse
import time
import warnings

import numpy as np
from _shifts import N_SEVERITIES, SHIFTS, shift
from _xrays import evaluate_on_new_site, evaluate_on_test, load_either, load_images
from scipy.special import logit

from skpneumo._utils.unwrap import unwrap
from skpneumo.evaluation._intervals import logit_interval, proportion_interval
from skpneumo.evaluation._statistics import Statistic, ratio, roc_auc
from skpneumo.exceptions import OutlierWarning


def mean_over_copies(estimates):
    """Mean of a metric over copies of the same images."""
    values, influences, rows = zip(*estimates, strict=True)
    return Statistic(float(np.mean(values)), np.mean(influences, axis=0), rows[0])


def describe_metrics(truth, scores, threshold, clusters):
    """Means over copies with intervals, in one line."""
    sample = truth, clusters, 0.95
    called = [copy >= threshold for copy in scores]
    metrics = {
        "AUC": ([roc_auc(truth, copy) for copy in scores], logit_interval),
        "specificity": ([ratio(~truth & ~copy, ~truth) for copy in called], proportion_interval),
        "recall": ([ratio(truth & copy, truth) for copy in called], proportion_interval),
    }
    cells = []
    for name, (estimates, interval) in metrics.items():
        estimate = mean_over_copies(estimates)
        low, high = interval(estimate, *(sample if name == "AUC" else sample[1:]))
        cells.append(f"{name} {estimate.value:.3f} [{low:.3f}, {high:.3f}]")
    return ", ".join(cells)


def main():
    """Print the report, and a line for each kind of shift."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="cnn", help="a name, or a model file")
    parser.add_argument("--no-shifts", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore", OutlierWarning)
    model = load_either(options.model)
    X, y, data = load_images()
    test = data.split == "test"
    X, y, groups = X[test], y[test], data.groups[test]
    start = time.perf_counter()
    print(evaluate_on_test(model, data))
    print(f"{(time.perf_counter() - start):.0f} s\n")
    print(f"new_site, another hospital:\n{evaluate_on_new_site(model)}\n", flush=True)
    if options.no_shifts:
        return
    truth, threshold = y == 1, unwrap(model).threshold
    units = np.unique(groups, return_inverse=True)[1]
    # Shifted copies are arrays, which are answered a little differently from files.
    unchanged, files = (model.predict_proba(of)[:, 1] for of in (X, data.paths[test]))
    difference = np.abs(logit(unchanged.astype(float)) - logit(files.astype(float))).mean()
    print(f"log odds of arrays and files differ by {difference:.2f} on average")
    print(
        f"{'none, as arrays':16s} {describe_metrics(truth, unchanged[None], threshold, units)}",
        flush=True,
    )
    copies = {}
    for kind in SHIFTS:
        copies[kind] = np.stack(
            [model.predict_proba(shift(X, kind, i))[:, 1] for i in range(N_SEVERITIES)]
        )
        print(f"{kind:16s} {describe_metrics(truth, copies[kind], threshold, units)}", flush=True)
    everything = np.concatenate([*copies.values()])
    print(f"{'all':16s} {describe_metrics(truth, everything, threshold, units)}")


main()
