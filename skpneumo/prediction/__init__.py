"""Predictions for many files, by as many processes or machines as there are."""

# Names that are not in __all__ are for the other packages of skpneumo.
from skpneumo.prediction._files import get_patient as get_patient
from skpneumo.prediction._files import identify_patients as identify_patients
from skpneumo.prediction._files import score_outliers as score_outliers
from skpneumo.prediction._predict_files import FilePrediction, predict_files
from skpneumo.prediction._shared_model import share_model as share_model

__all__ = ["FilePrediction", "predict_files"]


def __dir__():
    return __all__
