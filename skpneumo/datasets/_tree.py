"""A folder of X-rays, walked once: each level has one meaning or is left out."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Literal, NamedTuple

from skpneumo._utils.typing import PathLike
from skpneumo.datasets._folder_names import names_class, names_no_xray, parse_folder_name
from skpneumo.images import describe_unread_file, has_extension, is_image, list_entries

_MAX_DEPTH = 2  # archive/chest_xray/chest_xray is the deepest that a download nests
_HAS_LETTER = re.compile("[A-Za-z]")
NOT_UNDERSTOOD = "its folders make it neither a NORMAL nor a PNEUMONIA X-ray of one split."
_NO_XRAY = "this is a mask, heatmap or the like, by its name or what marks it."
_LINK = "this link leads to a folder that is searched already."
_UNSPLIT = "it lies beside the splits of the same collection."
_MAX_FOLDERS = 4  # patient/study/series, and one more, is how archives of hospitals nest


class XRayFile(NamedTuple):
    """An image, and the meaning of the folders above it.

    Parameters
    ----------
    split : str
        "train", "val", "test" or "all".
    target : {"NORMAL", "PNEUMONIA"}
        The class.
    name : str
        The file, from its class folder on.
    path : str
        The file, from the root on as it was given.
    subtype : str
        The kind of pneumonia that a folder names, or "".
    patient : str
        The folder of the patient, or "".
    """

    split: str
    target: str
    name: str
    path: str
    subtype: str
    patient: str


class _Place(NamedTuple):
    """The meaning of the folders above an entry, as far as it is known."""

    split: str | None = None
    target: str | None = None
    name: str = ""
    subtype: str = ""
    patient: str = ""
    n_unknown: int = 0

    def enter(self, name, meaning):
        """Place in a folder of a name and its meaning; None if that is not understood here."""
        if meaning is None:
            if self.target is None or self.n_unknown == _MAX_FOLDERS:
                return None
            return self._replace(
                name=os.path.join(self.name, name),
                patient=self.patient or name,
                n_unknown=self.n_unknown + 1,
            )
        split, target = meaning.split or self.split, meaning.target or self.target
        if not meaning.is_xrays or split != (self.split or split):
            return None
        if target != (self.target or target):
            return None
        if meaning.subtype and target != "PNEUMONIA":
            return None
        # A level that names a split or a class has no part in the name; any other keeps files of
        # one name apart.
        is_named = meaning.split or meaning.target
        if self.target is None:
            inner = name if meaning.subtype else ""
        else:
            inner = self.name if is_named and not meaning.subtype else os.path.join(self.name, name)
        subtype = meaning.subtype or self.subtype
        return self._replace(split=split, target=target, name=inner, subtype=subtype)


class XRayTree:
    """The images of a collection.

    Parameters
    ----------
    folder : str
        The folder of the collection.
    phrases : dict of tuple of str to str
        More names of classes, from `class_phrases`.
    root : str, default=None
        The folder that was given, at or above ``folder``: it may name the split.

    Attributes
    ----------
    files : list of XRayFile
        The images, sorted by split, class and name.
    left_out : dict of str to str
        Paths that are left out, sorted, with the reasons.
    splits : set of str
        Splits that have a folder, with or without images.
    class_folders : set of str
        Names of the folders that were taken for a class.
    """

    def __init__(self, folder, phrases, root=None):
        # Numbers name patients below a class, whatever they name above.
        self._phrases = phrases, {w: t for w, t in phrases.items() if not "".join(w).isdecimal()}
        self._folder = folder
        self.files, self.left_out, self.class_folders = [], {}, set()
        self._splits, self._beside, self._walked = set(), [], set()
        self._walk(folder, _Place())
        self._settle_splits(_split_above(folder, folder if root is None else root))
        self._disambiguate_names()
        self._settle_beside()
        self.files.sort()
        self.left_out = dict(sorted(self.left_out.items()))

    def _walk(self, folder, place):
        self._walked.add(os.path.realpath(folder))
        entries = list_entries(folder)
        for entry in entries:
            if not entry.is_dir():
                self._take_file(entry, place)
        inside, beside = self._understand(entries, place)
        # Links last: one may lead to a folder beside it, or to one that it lies in, whose images
        # would be other patients, or another split.
        for entry, below in sorted(inside, key=lambda pair: pair[0].is_symlink()):
            if os.path.realpath(entry.path) in self._walked:
                self.left_out[entry.path] = _LINK
                continue
            if below.split != place.split:
                self._splits.add(below.split)
            if below.target != place.target:
                self._splits.add(below.split)
                self.class_folders.add(entry.name)
            self._walk(entry.path, below)
        for entry, meaning in beside:
            # Above the classes it may be a second copy, unless it names masks or another split.
            may_be_copy = meaning is None or (
                meaning.is_xrays and meaning.split in (None, place.split)
            )
            if place.target is None and may_be_copy and not entry.is_symlink():
                self._beside.append((entry, place.split))
            elif list_entries(entry.path):
                self.left_out[entry.path] = NOT_UNDERSTOOD

    def _understand(self, entries, place):
        """Folders that are understood here with their places, the others with their meanings."""
        # NORMAL/NORMAL beside images is a second copy of them.
        holds_images = place.target is not None and any(map(has_extension, entries))
        inside, beside = [], []
        for entry in filter(os.DirEntry.is_dir, entries):
            meaning = parse_folder_name(entry.name, self._phrases[place.target is not None])
            below = place.enter(entry.name, meaning)
            if below is None or (holds_images and below == place):
                beside.append((entry, meaning))
            else:
                inside.append((entry, below))
        # Beside splits or classes, a folder of images is not part of the collection.
        if place.target is None and any(below != place for _, below in inside):
            beside += [(entry, None) for entry, below in inside if below == place]
            inside = [(entry, below) for entry, below in inside if below != place]
        return inside, beside

    def _take_file(self, entry, place):
        if place.target is None:
            if is_image(entry):
                self.left_out[entry.path] = NOT_UNDERSTOOD
        elif not is_image(entry):
            self.left_out[entry.path] = (
                _NO_XRAY if has_extension(entry) else _describe_unread(entry)
            )
        elif names_no_xray(os.path.splitext(entry.name)[0]):
            self.left_out[entry.path] = _NO_XRAY
        else:
            name = os.path.join(place.name, entry.name)
            self.files.append(
                XRayFile(place.split, place.target, name, entry.path, place.subtype, place.patient)
            )

    def _settle_splits(self, named):
        """Give the images without a level of splits the split that their folder is named after."""
        if named is None and any(file.split for file in self.files):
            # The same images often exist before and after they were split.
            self.left_out |= {file.path: _UNSPLIT for file in self.files if file.split is None}
            self.files = [file for file in self.files if file.split is not None]
            self.splits = self._splits - {None}
        else:
            fill = named or "all"
            self.files = [file._replace(split=file.split or fill) for file in self.files]
            empty = self._splits - {None} if not self.files else set()
            self.splits = {file.split for file in self.files} | empty or {fill}

    def _disambiguate_names(self):
        """Name files of equal names by all folders above them, as in NORMAL and 0_NORMAL."""
        counts = Counter(file[:3] for file in self.files)
        self.files = [
            file
            if counts[file[:3]] == 1
            else file._replace(name=os.path.relpath(file.path, self._folder))
            for file in self.files
        ]

    def _settle_beside(self):
        """Skip a copy of the collection inside itself, and leave out all else beside it."""
        known = {file[:3] for file in self.files}
        for entry, split in self._beside:
            folders, _ = find_collections(entry.path, self._phrases[0], depth=1)
            copies = [XRayTree(folder, self._phrases[0]) for folder in folders]
            inner = {(split or file.split, *file[1:3]) for copy in copies for file in copy.files}
            is_copy = inner and inner <= known and not any(copy.left_out for copy in copies)
            if not is_copy and list_entries(entry.path):
                self.left_out[entry.path] = NOT_UNDERSTOOD


def _describe_unread(entry):
    if not entry.is_file():  # opening a pipe would wait for someone to write to it
        return "this is a pipe, a device or a link that leads nowhere, not a file."
    try:
        return describe_unread_file(entry.path)
    except OSError as error:
        return f"this file cannot be opened: {error.strerror}."


def split_from_name(folder: PathLike) -> Literal["train", "val", "test"] | None:
    """Return the split that a folder is named after.

    Parameters
    ----------
    folder : str or path-like
        The folder, in any spelling that `load_xray_folder` understands, such as "Test_Images".

    Returns
    -------
    {"train", "val", "test"} or None

    Examples
    --------
    >>> from skpneumo.datasets import split_from_name
    >>> split_from_name("xrays/Test_Images")
    'test'
    """
    meaning = parse_folder_name(os.path.basename(os.path.abspath(folder)))
    return None if meaning is None else meaning.split


def _split_above(folder, root):
    """The split that the folder of a collection is named after, or a folder above it up to root."""
    folders = [folder]
    while folders[-1] != root and len(folders[-1]) > len(root):
        folders.append(os.path.dirname(folders[-1]))
    return next(filter(None, map(split_from_name, folders)), None)


def holds_image(folder):
    """Whether an image lies in a folder or below; links to folders are taken to lead to some."""
    entries = list_entries(folder)
    return any(not entry.is_dir() and _may_be_image(entry) for entry in entries) or any(
        entry.is_symlink() or holds_image(entry.path) for entry in entries if entry.is_dir()
    )


def _may_be_image(entry):
    # Files of other extensions are not opened: there may be many, such as those of a program.
    extension = os.path.splitext(entry.name)[1]
    return is_image(entry) if _HAS_LETTER.search(extension) is None else has_extension(entry)


def _meanings(folder, phrases):
    return [
        (entry.path, meaning)
        for entry in list_entries(folder)
        if entry.is_dir() and (meaning := parse_folder_name(entry.name, phrases)) is not None
    ]


def _holds_classes(folder, phrases, depth=_MAX_DEPTH):
    """Whether a folder holds a class, directly or below splits and folders of images."""
    return any(
        meaning.target is not None
        or (depth and meaning.is_xrays and _holds_classes(path, phrases, depth - 1))
        for path, meaning in _meanings(folder, phrases)
    )


def find_collections(folder, phrases, depth=_MAX_DEPTH):
    """Find the outermost collections at or below a folder.

    The search ends at the first collection on each way down.

    Parameters
    ----------
    folder : str
        Folder to search.
    phrases : dict of tuple of str to str
        More names of classes, from `class_phrases`.
    depth : int, default=2
        Folders to go down.

    Returns
    -------
    collections : list of str
        Folders that hold classes, or splits that hold classes.
    beside : list of os.DirEntry
        Entries beside them, or beside folders above them.
    """
    if any(
        meaning.target is not None or (meaning.split is not None and _holds_classes(path, phrases))
        for path, meaning in _meanings(folder, phrases)
    ):
        return [folder], []
    collections, beside = [], []
    for entry in list_entries(folder):
        inner, beside_inner = [], []
        meaning = parse_folder_name(entry.name, phrases)
        if depth and entry.is_dir() and (meaning is None or meaning.is_xrays):
            inner, beside_inner = find_collections(entry.path, phrases, depth - 1)
        collections += inner
        beside += beside_inner if inner else [entry]
    return collections, beside


def matches_class(class_folders, words):
    """Whether a phrase of `class_phrases` named a folder that was taken for a class."""
    return any(names_class(name, words) for name in class_folders)
