"""The claims that this project started from, at home and at another hospital: one table.

    python tests/benchmarks/claims.py [cnn] [pretrained] [random] [--seeds S,S] [--log FILE]

"Inception improves recall, precision and accuracy; class weights raise recall, and cost accuracy
and precision." The CNN, InceptionV3 from weights learnt on photographs ("pretrained") and from
random weights, each with its defaults (for random weights as many epochs as from pretrained ones,
and twice as many), without and with a class weight of 4 for pneumonia. They learn from
`chest_xray/train` and `val`; home is `chest_xray/test`, elsewhere `new_site`. The threshold is .5;
intervals are of 95 %, by patients. With `--log` rows that are in the file already are not computed
again, so that a run of hours can be resumed.
"""

import argparse
import time
from pathlib import Path

from _xrays import evaluate_on_new_site, evaluate_on_test, load_folder, photographs

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier

METRICS = {
    "accuracy": "accuracy",
    "F1": "f1",
    "precision": "positive_predictive_value",
    "recall": "recall",
    "specificity": "specificity",
    "AUC": "roc_auc",
}


def make_networks():
    """Classifiers by name, not fitted."""
    size = 150, 150
    epochs = InceptionPneumoniaClassifier().epochs
    return {
        "cnn": CNNPneumoniaClassifier((96, 96)),
        "pretrained": InceptionPneumoniaClassifier(size, weights=photographs()),
        "random": InceptionPneumoniaClassifier(size, weights=None, epochs=epochs + 1),
        "random, twice the epochs": InceptionPneumoniaClassifier(
            size, weights=None, epochs=2 * (epochs + 1)
        ),
    }


def describe(evaluation):
    """Cells of a row."""
    found = [evaluation.metrics[name] for name in METRICS.values()]
    return [f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for one in found]


def compute_rows(name, classifier, weight, seed, data):
    """Train one network; return a row for each place."""
    rows = data.split != "test"
    class_weight = None if weight == "none" else {"PNEUMONIA": 4}
    classifier.set_params(class_weight=class_weight, random_state=seed)
    start = time.perf_counter()
    classifier.fit(data.paths[rows], data.target[rows])
    minutes = f"{(time.perf_counter() - start) / 60:.1f}"
    places = {
        "home": evaluate_on_test(classifier, data),
        "elsewhere": evaluate_on_new_site(classifier),
    }
    return [
        "| " + " | ".join([name, weight, str(seed), place, *describe(found), minutes]) + " |"
        for place, found in places.items()
    ]


def main():
    """Train the networks and print two rows for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    networks = make_networks()
    parser.add_argument("networks", nargs="*", default=[*networks], metavar="NAME")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    if unknown := set(options.networks) - set(networks):
        parser.error(f"networks are {', '.join(networks)}; got {', '.join(unknown)}")
    data = load_folder()
    done = options.log.read_text().splitlines() if options.log and options.log.exists() else []
    print("| network | class weight | seed | where | " + " | ".join(METRICS) + " | minutes |")
    print("| --- " * (len(METRICS) + 5) + "|")
    for seed in options.seeds.split(","):
        for name in options.networks:
            for weight in ("none", "1 : 4"):
                start = f"| {name} | {weight} | {seed} |"
                rows = [row for row in done if row.startswith(start)]
                if not rows:
                    rows = compute_rows(name, networks[name], weight, int(seed), data)
                    if options.log:
                        with options.log.open("a") as file:
                            file.writelines(f"{row}\n" for row in rows)
                print(*rows, sep="\n", flush=True)


main()
