"""A progress bar on standard error."""

import sys
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from skpneumo._utils.progress import BYTES, get_display, track


def is_terminal():
    """Check whether standard error is a terminal.

    Returns
    -------
    bool
    """
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress(text, total=None):
    """Draw a bar where `skpneumo.progress` does, or on standard error if that is a terminal.

    Parameters
    ----------
    text : str
        Description of the task.
    total : int, default=None
        Bytes to come.

    Yields
    ------
    callable
        Takes ``advance``, ``completed``, ``total`` and ``description``.
    """
    if get_display() is not None:
        with track(text, total, BYTES) as update:
            yield update
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not is_terminal()) as bar:
        yield partial(bar.update, bar.add_task(text, total=total))
