"""Progress of what takes long: shown inside one context, in a terminal or a notebook."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text
from sklearn.base import BaseEstimator

from skpneumo._utils.count_fits import count_fits

BYTES = "bytes"
_DISPLAY: ContextVar[Display | None] = ContextVar("progress_display", default=None)
_NOTEBOOK_WIDTH = 80  # columns
_NOTEBOOK_INTERVAL = 0.2  # seconds between two pictures


@contextmanager
def progress(search: BaseEstimator | None = None) -> Iterator[None]:
    """Show the progress of fits, predictions, audits and downloads inside this context.

    Bars appear on standard error in a terminal, and below the cell in a notebook. Outside of the
    context nothing is shown. Bars are for this thread: with ``n_jobs`` the fits of other processes
    are not counted.

    Parameters
    ----------
    search : estimator, default=None
        What is going to be fitted inside, such as a `~sklearn.model_selection.GridSearchCV` or an
        `~skpneumo.OperatingPointClassifierCV`: a bar counts the fits of its classifiers. Those
        that differ only in ``threshold`` are trained once, and the others are done at once.

    See Also
    --------
    skpneumo.classifiers.progress_callback : Call a function of your own instead.

    Examples
    --------
    >>> import skpneumo
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skpneumo import CNNPneumoniaClassifier
    >>> from skpneumo.datasets import make_xrays
    >>> xrays = make_xrays(40, image_size=(48, 40), random_state=0)
    >>> clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    >>> search = GridSearchCV(clf, {"threshold": [0.3, 0.5]}, cv=2)
    >>> with skpneumo.progress(search):
    ...     search = search.fit(xrays.images, xrays.target)
    """
    # A search that shows itself may run inside another context.
    if _DISPLAY.get() is not None:
        yield
        return
    with Display(None if search is None else count_fits(search), search is not None) as display:
        token = _DISPLAY.set(display)
        try:
            yield
        finally:
            _DISPLAY.reset(token)


def get_display():
    """Display of the context that this code runs in, or None.

    Returns
    -------
    Display or None
    """
    return _DISPLAY.get()


@contextmanager
def track(description, total, unit=""):
    """Show a bar for one thing, if there is a display.

    Parameters
    ----------
    description : str
        What is done.
    total : float or None
        How much of it there is.
    unit : str, default=""
        Of the amounts, such as "X-rays", or `BYTES`.

    Yields
    ------
    callable
        Takes ``advance``, ``completed``, ``total`` and ``description`` as keywords.
    """
    display = _DISPLAY.get()
    if display is None:
        yield ignore
        return
    with display.task(description, total, unit) as update:
        yield update


def ignore(**changes):
    """Take note of no progress."""


@contextmanager
def track_fit():
    """Count one fit, if there is a display that counts them."""
    yield
    display = _DISPLAY.get()
    if display is not None:
        display.count_fit()


class Display:
    """Bars of several tasks, each removed at its end if others remain.

    Parameters
    ----------
    n_fits : int, default=None
        Fits to come, if that is known.
    counts_fits : bool, default=False
        Whether a bar counts the fits.
    """

    def __init__(self, n_fits=None, counts_fits=False):
        self._in_notebook = Console().is_jupyter
        # What is shown in a notebook is drawn here, as rich needs ipywidgets for it.
        self._console = (
            Console(file=io.StringIO(), width=_NOTEBOOK_WIDTH, record=True, force_jupyter=False)
            if self._in_notebook
            else Console(stderr=True)
        )
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            _AmountColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
        )
        self._handle, self._shown_at = None, 0.0
        self._fits = None
        if counts_fits:
            self._fits = self._bars.add_task("Fits", total=n_fits, unit="")

    def __enter__(self):
        if not self._in_notebook:
            self._bars.start()
        return self

    def __exit__(self, *error):
        if self._in_notebook:
            self._draw(at_once=True)
        else:
            self._bars.stop()

    @contextmanager
    def task(self, description, total, unit=""):
        """Show one task; yields what updates it."""
        number = self._bars.add_task(description, total=total, unit=unit)
        self._draw()
        try:
            yield partial(self._update, number)
        finally:
            # The last bar of all stays, so that a fit alone does not vanish.
            if len(self._bars.tasks) > 1:
                self._bars.remove_task(number)
            self._draw()

    def count_fit(self):
        """Count a fit, and raise the number of fits if there are more than was known."""
        if self._fits is not None:
            task = self._bars.tasks[0]
            done = int(task.completed) + 1
            total = None if task.total is None else max(task.total, done)
            self._update(self._fits, completed=done, total=total)

    def _update(self, number, **changes):
        self._bars.update(number, **changes)
        self._draw()

    def _draw(self, at_once=False):
        now = time.monotonic()
        if not self._in_notebook or not (at_once or now - self._shown_at >= _NOTEBOOK_INTERVAL):
            return
        from IPython.display import display

        self._shown_at = now
        self._console.print(self._bars.get_renderable())
        html = self._console.export_html(
            inline_styles=True, code_format="<pre>{code}</pre>", clear=False
        )
        data = {"text/html": html, "text/plain": self._console.export_text()}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


class _AmountColumn(ProgressColumn):
    """What is done of a task, and of how much."""

    def __init__(self):
        super().__init__(table_column=Column(no_wrap=True))
        self._bytes = DownloadColumn()

    def render(self, task):
        if task.fields["unit"] == BYTES:
            return self._bytes.render(task)
        # Fractions of an epoch do not add up exactly.
        done = int(task.completed + 1e-6)
        total = "" if task.total is None else f"/{task.total:,.0f}"
        return Text(f"{done:,}{total} {task.fields['unit']}".rstrip(), style="progress.download")
