"""The content of a folder in words, for messages."""

import os
import shlex

from skpneumo._utils.formatting import shorten
from skpneumo._utils.label_words import label_sign
from skpneumo.datasets._folder_names import parse_folder_name
from skpneumo.images import is_image, list_entries

_MAX_NAMED = 3
_MAX_DEPTH = 3
# By the sign of a label: what its folder may hold.
_GUESSES = {1: "PNEUMONIA", -1: "NORMAL", 0: "NORMAL or PNEUMONIA?"}


def describe_contents(folder):
    """Count and name the folders and the files in a folder."""
    entries = list_entries(folder)
    folders = [entry.name for entry in entries if entry.is_dir()]
    files = [entry.name for entry in entries if not entry.is_dir()]
    found = [
        f"{len(names):,} {word} ({shorten(names)})"
        for names, word in ((folders, "folder(s)"), (files, "file(s)"))
        if names
    ]
    return " and ".join(found) or "nothing"


def _levels(folder, phrases, depth=_MAX_DEPTH):
    """A folder and those below it that name a split or images: those that may hold classes."""
    yield folder
    for entry in list_entries(folder) if depth else ():
        meaning = parse_folder_name(entry.name, phrases) if entry.is_dir() else None
        if meaning is not None and meaning.is_xrays and meaning.target is None:
            yield from _levels(entry.path, phrases, depth - 1)


def describe_levels(root, phrases):
    """The content of each split, and how to map folders whose names are not understood."""
    levels = list(_levels(root, phrases))
    text = "".join(
        f"\n{os.path.relpath(folder, root)!r} holds {describe_contents(folder)}."
        for folder in levels[1:]
    )
    unknown = dict.fromkeys(
        entry.name
        for folder in levels
        for entry in list_entries(folder)
        if entry.is_dir() and parse_folder_name(entry.name, phrases) is None
        if any(is_image(inner) or inner.is_dir() for inner in list_entries(entry.path))
    )
    if unknown:
        guesses = {name: _GUESSES[label_sign(name)] for name in [*unknown][:_MAX_NAMED]}
        mapping = ", ".join(f"{name!r}: {guess!r}" for name, guess in guesses.items())
        options = " ".join(
            f"--classes {shlex.quote(f'{name}={guess}')}" for name, guess in guesses.items()
        )
        text += (
            "\nIf the names of folders there are classes, map each to NORMAL or PNEUMONIA: "
            f"load_xray_folder(root, classes={{{mapping}}}), or on the command line {options}."
        )
    return text
