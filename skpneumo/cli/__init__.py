"""The command ``skpneumo``.

Each command has a module, `_train.py`, `_audit.py` and so on, which parses, calls and prints. The
work of the larger ones is in a package beside it, `_training` and `_prediction`. A new command is
one more module, and its name in `COMMANDS` of `_app.py`.
"""

from skpneumo.cli._app import app, main

__all__ = ["app", "main"]
