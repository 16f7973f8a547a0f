"""Tables at any width of the terminal: no number is cut."""

import re

import pytest
from rich.console import Console

from skpneumo.cli._training._tables import candidates_table, evaluation_table

WIDTHS = [40, 50, 57, 60, 70, 79, 80, 200]
METRICS = ("recall", "specificity", "f1", "precision", "accuracy", "roc_auc")


@pytest.fixture
def result():
    """The widest numbers that there are."""
    row = {name: {"mean": 0.5, "std": 0.5} for name in METRICS}
    candidates = [row | {"class_weight": w, "threshold": t / 100} for w in (1, 4) for t in (5, 55)]
    names = [name for name in METRICS if name != "precision"]
    names += ["positive_predictive_value", "recall_of_patients", "specificity_of_patients"]
    side = {name: {"value": 1.0, "interval": [0.9876, 1.0]} for name in names}
    side |= {"f1": {"value": 0.5, "interval": None}}
    side |= {"false_negatives": 12345, "false_positives": 23456}
    side |= {"n_images": 98765, "n_patients": 87654}
    return {
        "model": "inception",
        "candidates": candidates * 7,
        "selected": {"index": 26},
        "test": {"model": side, "baseline": side},
    }


def lines(table, width):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table)
    text = captured.get()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    return text.splitlines()


@pytest.mark.parametrize("width", WIDTHS)
def test_candidates(result, width):
    text = "\n".join(lines(candidates_table(result, width), width))
    shown = 5 if width >= 58 else 2
    cell = r"50\.0 ±50\.0" if width >= 80 else r"50\.0"
    rows = re.findall(rf"^(?:→| ) *(\d+) +1:\d +0\.\d+((?: +{cell}){{{shown}}}) *$", text, re.M)
    assert [int(number) for number, _ in rows] == list(range(28))
    assert ("specificity" in text) == ("±" in text) == (width >= 80)
    assert re.findall(r"^→ (\d+)", text, re.M) == ["26"]
    result["selected"] = {"indices": [3, 11, 3]}
    text = "\n".join(lines(candidates_table(result, width), width))
    assert re.findall(r"^ *→ (\d+)", text, re.M) == ["3", "11"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_test_split(result, width):
    text = " ".join(" ".join(lines(evaluation_table(result, width), width)).split())
    assert text.count("[0.988, 1.000]" if width >= 66 else "0.988-1.000") == 14
    assert text.count("1.000") == 28
    assert text.count("12345") == text.count("23456") == 2
    assert "Test: 98765 images, 95 % intervals by patient (87654)" in text
    assert text.count(" by patient ") == 3


@pytest.mark.parametrize("width", WIDTHS)
def test_the_test_split_without_patients(result, width):
    side = result["test"]["model"] | {"n_patients": None}
    for name in ("recall", "specificity"):
        del side[f"{name}_of_patients"]
    result["test"] = {"model": side, "baseline": side}
    text = "\n".join(lines(evaluation_table(result, width), width))
    assert "patient" not in text
    assert re.search("^ *recall ", text, re.M)
