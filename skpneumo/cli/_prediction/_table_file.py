"""The table of predictions as a CSV file that grows, and that a later run takes up again."""

import codecs
import csv
import hashlib
import os
import tempfile

from filelock import FileLock, Timeout

from skpneumo._utils.files import atomic_write
from skpneumo.exceptions import DatasetError

_NUMBERS = ("probability", "outlier_score")
_FLAGS = {"True": True, "False": False, "": None}


class TableFile:
    """A CSV file with a row for each file, which names the model and the threshold in each row.

    Rows are appended batch by batch, so that a run that is killed leaves all of them but at most
    a part of the last one, which the next run drops.

    Parameters
    ----------
    path : path
        The file. A pipe or a device is only written to.
    columns : sequence of str
        Of `PredictionOptions`.
    origin : dict of str to str
        What all rows must agree in: "model", "threshold" and the like.
    labels : list
        Classes of the model.
    """

    def __init__(self, path, columns, origin, labels):
        self.path, self.columns, self.origin = path, columns, origin
        self._labels = {str(label): label for label in labels} | {"": None}
        self._fields = [*columns, *origin]
        self._file = None
        self._lock = _make_lock(path)

    def load(self, files, is_wanted):
        """Read the rows that are there, and drop those that are to be predicted again.

        Parameters
        ----------
        files : sequence of str
            Those to predict.
        is_wanted : callable
            Called with a row: whether it may be kept. Rows of other files stay in any case.

        Yields
        ------
        dict
            Rows of ``files``, as `predict_batch` returned them. Once all are taken, the file holds
            complete rows alone, and others may be appended.

        Raises
        ------
        DatasetError
            If the file is no such table, holds predictions of another model or threshold, or
            another run writes to it.
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DatasetError(
                f"{self.path}: another run writes to this table. Wait until it has ended, or name "
                "another file."
            ) from None
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            self._open().writeheader()
            return
        names = {_as_written(file): file for file in files} if os.path.exists(self.path) else {}
        modified = os.stat(self.path).st_mtime if names else 0.0
        with atomic_write(self.path) as part:
            writer = self._make_writer(codecs.getwriter("utf-8")(part, "backslashreplace"))
            writer.writeheader()
            for written in self._read():
                file = names.get(written["file"])
                row = self._parse(written, file)
                if file is None:
                    writer.writerow(written)
                elif is_wanted(row) and not _is_newer(file, modified):
                    writer.writerow(written)
                    yield row

    def append(self, rows):
        """Append rows, and hand them to the operating system.

        Parameters
        ----------
        rows : list of dict
            Returned by `predict_batch`.
        """
        self._open().writerows(row | self.origin for row in rows)
        self._file.flush()

    def close(self):
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def _open(self):
        if self._file is None:
            self._file = open(  # noqa: SIM115 - until `close`
                self.path, "a", encoding="utf-8", errors="backslashreplace", newline=""
            )
        return self._make_writer(self._file)

    def _make_writer(self, file):
        return csv.DictWriter(file, self._fields, lineterminator="\n")

    def _read(self):
        """Complete rows, as texts."""
        if not os.path.exists(self.path) or not os.path.getsize(self.path):
            return
        with open(self.path, encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
            self._check_head(file.readline().strip().split(","))
            reader = csv.reader(_complete_lines(file), strict=True)
            try:
                for values in reader:
                    if len(values) != len(self._fields):
                        raise csv.Error(f"{len(values)} values instead of {len(self._fields)}")
                    row = dict(zip(self._fields, values, strict=True))
                    self._check_origin(row)
                    yield row
            except csv.Error as error:
                # A row that was cut within quotes goes on to the end of the file.
                if "unexpected end" not in str(error):
                    raise DatasetError(
                        f"{self.path}, line {reader.line_num + 1}: {error}. Mend it, or name "
                        "another table."
                    ) from None

    def _check_head(self, fields):
        if fields == self._fields:
            return
        if set(fields) ^ set(self._fields) <= {"triage", "rule_in_threshold"}:
            was = "with" if "triage" in fields else "without"
            raise DatasetError(
                f"{self.path} was begun {was} --triage. Repeat that, or name another table."
            )
        raise DatasetError(
            f"{self.path} is no table of skpneumo predict, and is not replaced. Name another table."
        )

    def _check_origin(self, row):
        for name, value in self.origin.items():
            if row[name] != value:
                raise DatasetError(
                    f"{self.path} holds predictions of another {name.replace('_', ' ')}: "
                    f"{row[name]}, now {value}. Name another table."
                )

    def _parse(self, written, file):
        row = {name: written[name] or None for name in self.columns} | {"file": file}
        row |= {name: float(written[name]) for name in _NUMBERS if written[name]}
        return row | {
            "outlier": _FLAGS.get(written["outlier"]),
            "label": self._labels.get(written["label"]),
        }


def _complete_lines(file):
    """Lines that end; a part of one at the end of the file is dropped."""
    for line in file:
        if line.endswith("\n"):
            yield line


def _as_written(file):
    return file.encode("utf-8", errors="backslashreplace").decode()


def _is_newer(file, modified):
    """Whether a file was changed after the table; one that is gone was not."""
    try:
        return os.stat(file).st_mtime > modified
    except (OSError, ValueError):
        return False


def _make_lock(path):
    """Lock of a table among the runs of one machine; elsewhere, so that no file lies beside it."""
    digest = hashlib.blake2b(os.fsencode(os.path.abspath(path)), digest_size=8).hexdigest()
    return FileLock(os.path.join(tempfile.gettempdir(), f"skpneumo-{digest}.lock"))
