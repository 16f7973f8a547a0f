"""Image files, decoded in threads and not twice."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from skpneumo._utils.caching import default_store
from skpneumo._utils.threads import count_threads
from skpneumo.exceptions import ImageReadError
from skpneumo.images._read import read_xray

# Part of every key: increase it when the same file is decoded to other pixels than before.
_VERSION = 4


def thread_map(function, items):
    """List of ``function(item)``, computed in threads; Pillow releases Python's lock."""
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(len(items), count_threads(), 16)) as pool:
        return list(pool.map(function, items))


@contextmanager
def reraise_as_image_read_error(path):
    """Raise an error of the operating system as one of reading this file."""
    try:
        yield
    except OSError as error:
        raise ImageReadError(f"{path}: {error.strerror or error}.") from None


def file_identity(path):
    """Path, size in bytes and times of change of a file.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    tuple of (str, int, int, int)
        The times, of its content and of its entry, are in nanoseconds: a copy may have the former.

    Raises
    ------
    ImageReadError
        If the file is missing.
    """
    with reraise_as_image_read_error(path):
        status = os.stat(path)
    return os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns


def decoding_identity(path):
    """`file_identity`, and the version of what the file is decoded to."""
    return *file_identity(path), _VERSION


def read_files(paths, resizing=None):
    """Decode files, or take them from the store on disk if they did not change since.

    Parameters
    ----------
    paths : sequence of str
        The files.
    resizing : Resizing, default=None
        Size to decode at. Without one nothing is stored: such images may be large.

    Returns
    -------
    list of ndarray of shape (H, W), dtype uint8
        Not to be written to.
    """
    if resizing is None:
        return thread_map(read_xray, paths)

    def read(path):
        return read_xray(path, size=resizing.size, aspect=resizing.aspect)

    store = default_store()
    if store is None:
        return thread_map(read, paths)
    keys = [("image", *decoding_identity(path), repr(resizing)) for path in paths]
    images = dict(zip(keys, store.get(keys), strict=True))
    missing = {key: path for key, path in zip(keys, paths, strict=True) if images[key] is None}
    decoded = thread_map(read, [*missing.values()])
    store.put([*missing], decoded)
    images |= zip(missing, decoded, strict=True)
    return [images[key] for key in keys]
