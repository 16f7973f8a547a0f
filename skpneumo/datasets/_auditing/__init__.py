"""Check a dataset for duplicates, leakage and shortcuts, before anything is trained on it."""

from skpneumo.datasets._auditing._audit import Audit, audit
from skpneumo.datasets._auditing._findings import Finding
from skpneumo.datasets._auditing._report import as_text

__all__ = ["Audit", "Finding", "as_text", "audit"]
