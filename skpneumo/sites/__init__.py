"""A fitted model at a new hospital."""

from skpneumo.sites._monitor import RecallMonitor
from skpneumo.sites._monitor_display import RecallMonitorDisplay
from skpneumo.sites._triage import TriageClassifierCV

__all__ = [
    "RecallMonitor",
    "RecallMonitorDisplay",
    "TriageClassifierCV",
]
