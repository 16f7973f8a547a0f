"""The command ``skpneumo``."""

from skpneumo.cli._app import app as app
from skpneumo.cli._app import main

__all__ = ["main"]
