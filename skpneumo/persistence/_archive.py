"""A file of one manifest and many arrays: written whole or not at all, checked before it is used.

A zip archive without compression, so that nothing in it can be larger than the file. Arrays are
bare numbers; the manifest (JSON) tells the type, the shape and the SHA-256 of each.
"""

import hashlib
import json
import math
import os
import zipfile
from contextlib import contextmanager

import numpy as np

from skpneumo._utils.files import atomic_write
from skpneumo.exceptions import ModelFileError

SUFFIX = ".skpneumo"
MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 2**22
_MAX_MEMBERS = 10_000
# Of the list of members, which takes some 60 bytes for each.
_MAX_LIST_BYTES = 2**20
_MAX_DIMENSIONS = 8
_DTYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in (
        *("bool", "float16", "float32", "float64"),
        *(f"{kind}{n_bits}" for kind in ("int", "uint") for n_bits in (8, 16, 32, 64)),
    )
}
# Equal models are equal files.
_DATE = (1980, 1, 1, 0, 0, 0)


def write_archive(path, manifest, arrays):
    """Write a file beside ``path`` and put it there when it is whole.

    Parameters
    ----------
    path : str or path
        Where to.
    manifest : dict
        What JSON can hold; "members" is added to it.
    arrays : dict of str to ndarray
        By member name.
    """
    arrays = {name: _portable(array) for name, array in arrays.items()}
    members = {
        name: {
            "dtype": array.dtype.str,
            "shape": array.shape,
            "sha256": hashlib.sha256(array.data).hexdigest(),
        }
        for name, array in arrays.items()
    }
    text = json.dumps(manifest | {"members": members}, indent=1, allow_nan=False)
    # Without Zip64, which takes more than 2 GiB and is not read either.
    with (
        atomic_write(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as archive,
    ):
        archive.writestr(zipfile.ZipInfo(MANIFEST, _DATE), text)
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), array.data)


def _portable(array):
    little = array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype
    return np.ascontiguousarray(array, dtype=little).reshape(array.shape)


def read_manifest(path):
    """Read the manifest of a file, without its arrays.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or not of this kind.
    """
    with _opened(path) as archive:
        return _checked_manifest(archive)


def read_archive(path):
    """Read a file of `write_archive`, everything in it checked.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    manifest : dict
    arrays : dict of str to ndarray

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or not of this kind.
    """
    with _opened(path) as archive:
        manifest = _checked_manifest(archive)
        arrays = {
            name: _read_array(archive, name, told) for name, told in manifest["members"].items()
        }
    return manifest, arrays


@contextmanager
def _opened(path):
    """The archive in a file; whatever is wrong with it is told as one kind of error."""
    try:
        _check_end(path)
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}.") from None
    except Exception:
        raise ModelFileError(
            f"{path}: this is no model file, or a damaged one. Wanted: a file of save_model."
        ) from None
    with archive:
        try:
            yield archive
        except ModelFileError as error:
            raise ModelFileError(f"{path} is refused: {error}.") from None
        except MemoryError:
            raise
        except Exception:
            raise ModelFileError(f"{path} is refused: it is damaged.") from None


def _check_end(path):
    """Refuse, before it is read, a list of members that is longer than that of any model.

    The last 22 bytes of an archive tell the size of the list, unless those of Zip64 before them do.
    """
    with open(path, "rb") as file:
        n_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(n_bytes - 42, 0))
        tail = file.read()
    before, end = tail[:-22], tail[-22:]
    plain = end.startswith(b"PK\5\6") and not before.startswith(b"PK\6\7")
    if not plain or int.from_bytes(end[12:16], "little") > _MAX_LIST_BYTES:
        raise zipfile.BadZipFile


def _checked_manifest(archive):
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(infos) > _MAX_MEMBERS or len(set(names)) != len(names) or MANIFEST not in names:
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
    if archive.getinfo(MANIFEST).file_size > _MAX_MANIFEST_BYTES:
        raise ModelFileError("its manifest is too large")
    try:
        manifest = json.loads(archive.read(MANIFEST))
        members = manifest["members"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFileError("its manifest is damaged") from None
    if not isinstance(members, dict) or {MANIFEST, *members} != set(names):
        raise ModelFileError("its members are not those that its manifest tells")
    for name, told in members.items():
        _check_member(archive.getinfo(name), told)
    return manifest


def _check_member(info, told):
    """Compare what a manifest tells of an array with the room it takes, before it is read."""
    dtype = _DTYPES.get(told["dtype"])
    shape = told["shape"]
    sides = all(type(n) is int and n >= 0 for n in shape)
    if dtype is None or len(shape) > _MAX_DIMENSIONS or not sides:
        raise ModelFileError(f"the type or shape of {info.filename} is none of an array's")
    if math.prod(shape) * dtype.itemsize != info.file_size:
        raise ModelFileError(f"{info.filename} has not the size that its manifest tells")


def _read_array(archive, name, told):
    data = archive.read(name)
    if hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise ModelFileError(f"{name} was changed since it was saved")
    return np.frombuffer(data, _DTYPES[told["dtype"]]).reshape(told["shape"]).copy()
