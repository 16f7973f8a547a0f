"""What is wrong with a collection, found before anything is learnt from it."""

from skpneumo.datasets._auditing._audit import Audit, audit
from skpneumo.datasets._auditing._findings import Finding

__all__ = ["Audit", "Finding", "audit"]
