"""The files that ``skpneumo predict`` is given, and those in folders."""

import glob
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from skpneumo._utils.heatmap_marks import is_heatmap
from skpneumo.cli._errors import os_error_cause
from skpneumo.exceptions import DatasetError
from skpneumo.images import (
    READABLE_FORMATS,
    XRaySequence,
    describe_unread_file,
    is_image,
    list_entries,
    read_records,
)

# Texts, tables, programs and models beside X-rays; all other files may hold X-rays.
_BESIDE_XRAYS = (
    *(".txt", ".csv", ".tsv", ".json", ".xml", ".md", ".rst", ".html", ".htm", ".css", ".js"),
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".inf", ".log", ".py", ".ipynb", ".sh", ".bat"),
    *(".exe", ".dll", ".so", ".jar", ".pyc", ".lnk", ".url", ".md5", ".sha1", ".sha256"),
    *(".skpneumo", ".keras", ".pkl", ".joblib"),
)
_TEXT = bytes(range(ord(" "), 127)) + b"\t\r\n\f"
_TEXT_STARTS_WITHIN = 256


@dataclass
class FoundFiles:
    """What `find_files` found.

    Attributes
    ----------
    files : list of str
        Files to predict, and names behind which there is none, in the order in which they came,
        each once.
    errors : dict of str to str
        Those of them that cannot be read, and why.
    left_out : dict of str to str
        Those of them that hold no frontal chest X-ray, and why.
    named : set of str
        Those of the files that were named themselves, not found in a folder.
    skipped : list of str
        Heatmaps of skpneumo in folders.
    """

    files: list = field(default_factory=list)
    errors: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    named: set = field(default_factory=set)
    skipped: list = field(default_factory=list)

    def list_readable(self, views):
        """List the files that hold an X-ray that can be read.

        Parameters
        ----------
        views : {"frontal", "all"}
            Leave out lateral and oblique views and other parts of the body than the chest by the
            headers of DICOM files, or only files that hold no X-ray.

        Returns
        -------
        list of str
        """
        unread = self.errors | self.left_out
        files = [file for file in self.files if file not in unread]
        records = read_records(files, views)
        files = [file for file, record in zip(files, records, strict=True) if not record.reason]
        unreadable = XRaySequence(files).find_unreadable() if files else {}
        return [file for file in files if file not in unreadable]

    def with_reasons(self, files):
        """Return each file with its error and the reason why it is left out, or None."""
        return [(file, self.errors.get(file), self.left_out.get(file)) for file in files]

    def add_error(self, name, cause):
        """Add a path that is not an X-ray."""
        self.files.append(name)
        self.errors[name] = cause

    def leave_out(self, name, reason):
        """Add a file that holds no frontal chest X-ray."""
        self.files.append(name)
        self.left_out[name] = reason


def find_files(paths):
    """Files that are named, and the images in folders that are.

    Parameters
    ----------
    paths : sequence of path
        Files are taken as they are; folders are searched, whatever the names in them, but not
        folders that are links in them. Files that cannot be read stop nothing.

    Returns
    -------
    FoundFiles

    Raises
    ------
    DatasetError
        If there is no path.
    """
    if not paths:
        raise DatasetError(
            "No X-rays are named, only a model. Name files or folders after it; a folder with the "
            "name of a model is ./cnn, for example."
        )
    found = FoundFiles()
    for path in paths:
        name = os.fspath(path) and str(Path(path))  # Path("") is the working directory
        if os.path.isdir(name):
            _add_folder(name, found)
        elif cause := _why_no_image(name):
            found.add_error(name, cause)
        else:
            found.files.append(name)
            found.named.add(name)
    found.files = list(dict.fromkeys(found.files))
    return found


def _add_folder(folder, found):
    n_files, n_skipped = len(found.files), len(found.skipped)
    _search(folder, found)
    if len(found.files) == n_files:
        n_heatmaps = len(found.skipped) - n_skipped
        but = f", but {n_heatmaps} heatmaps of skpneumo" if n_heatmaps else ""
        found.add_error(folder, f"this folder holds no {READABLE_FORMATS} file{but}.")


def _search(folder, found):
    """Add the files in a folder and below it."""
    try:
        entries = list_entries(folder)
    except OSError as error:
        found.add_error(os.fspath(folder), os_error_cause(error))
        return
    for entry in entries:
        # A link to a folder may lead back here.
        if entry.is_dir(follow_symlinks=False):
            _search(entry.path, found)
        elif is_heatmap(entry.path):
            found.skipped.append(entry.path)
        elif is_image(entry):
            if cause := _why_no_image(entry.path):
                found.add_error(entry.path, cause)
            else:
                found.files.append(entry.path)
        elif _may_hold_xray(entry):
            _add_unread(entry, found)


def _may_hold_xray(entry):
    """Whether an entry that is no image by name or content is a file that may hold an X-ray."""
    if entry.is_dir() or not (entry.is_file() or entry.is_symlink()):
        return False
    return not (entry.name.casefold().endswith(_BESIDE_XRAYS) or _is_text(entry))


def _is_text(entry):
    """Whether a file without an extension, such as README, starts as a text."""
    if os.path.splitext(entry.name)[1]:
        return False
    try:
        with open(entry.path, "rb") as file:
            head = file.read(_TEXT_STARTS_WITHIN)
    except OSError:
        return False
    return bool(head) and not head.translate(None, _TEXT)


def _add_unread(entry, found):
    """Add a file that is none of the formats that are read."""
    if cause := _why_no_image(entry.path):
        found.add_error(entry.path, cause)
    elif not entry.stat().st_size:  # as a copy that failed
        found.add_error(entry.path, describe_unread_file(entry.path))
    else:
        found.leave_out(entry.path, describe_unread_file(entry.path))


def _why_no_image(name):
    """Why a name leads to no file that can be opened, or to a heatmap; None if it is neither."""
    if not name:
        return "this name is empty."
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):
            return "this is a pipe or a device, not a file. Name a file."
        open(name, "rb").close()
    except FileNotFoundError as error:
        if os.path.islink(name):
            return f"this link leads to {os.readlink(name)}, which does not exist."
        if glob.has_magic(name):
            return "no file matches this pattern."
        return os_error_cause(error)
    except OSError as error:
        return os_error_cause(error)
    except ValueError:
        return "this name holds a character that no file can have."
    return "this is a heatmap that skpneumo drew, not an X-ray." if is_heatmap(name) else None
