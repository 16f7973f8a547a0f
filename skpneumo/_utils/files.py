"""Files that are written whole or not at all."""

import os
import secrets
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path):
    """Write a file under another name, and rename it when it is complete.

    Parameters
    ----------
    path : path
        The file. Links are followed; a pipe or a terminal is written to directly.

    Yields
    ------
    binary file
    """
    path = Path(path)
    # A pipe or a device is written to: renaming a file over it would replace it.
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:
            yield file
        return
    # Replaces the file that a link leads to, not the link.
    path = path.resolve()
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def check_parent_dir(path):
    """Check that the folder of a file to be written exists.

    Parameters
    ----------
    path : str or path
        The file.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    """
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be written: there is no folder {folder}. Create it first."
        )


def write_text(text, path):
    """Write a text file; bytes of file names that are not UTF-8 become backslash escapes.

    Parameters
    ----------
    text : str
        The text.
    path : str or path
        The file.
    """
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))
