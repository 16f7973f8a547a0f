"""What readers record, in one SQLite file: nothing recorded is lost, whenever the process ends."""

import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS reading_list (
    id INTEGER PRIMARY KEY CHECK (id = 1), n_readers INTEGER NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS readings (
    number INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL, image INTEGER NOT NULL,
    label TEXT NOT NULL, is_third INTEGER NOT NULL, time TEXT NOT NULL
);
"""


class RecordedReading(NamedTuple):
    """What a reader saw in an image."""

    reader: str
    row: int
    label: str
    """"negative", "positive" or "unsure"."""
    is_third: bool
    """Whether the reader decided between two others."""


class ReadingRecords:
    """The file in which a reading list and all its readings are recorded, in their order.

    It names no image and no patient: images are numbers, in the order of their files.

    Parameters
    ----------
    path : path
        The file, which is created if need be.

    Raises
    ------
    OSError
        If it cannot be written, or is no such file.
    """

    def __init__(self, path):
        self.path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=2, isolation_level=None, check_same_thread=False
            )
            # A second server would not see the readings of the first.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # A commit returns once the disk has it.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _FORMAT):
                raise sqlite3.DatabaseError(f"format {version} is of another version of skpneumo")
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_FORMAT}")
        except sqlite3.Error as error:
            raise OSError(
                f"{path}: readings cannot be recorded there ({error}). Make the folder writable, "
                "end another server that uses it, or move the file away to begin a new list."
            ) from None

    def begin(self, n_readers, state):
        """Record a new reading list.

        Parameters
        ----------
        n_readers : int
            Readers of each image.
        state : str
            What the certifier saved.

        Raises
        ------
        ValueError
            If one has begun.
        """
        with self._transaction() as connection:
            if connection.execute("SELECT 1 FROM reading_list").fetchone():
                raise ValueError(
                    "The reading list of this folder has begun already. Go on with it."
                )
            connection.execute("INSERT INTO reading_list VALUES (1, ?, ?)", (n_readers, state))

    def get_list(self):
        """Number of readers of each image and what the certifier saved, or None."""
        with self._transaction() as connection:
            return connection.execute("SELECT n_readers, state FROM reading_list").fetchone()

    def add(self, reading):
        """Record a reading; it is on the disk when this returns.

        Parameters
        ----------
        reading : RecordedReading
            What was seen.
        """
        row = (*reading, datetime.now(UTC).isoformat(timespec="seconds"))
        columns = "reader, image, label, is_third, time"
        with self._transaction() as connection:
            connection.execute(f"INSERT INTO readings ({columns}) VALUES (?, ?, ?, ?, ?)", row)

    def list_readings(self):
        """All readings, in the order in which they were recorded.

        Returns
        -------
        list of RecordedReading
        """
        query = "SELECT reader, image, label, is_third FROM readings ORDER BY number"
        with self._transaction() as connection:
            rows = connection.execute(query).fetchall()
        return [RecordedReading(*row[:3], bool(row[3])) for row in rows]

    def close(self):
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self):
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
