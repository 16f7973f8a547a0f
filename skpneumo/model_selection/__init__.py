"""Selection of candidates and of certified operating points."""

from skpneumo.model_selection._choice import HighestSpecificity, choose_candidate
from skpneumo.model_selection._fold_mean import FoldMeanClassifier
from skpneumo.model_selection._operating_point import OperatingPointClassifierCV

__all__ = [
    "FoldMeanClassifier",
    "HighestSpecificity",
    "OperatingPointClassifierCV",
    "choose_candidate",
]
