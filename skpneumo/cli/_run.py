"""One run of a command: what it shows, writes and delivers, the same in every command."""

import json
import shlex
import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from skpneumo._utils.files import atomic_write
from skpneumo._utils.formatting import fold_lines
from skpneumo.cli._console import ERR, NOTHING, make_progress_bar
from skpneumo.cli._errors import ExitCode, describe_error
from skpneumo.cli._streams import standard_output
from skpneumo.cli._wording import in_typed_words

# Shorter work needs no announcement.
_MIN_SECONDS = 60


@dataclass
class Run:
    """What a command writes to standard error, to standard output and to files.

    Parameters
    ----------
    as_json : bool, default=False
        Print the result as JSON instead of tables.
    output : Path, default=None
        Write the result as JSON to this file too.
    quiet : bool, default=False
        Print neither progress nor tables nor what was written; warnings and errors are.
    console : rich.console.Console
        Standard error.

    Attributes
    ----------
    written : list
        Files that were written.
    next_step : str
        What one does next, as a sentence.
    """

    as_json: bool = False
    output: Path | None = None
    quiet: bool = False
    console: Console = ERR
    written: list = field(default_factory=list)
    next_step: str = ""

    @property
    def notes(self):
        """Console for progress and notes."""
        return NOTHING if self.quiet else self.console

    @contextmanager
    def working(self, doing):
        """Show what is done until it is done, and its warnings at the end, each once.

        What libraries print goes to standard error: only results belong on standard output.
        """
        with (
            warnings_as_messages(self.console),
            self.notes.status(f"{doing} …"),
            redirect_stdout(sys.stderr),
        ):
            yield

    @contextmanager
    def progress(self, doing):
        """Show a bar instead. Yields a function of the fraction done and of what is done next."""
        with (
            warnings_as_messages(self.console),
            make_progress_bar(self.notes) as bar,
            redirect_stdout(sys.stderr),
        ):
            task = bar.add_task(doing, total=1)
            yield lambda fraction, doing: bar.update(task, completed=fraction, description=doing)

    def note(self, text):
        """Print a note."""
        print_message(self.notes, text)

    def warn(self, text):
        """Print a warning."""
        print_warning(text, self.console)

    def announce(self, seconds, what="This"):
        """Print about how long something takes, if it is more than a minute."""
        if seconds >= _MIN_SECONDS:
            self.note(f"{what} takes about {format_duration(seconds)}.")

    def deliver(self, result, show):
        """Write and print the result.

        Parameters
        ----------
        result : dict, str or callable
            Ready for JSON; or JSON; or called without arguments for an iterable of parts of it.
        show : callable
            Called without arguments to print tables.
        """
        # A full disk must not cost what is printed.
        try:
            if self.output is not None:
                with atomic_write(self.output) as file:
                    for part in _json_parts(result):
                        file.write(part.encode("utf-8", errors="backslashreplace"))
                self.written.append(self.output)
        finally:
            with standard_output():
                if self.as_json:
                    for part in _json_parts(result):
                        print(part, end="")
                elif not self.quiet:
                    show()


def _json_parts(result):
    if callable(result):
        yield from result()
    else:
        yield result if isinstance(result, str) else json.dumps(result, indent=2)
    yield "\n"


@contextmanager
def start_run(subject, **options):
    """End a command with messages: an error, the files it wrote, and what one does next.

    Parameters
    ----------
    subject : str
        What the command does, as the subject of a sentence: "Training".
    **options
        Of `Run`.

    Yields
    ------
    Run

    Raises
    ------
    typer.Exit
        With 1 after an error, and 130 after an interruption.
    """
    run = Run(**options)
    shows_end = not run.quiet
    try:
        yield run
    except KeyboardInterrupt:
        shows_end, kept = True, "." if run.written else ": nothing was written."
        text = f"{subject} has not finished{kept}"
        print_message(run.console, text, head="Interrupted:", style="bold red")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (ValueError, OSError, MemoryError) as error:
        shows_end = True
        print_message(run.console, describe_error(error), head="Error:", style="bold red")
        raise typer.Exit(ExitCode.ERROR) from None
    finally:
        if run.written and shows_end:
            print_message(run.console, f"Wrote {', '.join(map(str, run.written))}.")
        if run.next_step:
            print_message(run.notes, f"Next: {run.next_step}")


@contextmanager
def warnings_as_messages(console):
    """Show warnings as messages, each once, at the end.

    Parameters
    ----------
    console : rich.console.Console
        Standard error.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", UserWarning)
        try:
            yield
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                print_warning(text, console)


def print_warning(text, console):
    """Show one warning."""
    print_message(console, in_typed_words(text), head="Warning:", style="bold yellow")


def print_message(console, text, *, head="", style=""):
    """Show a text, its head in a style."""
    text = f"{head} {text}" if head else text
    if console.is_terminal:
        # Lines end between words. Paths and addresses stay whole, to be copied.
        text = fold_lines(text, console.width)
    text = Text(text)
    text.stylize(style, 0, len(head))
    console.print(text, soft_wrap=True)


def format_duration(seconds):
    """Format a duration that is estimated, with as many digits as that deserves.

    Parameters
    ----------
    seconds : float
        A minute or more.

    Returns
    -------
    str

    Examples
    --------
    >>> from skpneumo.cli._run import format_duration
    >>> format_duration(95), format_duration(60 * 47), format_duration(3600 * 5)
    ('2 minutes', '45 minutes', '5 hours')
    """
    minutes = max(1, round(seconds / 60))
    if minutes > 10:
        minutes = 5 * round(minutes / 5)
    if minutes < 90:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"{max(2, round(seconds / 3600))} hours"


def quote(path):
    """Quote a path for a command line that is shown."""
    return shlex.quote(str(path))
