"""Telling whoever waits how far a training is."""

import contextvars
from contextlib import contextmanager

from rich.progress import Progress

_LISTENER = contextvars.ContextVar("epoch_listener", default=None)


@contextmanager
def progress_callback(listener):
    """Report the progress of every fit inside this context, in this thread.

    Parameters
    ----------
    listener : callable
        Called as ``listener(share)`` with the share of an epoch that was done since the last
        call. What early stopping saves is reported as done.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def progress_of(n_epochs, verbose):
    """Give a function ``report(share, text)`` for one training.

    Parameters
    ----------
    n_epochs : int
        Epochs to come.
    verbose : int
        1 draws a bar with the time left.
    """
    listener = _LISTENER.get()
    with Progress(disable=verbose != 1) as bar:
        task = bar.add_task("Training", total=n_epochs)

        def report(share, text=None):
            bar.update(task, advance=share, description=text)
            if listener is not None:
                listener(share)

        yield report
