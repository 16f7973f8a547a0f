"""Check a dataset for duplicates, leakage and shortcuts, before anything is trained on it."""

from skpneumo.datasets._auditing._audit import Audit, audit
from skpneumo.datasets._auditing._findings import Finding

__all__ = ["Audit", "Finding", "audit"]
