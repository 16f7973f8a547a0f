"""A fitted model at a new hospital."""

# Names that are not in __all__ are for the other packages of skpneumo.
from skpneumo.sites._certifier import RecallCertifier
from skpneumo.sites._check import check_scores, check_site
from skpneumo.sites._label_table import LabelTable
from skpneumo.sites._monitor import RecallMonitor
from skpneumo.sites._monitor_display import RecallMonitorDisplay
from skpneumo.sites._plan_labels import plan_labels
from skpneumo.sites._prevalence import PrevalenceThresholdClassifier
from skpneumo.sites._reference import get_reference as get_reference
from skpneumo.sites._site_check import SiteCheck
from skpneumo.sites._site_check_display import SiteCheckDisplay
from skpneumo.sites._site_classifier import CertifiedClassifier
from skpneumo.sites._triage import TriageClassifierCV

__all__ = [
    "CertifiedClassifier",
    "LabelTable",
    "PrevalenceThresholdClassifier",
    "RecallCertifier",
    "RecallMonitor",
    "RecallMonitorDisplay",
    "SiteCheck",
    "SiteCheckDisplay",
    "TriageClassifierCV",
    "check_scores",
    "check_site",
    "plan_labels",
]


def __dir__():
    return __all__
