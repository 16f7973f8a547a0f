"""A file over HTTP: resumed after a cut connection, and retried if that may help.

pooch's own downloader begins again after every error, and the retries of an HTTP adapter end
where the body of a response begins: resuming a file of 1.2 GB needs the loop below.
"""

import os
import socket
import time

import requests
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

import skpneumo
from skpneumo.datasets._progress import progress

# Zenodo has refused the name that requests gives itself.
_AGENT = f"skpneumo/{skpneumo.__version__}"
_TIMEOUT = (10, 60)  # seconds for a connection, and between two pieces of a response
_CHUNK = 2**14
# Counted from the last time that a connection brought a step.
_RETRIES = Retry(total=4, backoff_factor=1, status_forcelist=(408, 429, 500, 502, 503, 504))
_STEP = 2**20
_MAX_WAIT = 120


def transfer(url, file, _pooch, *, part, max_bytes):
    """Download a file for pooch; what a cut connection has brought stays in ``part``.

    Parameters
    ----------
    url : str
        Address.
    file : str
        Place of the whole file.
    part : Path
        Place of an incomplete file, which may exist.
    max_bytes : int
        Size that the file cannot exceed.

    Raises
    ------
    requests.RequestException
        If the server does not send the file.
    ValueError
        If it sends more than ``max_bytes``.
    """
    retries, best = _RETRIES, get_size(part)
    with progress(part.name) as report:
        while True:
            report(description=part.name)
            try:
                _receive(url, part, max_bytes, report)
                break
            except requests.RequestException as error:
                if get_size(part) >= best + _STEP:
                    retries = _RETRIES
                best = max(best, get_size(part))
                if not retries.total or not _is_temporary(error, begun=best > 0):
                    raise
                retries = retries.increment("GET", url, error=error)
                pause = max(_get_retry_after(error.response), retries.get_backoff_time())
                report(description=f"{describe_error(error)}, again in {pause:.0f} s")
            time.sleep(pause)
    os.replace(part, file)


def get_size(path):
    """Size of a file in bytes; 0 if there is none.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    int
    """
    return path.stat().st_size if path.exists() else 0


def _receive(url, part, max_bytes, report):
    """Request once what a file lacks, and append what comes."""
    size = get_size(part)
    # Ranges and sizes are those of the file itself, not of a compressed response.
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
    if size:
        headers["Range"] = f"bytes={size}-"
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if size and response.status_code == 416:
            return  # nothing is lacking; the checksum decides whether the file is right
        response.raise_for_status()
        content_range = response.headers.get("Content-Range", "")
        # A server may ignore the range, or send another one.
        is_rest = response.status_code == 206 and content_range.startswith(f"bytes {size}-")
        start = size if is_rest else 0
        length = response.headers.get("Content-Length", "")
        report(total=start + int(length) if length.isdecimal() else None)
        with open(part, "ab") as file:
            file.truncate(start)
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                if file.tell() > max_bytes:
                    raise ValueError(f"the server sends more than the {max_bytes:,} bytes expected")
                report(completed=file.tell())


def _is_temporary(error, *, begun):
    if error.response is None:
        # Without a network, no name is known.
        return begun or not isinstance(_get_cause(error), socket.gaierror)
    is_busy = _RETRIES.is_retry("GET", error.response.status_code)
    return is_busy and _get_retry_after(error.response) <= _MAX_WAIT


def _get_retry_after(response):
    """Seconds that a server asks to wait; 0 if it does not."""
    try:
        return 0 if response is None else _RETRIES.get_retry_after(response) or 0
    except (InvalidHeader, ValueError, OverflowError):
        return 0


def _get_cause(error):
    """What happened, without the layers of libraries around it."""
    while type(error).__module__.startswith(("requests", "urllib3")):
        inner = error.__cause__ or (not error.__suppress_context__ and error.__context__)
        if not inner:
            break
        error = inner
    return error


def describe_error(error):
    """Describe in words why a download failed.

    Parameters
    ----------
    error : Exception
        Of a request, or of the operating system.

    Returns
    -------
    str
    """
    response = getattr(error, "response", None)
    if response is not None:
        text = f"the server answers {response.status_code} {response.reason}"
        wait = response.headers.get("Retry-After")
        return f"{text} (Retry-After: {wait})" if _get_retry_after(response) else text
    error = _get_cause(error)
    return str(error).rstrip(".") or type(error).__name__
