"""Helpers of several packages: caches, files, text, validation, nested estimators."""
