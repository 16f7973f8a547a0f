"""Labelled collections of X-rays."""

from skpneumo.datasets._folder import load_xray_folder
from skpneumo.datasets._synthetic import make_xrays

__all__ = ["load_xray_folder", "make_xrays"]
