"""Arrays kept on disk by key, shared by the threads and processes of one machine."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
import warnings
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs
import psutil
import xxhash

from skpneumo._utils.typing import PathLike
from skpneumo.exceptions import CacheWarning

_FILE = "arrays.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrays (
    key BLOB PRIMARY KEY, digest BLOB, dtype TEXT, shape TEXT, data BLOB
);
-- A table of its own: SQLite would write the data again with every change of a column beside it.
CREATE TABLE IF NOT EXISTS uses (
    key BLOB PRIMARY KEY, n_bytes INTEGER, used REAL
) WITHOUT ROWID;
"""
_KEYS_PER_QUERY = 500
_PAGE_BYTES = 16384
_BYTES_BESIDE_DATA = 250
# Seconds after which the time of the last use is written again.
_USE_RESOLUTION = 60
_WAIT_FOR_OTHERS = 30
# SQLite's own bound on a row is a little above.
_MAX_ROW = 9 * 10**8
_OFF = {"0", "false", "no", "none", "off"}
_NETWORK_SYSTEMS = {
    *("9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4"),
    *("orangefs", "panfs", "smb", "smb2", "smb3", "smbfs"),
    *("vboxsf", "virtiofs", "webdav", "wekafs"),
    *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs"),
    "fuse.sshfs",
}


class ArrayStore:
    """Arrays by key in one SQLite file, bounded in size.

    Threads and processes of one machine may use one store at the same time. Arrays that a killed
    writer did not finish are missing, damaged ones are detected by their checksum and count as
    missing, and the least recently used arrays are dropped first when the bound is reached. A store
    that cannot be used, because the disk is full or the folder is read-only, warns once and then
    keeps nothing: results are computed again.

    Parameters
    ----------
    location : str or path, default=None
        Folder; it is created, readable for this user alone. None takes the environment variable
        ``SKPNEUMO_CACHE``, or else the user's cache folder.
    max_bytes : int, default=10 GiB
        Bound on the file.

    Raises
    ------
    ValueError
        If the folder is on a network file system, which cannot lock files reliably.

    Notes
    -----
    Keys are equal if their ``repr`` is: texts, numbers and tuples of them. They are stored as
    digests: no file name, and so no patient's name, enters the file. Arrays come back read-only.

    References
    ----------
    SQLite's write-ahead log, https://www.sqlite.org/wal.html.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skpneumo import ArrayStore
    >>> store = ArrayStore(tempfile.mkdtemp())
    >>> store.put(["a"], [np.arange(3)])
    True
    >>> store.get(["a", "b"])
    [array([0, 1, 2]), None]
    """

    def __init__(self, location: PathLike | None = None, *, max_bytes: int = 10 * 2**30) -> None:
        location = location or default_location()
        if location is None:
            raise ValueError(
                "The environment variable SKPNEUMO_CACHE is 'off'. Give the store a location."
            )
        self.location = os.path.abspath(os.path.expanduser(location))
        self.max_bytes = max_bytes
        system = _file_system(self.location)
        if system in _NETWORK_SYSTEMS:
            raise ValueError(
                f"{self.location} is on a network file system ({system}), on which processes "
                "cannot use one store safely. Set the environment variable SKPNEUMO_CACHE to a "
                "folder on a local disk, or to 'off'."
            )
        self._lock = threading.Lock()
        self._connection, self._pid, self._is_off, self._quiet_until = None, None, False, 0
        _STORES.add(self)

    def get(self, keys: list) -> list[np.ndarray | None]:
        """Arrays of some keys.

        Parameters
        ----------
        keys : list
            Keys; equal ones have equal ``repr``.

        Returns
        -------
        list of ndarray or None
            None for a key without array.
        """
        digests = [_digest(repr(key).encode()) for key in keys]
        found = {}
        for start in range(0, len(digests), _KEYS_PER_QUERY):
            found |= self._attempt(_read, digests[start : start + _KEYS_PER_QUERY]) or {}
        return [found.get(digest) for digest in digests]

    def put(self, keys: list, arrays: Sequence[np.ndarray]) -> bool:
        """Keep arrays.

        Parameters
        ----------
        keys : list
            One per array.
        arrays : list of ndarray
            Of any shape, and of numbers, texts or times.

        Returns
        -------
        bool
            Whether all of them were kept.

        Raises
        ------
        ValueError
            If an array holds objects or records.
        """
        arrays = [_check_array(array) for array in arrays]
        largest = min(self.max_bytes, _MAX_ROW)
        rows = [
            _row(_digest(repr(key).encode()), array)
            for key, array in zip(keys, arrays, strict=True)
            if array.nbytes <= largest
        ]
        kept = not rows or self._attempt(_write, rows, self.max_bytes) is not None
        return kept and len(rows) == len(arrays)

    def clear(self) -> None:
        """Drop everything, also a file that cannot be read any more."""
        file = Path(self.location, _FILE)
        with self._lock:
            self._is_off, self._quiet_until = False, 0
            if not file.exists():
                return
            try:
                _empty(self._connected())
            except _TROUBLE as error:
                self._close()
                if _is(error, "SQLITE_BUSY"):
                    raise TimeoutError(
                        f"{self.location} is in use by another process; clear it when that is done."
                    ) from error
                # Damaged, or the disk is so full that even emptying has no room.
                for suffix in ("", "-wal", "-shm"):
                    file.with_name(_FILE + suffix).unlink(missing_ok=True)

    def __del__(self):
        self._close()

    def __reduce__(self):
        return _open_again, (self.location, self.max_bytes)

    def __repr__(self) -> str:
        return f"ArrayStore({self.location!r})"

    def _attempt(self, function, *arguments):
        with self._lock:
            if self._is_off or time.monotonic() < self._quiet_until:
                return None
            try:
                return function(self._connected(), *arguments)
            except _TROUBLE as error:
                self._close()
                if _is(error, "SQLITE_BUSY"):
                    # Not to wait as long again for each of the next arrays.
                    self._quiet_until = time.monotonic() + _WAIT_FOR_OTHERS
                    return None
                self._is_off, cause = True, error
            except BaseException:
                # Ctrl-C in the middle of a transaction, which others would wait for.
                self._close()
                raise
        warnings.warn(
            f"Nothing is kept in {self.location} any more, results are computed again: {cause}. "
            "Make room or set the environment variable SKPNEUMO_CACHE to another folder; "
            "skpneumo.clear_cache() removes a damaged file.",
            CacheWarning,
            stacklevel=3,
        )
        return None

    def _connected(self):
        # A connection must not cross a fork.
        if self._pid != os.getpid():
            Path(self.location).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = _connect(Path(self.location, _FILE))
            self._pid = os.getpid()
        return self._connection

    def _close(self):
        if getattr(self, "_pid", None) == os.getpid():
            self._connection.close()
        self._pid = None


# A damaged file may hold bytes that are no valid text.
_TROUBLE = (sqlite3.Error, OSError, UnicodeError)
_STORES = weakref.WeakSet()
_held = []


def _hold_all():
    # Neither a lock that another thread holds nor a connection may be inherited by a fork.
    for store in list(_STORES):
        store._lock.acquire()
        store._close()
        _held.append(store)


def _release_all():
    while _held:
        _held.pop()._lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_all, after_in_parent=_release_all, after_in_child=_release_all)


def default_location():
    """Default folder of the store, or None if SKPNEUMO_CACHE is "off"."""
    location = os.environ.get("SKPNEUMO_CACHE", "").strip()
    if location.lower() in _OFF:
        return None
    return location or platformdirs.user_cache_dir("skpneumo")


def _open_again(location, max_bytes):
    return ArrayStore(location, max_bytes=max_bytes)


def _file_system(location):
    """Type of the file system that a folder is on, or will be on."""
    location = os.path.realpath(location)
    try:
        parts = [part for part in psutil.disk_partitions(all=True) if part.mountpoint]
    except OSError:
        return ""
    inside = [part for part in parts if Path(location).is_relative_to(part.mountpoint)]
    # Of two at one place the later one is seen, such as a network's over an automounter's.
    inside.reverse()
    return max(inside, key=lambda part: len(part.mountpoint)).fstype.lower() if inside else ""


def _is(error, *names):
    return (getattr(error, "sqlite_errorname", None) or "").startswith(names)


def _connect(file):
    # SQLite gives its other files the rights of this one. One that is there is not opened: closing
    # it would drop the locks that other connections of this process hold.
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    os.chmod(file, 0o600)
    connection = sqlite3.connect(
        file, timeout=_WAIT_FOR_OTHERS, isolation_level=None, check_same_thread=False
    )
    # Pages so large that an image is in a few; for a new file only.
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    # Nothing committed is lost or torn if this process dies; the disk is not waited for.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # 4 MiB, as with pages of SQLite's own size.
    connection.execute(f"PRAGMA wal_autocheckpoint = {2**22 // _PAGE_BYTES}")
    connection.executescript(_SCHEMA)
    return connection


def _digest(key):
    # One that cannot be turned back into the key.
    return hashlib.blake2b(key, digest_size=16).digest()


def _check_array(array):
    array = np.asarray(array, order="C")
    if array.dtype.hasobject or array.dtype.names:
        raise ValueError(
            f"Arrays of objects or records cannot be kept, got dtype {array.dtype}. Put arrays of "
            "numbers, texts or times."
        )
    return array


def _row(key, array):
    dtype, shape = array.dtype.str, ",".join(map(str, array.shape))
    data = array.tobytes()
    return key, _checksum(key, dtype.encode(), shape.encode(), data), dtype, shape, data


def _checksum(key, dtype, shape, data):
    # One that is hardly slower than a look at the data.
    digest = xxhash.xxh3_128(key)
    digest.update(b"%b|%b|" % (dtype, shape))
    digest.update(data)
    return digest.digest()


def _read(connection, keys):
    marks = ",".join("?" * len(keys))
    # SQLite keeps any type in any column: a row that was damaged may hold other types.
    query = f"""
        SELECT key, digest, CAST(dtype AS BLOB), CAST(shape AS BLOB), CAST(data AS BLOB),
            CAST(used AS REAL)
        FROM arrays JOIN uses USING (key) WHERE key IN ({marks})
    """
    found, stale, now = {}, [], time.time()
    for key, digest, dtype, shape, data, used in connection.execute(query, keys):
        if None in (dtype, shape, data) or digest != _checksum(key, dtype, shape, data):
            continue
        sides = [int(side) for side in shape.split(b",") if side]
        found[key] = np.frombuffer(data, dtype.decode()).reshape(sides)
        if used is None or abs(now - used) > _USE_RESOLUTION:
            stale.append((now, key))
    if stale:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE uses SET used = ? WHERE key = ?", stale)
        connection.execute("COMMIT")
    return found


def _write(connection, rows, max_bytes):
    # If this fails the connection is closed, which takes back what was not committed.
    now = time.time()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?, ?)", rows)
    uses = [(row[0], _room(len(row[-1])), now) for row in rows]
    connection.executemany("INSERT OR REPLACE INTO uses VALUES (?, ?, ?)", uses)
    _drop_oldest(connection, max_bytes)
    connection.execute("COMMIT")
    return True


def _room(n_bytes):
    """What a row takes in the file: whole pages, unless several rows fit in one."""
    n_bytes += _BYTES_BESIDE_DATA
    return n_bytes if n_bytes < _PAGE_BYTES // 2 else -(-n_bytes // _PAGE_BYTES) * _PAGE_BYTES


def _drop_oldest(connection, max_bytes):
    query = "SELECT key, COALESCE(CAST(n_bytes AS INTEGER), 0) AS n_bytes FROM uses"
    (total,) = connection.execute(f"SELECT SUM(n_bytes) FROM ({query})").fetchone()
    if total <= max_bytes:
        return
    # A tenth more than needed, so that the next arrays find room.
    old = []
    for key, n_bytes in connection.execute(f"{query} ORDER BY used"):
        if total <= 0.9 * max_bytes:
            break
        old.append((key,))
        total -= n_bytes
    connection.executemany("DELETE FROM arrays WHERE key = ?", old)
    connection.executemany("DELETE FROM uses WHERE key = ?", old)


def _empty(connection):
    connection.execute("DELETE FROM arrays")
    connection.execute("DELETE FROM uses")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
