"""What a recipe is worth: cross-validated by patients, on shifted copies, and across sub-series.

    python tests/benchmarks/accuracy.py [--seeds S,S] [--folds K] [--fifths K] [--images N]
                                        [--model cnn|inception] [--transfer] [--test] [--new-site]
                                        [name=value ...]

Names are parameters of the classifier, such as ``epochs=20`` or ``augmentation__crop=0.2``;
without any, its defaults are measured. The images are `chest_xray/train` and
`val` under the folder that SKPNEUMO_TEST_DATA names. The threshold is the one that 98 % of the ill
of the held-out images reach (the shares at it are a little too good for that, by the same for
every recipe). Shifted copies are those of `_shifts.py`, of at most 300 held-out images for each
fold, with that threshold. "Rows cut" are healthy images without 9, 13 and 17 % of their rows,
stretched to their size, against ill ones left alone: in this collection the ill have wider images
that show less above and below the lungs, and a network may have learnt that. `--transfer` trains on
one half of the sub-series and tests on the children of the other. `--test` looks at
`chest_xray/test`: rarely. `--new-site` measures each fit on `new_site`, another hospital in
effect: nothing is trained on it, but recipes may be compared by it. Inception starts from the
weights learnt on photographs that are in the same folder.
"""

import argparse
import ast
import os
import time

import numpy as np
from _shifts import SHIFTS, shift
from _xrays import held_out_patients, load_images, load_other_data, photographs
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier, XRayAugmenter

N_SHIFTED = 300
RECALL = 0.98


def parse():
    """Options, and the classifier that they describe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", default="0", help="of split and training, with commas")
    parser.add_argument("--folds", type=int, default=1, help="how many of the five")
    parser.add_argument("--fifths", type=int, default=1, help="held out in each of them")
    parser.add_argument("--model", choices=["cnn", "inception"], default="cnn")
    parser.add_argument("--images", type=int, help="learn from so many only")
    parser.add_argument("--transfer", action="store_true")
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--new-site", action="store_true")
    parser.add_argument("recipe", nargs="*", metavar="name=value")
    options = parser.parse_args()
    kinds = {"cnn": CNNPneumoniaClassifier, "inception": InceptionPneumoniaClassifier}
    clf = kinds[options.model]()
    if options.model == "inception":
        clf.set_params(weights=photographs())
    values = dict(pair.split("=", 1) for pair in options.recipe)
    if any(name.startswith("augmentation__") for name in values):
        clf.set_params(augmentation=XRayAugmenter())
    clf.set_params(**{name: _literal(value) for name, value in values.items()})
    return options, clf


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def fitted(clf, X, y, seed):
    """Classifier fitted on these, and the seconds that took."""
    start = time.perf_counter()
    clf = clone(clf).set_params(random_state=seed).fit(X, y)
    return clf, time.perf_counter() - start


def log_odds(clf, X):
    """Of pneumonia; finite."""
    probability = np.clip(clf.predict_proba(X)[:, 1].astype(float), 1e-7, 1 - 1e-7)
    return np.log(probability / (1 - probability))


def area(healthy, ill):
    """Under the ROC curve."""
    return roc_auc_score(np.repeat([0, 1], [len(healthy), len(ill)]), [*healthy, *ill])


def examine(clf, X, y, seed=0):
    """Figures of a fitted classifier on images that it did not see."""
    scores = log_odds(clf, X)
    ill, healthy = scores[y == 1], scores[y == 0]
    threshold = np.quantile(ill, 1 - RECALL, method="lower")
    found = {"AUC": area(healthy, ill), "specificity": np.mean(healthy < threshold)}
    found |= {
        "recall at .5": np.mean(ill >= 0),
        "specificity at .5": np.mean(healthy < 0),
        "accuracy at .5": np.mean((scores >= 0) == y),
    }
    for severity, share in ((1, 9), (2, 13), (3, 17)):
        cut = log_odds(clf, shift(X[y == 0], "taller", severity))
        found[f"AUC, rows cut {share} %"] = area(cut, ill)
        found[f"specificity, rows cut {share} %"] = np.mean(cut < threshold)
    rows = np.random.default_rng(seed).permutation(len(y))[:N_SHIFTED]
    by_kind = {"AUC": {}, "specificity": {}, "recall": {}}
    for kind, (_, severities) in SHIFTS.items():
        copies = [shift(X[rows], kind, severity) for severity in range(len(severities))]
        shifted = log_odds(clf, np.concatenate(copies)).reshape(len(copies), -1)
        sick = y[rows] == 1
        by_kind["AUC"][kind] = np.mean([area(row[~sick], row[sick]) for row in shifted])
        by_kind["specificity"][kind] = np.mean(shifted[:, ~sick] < threshold)
        by_kind["recall"][kind] = np.mean(shifted[:, sick] >= threshold)
    worst = min(by_kind["AUC"], key=by_kind["AUC"].get)
    found["AUC, shifted: mean"] = np.mean([*by_kind["AUC"].values()])
    found["AUC, shifted: worst"] = by_kind["AUC"][worst]
    for what in ("recall", "specificity"):
        found[f"{what}, shifted: mean"] = np.mean([*by_kind[what].values()])
    return found, by_kind


def splits(y, groups, seed, options):
    """Rows to learn from and rows of other patients, as often as there are folds."""
    parts = [held_out for _, held_out in held_out_patients(y, groups, seed=seed)]
    for fold in range(options.folds):
        held_out = np.concatenate([parts[(fold + i) % len(parts)] for i in range(options.fifths)])
        yield np.setdiff1d(np.arange(len(y)), held_out), held_out


def show(rows, seconds, title):
    """One table: mean over runs, and the spread where there are several."""
    print(f"\n{title}: {len(rows)} run(s), {np.mean(seconds):.0f} s a fit")
    for name in rows[0]:
        values = [row[name] for row in rows]
        spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
        print(f"  {name:32s} {np.mean(values):.4f}{spread}", flush=True)


def show_kinds(kinds):
    """Means by kind of shift."""
    print("  shift               AUC    recall specificity")
    for kind in SHIFTS:
        means = [np.mean([by[what][kind] for by in kinds]) for what in kinds[0]]
        print(f"  {kind:18s} {means[0]:.3f}  {means[2]:.3f}  {means[1]:.3f}")


def main():
    """Run a recipe and print its table."""
    options, clf = parse()
    print(clf)
    X, y, data = load_images()
    groups, is_test = data.groups, data.split == "test"
    names = [os.path.basename(path) for path in data.paths]
    train = np.flatnonzero(~is_test)
    rows, kinds, seconds, elsewhere = [], [], [], []
    other_images = load_other_data()[:2] if options.new_site else None
    for seed in map(int, options.seeds.split(",")):
        for learn, held_out in splits(y[train], groups[train], seed, options):
            learn, held_out = train[learn], train[held_out]
            if options.images:
                learn = np.random.default_rng(seed).permutation(learn)[: options.images]
            model, took = fitted(clf, X[learn], y[learn], seed)
            found, by_kind = examine(model, X[held_out], y[held_out])
            rows.append(found), kinds.append(by_kind), seconds.append(took)
            if options.new_site:
                elsewhere.append(examine(model, *other_images)[0])
    show(rows, seconds, "Held out, by patients")
    show_kinds(kinds)
    if options.new_site:
        show(elsewhere, seconds, "new_site")
    if options.transfer:
        is_first = np.array([("NORMAL2" in name) or ("bacteria" in name) for name in names])
        for source, title in ((is_first, "NORMAL2-IM and bacteria"), (~is_first, "IM and virus")):
            learn, other = np.flatnonzero(~is_test & source), np.flatnonzero(~is_test & ~source)
            other = other[~np.isin(groups[other], groups[learn])]
            model, took = fitted(clf, X[learn], y[learn], 0)
            show([examine(model, X[other], y[other])[0]], [took], f"Trained on {title} alone")
    if options.test:
        model, took = fitted(clf, X[train], y[train], 0)
        test = np.flatnonzero(is_test)
        show([examine(model, X[test], y[test])[0]], [took], "chest_xray/test")


main()
