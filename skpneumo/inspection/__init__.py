"""Inspection of classifiers: heatmaps, and displays like those of scikit-learn."""

from skpneumo.inspection._decision_curve import DecisionCurveDisplay
from skpneumo.inspection._gradcam import GradCAM
from skpneumo.inspection._gradcam_display import GradCAMDisplay
from skpneumo.inspection._learning_history import LearningHistoryDisplay
from skpneumo.inspection._threshold_curve import ThresholdCurveDisplay
from skpneumo.inspection._threshold_grid import ThresholdGridDisplay

__all__ = [
    "DecisionCurveDisplay",
    "GradCAM",
    "GradCAMDisplay",
    "LearningHistoryDisplay",
    "ThresholdCurveDisplay",
    "ThresholdGridDisplay",
]


def __dir__():
    return __all__
