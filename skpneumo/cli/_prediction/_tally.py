"""What is kept of many predictions: counts, the first rows, and the scores."""

import json
import os
import tempfile
from array import array
from dataclasses import dataclass, field

from skpneumo.cli._errors import ExitCode

# Rows of each kind in the terminal, more of which nobody reads there.
MAX_SHOWN = 1000
_KINDS = {"error": "unreadable", "left_out": "left_out"}
_REASONS = {"error": "error", "left_out": "reason"}


@dataclass
class Tally:
    """Counts of rows, and what tables, JSON and the check of the site need of them.

    Parameters
    ----------
    keeps_all : bool, default=False
        Whether all rows are kept for JSON, on disk.

    Attributes
    ----------
    n_files, n_left_out, n_unread, n_outliers, n_unlabelled, n_named_left_out : int
        Numbers of files; of the outliers those without a label are counted again.
    shown : dict of str to list of dict
        The first rows: "predictions", "left_out" and "unreadable".
    answers : dict of str to int
        Number of files by answer of a triage.
    scores : array of float
        Probabilities.
    patients : list of str
        The patient of each probability.
    """

    keeps_all: bool = False
    n_files: int = 0
    n_left_out: int = 0
    n_unread: int = 0
    n_outliers: int = 0
    n_unlabelled: int = 0
    n_named_left_out: int = 0
    shown: dict = field(
        default_factory=lambda: {"predictions": [], "left_out": [], "unreadable": []}
    )
    answers: dict = field(default_factory=dict)
    scores: array = field(default_factory=lambda: array("d"))
    patients: list = field(default_factory=list)
    _rows: object = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for file in (self._rows or {}).values():
            file.close()

    def add(self, row, patient, *, named=False):
        """Count a row.

        Parameters
        ----------
        row : dict
            Returned by `predict_batch`.
        patient : str or None
            The patient.
        named : bool, default=False
            Whether the file was named itself, not found in a folder.
        """
        reason = next((name for name in _KINDS if row[name]), None)
        kind = _KINDS.get(reason, "predictions")
        self.n_files += 1
        self.n_left_out += kind == "left_out"
        self.n_unread += kind == "unreadable"
        self.n_named_left_out += kind == "left_out" and named
        self.n_outliers += bool(row["outlier"])
        self.n_unlabelled += bool(row["outlier"]) and row["label"] is None
        if row.get("triage"):
            self.answers[row["triage"]] = self.answers.get(row["triage"], 0) + 1
        if row["probability"] is not None:
            self.scores.append(row["probability"])
            self.patients.append(patient)
        if len(self.shown[kind]) < MAX_SHOWN:
            self.shown[kind].append(row)
        if self.keeps_all:
            self._keep(kind, _as_item(row, reason))

    def _keep(self, kind, item):
        if self._rows is None:
            self._rows = {name: tempfile.TemporaryFile("w+") for name in self.shown}  # noqa: SIM115
        print(json.dumps(item), file=self._rows[kind])

    def items(self, kind):
        """Yield the items of one kind for JSON, as texts.

        Parameters
        ----------
        kind : {"predictions", "left_out", "unreadable"}
            Which.

        Yields
        ------
        str
        """
        if self._rows is not None:
            self._rows[kind].seek(0, os.SEEK_SET)
            for line in self._rows[kind]:
                yield line.rstrip("\n")

    def exit_code(self):
        """Return the exit code: that of an error, of files that are left out, or 0."""
        if self.n_unread:
            return ExitCode.ERROR
        is_missing = self.n_named_left_out or self.n_left_out == self.n_files
        return ExitCode.LEFT_OUT if is_missing else 0


def _as_item(row, reason):
    if reason is not None:
        return {"file": row["file"], _REASONS[reason]: row[reason]}
    return {name: value for name, value in row.items() if name not in _KINDS}
