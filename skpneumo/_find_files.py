"""The files that ``skpneumo predict`` is given, and what it finds in folders."""

import glob
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from skpneumo._marks import is_heatmap
from skpneumo._messages import os_error_cause
from skpneumo.datasets._entries import is_image, list_entries
from skpneumo.exceptions import DatasetError, ImageReadError
from skpneumo.images import READABLE_FORMATS, read_records, read_xray

# Images of other formats, volumes and arrays, and archives that may hold X-rays: in a folder they
# are reported where they are not read. Texts, tables and programs beside images are not.
_OTHER_FORMATS = (
    *(".gif", ".jxl", ".avif", ".heic", ".heif", ".pgm", ".ppm", ".pnm", ".nii", ".nii.gz"),
    *(".nrrd", ".nhdr", ".mha", ".mhd", ".npy", ".npz", ".hdr", ".img", ".raw", ".pdf", ".ima"),
    *(".zip", ".7z", ".tar", ".tar.gz", ".tgz", ".rar"),
)
_OTHER_STARTS = (b"GIF8", b"%PDF")


@dataclass
class Found:
    """What `find_files` found.

    Attributes
    ----------
    files : list of str
        Files to predict, and names behind which there is none, in the order in which they came.
    errors : dict of str to str
        Those of them that cannot be read, and why.
    left_out : dict of str to str
        Those of them that hold no frontal chest X-ray, and why.
    named : list of str
        Those of the files that were named themselves, not found in a folder.
    skipped : list of str
        Heatmaps of skpneumo in folders.
    """

    files: list = field(default_factory=list)
    errors: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    named: list = field(default_factory=list)
    skipped: list = field(default_factory=list)

    def add_error(self, name, cause):
        """Add a name behind which there is no X-ray."""
        self.files.append(name)
        self.errors[name] = cause

    def leave_out(self, name, reason):
        """Add a file that holds no frontal chest X-ray."""
        self.files.append(name)
        self.left_out[name] = reason


def find_files(paths, views="frontal"):
    """Files that are named, and the images in folders that are.

    Parameters
    ----------
    paths : sequence of path
        Files are taken as they are; folders are searched, whatever the names in them, but not
        folders that are links in them. What cannot be read stops nothing.
    views : {"frontal", "all"}, default="frontal"
        Leave out lateral and oblique views and other parts of the body than the chest by the
        headers of DICOM files, or only files that hold no X-ray.

    Returns
    -------
    Found

    Raises
    ------
    DatasetError
        If there is no path.
    """
    if not paths:
        raise DatasetError("No X-rays are named, only a model. Name files or folders after it.")
    found = Found()
    for path in paths:
        name = os.fspath(path) and str(Path(path))  # Path("") is the working directory
        if os.path.isdir(name):
            n_before = len(found.files)
            n_skipped = len(found.skipped)
            _search(name, found)
            if len(found.files) == n_before:
                n_heatmaps = len(found.skipped) - n_skipped
                but = f", but {n_heatmaps} heatmaps of skpneumo" if n_heatmaps else ""
                found.add_error(name, f"this folder holds no {READABLE_FORMATS} file{but}.")
        elif cause := _why_no_image(name):
            found.add_error(name, cause)
        else:
            found.files.append(name)
            found.named.append(name)
    readable = [
        name for name in found.files if not (name in found.errors or name in found.left_out)
    ]
    for name, record in zip(readable, read_records(readable, views), strict=True):
        if record.reason:
            found.left_out[name] = record.reason
    return found


def _search(folder, found):
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
        elif _is_other_format(entry):
            found.leave_out(entry.path, _why_not_read(entry.path))


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


def _is_other_format(entry):
    """Whether a file that is no image that can be read may hold an X-ray all the same."""
    if entry.is_dir() or not entry.is_file():
        return False
    if entry.name.casefold().endswith(_OTHER_FORMATS):
        return True
    # Names of numbers, as archives give them.
    if any(map(str.isalpha, os.path.splitext(entry.name)[1])):
        return False
    try:
        with open(entry.path, "rb") as file:
            return file.read(12).startswith(_OTHER_STARTS)
    except OSError:
        return False


def _why_not_read(name):
    """Why a file of another format is not read."""
    try:
        read_xray(name)
    except ImageReadError as error:
        return str(error).removeprefix(f"{name}: ")
    return f"this is no {READABLE_FORMATS} file."
