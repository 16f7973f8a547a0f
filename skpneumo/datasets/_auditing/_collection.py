"""Names, labels and patients of the images of a collection, before any is opened."""

import os
from itertools import takewhile
from pathlib import PureWindowsPath
from typing import NamedTuple

import numpy as np

from skpneumo.datasets._auditing._scan import why_unreadable
from skpneumo.datasets._folder_names import parse_folder_name
from skpneumo.datasets._patients import are_identified
from skpneumo.exceptions import DatasetError
from skpneumo.images import EXTENSIONS, check_xrays

# Of files beside images. A name without one of these extensions may be that of a patient.
_OTHER_EXTENSIONS = (
    *(".txt", ".md", ".csv", ".tsv", ".xls", ".xlsx", ".json", ".xml", ".yaml", ".yml", ".html"),
    *(".doc", ".docx", ".rtf", ".pdf", ".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bak"),
    *(".gif", ".jxl", ".heic", ".heif", ".avif", ".npy", ".npz", ".mat", ".h5", ".nii", ".nrrd"),
    *(".nhdr", ".mha", ".mhd", ".hdr", ".img", ".raw", ".ima", ".svg", ".mp4", ".avi", ".mov"),
)


class Collection(NamedTuple):
    """Names, labels and patients of the images: arrays of shape (n_images,).

    Parameters
    ----------
    names : list of str
        To show: split, class and file.
    target, split : ndarray of str
        Class and split.
    groups : ndarray
        The patient, for cross-validation; the row if that is not known.
    patient : ndarray
        The patient, for checks across splits.
    is_known : ndarray of bool
        Whether ``patient`` identifies the patient.
    """

    names: list
    target: np.ndarray
    split: np.ndarray
    groups: np.ndarray
    patient: np.ndarray
    is_known: np.ndarray


def check_collection(data):
    """Validate a dataset; return its paths or images, and a `Collection`."""
    if not isinstance(data, dict) or "target" not in data or not {"paths", "images"} & {*data}:
        got = f"keys {sorted(data)}" if isinstance(data, dict) else repr(data)[:60]
        raise DatasetError(
            "audit takes what load_xray_folder or make_xrays return: a Bunch or dict with target, "
            f"and with paths or images. Got {got}. For a folder: audit(load_xray_folder(root))."
        )
    has_files = "paths" in data
    images = (
        [os.fsdecode(path) for path in data["paths"]] if has_files else check_xrays(data["images"])
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
    is_known = _find_known_patients(columns.get("patient"), patient, files)
    patient = numbers if patient is None else patient
    shown = [_shown(file, f"image {row}") for row, file in enumerate(files)]
    return images, Collection(
        names=[_joined(*parts) for parts in zip(split, target, shown, strict=True)],
        target=target,
        split=split,
        groups=columns.get("groups", patient),
        # If the patient is not known, file names are compared.
        patient=np.where(is_known, patient, files if has_files else patient),
        is_known=is_known,
    )


def _find_known_patients(fine, patient, files):
    """Whether the patient of each image is known."""
    if fine is None:
        return np.full(len(files), patient is not None)
    return are_identified(fine, files)


def _shown(name, otherwise, more=()):
    """Last part of a file's path, by its extension; any other name may identify the patient."""
    return name if name.lower().endswith((*EXTENSIONS, *more)) else otherwise


def _joined(split, target, name):
    """Name of an image as reports show it."""
    return "/".join(part for part in ("" if split == "all" else split, target, name) if part)


def get_left_out(data, collection):
    """Files that `load_xray_folder` left out, by name, with the reasons."""
    reasons = data.get("reasons", {})
    parts = [PureWindowsPath(path).parts for path in reasons]
    names = _names_by_folders(parts, data, collection)
    return [
        (name, reason.rstrip(".")) for name, reason in zip(names, reasons.values(), strict=True)
    ]


def get_unreadable(data, collection):
    """Files that `load_xray_folder` could not read, by name, with the causes."""
    causes = data.get("unreadable", {})
    parts = [PureWindowsPath(path).parts for path in causes]
    # The names of folders above the collection mean nothing.
    levels = zip(*parts, *_folders(data), strict=False)
    n_above = sum(1 for _ in takewhile(lambda names: len({*names}) == 1, levels))
    names = _names_by_folders([path[n_above:] for path in parts], data, collection)
    return [
        (name, why_unreadable(path, cause))
        for name, (path, cause) in zip(names, causes.items(), strict=True)
    ]


def _folders(data):
    """The folders of each image, the outermost first."""
    return [PureWindowsPath(os.fsdecode(path)).parts[:-1] for path in data.get("paths", ())]


def _names_by_folders(parts, data, collection):
    """Names, by split, class and last part, of files that are not among the images."""
    # The names that `classes` maps are known by the images in these folders alone.
    targets = {}
    for folders, target in zip(_folders(data), collection.target, strict=False):
        for folder in folders:
            targets.setdefault(folder, set()).add(str(target))
    splits = {str(split) for split in collection.split}
    # A folder of one split, or one that is named after a split itself, need not name it below.
    (usual,) = splits if len(splits) == 1 else ("",)
    names = {folder for path in parts for folder in path[:-1]}
    meanings = {name: parse_folder_name(name) for name in names}
    shown = []
    for i, (*folders, name) in enumerate(parts):
        split = target = ""
        for folder in folders:
            if (meaning := meanings[folder]) is not None:
                split, target = split or meaning.split or "", target or meaning.target or ""
            elif len(targets.get(folder, ())) == 1:
                (only,) = targets[folder]
                target = target or only
        shown.append(_joined(split or usual, target, _shown(name, f"file {i}", _OTHER_EXTENSIONS)))
    return shown


def n_patients(collection, chosen):
    """Patients of some images; an image of an unknown one counts as a patient."""
    known = collection.patient[chosen & collection.is_known]
    return len(np.unique(known)) + int((chosen & ~collection.is_known).sum())


def split_names(split):
    """Names of the splits: train, val and test first."""
    usual = ("train", "val", "test")
    names = {str(name) for name in split}
    return [name for name in usual if name in names] + sorted(names - {*usual})
