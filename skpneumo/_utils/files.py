"""Files that are written whole or not at all."""

import os
import secrets
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path):
    """Write a file under another name, and put it in its place when it is whole.

    Parameters
    ----------
    path : path
        Its place. A link leads to it; a pipe or a terminal is written to as it is.

    Yields
    ------
    binary file
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:
            yield file
        return
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
    """Refuse a place in a folder that does not exist.

    Parameters
    ----------
    path : str or path
        Of a file to be written.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    """
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be written: there is no folder {folder}. Make it first."
        )


def write_text(text, path):
    """Write a text whole; what is no UTF-8 in names of files is written with backslashes.

    Parameters
    ----------
    text : str
        What to write.
    path : str or path
        Where to.
    """
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))
