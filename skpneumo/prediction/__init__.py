"""Predictions for many files, by as many processes or machines as there are."""

from skpneumo.prediction._predict_files import FilePrediction, predict_files
from skpneumo.prediction._shared_model import share_model as share_model

__all__ = ["FilePrediction", "predict_files"]


def __dir__():
    return __all__
