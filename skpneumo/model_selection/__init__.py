"""Searching, and choosing what to keep from a search."""

from skpneumo.model_selection._choice import HighestSpecificity, choose_setting

__all__ = ["HighestSpecificity", "choose_setting"]
