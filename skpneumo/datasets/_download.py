"""One file from a server to the disk: verified, and there whole or not at all."""

import os
import shutil
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import platformdirs
import pooch
import requests
from filelock import FileLock, Timeout

from skpneumo.datasets._progress import is_terminal
from skpneumo.datasets._transfer import describe_error, get_size, transfer
from skpneumo.exceptions import DatasetError


def data_folder(data_home=None):
    """Folder of downloaded data: ``data_home``, else SKPNEUMO_DATA, else the user's folder.

    Parameters
    ----------
    data_home : str or path, default=None
        The folder.

    Returns
    -------
    Path
    """
    home = data_home or os.environ.get("SKPNEUMO_DATA") or platformdirs.user_data_dir("skpneumo")
    return Path(os.path.abspath(os.path.expanduser(home)))


@contextmanager
def locked(path):
    """Hold a lock on a file or folder while it is made, after other processes that make it.

    Parameters
    ----------
    path : Path
        Its folder is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if is_terminal():
            print(f"Waiting for another process that makes {path} ...", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(remote, path):
    """Download a file into a folder of its own, and move it out when it is verified."""
    folder = path.with_name(f".{path.name}.part")
    folder.mkdir(exist_ok=True)
    part = folder / path.name
    # A process killed while pooch took the checksum leaves the whole file under another name.
    found = sorted(folder.iterdir(), key=get_size)
    for smaller in found[:-1]:
        smaller.unlink()
    if found:
        os.replace(found[-1], part)
    for is_resumed in (get_size(part) > 0, False):
        try:
            pooch.retrieve(
                remote.url,
                remote.checksum,
                fname=part.name,
                path=folder,
                downloader=partial(transfer, part=part, max_bytes=remote.max_bytes),
            )
            break
        except requests.RequestException:
            raise
        except ValueError:
            # The checksum is wrong. Bytes of an earlier call may be the cause: once more without.
            part.unlink(missing_ok=True)
            if not is_resumed:
                raise
    os.replace(part, path)
    shutil.rmtree(folder)


def _find_flaw(path, checksum):
    """Describe what is wrong with a file; empty if it is the right one."""
    if not path.exists():
        return "there is no such file"
    algorithm, expected = checksum.split(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if found == expected:
        return ""
    return f"it is another file, or a damaged one: its {algorithm.upper()} is {found}"


def fetch_file(remote, data_home=None, download_if_missing=True):
    """Path of a file on disk, downloaded if it is missing and verified in any case.

    Parameters
    ----------
    remote : RemoteFile
        The file.
    data_home : str or path, default=None
        Folder to keep it in, see `data_folder`.
    download_if_missing : bool, default=True
        Whether to download.

    Returns
    -------
    Path

    Raises
    ------
    DatasetError
        If the file is missing and cannot, or must not, be downloaded. The message explains how to
        get it by hand.
    """
    path, flaw = data_folder(data_home) / remote.name, ""
    try:
        flaw = _find_flaw(path, remote.checksum)
        if flaw and not download_if_missing:
            raise ValueError(f"{flaw}, and download_if_missing is False")
        if flaw:
            with locked(path):
                # Another process may have downloaded it meanwhile.
                if _find_flaw(path, remote.checksum):
                    _download(remote, path)
    except (OSError, ValueError, NotImplementedError) as error:
        algorithm, checksum = remote.checksum.split(":")
        reason = describe_error(error)
        if flaw and path.exists() and download_if_missing:
            reason = f"{flaw}, and the download failed: {reason}"
        raise DatasetError(
            f"{path} is not available: {reason}.\n"
            f"Download {remote.url} by other means, such as a browser on another machine, and put "
            f"it there as {path} ({algorithm.upper()} {checksum}). Another folder can be named by "
            "data_home or by the environment variable SKPNEUMO_DATA."
        ) from error
    return path
