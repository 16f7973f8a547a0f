"""A folder of chest X-rays, sorted into NORMAL and PNEUMONIA, as arrays of paths and labels."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from skpneumo._utils.formatting import shorten
from skpneumo._utils.typing import PathLike
from skpneumo.datasets._contents import describe_contents, describe_levels
from skpneumo.datasets._folder_names import class_phrases
from skpneumo.datasets._patients import (
    identify_patients,
    number_studies,
    patient_warnings,
    unnamed_message,
)
from skpneumo.datasets._tree import (
    NOT_UNDERSTOOD,
    XRayTree,
    find_collections,
    holds_image,
    matches_class,
)
from skpneumo.exceptions import DatasetError
from skpneumo.images import VIEWS, XRaySequence, is_image, read_records

_KEEP_ALL = (
    " views='all', or --all-views on the command line, keeps other views and parts of the body."
)
_LAYOUT = """Expected, in any spelling (val, test or the level of splits may be missing):

    chest_xray/
        train/
            NORMAL/      *.jpeg, *.png, *.tif, *.jp2, DICOM files, also in folders by patient
            PNEUMONIA/   likewise, also in folders by bacteria and virus
        val/             likewise
        test/            likewise"""

# The Kaggle copy moves images of train into val: a patient may have images in both.
_GROUP_PREFIXES = {"val": "train"}

_DESCR = """Chest X-rays of children, labelled by the folders they lie in.

Folder: {folder}
Images: {counts}
Patients: {patients}

The patient of an image is read from its file name, as Kermany, Zhang and Goldbaum (Mendeley Data,
rscbjbr9sj) name their files; a copy with a longer name belongs to the same patient. `groups` is for
cross-validation: it keeps train with val apart from test, and merges patients whom the names may
have split. `patient` is finer and does not contain the split: it is for finding patients in two
splits. `identified` is False for images whose patient is not known.
DICOM files identify the patient themselves: patients are numbered, and their identifiers not kept.
A DICOM file without an identifier belongs to the patient of its study.
Folders of patients in a class folder are numbered too. Every other file counts as a patient of its
own.

`view`, `study` and `series` are read from the headers of DICOM files. A later study of a patient
has a larger number, so that the priors of an X-ray are those of its patient with smaller ones.
"""


def _describe_counts(counts, splits):
    return ", ".join(
        f"{split} {counts[split, 'NORMAL']:,} NORMAL + {counts[split, 'PNEUMONIA']:,} PNEUMONIA"
        for split in sorted(splits)
    )


def _error(problem):
    return DatasetError(f"{problem}\n{_LAYOUT}")


def _find_collection(root, phrases):
    """Return the only collection at or below ``root`` and what lies beside, or raise."""
    if not os.path.exists(root):
        raise _error(
            f"There is no folder {root!r}; the working directory is {os.getcwd()!r}. "
            "Give the folder of an unpacked collection."
        )
    if not os.path.isdir(root):
        raise _error(f"{root!r} is a file, not a folder. Unpack an archive and give its folder.")
    collections, beside = find_collections(root, phrases)
    if not collections:
        raise _error(
            f"{root!r} holds no folders of classes: found {describe_contents(root)}. "
            "Give the folder that holds the classes or the splits."
            f"{describe_levels(root, phrases)}"
        )
    if len(collections) > 1:
        raise _error(
            f"{root!r} holds {len(collections)} collections: found "
            f"{shorten(collections)}. Give one of them."
        )
    return collections[0], beside


def _check_classes(files, tree, collection, left_out, phrases):
    """Require both classes: in train if there is one, since nothing is learnt from one class."""
    counts = Counter((file.split, file.target) for file in files)
    needed = {"train"} & tree.splits or tree.splits
    if len({target for split, target in counts if split in needed}) < 2:
        found = _describe_counts(counts, tree.splits)
        if left_out:
            found += f"; left out: {len(left_out):,} file(s) or folder(s) ({shorten(left_out)})"
        raise _error(
            f"{collection!r} must hold images of both classes, NORMAL and PNEUMONIA, in "
            f"{' + '.join(sorted(needed))}: found {found}. Add the missing images, or rename the "
            f"folder they are in.{describe_levels(collection, phrases)}"
        )
    return counts


def _check_mapping(classes, tree, collection):
    """Raise if a folder that ``classes`` maps is not there: it may be misspelt."""
    missing = [
        name
        for name in classes or ()
        for words in class_phrases({name: "NORMAL"})
        if not matches_class(tree.class_folders, words)
    ]
    if missing:
        raise _error(
            f"classes maps {shorten(missing)}, but {collection!r} holds no such folder of a class: "
            f"found {describe_contents(collection)}.{describe_levels(collection, {})}"
        )


def _describe_reasons(reasons):
    """Count each reason and name a file of it."""
    counts, first = Counter(reasons.values()), {}
    for path, reason in reasons.items():
        first.setdefault(reason, path)
    return "; ".join(
        f"{n:,}, such as {first[reason]!r}: {reason.rstrip('.')}"
        for reason, n in counts.most_common()
    )


def _find_others(beside):
    """Images, and folders that hold some, beside the collection."""
    return {
        entry.path: NOT_UNDERSTOOD
        for entry in beside
        if (holds_image if entry.is_dir() else is_image)(entry)
    }


def _relative_to(root, reasons):
    return {os.path.relpath(path, root): reason for path, reason in reasons.items()}


def _left_out_warnings(root, left_out, no_chest, views):
    messages = []
    if left_out:
        messages.append(
            f"{len(left_out):,} file(s) or folder(s) in {root!r} are left out, since they are no "
            "images (JPEG, PNG, TIFF, BMP, WebP, JPEG 2000, DICOM) or their folders make them "
            "neither NORMAL nor PNEUMONIA "
            f"X-rays of one split: {shorten([*left_out])}."
        )
    if no_chest:
        messages.append(
            f"{len(no_chest):,} file(s) in {root!r} are left out, since they hold no frontal chest "
            f"X-ray: {_describe_reasons(no_chest)}.{_KEEP_ALL * (views == 'frontal')}"
        )
    return messages


def _make_columns(files, records):
    """Arrays with one entry per file, and warnings about patients."""
    identities = [record.identity for record in records]
    names, sources = identify_patients(files, identities)
    study, series = number_studies(identities, [name.patient for name in names])
    prefixes = [_GROUP_PREFIXES.get(file.split, file.split) for file in files]
    groups = [f"{prefix}/{name.group}" for prefix, name in zip(prefixes, names, strict=True)]
    columns = {
        "paths": np.array([file.path for file in files]),
        "target": np.array([file.target for file in files]),
        "groups": np.array(groups),
        "patient": np.array([name.patient for name in names]),
        "identified": np.array([source != "" for source in sources]),
        "subtype": np.array([name.subtype for name in names]),
        "split": np.array([file.split for file in files]),
        "view": np.array([record.header.view for record in records]),
        "study": study,
        "series": series,
    }
    return columns, patient_warnings(files, names, sources)


def load_xray_folder(
    root: PathLike,
    *,
    classes: Mapping[str, Literal["NORMAL", "PNEUMONIA"]] | None = None,
    on_error: Literal["raise", "skip"] | None = None,
    views: Literal["frontal", "all"] = "frontal",
) -> Bunch:
    """List a folder of chest X-rays sorted into NORMAL and PNEUMONIA.

    Images are not decoded, except if the header of a DICOM file leaves open whether it holds an
    X-ray: give the paths to :class:`~skpneumo.XRayLoader`. Each level of folders
    has one meaning, read from its name, and what has none is listed in ``left_out``:

    - a split: ``train``, ``val`` or ``test``, not necessarily all of them, above the classes or
      below;
    - a class: ``NORMAL`` or ``PNEUMONIA``, or a name that ``classes`` maps to one of them;
    - a subtype in the folder of PNEUMONIA, such as ``bacteria`` or ``virus``. Beside NORMAL these
      two stand for PNEUMONIA;
    - ``images``, which changes nothing, and ``masks``, ``heatmaps`` and the like, which are left
      out, as are files whose names end so;
    - any other folder in a class folder: a patient, and in it studies and series.

    Case, separators, numbers in front and words such as "set" or "images" do not matter:
    ``Test_Images``, ``0_NORMAL``. The collection may lie in a folder of ``root``, or in a folder
    of that. A second copy of it inside itself, as in the Kaggle archive, is not counted again.

    Parameters
    ----------
    root : str or path-like
        The folder.
    classes : dict of str to {"NORMAL", "PNEUMONIA"}, default=None
        Class by name of a folder, for other names than these two, such as
        ``{"Healthy": "NORMAL", "Opacity": "PNEUMONIA"}``. Spelling does not matter here either.
    on_error : {"raise", "skip"} or None, default=None
        Decode every file now, in threads, and stop with the list of all that cannot be read, or
        leave these out and warn of them. None leaves it to whatever decodes them later.
    views : {"frontal", "all"}, default="frontal"
        Which DICOM files to list by what their headers say: frontal chest X-rays, or also lateral
        and oblique views and other parts of the body. What a header does not say leaves nothing
        out. Files that hold no X-ray that can be shown (CT, reports, presentation states, captures
        in colour, raw data of a detector) are left out in either case.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Arrays of shape (n_images,), dtype str, sorted by split, class and file name:

        paths : ndarray
            The path of each image, starting with ``root``; relative if ``root`` is.
        target : ndarray
            "NORMAL" or "PNEUMONIA", from the folder.
        groups : ndarray
            The patient of each image, for cross-validation. It merges patients whom the file names
            may have split, and starts with the split: "train/" for train and val alike, so that
            the two can be joined, and "test/" for test, so that no group is on both sides.
        patient : ndarray
            The patient as finely as file names allow, without the split: to find patients in more
            than one split. Of DICOM files the identifier in the file counts; if it is
            empty, as after de-identification, that of another file of the study, else the folder
            of the patient, else the study, so that no study is divided. Of other files with names
            of their own the folder of the patient counts. All are numbers that hold for one call:
            load all splits in one.
        subtype : ndarray
            "bacteria", "virus", "fungus" or "covid", from the file name or else a folder; "" for
            normal images and wherever neither names one.
        split : ndarray
            "train", "val" or "test". Without a level of splits, the split that the folder of
            the classes or ``root`` is named after, else "all".
        view : ndarray
            "PA", "AP", "LATERAL" or "OBLIQUE" by the header; "" if it does not state it.

        An array of shape (n_images,), dtype bool:

        identified : ndarray
            Whether the patient of an image is known, from the header, the file name or the folder.
            Every other image counts as a patient of its own.

        Arrays of shape (n_images,), dtype int, that hold for one call:

        study, series : ndarray
            Number of the study and of the series by the header; 0 if it names none. A later
            study of a patient has a larger number: those with smaller ones are its priors. The
            date of a study is the first `StudyDate` in any of its files, else the first
            `SeriesDate`, `AcquisitionDate` or `ContentDate`. Studies without any date come after
            the dated ones of the patient, so their order says nothing.

        And:

        left_out : list of str
            What else lies there, from ``root`` on: images and folders of images whose meaning is
            not known or contradictory, whatever else lies in class folders, and files that hold no
            frontal chest X-ray.
        reasons : dict of str to str
            Why, for each of these.
        DESCR : str
            What was found, and where.

        And, with ``on_error="skip"``, a dict:

        unreadable : dict of str to str
            The files left out, and why.

    Raises
    ------
    DatasetError
        If the folder is missing, has another layout, holds several collections, or lacks a
        class: in the whole, or in train. In val or test one class is enough, since recall or
        specificity alone can be measured there. Or if ``classes`` maps a name that no folder has.
        It is a ValueError, and lists what lies in each split.
    ImageReadError
        With ``on_error="raise"``, if files cannot be read; it names them all.

    Warns
    -----
    UserWarning
        If anything is left out, with the reasons, or files cannot be read. If files name no
        patient, so that each counts as a patient of its own. If a folder or an identifier that
        counts as a patient holds a large part of a class, or more images than a patient
        has; if a class has many images of few patients; if all DICOM files have one identifier.
        What operating systems leave behind (``__MACOSX``, ``.DS_Store``, ``Thumbs.db``, hidden
        files) is ignored, as are other files than images outside the class folders.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skpneumo.datasets import load_xray_folder
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("NORMAL/IM-0115-0001.jpeg", "PNEUMONIA/person12_virus_46.jpeg"):
    ...         file = Path(root, "train", name)
    ...         file.parent.mkdir(parents=True)
    ...         file.touch()
    ...     data = load_xray_folder(root)
    >>> data.target
    array(['NORMAL', 'PNEUMONIA'], dtype='<U9')
    >>> data.groups
    array(['train/IM-115', 'train/person-12'], dtype='<U15')
    """
    if views not in VIEWS:
        raise ValueError(f"views must be 'frontal' or 'all', got {views!r}.")
    root, phrases = os.fsdecode(root), class_phrases(classes)
    collection, beside = _find_collection(root, phrases)
    tree = XRayTree(collection, phrases, root)
    left_out = _relative_to(root, _find_others(beside) | tree.left_out)
    _check_mapping(classes, tree, collection)
    paths = [file.path for file in tree.files]
    records = dict(zip(paths, read_records(paths, views), strict=True))
    no_chest = {path: record.reason for path, record in records.items() if record.reason}
    unreadable = {}
    if on_error is not None:
        unreadable = XRaySequence([path for path in paths if path not in no_chest]).check(on_error)
    files = [
        file for file in tree.files if file.path not in no_chest and file.path not in unreadable
    ]
    no_chest = _relative_to(root, no_chest)
    counts = _check_classes(files, tree, collection, [*left_out, *no_chest], phrases)
    columns, messages = _make_columns(files, [records[file.path] for file in files])
    for message in [*_left_out_warnings(root, left_out, no_chest, views), *messages]:
        warnings.warn(message, UserWarning, stacklevel=2)
    n_unnamed = int((~columns["identified"]).sum())
    more = {"unreadable": unreadable} if on_error == "skip" else {}
    return Bunch(
        **columns,
        left_out=[*left_out, *no_chest],
        reasons=left_out | no_chest,
        DESCR=_DESCR.format(
            folder=collection,
            counts=_describe_counts(counts, tree.splits),
            patients=unnamed_message(n_unnamed, len(files))
            or f"All {len(files):,} files name their patient.",
        ),
        **more,
    )
