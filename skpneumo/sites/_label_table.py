"""A table of numbers of images to label, as text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import Any

from skpneumo._utils.formatting import percent

# Title of each column, in lines.
_HEADS = (
    ("positive", "patients"),
    ("patients", "(90%)"),
    ("patients", "(mean)"),
    ("expected", "recall"),
    ("expected", "specificity"),
    ("95%", "interval"),
    ("labels", "certifier"),
    ("specificity", "certifier"),
    ("plan of the", "certifier"),
)
# Columns about the whole sample, before those about the certifier.
_N_WHOLE = 6


@dataclass(frozen=True, eq=False, repr=False)
class LabelTable:
    """Numbers of images to label at a site, and what to expect of them. `plan_labels` returns it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    rows : list of dict
        For each number of positive patients: ``n_positive``; ``n_patients``, among whom there are
        so many with a probability of .9; ``mean_n_patients``; ``recall``, ``specificity``,
        ``specificity_low`` and ``specificity_high`` expected if all are labelled; ``n_labels``,
        ``certifier_recall``, ``certifier_specificity`` and ``plan`` of a `RecallCertifier`.
    prevalence, min_recall, confidence : float
        As given.
    """

    rows: list
    prevalence: float
    min_recall: float
    confidence: float

    @property
    def title(self) -> str:
        """What the table is about, in a sentence."""
        return (
            f"Labels to certify a recall of {100 * self.min_recall:g}% with "
            f"{100 * self.confidence:g}% confidence, at a prevalence of "
            f"{100 * self.prevalence:g}%"
        )

    @property
    def note(self) -> str:
        """How to read the table."""
        return (
            "Patients (90%): among so many there are enough positive ones with a probability of "
            "0.9. The certifier labels a part of the images of these patients (one each). Recall "
            "and specificity are expected if scores at the site are distributed as those of the "
            "reference; if not, specificity is often lower, and the certified recall still holds."
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert to numbers, texts, lists and dicts.

        Returns
        -------
        dict
        """
        names = ("prevalence", "min_recall", "confidence")
        return {name: getattr(self, name) for name in names} | {
            "rows": [dict(row) for row in self.rows]
        }

    def cells(self) -> list[list[str]]:
        """Rows as text.

        Returns
        -------
        list of list of str
        """
        return [
            [
                f"{row['n_positive']:,}",
                f"{row['n_patients']:,}",
                f"{row['mean_n_patients']:,.0f}",
                percent(row["recall"]),
                percent(row["specificity"]),
                f"{percent(row['specificity_low'])} to {percent(row['specificity_high'], up=True)}",
                f"{row['n_labels']:,}",
                percent(row["certifier_specificity"]),
                row["plan"],
            ]
            for row in self.rows
        ]

    def __str__(self) -> str:
        lines = [*map(list, zip(*_HEADS, strict=True)), *self.cells()]
        # Side by side they would be wider than a terminal.
        whole = _format_table([line[:_N_WHOLE] for line in lines])
        certifier = _format_table([line[:1] + line[_N_WHOLE:] for line in lines])
        parts = [
            self.title + ".",
            "All images labelled:\n" + whole,
            "By a RecallCertifier:\n" + certifier,
            fill(self.note, 79),
        ]
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from skpneumo._reporting.pages import render_page

        heads = [" ".join(head) for head in _HEADS]
        return render_page(
            __package__, "label_table.html.jinja", embedded=True, table=self, heads=heads
        )


def _format_table(lines):
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
