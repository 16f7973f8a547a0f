"""The table in which ``skpneumo certify`` lists images, and people type labels."""

import csv
import io
from pathlib import Path

import numpy as np

from skpneumo._utils.files import write_text
from skpneumo.exceptions import DatasetError

COLUMNS = ("file", "label")
UNSURE = ("unsure", "?")


def read_labels(path, classes):
    """Read a table of labels.

    Parameters
    ----------
    path : path
        Of CSV with the columns "file" and "label", separated by commas, semicolons or tabs.
    classes : sequence
        The labels of the model.

    Returns
    -------
    dict of str to label, None or ""
        By file, in the order of the table: None where the reader is unsure, "" without a label.

    Raises
    ------
    DatasetError
        If it is no such table, a label is unknown, or a file has two labels.
    """
    try:
        # Spreadsheets mark UTF-8 at the start.
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not a text in UTF-8. Save it as CSV UTF-8.") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    if not rows.fieldnames or not set(COLUMNS) <= set(rows.fieldnames):
        raise DatasetError(
            f"{path} has no columns file and label. Name a file that does not exist yet: it will "
            "be written, with the images to be read first."
        )
    words = {str(label).casefold(): label for label in classes} | dict.fromkeys(UNSURE)
    labels = {}
    for row in rows:
        word = (row["label"] or "").strip().casefold()
        if word and word not in words:
            raise DatasetError(
                f"{path}, line {rows.line_num}: {row['label']!r} is no label. Type "
                f"{classes[0]}, {classes[1]} or unsure."
            )
        label = words.get(word, "")
        if labels.setdefault(row["file"], label) != label:
            raise DatasetError(f"{path}, line {rows.line_num}: {row['file']} is listed twice.")
    return labels


def write_labels(labels, path):
    """Write a table of labels.

    Parameters
    ----------
    labels : dict of str to label, None or ""
        As `read_labels` returns it.
    path : path
        The file.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    for file, label in labels.items():
        writer.writerow((file, UNSURE[0] if label is None else label))
    write_text(lines.getvalue(), path)


def match_rows(labels, files, path):
    """Rows of the files that have labels.

    Parameters
    ----------
    labels : dict of str to label, None or ""
        By file.
    files : list of str
        Those of the pool, in its order.
    path : path
        The table, for the message.

    Returns
    -------
    rows : ndarray of int
    y : list
        Labels and None.

    Raises
    ------
    DatasetError
        If a file is none of the pool.
    """
    row_by_file = {file: row for row, file in enumerate(files)}
    strange = next((file for file in labels if file not in row_by_file), None)
    if strange is not None:
        raise DatasetError(
            f"{path} lists {strange}, which is no X-ray of the folder. Name the folder and the "
            "table that belong together."
        )
    typed = {file: label for file, label in labels.items() if label != ""}
    rows = np.array([row_by_file[file] for file in typed], dtype=int)
    return rows, list(typed.values())
