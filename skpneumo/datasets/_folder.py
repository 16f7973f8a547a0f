"""A folder of chest X-rays, sorted into NORMAL and PNEUMONIA, as arrays of paths and labels."""

import os
import warnings
from collections import Counter

import numpy as np
from sklearn.utils import Bunch

from skpneumo._marks import is_heatmap
from skpneumo.datasets._filenames import XRayName, parse_filename
from skpneumo.exceptions import DatasetError
from skpneumo.images import XRaySequence, image_type, read_patient

_CLASSES = {"normal": "NORMAL", "pneumonia": "PNEUMONIA"}
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
EXTENSIONS = (".jpeg", ".jpg", ".png", ".dcm", ".dicom")
_LITTER = {"__macosx", "thumbs.db", "desktop.ini", "dicomdir"}
_MAX_NAMED = 3  # names in a message
_MAX_DEPTH = 2  # archive/chest_xray/chest_xray is the deepest that a download nests
_MAX_FOLDERS = 4  # patient/study/series, and one more, is how archives of hospitals nest

_LAYOUT = """Expected, in upper or lower case (val, test or the level of splits may be missing):

    chest_xray/
        train/
            NORMAL/      *.jpeg, *.jpg, *.png, DICOM files, also in folders by child
            PNEUMONIA/   likewise
        val/             likewise
        test/            likewise"""

_DESCR = """Chest X-rays of children, labelled by the folders they lie in.

Folder: {folder}
Images: {counts}

The child of an image is read from its file name, as Kermany, Zhang and Goldbaum (Mendeley Data,
rscbjbr9sj) name their files. `groups` is for cross-validation: it never crosses splits and merges
children whom the names may have split. `patient` is finer and bare of the split: it is for
looking for children across splits. DICOM files tell the child themselves: children are numbered,
and their identifiers not kept. So are the folders in a class folder, each of which counts as a
child. Every other file counts as a child of its own.
"""


def list_entries(folder):
    """List a folder by name, without what operating systems leave behind."""
    with os.scandir(folder) as entries:
        wanted = [
            entry
            for entry in entries
            if not entry.name.startswith(".") and entry.name.casefold() not in _LITTER
        ]
    return sorted(wanted, key=lambda entry: entry.name)


def _known_folders(entries, meanings):
    """Pick the sub-folders whose name has a meaning: pairs of meaning and path."""
    return [
        (meanings[entry.name.casefold()], entry.path)
        for entry in entries
        if entry.name.casefold() in meanings and entry.is_dir()
    ]


def _find_collections(folder, depth=_MAX_DEPTH):
    """Find the outermost collections: pairs of a folder and its splits.

    The search ends at the first collection on each way down, so a copy of the collection inside
    itself (``chest_xray/chest_xray``) is not counted twice.
    """
    entries = list_entries(folder)
    if _known_folders(entries, _CLASSES):
        name = os.path.basename(os.path.abspath(folder)).casefold()
        return [(folder, [(_SPLITS.get(name, "all"), folder)])]
    splits = _known_folders(entries, _SPLITS)
    if any(_known_folders(list_entries(path), _CLASSES) for _, path in splits):
        return [(folder, splits)]
    if depth == 0:
        return []
    return [
        collection
        for entry in entries
        if entry.is_dir()
        for collection in _find_collections(entry.path, depth - 1)
    ]


def is_image(entry):
    """Whether an entry of a folder is an image, or should be by its name."""
    if is_heatmap(entry.path):
        return False
    # A link whose target is gone is an image that cannot be read, not something else.
    named = entry.name.casefold().endswith(EXTENSIONS) and not entry.is_dir()
    return named or (entry.is_file() and image_type(entry.path) is not None)


def _walk(folder, name="", depth=_MAX_FOLDERS):
    """What lies in a class folder and in folders of it: pairs of its name there and an entry."""
    for entry in list_entries(folder):
        inner = os.path.join(name, entry.name)
        if depth and entry.is_dir():
            yield from _walk(entry.path, inner, depth - 1)
        else:
            yield inner, entry


def _read_split(split, folder):
    """List the images of one split as (split, target, name, path), and what is left out."""
    rows, left_out = [], []
    for entry in list_entries(folder):
        is_folder = entry.is_dir()
        if is_folder and entry.name.casefold() in _CLASSES:
            target = _CLASSES[entry.name.casefold()]
            for name, inner in _walk(entry.path):
                if is_image(inner):
                    rows.append((split, target, name, inner.path))
                else:
                    left_out.append(inner.path)
        elif is_folder or is_image(entry):  # a third class, or images without a label
            left_out.append(entry.path)
    return rows, left_out


def _shorten(names):
    """Name the first few and count the rest."""
    more = len(names) - _MAX_NAMED
    return ", ".join(map(repr, names[:_MAX_NAMED])) + (f" and {more:,} more" if more > 0 else "")


def _describe_contents(folder):
    entries = list_entries(folder)
    folders = [entry.name for entry in entries if entry.is_dir()]
    files = [entry.name for entry in entries if not entry.is_dir()]
    found = [
        f"{len(names):,} {word} ({_shorten(names)})"
        for names, word in ((folders, "folder(s)"), (files, "file(s)"))
        if names
    ]
    return " and ".join(found) or "nothing"


def _describe_counts(counts, splits):
    return ", ".join(
        f"{split} {counts[split, 'NORMAL']:,} NORMAL + {counts[split, 'PNEUMONIA']:,} PNEUMONIA"
        for split in sorted(splits)
    )


def _children(rows):
    """What a DICOM file itself, or the name of a file or of its folder, tells about the child."""
    numbers = {"dicom": {}, "folder": {}}

    def number(kind, child):
        child = f"{kind}-{numbers[kind].setdefault(child, len(numbers[kind]) + 1)}"
        return XRayName(child, child, "")

    def parse(split, target, name, path):
        if identifier := read_patient(path):
            identified.append(target)
            return number("dicom", identifier)
        if (parsed := parse_filename(name)) is not None:
            return parsed
        folder, separator, _ = name.partition(os.sep)
        # Folders of hospitals may be named after people.
        if separator:
            return number("folder", folder)
        return XRayName(f"{split}/{target}/{name}", f"{target}/{name}", "")

    identified = []
    children = [parse(*row) for row in rows]
    if len(numbers["dicom"]) == 1 and len({*identified}) == 2:
        warnings.warn(
            f"All {len(identified):,} DICOM files with an identifier of a child have the same one, "
            "as after a removal of names. They count as one child: give groups of your own.",
            UserWarning,
            stacklevel=3,
        )
    return children


def _error(problem):
    return DatasetError(f"{problem}\n{_LAYOUT}")


def _find_collection(root):
    """Return the only collection at or below ``root``, or say why there is none."""
    if not os.path.exists(root):
        raise _error(
            f"There is no folder {root!r}; the working directory is {os.getcwd()!r}. "
            "Give the folder of an unpacked collection."
        )
    if not os.path.isdir(root):
        raise _error(f"{root!r} is a file, not a folder. Unpack an archive and give its folder.")
    collections = _find_collections(root)
    if not collections:
        raise _error(
            f"{root!r} holds no folders of classes: found {_describe_contents(root)}. "
            "Give the folder that holds the classes or the splits."
        )
    if len(collections) > 1:
        raise _error(
            f"{root!r} holds {len(collections)} collections: found "
            f"{_shorten([folder for folder, _ in collections])}. Give one of them."
        )
    return collections[0]


def _check_classes(counts, splits, folder, left_out):
    """Ask for both classes: in train where there is one, since nothing is learnt from one class."""
    needed = {"train"} & splits or splits
    if len({target for split, target in counts if split in needed}) < 2:
        found = _describe_counts(counts, splits)
        if left_out:
            found += f"; left out: {len(left_out):,} file(s) or folder(s) ({_shorten(left_out)})"
        raise _error(
            f"{folder!r} must hold images of both classes, NORMAL and PNEUMONIA, in "
            f"{' + '.join(sorted(needed))}: found {found}. Add the missing images, or rename the "
            "folder they are in."
        )


def load_xray_folder(root, *, on_error=None):
    """List a folder of chest X-rays sorted into NORMAL and PNEUMONIA.

    No image is decoded: give the paths to :class:`~skpneumo.XRayLoader`. These are
    understood, whatever the case of their names:

    - folders ``train``, ``val`` and ``test`` (also ``training``, ``valid``, ``validation``,
      ``testing``), not necessarily all, each with folders ``NORMAL`` and ``PNEUMONIA``: the
      Mendeley zip and the Kaggle copy, whose second copy inside itself is not counted again;
    - a folder that itself holds ``NORMAL`` and ``PNEUMONIA``;
    - a folder with one of these in it, or in a folder of it;
    - in the class folders, images in folders by child, study and series.

    Parameters
    ----------
    root : str or path-like
        The folder.
    on_error : {"raise", "skip"} or None, default=None
        Decode every file now, in threads, and stop with the list of all that cannot be read, or
        leave these out and warn of them. None leaves it to whoever decodes them later.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Arrays of shape (n_images,), dtype str, sorted by split, class and file name:

        paths : ndarray
            The path of each image, starting with ``root``; relative where ``root`` is.
        target : ndarray
            "NORMAL" or "PNEUMONIA", from the folder.
        groups : ndarray
            The child of each image, for cross-validation: it starts with the split and merges
            children whom the file names may have split.
        patient : ndarray
            The child as finely as file names tell, without the split: to look for children in
            more than one split. Of DICOM files the identifier in the file counts, else of files
            with names of their own the folder in the class folder; both as numbers that are
            given anew at every call: load all splits in one.
        subtype : ndarray
            "bacteria", "virus", or "" for normal images and names that do not tell.
        split : ndarray
            "train", "val" or "test". Without a level of splits, the split that the folder of
            the classes is named after, else "all".
        left_out : list of str
            What else lies there, from ``root`` on.
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
        specificity alone can be measured there. It is a ValueError.
    ImageReadError
        With ``on_error="raise"``, if files cannot be read; it names them all.

    Warns
    -----
    UserWarning
        If anything is left out: files in the class folders that are not named ``.jpeg``,
        ``.jpg``, ``.png``, ``.dcm`` or ``.dicom`` and hold no such image either, folders and images
        beside the class folders; files that cannot be read. If all DICOM files have one child's
        identifier.
        What operating systems leave behind (``__MACOSX``, ``.DS_Store``, ``Thumbs.db``, hidden
        files) is ignored.

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
    folder, splits = _find_collection(os.fsdecode(root))
    rows, left_out = [], []
    for split, path in splits:
        more_rows, more_left_out = _read_split(split, path)
        rows += more_rows
        left_out += [os.path.relpath(other, folder) for other in more_left_out]
    if on_error is None:
        unreadable = {}
    else:
        unreadable = XRaySequence([path for *_, path in rows]).check(on_error)
    rows = [row for row in rows if row[-1] not in unreadable]
    counts = Counter((split, target) for split, target, _, _ in rows)
    split_names = {split for split, _ in splits}
    _check_classes(counts, split_names, folder, left_out)
    if left_out:
        warnings.warn(
            f"{len(left_out):,} file(s) or folder(s) in {folder!r} are left out, being neither "
            f"NORMAL nor PNEUMONIA images (JPEG, PNG, DICOM): {_shorten(left_out)}.",
            UserWarning,
            stacklevel=2,
        )
    rows.sort()  # the path comes last, so the case of a folder's name does not change the order
    split, target, _, paths = zip(*rows, strict=True)
    patient, group, subtype = zip(*_children(rows), strict=True)
    more = {"unreadable": unreadable} if on_error == "skip" else {}
    return Bunch(
        paths=np.array(paths),
        target=np.array(target),
        groups=np.array([f"{s}/{g}" for s, g in zip(split, group, strict=True)]),
        patient=np.array(patient),
        subtype=np.array(subtype),
        split=np.array(split),
        left_out=left_out,
        DESCR=_DESCR.format(folder=folder, counts=_describe_counts(counts, split_names)),
        **more,
    )
