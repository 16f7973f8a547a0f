"""Labelled collections of X-rays."""

from skpneumo.datasets._auditing import Audit, Finding, audit
from skpneumo.datasets._folder import load_xray_folder
from skpneumo.datasets._kermany import fetch_kermany
from skpneumo.datasets._pneumoniamnist import fetch_pneumoniamnist, load_pneumoniamnist
from skpneumo.datasets._samples import load_sample_xrays
from skpneumo.datasets._synthetic import make_xrays
from skpneumo.datasets._tree import split_from_name

__all__ = [
    "Audit",
    "Finding",
    "audit",
    "fetch_kermany",
    "fetch_pneumoniamnist",
    "load_pneumoniamnist",
    "load_sample_xrays",
    "load_xray_folder",
    "make_xrays",
    "split_from_name",
]
