"""Splits and classes: splits too small, classes imbalanced, missing, or of shifting prevalence."""

import numpy as np
from scipy.stats import chi2_contingency

from skpneumo._utils.bounds import clopper_pearson_interval
from skpneumo.datasets._auditing._collection import n_patients, split_names
from skpneumo.datasets._auditing._findings import Finding

ASSUMED_ACCURACY = 0.9
MAX_INTERVAL = 0.2
MIN_SHIFT = 0.05
MIN_MAJORITY = 0.6


def balance(counts):
    """Classes that are missing, imbalanced, or of different proportions from split to split.

    Parameters
    ----------
    counts : dict of str to dict of str to int
        Images by split and class.
    """
    classes = list(next(iter(counts.values())))
    if len(classes) < 2:
        return []
    table = np.array([[row[label] for label in classes] for row in counts.values()])
    return [
        *_missing_classes(counts),
        *_imbalance(table, classes),
        *_class_shift(table, classes, list(counts)),
    ]


def _missing_classes(counts):
    return [
        Finding(
            "class_missing",
            "warning",
            f"The split {split} holds no {label}.",
            "Only one of recall and specificity can be measured there.",
            f"Add images of {label}, or do not select or test on {split} alone.",
        )
        for split, row in counts.items()
        for label, n in row.items()
        if not n
    ]


def _imbalance(table, classes):
    totals = table.sum(axis=0)
    majority = totals.argmax()
    proportion = totals[majority] / totals.sum()
    if proportion < MIN_MAJORITY:
        return []
    return [
        Finding(
            "imbalance",
            "info",
            f"{proportion:.1%} of the images are {classes[majority]}.",
            "Predicting this class for every image is as accurate, and F1 and F2 are easily high.",
            "Evaluate recall together with specificity.",
        )
    ]


def _class_shift(table, classes, splits):
    proportions = table[:, -1] / table.sum(axis=1)
    is_shifted = (
        len(classes) == 2
        and len(splits) > 1
        and table.sum(axis=0).all()
        # Large enough to matter, and more than chance.
        and np.ptp(proportions) >= MIN_SHIFT
        and chi2_contingency(table).pvalue < 0.01
    )
    if not is_shifted:
        return []
    each = ", ".join(f"{s} {x:.1%}" for s, x in zip(splits, proportions, strict=True))
    return [
        Finding(
            "class_shift",
            "warning",
            f"The proportion of {classes[-1]} differs between splits: {each}.",
            "Accuracy, predictive values and calibration of one split do not hold in another.",
            "Compare splits by recall, specificity and area under the ROC curve.",
        )
    ]


def small_splits(collection):
    """Splits for selection or testing that have too few patients for it."""
    found = []
    for split in split_names(collection.split):
        if split in ("train", "all"):
            continue
        few = []
        for label in np.unique(collection.target):
            n = n_patients(collection, (collection.split == split) & (collection.target == label))
            if n and np.ptp(interval(n)) > MAX_INTERVAL:
                few.append((n, str(label)))
        if few:
            found.append(_small_split(split, few))
    return found


def _small_split(split, few):
    low, high = interval(min(few)[0])
    return Finding(
        "small_split",
        "warning",
        f"The split {split} is too small: {', '.join(f'{n} of {label}' for n, label in few)} "
        f"(patients, if known). If {ASSUMED_ACCURACY:.0%} were predicted correctly, the 95% "
        f"interval would be {low:.0%} to {high:.0%}.",
        "Candidates that differ by less than this cannot be distinguished: the best on such a "
        f"split is best by chance. {100 * MAX_INTERVAL:.0f} points are allowed.",
        "Select by cross-validation on train and val together."
        if split == "val"
        else "Report intervals with every metric, and add patients.",
    )


def interval(n):
    """Clopper-Pearson interval, 95%, if 90% of ``n`` are predicted correctly."""
    return clopper_pearson_interval(ASSUMED_ACCURACY * n, n, 0.95)
