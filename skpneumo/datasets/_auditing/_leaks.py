"""Duplicates, and patients in several splits: leakage from training to test."""

import numpy as np

from skpneumo.datasets._auditing._findings import Finding, count

_NAMED = 4  # images of one group
_COPIES = {
    "across_labels": (
        "with different labels",
        "One label of each is wrong, and a model is trained on both.",
        "Find out which label is right, and keep one copy.",
    ),
    "across_splits": (
        "in more than one split",
        "The model is tested on training images: its metrics are too good.",
        "Keep the copy in the test split, and drop the others.",
    ),
    "across_patients": (
        "counted as different patients",
        "Cross-validation trains on one copy and tests on the other: its metrics are too good.",
        "Keep one copy, or give all copies the same entry in groups.",
    ),
    "of_one_patient": (
        "within a split and a patient",
        "They count more than once, in training and in every metric.",
        "Keep one copy.",
    ),
}


def copies(collection, kind, groups):
    """Images that occur more than once.

    Parameters
    ----------
    collection : Collection
        The images.
    kind : {"exact", "near"}
        Kind of copies.
    groups : list of list of int
        Rows of each group.
    """

    def differ(values, rows):
        return len(np.unique(values[rows])) > 1

    by_place = {place: [] for place in _COPIES}
    for rows in groups:
        places = []
        if differ(collection.target, rows):
            places.append("across_labels")
        if differ(collection.split, rows):
            places.append("across_splits")
        if not places:
            is_one = not differ(collection.groups, rows)
            places.append("of_one_patient" if is_one else "across_patients")
        for place in places:
            by_place[place].append(rows)
    levels = dict.fromkeys(_COPIES, "error") | {
        "across_patients": "warning",
        "of_one_patient": "warning" if kind == "exact" else "info",
    }
    what = "equal byte for byte" if kind == "exact" else "nearly the same picture"
    found = []
    for place, chosen in by_place.items():
        if not chosen:
            continue
        place_text, why, advice = _COPIES[place]
        n_images = len({row for rows in chosen for row in rows})
        text = f"{n_images:,} images are {what}, {place_text}, in {count(len(chosen), 'group')}."
        if kind == "near":
            advice = f"Look at them; if they are copies: {advice[0].lower()}{advice[1:]}"
        details = [" = ".join(_first(collection, rows)) for rows in chosen]
        name = f"{kind}_copies_{place}"
        found.append(Finding(name, levels[place], text, why, advice, chosen, details))
    return found


def patients(collection):
    """Patients in more than one split, file names that may hide some, and unknown patients."""
    return [
        *_shared_patients(collection),
        *_recurring_names(collection),
        *_unknown_patients(collection),
    ]


def _shared_patients(collection):
    shared = _in_several_splits(collection, collection.is_known)
    if not shared:
        return []
    return [
        Finding(
            "patients_across_splits",
            "error",
            f"{count(len(shared), 'patient')} with {sum(map(len, shared)):,} images "
            f"{'is' if len(shared) == 1 else 'are'} in more than one split.",
            "The model is tested on training patients: its metrics are too good.",
            "Move all images of a patient to one split.",
            shared,
            [_per_split(collection, rows) for rows in shared],
        )
    ]


def _recurring_names(collection):
    recurring = _in_several_splits(collection, ~collection.is_known)
    if not recurring:
        return []
    return [
        Finding(
            "names_across_splits",
            "warning",
            f"{count(len(recurring), 'file name')} without a patient "
            f"{'is' if len(recurring) == 1 else 'are'} in more than one split.",
            "Either these are the same patients, or numbering starts again in each folder.",
            "If they are the same patients, move their images to one split.",
            recurring,
            [_per_split(collection, rows) for rows in recurring],
        )
    ]


def _unknown_patients(collection):
    n_unknown = int((~collection.is_known).sum())
    if not n_unknown:
        return []
    return [
        Finding(
            "patients_unknown",
            "info",
            f"The patient of {count(n_unknown, 'image')} is not known.",
            "A patient in two splits, or in two folds, cannot be detected there.",
            "Set data.patient and data.groups from your records.",
        )
    ]


def _in_several_splits(collection, chosen):
    """Rows of each patient among the chosen images who is in more than one split."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return []
    order = rows[np.argsort(collection.patient[rows], kind="stable")]
    key = collection.patient[order]
    groups = np.split(order, np.flatnonzero(key[1:] != key[:-1]) + 1)
    return [g.tolist() for g in groups if len(np.unique(collection.split[g])) > 1]


def _per_split(collection, rows):
    splits, n_images = np.unique(collection.split[rows], return_counts=True)
    counts = ", ".join(f"{split} {n}" for split, n in zip(splits, n_images, strict=True))
    return f"{counts}: {', '.join(_first(collection, rows))}"


def _first(collection, rows):
    names = [collection.names[row] for row in rows[:_NAMED]]
    return [*names, f"{len(rows) - _NAMED} more"] if len(rows) > _NAMED else names
