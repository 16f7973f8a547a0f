"""The work of ``skpneumo train``: data, search, baseline, comparison and report."""

from skpneumo.cli._training._classifiers import make_classifier, warn_of_weights
from skpneumo.cli._training._data import draw_synthetic, load_folder
from skpneumo.cli._training._job import run
from skpneumo.cli._training._report import model_notes, print_result
from skpneumo.cli._training._search import SearchOptions

__all__ = [
    "SearchOptions",
    "draw_synthetic",
    "load_folder",
    "make_classifier",
    "model_notes",
    "print_result",
    "run",
    "warn_of_weights",
]
