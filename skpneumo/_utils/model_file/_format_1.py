"""Files of format 1, which development versions before 0.1.0 wrote: archives of bare numbers.

They are zip archives of a manifest and arrays, which are read and no longer written. Nothing in
them is compressed, so that nothing can be larger than the file.
"""

import hashlib
import math
import os
import zipfile
from contextlib import contextmanager
from functools import partial

import numpy as np

from skpneumo._utils.model_file._manifest import MAX_ARRAYS, MAX_MANIFEST_BYTES, parse_manifest
from skpneumo.exceptions import ModelFileError

# As the length of the header of a safetensors file this would be 67 MB.
MAGIC = b"PK\3\4"
_MANIFEST = "manifest.json"
# The list of members takes some 60 bytes for each.
_MAX_LIST_BYTES = 2**20
_MAX_DIMENSIONS = 8
_DTYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in (
        *("bool", "float16", "float32", "float64"),
        *(f"{kind}{n_bits}" for kind in ("int", "uint") for n_bits in (8, 16, 32, 64)),
    )
}


@contextmanager
def open_format_1(path):
    """Open a file of format 1, and check its manifest.

    Parameters
    ----------
    path : str or path
        The file.

    Yields
    ------
    manifest : dict
        With "arrays", the dtype, shape and SHA-256 of each by its name.
    read_array : callable
        Returns the array of a name, checked.

    Raises
    ------
    ModelFileError
        If the content is refused.
    zipfile.BadZipFile
        If it is no such file.
    """
    _check_end(path)
    with zipfile.ZipFile(path) as archive:
        manifest = _read_manifest(archive)
        yield manifest, partial(_read_array, archive, manifest["arrays"])


def _check_end(path):
    """Refuse, before it is read, a list of members that is longer than that of any model.

    The last 22 bytes of an archive hold the size of the list, unless those of Zip64 precede them.
    """
    with open(path, "rb") as file:
        n_bytes = file.seek(0, os.SEEK_END)
        # An archive ends in a record of 22 bytes, after a locator of 20 if it is of the zip64 kind.
        file.seek(max(n_bytes - 42, 0))
        tail = file.read()
    before, end = tail[:-22], tail[-22:]
    plain = end.startswith(b"PK\5\6") and not before.startswith(b"PK\6\7")
    if not plain or int.from_bytes(end[12:16], "little") > _MAX_LIST_BYTES:
        raise zipfile.BadZipFile


def _read_manifest(archive):
    _check_members(archive)
    manifest = parse_manifest(archive.read(_MANIFEST), formats=(1,))
    arrays = manifest.pop("members", None)
    if not isinstance(arrays, dict) or {_MANIFEST, *arrays} != set(archive.namelist()):
        raise ModelFileError("its members are not those that its manifest lists")
    for name, description in arrays.items():
        _check_member(archive.getinfo(name), description)
    return manifest | {"arrays": arrays}


def _check_members(archive):
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(infos) > MAX_ARRAYS or len(set(names)) != len(names) or _MANIFEST not in names:
        raise ModelFileError("its members are not those of a model file")
    n_bytes = os.fstat(archive.fp.fileno()).st_size
    plain = all(
        info.compress_type == zipfile.ZIP_STORED
        and info.file_size == info.compress_size
        and not info.flag_bits & 1
        for info in infos
    )
    if not plain or sum(info.file_size for info in infos) > n_bytes:
        raise ModelFileError("it holds compressed or encrypted members, or claims to be larger")
    if archive.getinfo(_MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise ModelFileError("its manifest is too large")


def _check_member(info, description):
    """Compare the description of an array with the room it takes, before it is read."""
    dtype = _DTYPES.get(description["dtype"])
    shape = description["shape"]
    sides = all(type(n) is int and n >= 0 for n in shape)
    if dtype is None or len(shape) > _MAX_DIMENSIONS or not sides:
        raise ModelFileError(f"the type or shape of {info.filename} is not that of an array")
    if math.prod(shape) * dtype.itemsize != info.file_size:
        raise ModelFileError(f"{info.filename} is not as large as its manifest states")


def _read_array(archive, descriptions, name):
    description = descriptions[name]
    data = archive.read(name)
    if hashlib.sha256(data).hexdigest() != description["sha256"]:
        raise ModelFileError(f"{name} was changed since it was saved")
    return np.frombuffer(data, _DTYPES[description["dtype"]]).reshape(description["shape"]).copy()
