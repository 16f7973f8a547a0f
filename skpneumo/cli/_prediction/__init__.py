"""The work of ``skpneumo predict`` and ``explain``: a prediction for each of many files."""

from skpneumo.cli._prediction._find_files import FoundFiles, find_files
from skpneumo.cli._prediction._job import PredictionJob
from skpneumo.cli._prediction._predict_files import PredictionOptions
from skpneumo.cli._prediction._samples import load_samples

__all__ = ["FoundFiles", "PredictionJob", "PredictionOptions", "find_files", "load_samples"]
