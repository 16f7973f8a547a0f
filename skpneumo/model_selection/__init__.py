"""Searching, and choosing what to keep from a search."""

from skpneumo.model_selection._choice import HighestSpecificity, choose_setting
from skpneumo.model_selection._operating_point import OperatingPointClassifierCV

__all__ = ["HighestSpecificity", "OperatingPointClassifierCV", "choose_setting"]
