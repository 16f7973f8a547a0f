"""Files that are written whole or not at all, and reports as files."""

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
            f"{path} cannot be written: there is no folder {folder}. Make it first."
        )


def write_report(report, path):
    """Write a report as HTML, JSON or text, by the extension of the file.

    Parameters
    ----------
    report : Audit or Evaluation
        With ``to_html``, ``to_json`` and ``__str__``.
    path : str or path
        The file.

    Raises
    ------
    ValueError
        If the extension is not ``.html``, ``.json`` or ``.txt``.
    FileNotFoundError
        If its folder does not exist.

    Notes
    -----
    Bytes of file names that are not UTF-8 are written as backslash escapes.
    """
    path = Path(path)
    writers = {".html": report.to_html, ".json": report.to_json, ".txt": report.__str__}
    if path.suffix.lower() not in writers:
        raise ValueError(f"A report ends in {', '.join(writers)}; got {path.name!r}.")
    check_parent_dir(path)
    write_text(writers[path.suffix.lower()](), path)


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
