"""The work of ``skpneumo train``: data, search, baseline, comparison and report."""

from skpneumo.cli._training._classifiers import (
    estimate_seconds,
    get_weights_warning,
    make_classifier,
)
from skpneumo.cli._training._data import draw_synthetic, load_folder
from skpneumo.cli._training._job import run
from skpneumo.cli._training._report import model_notes, print_result
from skpneumo.cli._training._search import SearchOptions

__all__ = [
    "SearchOptions",
    "draw_synthetic",
    "estimate_seconds",
    "get_weights_warning",
    "load_folder",
    "make_classifier",
    "model_notes",
    "print_result",
    "run",
]
