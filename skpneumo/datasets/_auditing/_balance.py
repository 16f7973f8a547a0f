"""Splits and classes: too small, too uneven, or another mixture from split to split."""

import numpy as np
from scipy.stats import chi2_contingency

from skpneumo._utils.bounds import clopper_pearson_interval
from skpneumo.datasets._auditing._collection import n_patients, split_names
from skpneumo.datasets._auditing._findings import Finding

SUPPOSED_SHARE = 0.9
MAX_INTERVAL = 0.2
MIN_SHIFT = 0.05
MIN_MAJORITY = 0.6


def balance(counts):
    """Shares of the classes: too uneven for accuracy, lacking, or another from split to split.

    Parameters
    ----------
    counts : dict of str to dict of str to int
        Images by split and class.
    """
    classes = list(next(iter(counts.values())))
    table = np.array([[row[label] for label in classes] for row in counts.values()])
    found = [
        Finding(
            "class_missing",
            "warning",
            f"The split {split} holds no {label}.",
            "Only one of recall and specificity can be measured there.",
            f"Add images of {label}, or do not choose or judge by {split} alone.",
        )
        for split, row in counts.items()
        for label, n in row.items()
        if not n and len(classes) > 1
    ]
    totals = table.sum(axis=0)
    most = totals.argmax()
    share = totals[most] / totals.sum()
    if share >= MIN_MAJORITY and len(classes) > 1:
        found.append(
            Finding(
                "imbalance",
                "info",
                f"{share:.1%} of the images are {classes[most]}.",
                "Calling all images that is as accurate, and high F1 and F2 come easily.",
                "Judge by recall together with specificity.",
            )
        )
    shares = table[:, -1] / table.sum(axis=1)
    if (
        len(classes) == 2
        and len(counts) > 1
        and totals.all()
        and np.ptp(shares) >= MIN_SHIFT
        and chi2_contingency(table).pvalue < 0.01
    ):
        each = ", ".join(f"{s} {x:.1%}" for s, x in zip(counts, shares, strict=True))
        found.append(
            Finding(
                "class_shift",
                "warning",
                f"The share of {classes[-1]} differs between splits: {each}.",
                "Accuracy, predictive values and calibration of one split do not hold in another.",
                "Compare splits by recall, specificity and area under the ROC curve.",
            )
        )
    return found


def small_splits(collection):
    """Splits to choose or judge by that have too few patients for it."""
    found = []
    for split in split_names(collection.split):
        if split in ("train", "all"):
            continue
        few = []
        for label in np.unique(collection.target):
            n = n_patients(collection, (collection.split == split) & (collection.target == label))
            if n and np.ptp(interval(n)) > MAX_INTERVAL:
                few.append((n, str(label)))
        if not few:
            continue
        low, high = interval(min(few)[0])
        found.append(
            Finding(
                "small_split",
                "warning",
                f"The split {split} is too small: {', '.join(f'{n} of {c}' for n, c in few)} "
                f"(patients, where known). If {SUPPOSED_SHARE:.0%} were called right, the 95% "
                f"interval would be {low:.0%} to {high:.0%}.",
                "Settings that differ by less than this cannot be told apart: the best by "
                f"such a split is best by luck. {100 * MAX_INTERVAL:.0f} points are allowed.",
                "Choose by cross-validation on train and val together."
                if split == "val"
                else "Give intervals with every figure, and add patients.",
            )
        )
    return found


def interval(n):
    """Interval of Clopper and Pearson, 95%, where 90% of ``n`` are called right."""
    return clopper_pearson_interval(SUPPOSED_SHARE * n, n, 0.95)
