"""PneumoniaMNIST: the chest X-rays of Kermany et al. at a few small sizes, in one file."""

from __future__ import annotations

import io
import math
import os
import zipfile
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from skpneumo._utils.typing import PathLike
from skpneumo.datasets import _registry
from skpneumo.datasets._download import fetch_file
from skpneumo.exceptions import DatasetError

_SPLITS = ("train", "val", "test")
_KEYS = {f"{split}_{what}" for split in _SPLITS for what in ("images", "labels")}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_HEADER = 2**14
# X-rays shrink to more than a half: arrays may take 20 times the file, or 64 MiB, or 4 GiB at most.
_MAX_RATIO = 20
_ALWAYS_BYTES = 2**26
_MAX_BYTES = 2**32
_MAX_NAMED = 8

_WANTED = """Wanted: an .npz file that holds, for one or more of train, val and test,
    <split>_images   uint8, of shape (n, rows, columns), all of one size
    <split>_labels   integers, of shape (n, 1) or (n,): 0 for normal, 1 for pneumonia"""

_DESCR = """Chest X-rays of children, in the form of PneumoniaMNIST (MedMNIST v2).

File: {path}
Images: {counts}, {rows} x {columns} pixels

The images are those of Kermany, Zhang and Goldbaum (Mendeley Data, rscbjbr9sj), cropped to the
central square and made smaller. PneumoniaMNIST's test is their test; train and val are parts of
their train, drawn at random. The patients are not known, so each image counts as
a patient of its own: cross-validated metrics, and those of val, are too good.
"""


def _error(path, problem):
    return DatasetError(f"{path}: {problem}.\n{_WANTED}")


def _members(archive, n_bytes):
    """Members by key, once their names and the sizes that they claim are checked."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    strange = sorted({*names} - {f"{key}.npy" for key in _KEYS})
    if strange:
        more = f" and {len(strange) - _MAX_NAMED:,} more" if len(strange) > _MAX_NAMED else ""
        named = ", ".join(repr(name.removesuffix(".npy")) for name in strange[:_MAX_NAMED])
        raise ValueError(f"it holds {named}{more}")
    if len({*names}) < len(names):
        raise ValueError("it holds a key twice")
    if any(info.flag_bits & 1 or info.compress_type not in _METHODS for info in infos):
        raise ValueError("it is encrypted, or compressed by another method than deflate")
    total = sum(info.file_size for info in infos)
    limit = min(max(_MAX_RATIO * n_bytes, _ALWAYS_BYTES), _MAX_BYTES)
    if total > limit:
        raise ValueError(
            f"its arrays claim {total:,} bytes, more than the {limit:,} that a file of {n_bytes:,} "
            "bytes is trusted with"
        )
    return {info.filename.removesuffix(".npy"): info for info in infos}


def _head(archive, info):
    """Shape and type of an array, read without the array."""
    with archive.open(info) as stream:
        head = io.BytesIO(stream.read(_MAX_HEADER))
    is_first = np.lib.format.read_magic(head) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(head)
    if dtype.hasobject:
        raise ValueError(f"{info.filename} holds Python objects, which are never unpickled")
    n_bytes = head.tell() + math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or n_bytes != info.file_size:
        raise ValueError(f"{info.filename} has another size than its shape {shape} needs")
    return shape, dtype


def _check_heads(heads):
    """Check that each split has images and labels, in shapes and types that agree."""
    splits = [split for split in _SPLITS if f"{split}_images" in heads]
    alone = sorted(
        key for key in heads if not {f"{key[:-7]}_images", f"{key[:-7]}_labels"} <= {*heads}
    )
    if alone:
        raise ValueError(f"images and labels go together, but {alone[0]} is alone")
    for split in splits:
        shape, dtype = heads[f"{split}_images"]
        if dtype != np.uint8 or len(shape) != 3 or 0 in shape[1:]:
            raise ValueError(f"{split}_images is {dtype} of shape {shape}")
        label_shape, label_dtype = heads[f"{split}_labels"]
        if label_dtype.kind not in "iu" or label_shape not in ((shape[0], 1), shape[:1]):
            raise ValueError(
                f"{split}_labels is {label_dtype} of shape {label_shape}, {split}_images has "
                f"shape {shape}"
            )
    sizes = sorted({heads[f"{split}_images"][0][1:] for split in splits})
    if len(sizes) > 1:
        raise ValueError(f"its images are of several sizes: {sizes}")
    if not any(heads[f"{split}_images"][0][0] for split in splits):
        raise ValueError("it holds no image")
    return splits


def _read(path):
    """Arrays by key, and the splits in order."""
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        infos = _members(archive, os.fstat(file.fileno()).st_size)
        splits = _check_heads({key: _head(archive, info) for key, info in infos.items()})
        arrays = {}
        for key, info in infos.items():
            with archive.open(info) as stream:
                arrays[key] = np.lib.format.read_array(stream, allow_pickle=False)
    for split in splits:
        labels = np.unique(arrays[f"{split}_labels"])
        if not np.isin(labels, (0, 1)).all():
            raise ValueError(f"{split}_labels holds {labels[:_MAX_NAMED].tolist()}")
    return arrays, splits


def load_pneumoniamnist(path: PathLike) -> Bunch:
    """Read an .npz file in the form of PneumoniaMNIST.

    Its images may be of any number and size, and splits may be missing. Nothing is unpickled, and
    headers are checked before anything is allocated: all arrays together may claim 20 times the
    size of the file, or 64 MiB if that is more, and never more than 4 GiB.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        In the order of the file, train before val before test:

        images : ndarray of shape (n_images, rows, columns), dtype uint8
            The X-rays.
        target : ndarray of shape (n_images,)
            "NORMAL" or "PNEUMONIA".
        groups : ndarray of shape (n_images,)
            The patient of each image, for cross-validation. The file does not identify patients:
            each image counts as a patient of its own.
        patient : ndarray of shape (n_images,)
            The same without the split.
        subtype : ndarray of shape (n_images,)
            "", since the file does not hold it.
        split : ndarray of shape (n_images,)
            "train", "val" or "test".
        filename : str
            Path of the file.
        DESCR : str
            Description of the file and its images.
        licence : str
            Licence of the published images.
        citation : str
            What to cite.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, or holds other keys, shapes, types or labels. It is a
        ValueError.

    See Also
    --------
    fetch_pneumoniamnist : Downloads the published files.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skpneumo.datasets import load_pneumoniamnist
    >>> images, labels = np.zeros((3, 28, 28), "uint8"), [[0], [1], [1]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "altered.npz")
    ...     np.savez(file, test_images=images, test_labels=labels)
    ...     data = load_pneumoniamnist(file)
    >>> data.images.shape
    (3, 28, 28)
    >>> data.target
    array(['NORMAL', 'PNEUMONIA', 'PNEUMONIA'], dtype='<U9')
    """
    path = os.fsdecode(path)
    try:
        arrays, splits = _read(path)
    except OSError as error:
        raise _error(path, error.strerror or error) from None
    except zipfile.BadZipFile as error:
        raise _error(path, f"this is no .npz file, or a damaged one ({error})") from None
    except Exception as error:
        # zlib, zipfile and NumPy's reader of headers raise nearly anything for damaged files.
        raise _error(path, str(error).rstrip(".") or type(error).__name__) from error
    images = [arrays[f"{split}_images"] for split in splits]
    images = images[0] if len(images) == 1 else np.concatenate(images)
    labels = np.concatenate([arrays[f"{split}_labels"].ravel() for split in splits])
    split = np.repeat(splits, [len(arrays[f"{split}_images"]) for split in splits])
    patient = np.arange(len(images)).astype(str)
    counts = (f"{name} {(split == name).sum():,}" for name in splits)
    return Bunch(
        images=np.ascontiguousarray(images),
        target=np.where(labels == 1, "PNEUMONIA", "NORMAL"),
        groups=np.array([f"{s}/{p}" for s, p in zip(split, patient, strict=True)]),
        patient=patient,
        subtype=np.full(len(images), ""),
        split=split,
        filename=path,
        DESCR=_DESCR.format(
            path=path, counts=", ".join(counts), rows=images.shape[1], columns=images.shape[2]
        ),
        licence=_registry.LICENCE,
        citation=_registry.PNEUMONIAMNIST_CITATION,
    )


def fetch_pneumoniamnist(
    size: Literal[28, 64, 128, 224] = 28,
    *,
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
) -> Bunch:
    """Read PneumoniaMNIST, downloaded if it is missing.

    An interrupted download is resumed by the next call. The file is verified at every call.

    Parameters
    ----------
    size : {28, 64, 128, 224}, default=28
        Rows and columns of an image. The files are between 4 MB (28) and 200 MB (224).
    data_home : str or path-like, default=None
        Folder to keep it in. None takes the environment variable ``SKPNEUMO_DATA``, or else the
        user's folder for data.
    download_if_missing : bool, default=True
        If False, a missing file is not downloaded but leads to an error.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from :func:`load_pneumoniamnist`: 4,708 images of train, 524 of val, 624 of test.

    Raises
    ------
    DatasetError
        If the file is missing and cannot be downloaded; the message names the file, its address
        and where to put it. It is a ValueError.
    ValueError
        If there is no such size.

    See Also
    --------
    load_pneumoniamnist : Reads any such file.
    fetch_kermany : The X-rays at full size, with patients by file names.

    Examples
    --------
    >>> from skpneumo.datasets import fetch_pneumoniamnist
    >>> data = fetch_pneumoniamnist()  # doctest: +SKIP
    >>> data.images.shape  # doctest: +SKIP
    (5856, 28, 28)
    """
    sizes = [*_registry.PNEUMONIAMNIST]
    if size not in sizes:
        raise ValueError(f"size must be one of {sizes}, got {size!r}.")
    remote = _registry.PNEUMONIAMNIST[size]
    return load_pneumoniamnist(fetch_file(remote, data_home, download_if_missing))
