"""A fitted model at a new site."""

from skpneumo.sites._certifier import RecallCertifier
from skpneumo.sites._label_table import LabelTable
from skpneumo.sites._plan_labels import plan_labels
from skpneumo.sites._site_classifier import CertifiedClassifier

__all__ = ["CertifiedClassifier", "LabelTable", "RecallCertifier", "plan_labels"]
