"""The command ``skpneumo``.

Each command has a module, `_train.py`, `_audit.py` and so on, which parses, calls and prints. The
work of the larger ones is in a package beside it, `_training` and `_prediction`. A new command is
one more module, and its name in `COMMANDS` of `_app.py`.

What all have in common is in one place each: options in `_options.py`, saved options in
`_config.py`, progress, notes, JSON, files written and next steps in `_run.py`, exit codes and
sentences for errors in `_errors.py`, and option names in texts of the library in `_wording.py`.
"""

from skpneumo.cli._app import app, main

__all__ = ["app", "main"]
