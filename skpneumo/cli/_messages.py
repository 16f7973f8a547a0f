"""Errors, warnings, interruptions and files written, as messages on standard error."""

import codecs
import errno
import os
import sys
import warnings
from contextlib import contextmanager

import typer
from rich.text import Text

from skpneumo._utils.formatting import fold_lines

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
CLOSED_PIPE = 141  # 128 + SIGPIPE

# Cause and remedy by error of the operating system.
_CAUSES = {
    errno.ENOENT: "there is no such file or folder. Check the name",
    errno.EACCES: "permission denied. Change its permissions or those of its folder, or choose "
    "another place",
    errno.EPERM: "permission denied. Change its permissions or those of its folder, or choose "
    "another place",
    errno.EISDIR: "this is a folder, not a file. Name a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder. Check the name",
    errno.EEXIST: "this exists already and is not a folder. Choose another name",
    errno.EROFS: "this place is read-only. Choose another one",
    errno.ENOSPC: "no space is left on the device. Free some, or choose another place",
    errno.EDQUOT: "the disk quota is used up. Free some space, or choose another place",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one",
    errno.ELOOP: "links lead in a circle. Name the file itself",
    errno.ENXIO: "there is no such device. Name a file",
}
# Replacements for characters of our own texts, of the same width if there is one.
_PLAIN = str.maketrans(
    {"\u2013": "-", "\u2019": "'", "\u2026": ".", "\u2192": ">", "\xb1": "~", "\xd7": "x"}
    | {"\xb7": "-", "\u221e": "inf"}
)


def os_error_cause(error):
    """Describe the cause of an error of the operating system, and what to do, without the file.

    Parameters
    ----------
    error : OSError
        Raised by the operating system.

    Returns
    -------
    str
        It begins in lower case and ends in a full stop.
    """
    return f"{_CAUSES.get(error.errno) or error.strerror or os.strerror(error.errno)}."


def describe_os_error(error):
    """Describe an error of the operating system in a plain sentence.

    Parameters
    ----------
    error : OSError
        Raised by the operating system, or by a library with a text of its own.

    Returns
    -------
    str
        The file, the cause, and what to do; the text of the error if it is no error of the
        operating system.
    """
    if error.errno is None:
        return str(error)
    cause = os_error_cause(error)
    if error.filename is None:
        return f"{cause[0].upper()}{cause[1:]}"
    return f"{os.fsdecode(error.filename)}: {cause}"


def describe_error(error):
    """Describe any error that a command expects, as a sentence for people."""
    if isinstance(error, OSError):
        return describe_os_error(error)
    if isinstance(error, MemoryError):
        return (
            f"Out of memory ({error or 'no more is known'}). Use a smaller "
            "--image-size or --subset, or fewer files at once."
        )
    return str(error)


def plain_characters(error):
    """Replace characters that a stream cannot encode: error handler for `codecs`.

    Those of our own texts become one ASCII character each, so that tables stay aligned; others,
    which belong to names, become backslash escapes.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    plain = text.translate(_PLAIN)
    return plain.encode("ascii", errors="backslashreplace").decode("ascii"), error.end


def prepare_streams():
    """Make standard output and standard error accept every character, and open them if closed."""
    # A closed stream would hand its number to the next file that is opened, and TensorFlow would
    # write its log into that file.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error("skpneumo.plain", plain_characters)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="skpneumo.plain")


@contextmanager
def standard_output():
    """Print results: a closed pipe ends the command, a full disk is an error.

    Raises
    ------
    OSError
        If standard output cannot be written to.
    typer.Exit
        If the program that reads it has closed it.
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Python flushes the rest of the buffer when it ends, which would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            raise typer.Exit(CLOSED_PIPE) from None
        raise OSError(f"Results cannot be printed: {describe_os_error(error)}") from None


@contextmanager
def errors_as_messages(name, console):
    """End a command with a message instead of a traceback, and name the files it wrote.

    Parameters
    ----------
    name : str
        What the command does, as the subject of a sentence: "Training".
    console : rich.console.Console
        Standard error.

    Yields
    ------
    list of path
        To which the command appends each file once it is written.

    Raises
    ------
    typer.Exit
        With 1 after an error, and 130 after an interruption.
    """
    written = []
    try:
        yield written
    except KeyboardInterrupt:
        kept = "." if written else ": nothing was written."
        text = f"{name} has not finished{kept}"
        _print(console, text, head="Interrupted:", style="bold red")
        raise typer.Exit(INTERRUPTED) from None
    except (ValueError, OSError, MemoryError) as error:
        _print(console, describe_error(error), head="Error:", style="bold red")
        raise typer.Exit(1) from None
    finally:
        if written:
            _print(console, f"Wrote {', '.join(map(os.fsdecode, written))}.")


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
    _print(console, text, head="Warning:", style="bold yellow")


def _print(console, text, *, head="", style=""):
    text = f"{head} {text}" if head else text
    if console.is_terminal:
        # Lines end between words. Paths and addresses stay whole, to be copied.
        text = fold_lines(text, console.width)
    text = Text(text)
    text.stylize(style, 0, len(head))
    console.print(text, soft_wrap=True)
