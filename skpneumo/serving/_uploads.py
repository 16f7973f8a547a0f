"""Files that a client sends, in memory."""

import os
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

from fastapi import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

_NUMBERS = count()
_MAX_FIELD_BYTES = 2**16
_MAX_FIELDS = 16


class Upload(NamedTuple):
    """A file that a client sent."""

    name: str
    content: bytes


class _InMemoryParser(MultiPartParser):
    # Starlette writes larger files to disk.
    spool_max_size = 2**62


async def read_uploads(request, field, max_files):
    """Read the files of a form.

    Parameters
    ----------
    request : starlette.requests.Request
        With a body of ``multipart/form-data``.
    field : str
        Name of the field of the files.
    max_files : int
        Number of files.

    Returns
    -------
    list of Upload

    Raises
    ------
    HTTPException
        400 if there is no such form or file in it, 413 if there are too many.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(400, "A form of the type multipart/form-data is wanted.")
    parser = _InMemoryParser(
        request.headers,
        request.stream(),
        max_files=max_files,
        max_fields=_MAX_FIELDS,
        max_part_size=_MAX_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            text = f"At most {max_files} files can be sent at once. Send fewer."
            raise HTTPException(413, text) from None
        raise HTTPException(400, "The form is damaged. Send the files again.") from None
    try:
        files = [item for item in form.getlist(field) if hasattr(item, "file")]
        if not files:
            raise HTTPException(400, f"No file was sent in the field {field!r}.")
        return [Upload(item.filename or "", item.file.read()) for item in files]
    finally:
        await form.close()


@contextmanager
def as_path(content, folder):
    """Give bytes a path, as models take paths, without writing them to a disk where that works.

    Parameters
    ----------
    content : bytes
        Of a file.
    folder : str
        For the name of the file; a number that is used once, as caches know files by names.

    Yields
    ------
    str
        The path, until the end of the block.
    """
    path = os.path.join(folder, f"upload-{next(_NUMBERS)}")
    descriptor = _open_in_memory(path)
    if descriptor is None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        yield path
    finally:
        os.close(descriptor)
        os.unlink(path)


def _open_in_memory(path):
    """Descriptor of a file in memory, to which the path leads; None if the system has none."""
    if not hasattr(os, "memfd_create"):
        return None
    descriptor = os.memfd_create("xray")
    target = f"/proc/{os.getpid()}/fd/{descriptor}"
    if not os.path.exists(target):
        os.close(descriptor)
        return None
    os.symlink(target, path)
    return descriptor
