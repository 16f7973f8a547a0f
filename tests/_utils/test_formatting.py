"""Numbers, names and lines as text."""

import pytest

from skpneumo._utils.formatting import fold_lines, format_rows, percent, shorten


@pytest.mark.parametrize(
    ("proportion", "text", "whole"),
    [
        (1, "100.0%", "100%"),
        (0.9999999, "99.9%", "99%"),
        (0.9796, "97.9%", "97%"),
        (0.98 - 1e-12, "98.0%", "98%"),
        (0.29, "29.0%", "29%"),
        (0.07, "7.0%", "7%"),
        (0.004, "0.4%", "<1%"),
        (0.0004, "<0.1%", "<1%"),
        (0, "0.0%", "0%"),
    ],
)
def test_a_proportion_is_rounded_down_and_never_reads_as_all_or_nothing(proportion, text, whole):
    assert percent(proportion) == text
    assert percent(proportion, digits=0) == whole


@pytest.mark.parametrize(
    ("proportion", "text"),
    [(13 / 165, "7.9%"), (0.07, "7.0%"), (0.98 + 1e-12, "98.0%"), (0.0001, "0.1%"), (0, "0.0%")],
)
def test_a_proportion_of_errors_is_rounded_up(proportion, text):
    assert percent(proportion, up=True) == text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_reports_are_folded_between_words(width):
    line = f"  {'recall (sensitivity) of images':<42}{'97.2%':>9}  [91.2%, 100.0%]"
    path = "scans/" + 20 * "folder/" + "scan.png"
    folded = fold_lines(f"{line}\n\n{path}", width).splitlines()
    assert path in folded
    folded.remove(path)
    assert max(map(len, folded)) <= width
    assert " ".join(folded).split() == line.split()
    assert "" in folded


def test_many_names_are_counted():
    assert shorten(["a"]) == "'a'"
    assert shorten([*"abc"], str) == "a, b, c"
    assert shorten(["a"] * 2003) == "'a', 'a', 'a' and 2,000 more"


def test_values_stand_beside_their_names_or_below():
    rows = [("compared", "500 images of 400 patients"), ("p-value", "0.2")]
    assert format_rows(rows, 36) == "compared  500 images of 400 patients\np-value   0.2"
    assert format_rows(rows, 20).splitlines() == [
        "compared", "  500 images of 400", "  patients", "p-value", "  0.2",
    ]  # fmt: skip
