"""What is known of the images of a collection before any is opened."""

import os
from pathlib import PureWindowsPath
from typing import NamedTuple

import numpy as np

from skpneumo.datasets._auditing._scan import why_unreadable
from skpneumo.datasets._patients import are_identified
from skpneumo.exceptions import DatasetError
from skpneumo.images import EXTENSIONS, as_xrays


class Collection(NamedTuple):
    """What is known of each image beforehand: arrays of shape (n_images,).

    Parameters
    ----------
    names : list of str
        To show: split, class and file.
    target, split : ndarray of str
        Class and split.
    groups : ndarray
        The patient, for cross-validation; the row where that is not known.
    patient : ndarray
        The patient, for looking across splits.
    is_known : ndarray of bool
        Whether ``patient`` tells the patient.
    """

    names: list
    target: np.ndarray
    split: np.ndarray
    groups: np.ndarray
    patient: np.ndarray
    is_known: np.ndarray


def check_collection(data):
    """The paths or images, and what is known of each beforehand."""
    if not isinstance(data, dict) or "target" not in data or not {"paths", "images"} & {*data}:
        got = f"keys {sorted(data)}" if isinstance(data, dict) else repr(data)[:60]
        raise DatasetError(
            "audit takes what load_xray_folder or make_xrays return: a Bunch or dict with target, "
            f"and with paths or images. Got {got}. For a folder: audit(load_xray_folder(root))."
        )
    has_files = "paths" in data
    images = (
        [os.fsdecode(path) for path in data["paths"]] if has_files else as_xrays(data["images"])
    )
    n = len(images)
    columns = {
        name: np.asarray(data[name]).astype(str)
        for name in ("target", "split", "groups", "patient")
        if data.get(name) is not None
    }
    wrong = {name: len(column) for name, column in columns.items() if column.shape != (n,)}
    if wrong or not n:
        raise DatasetError(
            f"audit takes arrays with one entry per image: got {n:,} images"
            + "".join(f", {length:,} of {name}" for name, length in wrong.items())
            + "."
        )
    target, split = columns["target"], columns.get("split", np.full(n, "all"))
    patient = columns.get("patient", columns.get("groups"))
    numbers = np.arange(n).astype(str)
    files = [PureWindowsPath(path).name for path in images] if has_files else [""] * n
    is_known = _tell_patient(columns.get("patient"), patient, files)
    patient = numbers if patient is None else patient
    places = np.char.add(np.where(split == "all", "", np.char.add(split, "/")), target)
    shown = [_shown(file, f"image {row}") for row, file in enumerate(files)]
    return images, Collection(
        names=[f"{place}/{name}" for place, name in zip(places, shown, strict=True)],
        target=target,
        split=split,
        groups=columns.get("groups", patient),
        # Of the others the file names are compared.
        patient=np.where(is_known, patient, files if has_files else patient),
        is_known=is_known,
    )


def _tell_patient(fine, patient, files):
    """Whether the patient of each image is known."""
    if fine is None:
        return np.full(len(files), patient is not None)
    return are_identified(fine, files)


def _shown(name, otherwise):
    """Last part of an image file's path; any other name may tell who the patient is."""
    return name if name.lower().endswith(EXTENSIONS) else otherwise


def left_out_of(data):
    """What `load_xray_folder` left out as no labelled frontal chest X-ray, by name, and why."""
    return [
        (_shown(PureWindowsPath(path).name, "a file"), reason.rstrip("."))
        for path, reason in data.get("reasons", {}).items()
    ]


def unreadable_of(data):
    """Files that `load_xray_folder` could not read, by name, and why."""
    return [
        (_shown(PureWindowsPath(path).name, "a file"), why_unreadable(path, cause))
        for path, cause in data.get("unreadable", {}).items()
    ]


def n_patients(collection, chosen):
    """Patients of some images; an image of an unknown one counts as a patient."""
    known = collection.patient[chosen & collection.is_known]
    return len(np.unique(known)) + int((chosen & ~collection.is_known).sum())


def split_names(split):
    """Names of the splits: train, val and test first."""
    usual = ("train", "val", "test")
    names = {str(name) for name in split}
    return [name for name in usual if name in names] + sorted(names - {*usual})
