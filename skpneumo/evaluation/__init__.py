"""Honest evaluation: figures with intervals, and a report to hand on."""

from skpneumo.evaluation._evaluate import Evaluation, Figure, evaluate

__all__ = ["Evaluation", "Figure", "evaluate"]
