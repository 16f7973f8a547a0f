"""The collection of Kermany et al.: downloaded, unpacked, listed."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from sklearn.utils import Bunch

from skpneumo._utils.typing import PathLike
from skpneumo.datasets import _registry
from skpneumo.datasets._download import data_folder, fetch_file, locked
from skpneumo.datasets._folder import load_xray_folder
from skpneumo.datasets._progress import progress
from skpneumo.exceptions import DatasetError

# The archive holds 5,856 JPEGs, as many entries again under __MACOSX, and JPEGs hardly shrink.
_MAX_MEMBERS = 20_000
_MAX_GROWTH = 2  # all files, times the archive
_MAX_RATIO = 100  # one file, times its compressed size
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)
_DAMAGE = (
    *(OSError, ValueError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)

_DESCR = """Chest X-rays of children one to five years old, from Guangzhou Women and Children's
Medical Center, as published by Kermany, Zhang and Goldbaum: {name}, SHA-256
{checksum}.

{listing}
Before interpreting metrics, note that normal images are larger and squarer than those with
pneumonia, that a patient has up to 31 images, that some files are copies of others, and that the
test images differ from the training images in more than the prevalence of pneumonia.
"""


def _is_litter(name):
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1] == ".DS_Store" or parts[-1].startswith("._")


def _find_danger(info):
    """Describe why a member must not be unpacked; empty if it may be."""
    name = info.filename
    escapes = any(part in ("", ".", "..") for part in name.removesuffix("/").split("/"))
    if escapes or "\\" in name or ":" in name:
        return "does not name a place in the folder"
    if stat.S_IFMT(info.external_attr >> 16) not in _KINDS:
        return "is a link or a device"
    if info.flag_bits & 1 or info.compress_type not in _METHODS:
        return "is encrypted, or compressed by another method than deflate"
    if info.file_size > _MAX_RATIO * info.compress_size:
        return f"claims to be more than {_MAX_RATIO} times as large as its data"
    return ""


def _members_to_unpack(archive, n_bytes):
    """List the files of an archive, and refuse one that would do harm."""
    infos = archive.infolist()
    if len(infos) > _MAX_MEMBERS:
        raise ValueError(f"it has {len(infos):,} members, more than {_MAX_MEMBERS:,}")
    for info in infos:
        danger = _find_danger(info)
        if danger:
            raise ValueError(f"its member {info.filename!r} {danger}")
    files = [info for info in infos if not info.is_dir() and not _is_litter(info.filename)]
    if len({info.filename for info in files}) < len(files):
        raise ValueError("several of its members have one name")
    total = sum(info.file_size for info in files)
    if total > _MAX_GROWTH * n_bytes:
        raise ValueError(
            f"its files claim {total:,} bytes, more than {_MAX_GROWTH} times its own {n_bytes:,}"
        )
    return files


def _unpack(path, folder):
    """Unpack an archive under another name, and rename the folder when it is complete."""
    # pooch.Unzip takes any archive, unpacks the litter too, and shows no progress.
    part = folder.with_name(f".{folder.name}.part")
    try:
        if part.exists():  # left by a process that was killed
            shutil.rmtree(part)
        with zipfile.ZipFile(path) as archive:
            infos = _members_to_unpack(archive, path.stat().st_size)
            total = sum(info.file_size for info in infos)
            with progress(f"Unpacking {path.name}", total) as report:
                for info in infos:
                    archive.extract(info, part)
                    report(advance=info.file_size)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _unpack_once(path, folder):
    """Unpack an archive unless this process or another has done so."""
    try:
        with locked(folder):
            if not folder.exists():
                _unpack(path, folder)
    except _DAMAGE as error:
        raise DatasetError(
            f"{path} cannot be unpacked to {folder}: {error}. Make sure that there is space on the "
            "disk and that the folder is writable, or unpack it by other means and pass the folder "
            "to load_xray_folder."
        ) from error


def _changed_error(folder, finding):
    return DatasetError(
        f"{folder} {finding}. Remove the folder, and the next call unpacks it again; or pass it to "
        "load_xray_folder as it is."
    )


def fetch_kermany(*, data_home: PathLike | None = None, download_if_missing: bool = True) -> Bunch:
    """List the chest X-rays of Kermany et al., downloaded (1.2 GB) if they are missing.

    They are kept unpacked, so that this is done once; the archive stays beside them and may be
    removed. An interrupted download is resumed by the next call, and the archive is verified.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep it in. None takes the environment variable ``SKPNEUMO_DATA``, or else the
        user's folder for data.
    download_if_missing : bool, default=True
        If False, missing files are not downloaded but lead to an error.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from :func:`load_xray_folder`: ``paths``, ``target``, ``groups``, ``patient``,
        ``subtype``, ``split`` ("train" or "test") and ``DESCR``. Besides:

        licence : str
            Licence of the images.
        citation : str
            What to cite.

    Raises
    ------
    DatasetError
        If the archive is missing and cannot be downloaded (the message names the file, its address
        and where to put it), if it cannot be unpacked, or if the unpacked folder was changed since.
        It is a ValueError.

    See Also
    --------
    load_xray_folder : Lists any such folder.
    fetch_pneumoniamnist : The same X-rays, small and quick to download.

    Examples
    --------
    >>> from skpneumo.datasets import fetch_kermany
    >>> data = fetch_kermany()  # doctest: +SKIP
    >>> data.target.shape  # doctest: +SKIP
    (5856,)
    """
    remote = _registry.KERMANY
    folder = data_folder(data_home) / Path(remote.name).stem
    if not folder.exists():
        _unpack_once(fetch_file(remote, data_home, download_if_missing), folder)
    try:
        data = load_xray_folder(folder)
    except DatasetError as error:
        raise _changed_error(folder, f"was changed since it was unpacked: {error}") from None
    if len(data.paths) != remote.n_images:
        finding = f"holds {len(data.paths):,} images, but {remote.n_images:,} were unpacked there"
        raise _changed_error(folder, finding)
    data.DESCR = _DESCR.format(
        name=remote.name, checksum=remote.checksum.split(":")[1], listing=data.DESCR
    )
    data.update(licence=_registry.LICENCE, citation=_registry.KERMANY_CITATION)
    return data
