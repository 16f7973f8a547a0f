"""Standard output and standard error: every character, closed pipes, full disks."""

import codecs
import errno
import os
import sys
from contextlib import contextmanager

import typer

from skpneumo.cli._errors import ExitCode, describe_os_error

# Replacements for characters of our own texts, of the same width if there is one.
_PLAIN = str.maketrans(
    {"\u2013": "-", "\u2019": "'", "\u2026": ".", "\u2192": ">", "\xb1": "~", "\xd7": "x"}
    | {"\xb7": "-", "\u221e": "inf"}
)


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
            raise typer.Exit(ExitCode.CLOSED_PIPE) from None
        raise OSError(f"Results cannot be printed: {describe_os_error(error)}") from None
