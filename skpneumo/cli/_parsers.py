"""Parsers of the values of options, with errors in plain words."""

import math
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import typer

from skpneumo._reporting.files import has_report_suffix
from skpneumo.cli._errors import describe_os_error

_MAX_SIDE = 4096  # beyond it no model can be saved
_MAX_SHOWN = 40  # characters of a wrong value


class UsageError(typer.BadParameter):
    """Options that contradict each other, or a missing one: nothing was done."""

    def format_message(self):
        """Return the message; that of a parameter would begin with "Invalid value"."""
        return self.message


@dataclass(frozen=True)
class Number:
    """Parser of a number within limits.

    Parameters
    ----------
    kind : {int, float}
        Of the number.
    low, high : int or float
        Its limits.
    exclusive : bool, default=False
        Whether the limits themselves are refused.
    """

    kind: type
    low: float
    high: float = math.inf
    exclusive: bool = False

    @property
    def __name__(self):  # typer names parsers by it
        return "number"

    def __call__(self, text):
        wanted = "a whole number" if self.kind is int else "a number"
        wanted += f" of {self.low:g} or more" if self.high == math.inf else ""
        if self.high < math.inf:
            between = "between {:g} and {:g}" if self.exclusive else "from {:g} to {:g}"
            wanted += f" {between.format(self.low, self.high)}"
        try:
            number = self.kind(text)
        except ValueError:
            number = math.nan
        is_limit = self.exclusive and number in (self.low, self.high)
        if is_limit or not self.low <= number <= self.high:
            raise typer.BadParameter(f"got {_shown(text)}, wanted {wanted}.")
        return number


@dataclass(frozen=True)
class Choice:
    """Parser of one of several words.

    Parameters
    ----------
    words : tuple of str
        Those allowed.
    """

    words: tuple

    @property
    def __name__(self):
        return "choice"

    def __call__(self, text):
        if text not in self.words:
            *words, last = self.words
            wanted = f"{', '.join(words)} or {last}"
            raise typer.BadParameter(f"got {_shown(text)}, wanted {wanted}.")
        return text


def _shown(text):
    text = str(text)
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}...")


def parse_size(text):
    """Rows and columns: "112" for a square, or "112x96"."""
    try:
        sides = tuple(int(side) for side in str(text).lower().split("x"))
    except ValueError:
        sides = ()
    if len(sides) not in (1, 2) or min(sides) < 1 or max(sides) > _MAX_SIDE:
        raise typer.BadParameter(
            f"{_shown(text)} is no size; give 112 or ROWSxCOLUMNS such as 112x96, each at most "
            f"{_MAX_SIDE}."
        )
    return sides * 2 if len(sides) == 1 else sides


def parse_classes(pairs):
    """Class by name of a folder, from texts such as "Opacity=PNEUMONIA"; None without any."""
    classes = {}
    for pair in pairs or ():
        name, separator, target = pair.rpartition("=")
        if not separator or classes.setdefault(name, target) != target:
            raise UsageError(
                "--classes takes the name of a folder and its one class, such as "
                f"Opacity=PNEUMONIA, got {_shown(pair)}."
            )
    return classes or None


def parse_folder(text):
    """Path of a folder. An empty name is refused: `Path` would make it the current folder."""
    if not str(text):
        raise typer.BadParameter("the name is empty. Name a folder; the current one is '.'.")
    return Path(text)


def parse_output(text):
    """File to write, tried before hours of work."""
    if not str(text):
        raise typer.BadParameter("the name is empty. Name a file.")
    file = Path(text)
    if os.path.isdir(file):
        raise typer.BadParameter(f"{file} is a folder. Name a file, such as {file / 'results'}.")
    if not os.path.isdir(file.parent):
        wrong = "is a file" if os.path.exists(file.parent) else "does not exist. Create it first"
        raise typer.BadParameter(f"cannot write to {file}: its folder {file.parent} {wrong}.")
    if os.path.exists(file) and not os.path.isfile(file):
        return file  # opening a pipe would wait for its reader
    try:
        if os.path.exists(file):
            file.open("a").close()
        elif os.path.islink(file):
            _check_link(file)
        # Files are written beside their place first, under a name as long as this.
        place = Path(os.path.realpath(file))
        names = {"prefix": f".{place.name}.", "suffix": ".part", "dir": place.parent}
        tempfile.NamedTemporaryFile(**names).close()
    except OSError as error:
        error.filename = text
        raise typer.BadParameter(f"cannot write to {describe_os_error(error)}") from None
    return file


def _check_link(link):
    """Let a link pass that leads nowhere yet; not one that leads in a circle."""
    with suppress(FileNotFoundError):
        os.stat(link)


def parse_report(text):
    """File to write a report to, of a kind that there is."""
    if not has_report_suffix(text):
        raise typer.BadParameter(f"{text} must end in .html, .json or .txt.")
    return parse_output(text)
