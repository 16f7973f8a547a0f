"""The meaning of a folder's name: a split, a class, a subtype, images, or no X-rays."""

import re
import unicodedata
from typing import NamedTuple


def _words(text):
    return frozenset(text.split())


CLASSES = ("NORMAL", "PNEUMONIA")

_SPLITS = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validation", "validate", "validating", "dev"),
    "test": ("test", "testing", "tests", "tst"),
}
_TARGETS = {"NORMAL": ("normal", "normals"), "PNEUMONIA": ("pneumonia", "pneumonias")}
_SUBTYPES = {
    "bacteria": ("bacteria", "bacterial", "bacterium"),
    "virus": ("virus", "viral", "viruses"),
    "fungus": ("fungus", "fungal", "fungi"),
    "covid": ("covid", "covid 19", "sars cov 2", "coronavirus"),
}
# Folders of these subtypes beside NORMAL are pneumonia by their name alone, as the subtypes of
# the Kermany collection are; COVID beside NORMAL is a class of its own in many collections.
_SUBTYPES_OF_PNEUMONIA = ("bacteria", "virus")
_NOT_XRAYS = _words(
    "mask masks lungmask lungmasks segmentation segmentations seg annotation annotations heatmap "
    "heatmaps gradcam saliency overlay overlays contour contours bbox bboxes thumbnail thumbnails "
    "groundtruth"
)
_NOT_PATIENTS = _words(
    "age ages augmented bad batch boys camera center centre clinic country device duplicates "
    "excluded female females girls good hospital hospitals lateral laterals machine male males "
    "manufacturer misc month months new old other others poor quality rejected room scanner site "
    "sites source uncertain unclear unsure vendor view views ward year years"
)
_CONTAINERS = _words(
    "images image imgs img pictures pics photos scans xrays xray rays ray radiographs cxr cxrs "
    "data dataset files dicom dicoms dcm png pngs jpg jpgs jpeg jpegs tif tifs tiff tiffs "
    "bmp webp jp2 pa ap frontal"
)
_NUMBERED_CONTAINERS = _words("images imgs batch part chunk shard")
# They do not change the meaning of the word beside them: test_set, chest_xray_train.
_FILLERS = _CONTAINERS | _words(
    "x chest lung lungs set sets datasets folder dir split subset case cases patient patients "
    "class label category"
)
# A caret, as between the names of a person in DICOM, belongs to no other name.
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\s_.-]")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")


class FolderName(NamedTuple):
    """The meaning of a folder's name.

    Parameters
    ----------
    split : {"train", "val", "test"} or None
        The split that it names.
    target : {"NORMAL", "PNEUMONIA"} or None
        The class that it names.
    subtype : str
        The kind of pneumonia that it names, or "".
    is_xrays : bool
        False for masks, heatmaps and the like.
    """

    split: str | None = None
    target: str | None = None
    subtype: str = ""
    is_xrays: bool = True


def _tokens(name):
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", name).casefold()))


def _phrases(field, meanings):
    return {_tokens(word): {field: value} for value, words in meanings.items() for word in words}


_PHRASES = {
    **_phrases("split", _SPLITS),
    **_phrases("target", _TARGETS),
    **_phrases("subtype", _SUBTYPES),
}


def class_phrases(classes):
    """Phrases that name classes, as `parse_folder_name` takes them.

    Parameters
    ----------
    classes : dict of str to str, or None
        Class by name of a folder.

    Returns
    -------
    phrases : dict of tuple of str to str
        Class by the words of the name.

    Raises
    ------
    ValueError
        If a class is neither NORMAL nor PNEUMONIA, or two names that differ in spelling alone
        name different classes.
    """
    phrases = {}
    if classes is None:
        return phrases
    if not hasattr(classes, "items"):
        raise ValueError(
            f"classes must be a dict of class by name of a folder, got {classes!r}. Write, for "
            "example, classes={'Healthy': 'NORMAL', 'Opacity': 'PNEUMONIA'}."
        )
    for name, target in classes.items():
        words, known = _tokens(str(name)), str(target).strip().upper()
        if known not in CLASSES or not words:
            raise ValueError(
                f"classes must map names of folders to NORMAL or PNEUMONIA, got "
                f"{name!r}: {target!r}."
            )
        if phrases.setdefault(words, known) != known:
            raise ValueError(f"classes maps {name!r} to both NORMAL and PNEUMONIA.")
    return phrases


def parse_folder_name(name, phrases=None):
    """Meaning of the name of a folder.

    Case, surrounding spaces, separators, numbers in front and words such as "set" or "images" do
    not matter: "0_NORMAL", "train_set", "TestImages", "chest_xray_val". A name may have several
    meanings: "train_normal", "Viral Pneumonia".

    Parameters
    ----------
    name : str
        The name.
    phrases : dict of tuple of str to str, default=None
        More names of classes, from `class_phrases`.

    Returns
    -------
    meaning : FolderName or None
        None if a part of the name is not understood, or parts contradict each other. Without a
        split, class or subtype it names images, or masks and the like.

    Examples
    --------
    >>> from skpneumo.datasets._folder_names import parse_folder_name
    >>> parse_folder_name("0_NORMAL ").target
    'NORMAL'
    >>> parse_folder_name("chest_xray_test").split
    'test'
    >>> parse_folder_name("patient 12") is None
    True
    """
    known = dict(_PHRASES)
    for words, target in (phrases or {}).items():
        # A subtype stays one if its class is given.
        subtype = _PHRASES.get(words, {}) if target == "PNEUMONIA" else {}
        known[words] = subtype | {"target": target}
    meaning = _parse(_tokens(name), known)
    return _parse(_tokens(_CAMEL_CASE.sub(" ", name)), known) if meaning is None else meaning


def _parse(tokens, known):
    found, numbers, longest = {}, False, max(map(len, known))
    if not _NOT_XRAYS.isdisjoint(tokens) or tokens == ("ground", "truth"):
        return FolderName(is_xrays=False)
    start = 0
    while start < len(tokens):
        for length in range(longest, 0, -1):
            if tokens[start : start + length] in known:
                new = known[tokens[start : start + length]]
                if any(found.get(field, value) != value for field, value in new.items()):
                    return None
                found |= new
                break
        else:
            length = 1
            # Numbers order folders from the front; at the end they distinguish folders.
            if tokens[start].isdecimal() and not found:
                numbers = True
            elif tokens[start] not in _FILLERS | _NUMBERED_CONTAINERS:
                return None
        start += length
    if found:
        if found.get("subtype") in _SUBTYPES_OF_PNEUMONIA:
            found.setdefault("target", "PNEUMONIA")
        if "subtype" in found and found.get("target") == "NORMAL":
            return None
        return FolderName(**found)
    containers = _NUMBERED_CONTAINERS if numbers else _CONTAINERS
    return None if containers.isdisjoint(tokens) else FolderName()


def names_no_patient(name):
    """Whether the name of a folder is that of a site, a view, a batch or the like."""
    tokens = (token.strip("0123456789") for token in _tokens(name))
    return not _NOT_PATIENTS.isdisjoint(tokens)


def names_no_xray(stem):
    """Whether the name of a file, without its extension, is that of a mask or the like."""
    # Numbers may stand behind or before it, or on it: "mask_0", "x-heatmap-1", "img_mask2".
    tokens = [token.strip("0123456789") for token in _tokens(stem)]
    tokens = [token for token in tokens if token]
    return bool(tokens) and not _NOT_XRAYS.isdisjoint((tokens[0], tokens[-1]))


def names_class(name, words):
    """Whether a phrase of `class_phrases` is in the name of a folder."""
    spellings = _tokens(name), _tokens(_CAMEL_CASE.sub(" ", name))
    return any(
        tokens[start : start + len(words)] == words
        for tokens in spellings
        for start in range(len(tokens))
    )
