"""Files in a folder of X-rays that are not read, but may hold X-rays all the same."""

import os

from skpneumo.exceptions import ImageReadError
from skpneumo.images import READABLE_FORMATS, read_xray

# Images of other formats, volumes and arrays, and archives that may hold X-rays: in a folder they
# are reported where they are not read. Texts, tables and programs beside images are not.
_OTHER_FORMATS = (
    *(".gif", ".jxl", ".avif", ".heic", ".heif", ".pgm", ".ppm", ".pnm", ".nii", ".nii.gz"),
    *(".nrrd", ".nhdr", ".mha", ".mhd", ".npy", ".npz", ".hdr", ".img", ".raw", ".pdf", ".ima"),
    *(".zip", ".7z", ".tar", ".tar.gz", ".tgz", ".rar"),
)
_OTHER_STARTS = (b"GIF8", b"%PDF")


def is_other_format(entry):
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


def why_not_read(name):
    """Why a file of another format is not read."""
    try:
        read_xray(name)
    except ImageReadError as error:
        return str(error).removeprefix(f"{name}: ")
    return f"this is no {READABLE_FORMATS} file."
