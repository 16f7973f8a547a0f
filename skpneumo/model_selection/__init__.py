"""Selection of candidates and of certified operating points."""

from skpneumo.model_selection._choice import HighestSpecificity, choose_candidate
from skpneumo.model_selection._fold_mean import FoldMeanClassifier
from skpneumo.model_selection._log_odds_mean import LogOddsMeanClassifier
from skpneumo.model_selection._operating_point import OperatingPointClassifierCV

# For `skpneumo.sites`, and not public.
from skpneumo.model_selection._out_of_fold import check_data as check_data
from skpneumo.model_selection._threshold_classifier_cv import (
    BaseThresholdClassifierCV as BaseThresholdClassifierCV,
)

__all__ = [
    "FoldMeanClassifier",
    "HighestSpecificity",
    "LogOddsMeanClassifier",
    "OperatingPointClassifierCV",
    "choose_candidate",
]


def __dir__():
    return __all__
