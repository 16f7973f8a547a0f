"""Evaluation on images that took no part in the fit: metrics with intervals, and a report."""

from skpneumo.evaluation._evaluate import evaluate
from skpneumo.evaluation._evaluation import Evaluation
from skpneumo.evaluation._metrics import Estimate

__all__ = ["Estimate", "Evaluation", "evaluate"]


def __dir__():
    return __all__
