"""Networks that come with the package: metrics at home and elsewhere, by certified recall.

    python tests/benchmarks/operating_points.py [NAME or FILE ...] [--min-recall R ...]

At home is `chest_xray/test`, elsewhere `new_site`. The thresholds are chosen on out-of-fold scores
of the training; those of other recalls than that of the package as by
``load_pretrained(name, min_recall=...)``. Intervals are of 95 %, by patients.
"""

import argparse
import warnings

from _xrays import evaluate_on_new_site, evaluate_on_test, load_either, load_folder

from skpneumo._utils.unwrap import unwrap
from skpneumo.exceptions import OutlierWarning

METRICS = ("roc_auc", "specificity_at_recall_0.98")
AT_THRESHOLD = ("recall", "specificity", "accuracy")


def format_metric(metric):
    """Estimate and interval of a metric."""
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"


def print_row(*cells):
    """Print one row of a table."""
    print("| " + " | ".join(cells) + " |", flush=True)


def print_rows(name, model, criterion, data, metrics):
    """Print a row for each place."""
    threshold = unwrap(model).threshold
    for place, evaluation in (
        ("home", evaluate_on_test(model, data)),
        ("elsewhere", evaluate_on_new_site(model)),
    ):
        found = evaluation.metrics
        cells = [format_metric(found[metric]) for metric in metrics]
        print_row(name, criterion, f"{threshold:.3f}", place, *cells)


def main():
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=["cnn", "inception", "mean"])
    parser.add_argument("--min-recall", type=float, nargs="*", default=[0.98, 0.97, 0.95, 0.9])
    options = parser.parse_args()
    warnings.simplefilter("ignore", OutlierWarning)
    data = load_folder()
    metrics = (*AT_THRESHOLD, *METRICS)
    print_row("network", "threshold by", "threshold", "where", *metrics)
    print_row(*["---"] * (len(metrics) + 4))
    for name in options.models:
        model = load_either(name)
        print_rows(name, model, "the package", data, metrics)
        for min_recall in options.min_recall:
            model[-1].set_operating_point(min_recall=min_recall)
            print_rows(name, model, f"certified {min_recall:g}", data, metrics)


main()
