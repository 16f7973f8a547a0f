"""A file of one manifest and many arrays in the safetensors format, which cannot hold code.

The header of the file holds the manifest as JSON text, beside the SHA-256 of that text; the
manifest holds the dtype, the shape and the SHA-256 of each array.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import contextmanager
from functools import partial

import numpy as np
import safetensors
import safetensors.numpy

from skpneumo._utils.files import atomic_write
from skpneumo._utils.model_file._format_1 import MAGIC as ZIP_MAGIC
from skpneumo._utils.model_file._format_1 import open_format_1
from skpneumo._utils.model_file._manifest import (
    MAX_ARRAYS,
    MAX_MANIFEST_BYTES,
    dict_of_unique_keys,
    parse_manifest,
)
from skpneumo._utils.model_file._quantization import dequantize_kernels, quantize_kernels
from skpneumo._utils.typing import PathLike
from skpneumo.exceptions import ModelFileError

SUFFIX = ".skpneumo"
# The same with kernels as integers has a format of its own: an earlier version would take them for
# weights.
FORMAT, QUANTIZED_FORMAT = 2, 3
_LENGTH_BYTES = 8
# Quotation marks in the manifest are escaped once more in the header.
_MAX_HEADER_BYTES = 2 * MAX_MANIFEST_BYTES
# Twenty InceptionV3 networks, one for each fold, take 1.8 GB.
_MAX_FILE_BYTES = 2**31
_NUMBERS = "biuf"  # kinds of dtypes


def write_model_file(path, manifest, arrays, *, quantize=False):
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : str or path
        Where to.
    manifest : dict
        What JSON can hold; "format" and "arrays" are added to it.
    arrays : dict of str to ndarray
        By name.
    quantize : bool, default=False
        Whether kernels of convolutions are stored as integers.

    Raises
    ------
    ModelFileError
        If the file could not be read again: it would be too large, or an array holds no numbers.
    """
    if quantize:
        arrays = quantize_kernels(arrays)
    arrays = {name: _as_stored(name, array) for name, array in arrays.items()}
    descriptions = {name: _describe_array(array) for name, array in arrays.items()}
    manifest |= {"format": QUANTIZED_FORMAT if quantize else FORMAT, "arrays": descriptions}
    text = json.dumps(manifest, allow_nan=False)
    data = safetensors.numpy.save(arrays, {"manifest": text, "sha256": _sha256(text.encode())})
    try:
        _check_sizes(data, len(data))
    except ModelFileError as error:
        raise ModelFileError(f"{path} cannot be saved: {error}.") from None
    with atomic_write(path) as file:
        file.write(data)


def _as_stored(name, array):
    if array.dtype.kind not in _NUMBERS or array.dtype.itemsize > 8:
        raise ModelFileError(f"{name} cannot be saved: {array.dtype} is no type of safetensors")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _describe_array(array):
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "sha256": _sha256(array.data),
    }


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def is_model_file(path: PathLike) -> bool:
    """Check whether a file is one of `save_model`, by its name or else by its content.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    bool
        True also for a name that ends in ``.skpneumo``, so that what is wrong with such a file, if
        only that it does not exist, is an error of `load_model`.

    Examples
    --------
    >>> from skpneumo.persistence import is_model_file
    >>> is_model_file("model.skpneumo"), is_model_file("scan-001.jpeg")
    (True, False)
    """
    if os.fspath(path).lower().endswith(SUFFIX):
        return True
    try:
        read_manifest(path)
    except ModelFileError:
        return False
    return True


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
    with _opened(path) as (manifest, _):
        return manifest


def read_model_file(path):
    """Read a file and check everything in it.

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
    with _opened(path) as (manifest, read_array):
        arrays = {name: read_array(name) for name in manifest["arrays"]}
        is_quantized = manifest["format"] == QUANTIZED_FORMAT
        return manifest, dequantize_kernels(arrays) if is_quantized else arrays


@contextmanager
def _opened(path):
    """Open a file of any format; whatever is wrong with it is raised as one kind of error."""
    try:
        opened = open_format_1 if _read_start(path).startswith(ZIP_MAGIC) else _open_format_2
        with opened(path) as content:
            yield content
    except FileNotFoundError:
        raise ModelFileError(f"{path}: there is no such file.") from None
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error}.") from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}.") from None
    except MemoryError:
        raise
    except Exception:
        raise ModelFileError(
            f"{path} is refused: it is no model file, or a damaged one. Wanted: a file of "
            "save_model."
        ) from None


def _read_start(path):
    # Opening a pipe would wait for whatever writes to it.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ModelFileError("it is a directory, a pipe or a device, not a file")
    with open(path, "rb") as file:
        return file.read(_LENGTH_BYTES)


@contextmanager
def _open_format_2(path):
    # The library takes headers of up to 100 MB.
    _check_sizes(_read_start(path), os.stat(path).st_size)
    with safetensors.safe_open(path, framework="numpy") as file:
        # It has checked that types, shapes and places agree, and that no two arrays overlap.
        names = set(file.keys())
        if len(names) > MAX_ARRAYS:
            raise ModelFileError(f"it holds more than {MAX_ARRAYS:,} arrays")
        _check_keys(path)
        manifest = _read_manifest(file.metadata() or {}, names)
        yield manifest, partial(_read_array, file, manifest["arrays"])


def _check_sizes(start, n_bytes):
    n_header_bytes = int.from_bytes(start[:_LENGTH_BYTES], "little")
    if n_header_bytes > n_bytes - _LENGTH_BYTES:
        raise ModelFileError("it is no model file, or a damaged one. Wanted: a file of save_model")
    if n_header_bytes > _MAX_HEADER_BYTES:
        raise ModelFileError(
            f"its header takes {n_header_bytes:,} bytes, more than {_MAX_HEADER_BYTES:,}"
        )
    if n_bytes > _MAX_FILE_BYTES:
        raise ModelFileError(f"it takes {n_bytes:,} bytes, more than {_MAX_FILE_BYTES:,}")


def _check_keys(path):
    """Refuse a name that the header holds twice, of which the library takes the last."""
    with open(path, "rb") as file:
        n_header_bytes = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        header = file.read(n_header_bytes)
    try:
        json.loads(header, object_pairs_hook=dict_of_unique_keys)
    except ValueError:
        raise ModelFileError("its header holds a name twice") from None


def _read_manifest(metadata, names):
    if "manifest" not in metadata:
        raise ModelFileError("it is another safetensors file. Wanted: one of save_model")
    manifest = parse_manifest(metadata["manifest"], (FORMAT, QUANTIZED_FORMAT))
    if _sha256(metadata["manifest"].encode()) != metadata.get("sha256"):
        raise ModelFileError("its manifest was changed since it was saved")
    if not isinstance(manifest.get("arrays"), dict) or set(manifest["arrays"]) != names:
        raise ModelFileError("its arrays are not those that its manifest lists")
    return manifest


def _read_array(file, descriptions, name):
    array = file.get_tensor(name)
    if array.dtype.kind not in _NUMBERS:
        raise ModelFileError(f"{name} is of type {array.dtype}. Wanted: numbers")
    if _describe_array(array) != descriptions[name]:
        raise ModelFileError(f"{name} was changed since it was saved")
    return array
