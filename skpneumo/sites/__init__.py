"""A fitted model at a new site."""

from skpneumo.sites._certifier import RecallCertifier
from skpneumo.sites._site_classifier import CertifiedClassifier

__all__ = ["CertifiedClassifier", "RecallCertifier"]
