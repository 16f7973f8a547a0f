"""The entries of a folder, and which of them are images."""

import os

from skpneumo._utils.heatmap_marks import is_heatmap
from skpneumo.images._formats import EXTENSIONS
from skpneumo.images._read import detect_format

_LITTER = {"__macosx", "thumbs.db", "desktop.ini", "dicomdir"}


def list_entries(folder):
    """List a folder by name, without files that operating systems leave behind."""
    with os.scandir(folder) as entries:
        wanted = [
            entry
            for entry in entries
            if not entry.name.startswith(".") and entry.name.casefold() not in _LITTER
        ]
    return sorted(wanted, key=lambda entry: entry.name)


def has_extension(entry):
    """Whether an entry of a folder is a file with the extension of an image."""
    return entry.name.casefold().endswith(EXTENSIONS) and not entry.is_dir()


def is_image(entry):
    """Whether an entry of a folder is an image, or should be by its name."""
    # A link whose target is gone is an image that cannot be read, not something else. Files are not
    # opened, but for the mark of a heatmap, which is a PNG file.
    if has_extension(entry) and not entry.name.casefold().endswith(".png"):
        return True
    if is_heatmap(entry.path):
        return False
    return has_extension(entry) or (entry.is_file() and detect_format(entry.path) is not None)
