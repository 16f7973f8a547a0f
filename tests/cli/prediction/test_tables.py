"""Tables of predictions at any width of the terminal: no number is cut."""

import re

import pytest
from rich.console import Console

from skpneumo.cli._prediction._tables import predictions_summary, predictions_table
from skpneumo.cli._prediction._tally import Tally

WIDTHS = [40, 50, 57, 60, 70, 79, 80, 200]


def lines(table, width):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table)
    text = captured.get()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    return text.splitlines()


@pytest.mark.parametrize("width", WIDTHS)
def test_predictions(width):
    name = "scans/a-very-long-folder-of-many-words/person1234_bacteria_5678.jpeg"
    nothing = dict.fromkeys(("probability", "label", "outlier", "outlier_score", "error"))
    rows = [
        nothing | {"file": name, "probability": 0.9876, "label": "PNEUMONIA", "outlier": False},
        nothing | {"file": name, "outlier": True, "outlier_score": 3.2},
    ]
    printed = lines(predictions_table(rows, "PNEUMONIA", width), width)
    text = "\n".join(printed)
    assert text.count("0.988") == 1
    assert re.search(r"0\.988 +PNEUMONIA", text)
    if width == 40:  # one column of names, with the notes below them
        names = "".join(re.sub(r"0\.988 +PNEUMONIA", "", text).split())
        assert names.count("bacteria_5678.jpeg") == 2
        assert "jpegout-of-distribution,notlabelled" in names
    if width == 200:
        assert text.count(f" {name} ") == 2
        assert "out-of-distribution, not labelled" in text


def test_labels_are_printed_without_markup():
    row = dict.fromkeys(("outlier", "error", "left_out"))
    row |= {"file": "a", "probability": 0.7, "label": "[red]sick"}
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(predictions_table([row], "[red]sick"))
        console.print(predictions_summary(Tally(), "[red]sick", 0.5), markup=False)
    assert captured.get().count("[red]sick") == 2
