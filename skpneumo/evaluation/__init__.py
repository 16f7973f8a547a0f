"""Honest evaluation: figures with intervals, and a report to hand on."""

from skpneumo.evaluation._evaluate import evaluate
from skpneumo.evaluation._evaluation import Evaluation
from skpneumo.evaluation._intervals import Figure

__all__ = ["Evaluation", "Figure", "evaluate"]
