"""Predictions for many files, by as many processes or machines as there are."""

from skpneumo.prediction._predict_files import FilePrediction, predict_files

__all__ = ["FilePrediction", "predict_files"]
