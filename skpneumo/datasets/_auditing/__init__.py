"""What is wrong with a collection, found before anything is learnt from it."""

from skpneumo.datasets._auditing._audit import Audit, audit
from skpneumo.datasets._auditing._findings import Finding
from skpneumo.datasets._auditing._report import as_text

__all__ = ["Audit", "Finding", "as_text", "audit"]
