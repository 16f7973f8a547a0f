"""Standard output for results, standard error for messages and progress."""

import os
from textwrap import fill

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from skpneumo._utils.formatting import fold_lines

_UNLIMITED = 10_000  # columns


class PipeConsole(Console):
    """Console that leaves a closed pipe to `standard_output`."""

    def on_broken_pipe(self):
        raise  # rich would end the process before the names of written files are printed


OUT, ERR = PipeConsole(), PipeConsole(stderr=True)
NOTHING = Console(quiet=True, stderr=True)


def results_width():
    """Columns of the terminal, or None if results are read by a program.

    Returns
    -------
    int or None
    """
    # rich takes 80 columns if there is no terminal, and would fold what a program is to parse.
    return OUT.width if OUT.is_terminal or "COLUMNS" in os.environ else None


def results_console():
    """Console for tables with names of files, which stay on one line when a program reads them.

    Returns
    -------
    rich.console.Console
    """
    return OUT if results_width() is not None else PipeConsole(width=_UNLIMITED)


def print_lines(text):
    """Print the lines of a text as they are.

    Parameters
    ----------
    text : str
    """
    # Brackets in names of files are no markup.
    OUT.print(text, markup=False, highlight=False, soft_wrap=True)


def print_folded(text):
    """Print the lines of a text, folded to the width of the terminal.

    Parameters
    ----------
    text : str
    """
    width = results_width()
    print_lines(text if width is None else fold_lines(text, width))


def print_paragraphs(text):
    """Print paragraphs and lists of Markdown, wrapped to the width of the terminal.

    Parameters
    ----------
    text : str
        Each paragraph and each item of a list on one line.
    """
    for line in text.splitlines():
        _print_wrapped(line, indent="  " if line.startswith("- ") else "")


def print_facts(facts):
    """Print names and values side by side, values wrapped to the width of the terminal.

    Parameters
    ----------
    facts : dict of str to str
        By name.
    """
    n = max(map(len, facts)) + 2
    for name, value in facts.items():
        _print_wrapped(f"{name:<{n}}{value}", indent=" " * n)


def _print_wrapped(line, indent):
    if (width := results_width()) is not None:
        # Paths stay whole, to be copied.
        options = {"break_long_words": False, "break_on_hyphens": False}
        line = fill(line, width, subsequent_indent=indent, **options)
    print_lines(line)


def make_progress_bar(console=ERR):
    """Create a bar as wide as the terminal.

    Parameters
    ----------
    console : rich.console.Console, default=standard error
        Where it is drawn.

    Returns
    -------
    rich.progress.Progress
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
        expand=True,
    )
