"""One file from a server to the disk: verified, resumed, whole or not there."""

import os
import shutil
import socket
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import platformdirs
import pooch
import requests
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

import skpneumo
from skpneumo.exceptions import DatasetError

# Zenodo has refused the name that requests gives itself.
_AGENT = f"skpneumo/{skpneumo.__version__}"
_TIMEOUT = (10, 60)  # seconds for a connection, and between two pieces of what is sent
_CHUNK = 2**14
_LATER = {408, 429, 500, 502, 503, 504}
_TRIES = 5  # in a row that bring less than a step
_STEP = 2**20
_WAIT = 1.0  # seconds before the second try, doubled before each further one
_LONGEST_WAIT = 120


def data_folder(data_home=None):
    """Folder of downloaded data: the one given, else of SKPNEUMO_DATA, else the user's.

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
    """Wait until no other process makes this file or folder, and keep others waiting.

    Parameters
    ----------
    path : Path
        What is to be made; its folder is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if _is_terminal():
            print(f"Waiting for another process that makes {path} ...", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_terminal():
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress(text, total=None):
    """Draw a bar on standard error, where that is a terminal.

    Parameters
    ----------
    text : str
        What is done.
    total : int, default=None
        Bytes to come.

    Yields
    ------
    callable
        Takes ``advance``, ``completed``, ``total`` and ``description``.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not _is_terminal()) as bar:
        yield partial(bar.update, bar.add_task(text, total=total))


def _retry_after(response):
    """Seconds that a server asks to wait; 0 where it does not."""
    text = response.headers.get("Retry-After", "")
    try:
        if text.isdecimal():
            return int(text)
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0


def _cause(error):
    """What happened, without the layers of libraries around it."""
    while type(error).__module__.startswith(("requests", "urllib3")):
        inner = error.__cause__ or (not error.__suppress_context__ and error.__context__)
        if not inner:
            break
        error = inner
    return error


def _pause(error, tries, *, begun):
    """Seconds before the next try, or None where there is to be none."""
    if not begun and isinstance(_cause(error), socket.gaierror):
        return None  # offline: no name is known
    asked = 0
    if error.response is not None:
        if error.response.status_code not in _LATER:
            return None
        asked = _retry_after(error.response)
    if tries >= _TRIES or asked > _LONGEST_WAIT:
        return None
    return max(asked, _WAIT * 2 ** (tries - 1))


def _reason(error):
    """What happened, in words."""
    response = getattr(error, "response", None)
    if response is not None:
        text = f"the server answers {response.status_code} {response.reason}"
        wait = _retry_after(response)
        return f"{text} and asks to wait {wait:,.0f} s" if wait > 0 else text
    error = _cause(error)
    return str(error).rstrip(".") or type(error).__name__


def _size(path):
    return path.stat().st_size if path.exists() else 0


def _receive(url, part, max_bytes, report):
    """Ask once for what a file lacks, and append what comes."""
    size = _size(part)
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
    if size:
        headers["Range"] = f"bytes={size}-"
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if size and response.status_code == 416:
            return  # nothing is lacking: the checksum will tell whether that is so
        response.raise_for_status()
        told = response.headers.get("Content-Range", "")
        is_rest = response.status_code == 206 and told.startswith(f"bytes {size}-")
        start = size if is_rest else 0
        length = response.headers.get("Content-Length", "")
        end = start + int(length) if length.isdecimal() else None
        report(total=end)
        with open(part, "ab") as file:
            file.truncate(start)
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                if file.tell() > max_bytes:
                    raise ValueError(f"the server sends more than the {max_bytes:,} bytes expected")
                report(completed=file.tell())
    if end is not None and _size(part) < end:  # urllib3 1 takes this for the end of the file
        text = f"the connection ended at byte {_size(part):,} of {end:,}"
        raise requests.ConnectionError(text) from None


def _complete(url, file, _pooch, *, part, max_bytes):
    """Download for pooch; what a cut connection has brought stays in ``part``."""
    tries, best = 0, _size(part)
    with progress(part.name) as report:
        while True:
            report(description=part.name)
            try:
                _receive(url, part, max_bytes, report)
                break
            except requests.RequestException as error:
                tries = tries + 1 if _size(part) < best + _STEP else 1
                best = max(best, _size(part))
                pause = _pause(error, tries, begun=best > 0)
                if pause is None:
                    raise
                report(description=f"{_reason(error)}, again in {pause:.0f} s")
            time.sleep(pause)
    os.replace(part, file)


def _download(remote, path):
    """Download a file into a folder of its own, and move it out when it is verified."""
    folder = path.with_name(f".{path.name}.part")
    folder.mkdir(exist_ok=True)
    part = folder / path.name
    # A process killed while pooch took the checksum leaves the whole file under another name.
    found = sorted(folder.iterdir(), key=_size)
    for smaller in found[:-1]:
        smaller.unlink()
    if found:
        os.replace(found[-1], part)
    for is_resumed in (_size(part) > 0, False):
        try:
            pooch.retrieve(
                remote.url,
                remote.checksum,
                fname=part.name,
                path=folder,
                downloader=partial(_complete, part=part, max_bytes=remote.max_bytes),
            )
            break
        except requests.RequestException:
            raise
        except ValueError:
            # Other bytes than wanted. Those of an earlier call may be to blame: once more, anew.
            part.unlink(missing_ok=True)
            if not is_resumed:
                raise
    os.replace(part, path)
    shutil.rmtree(folder)


def _flaw(path, checksum):
    """What is wrong with a file; empty if it is the one wanted."""
    if not path.exists():
        return "there is no such file"
    algorithm, wanted = checksum.split(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if found == wanted:
        return ""
    return f"it is another file, or a damaged one: its {algorithm.upper()} is {found}"


def fetch_file(remote, data_home=None, download_if_missing=True):
    """Give a file on disk, downloaded where it is not there; verified in any case.

    Parameters
    ----------
    remote : RemoteFile
        The file.
    data_home : str or path, default=None
        Folder to keep it in, see :func:`data_folder`.
    download_if_missing : bool, default=True
        Whether to download.

    Returns
    -------
    Path

    Raises
    ------
    DatasetError
        If the file is not there and cannot, or must not, be downloaded. The message tells how to
        get it by hand.
    """
    path, flaw = data_folder(data_home) / remote.name, ""
    try:
        flaw = _flaw(path, remote.checksum)
        if flaw and not download_if_missing:
            raise ValueError(f"{flaw}, and download_if_missing is False")
        if flaw:
            with locked(path):
                # Another process may have downloaded it meanwhile.
                if _flaw(path, remote.checksum):
                    _download(remote, path)
    except (OSError, ValueError, NotImplementedError) as error:
        algorithm, checksum = remote.checksum.split(":")
        reason = _reason(error)
        if flaw and path.exists() and download_if_missing:
            reason = f"{flaw}, and the download failed: {reason}"
        raise DatasetError(
            f"{path} cannot be had: {reason}.\n"
            f"Download {remote.url} by other means, such as a browser on another machine, and put "
            f"it there as {path} ({algorithm.upper()} {checksum}). Another folder can be named by "
            "data_home or by the environment variable SKPNEUMO_DATA."
        ) from error
    return path
