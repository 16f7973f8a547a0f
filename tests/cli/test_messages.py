"""Errors, warnings and interruptions as sentences."""

import codecs
import errno
import io
import os
import warnings

import pytest
import typer
from rich.console import Console

from skpneumo.cli._errors import describe_error, describe_os_error
from skpneumo.cli._run import start_run, warnings_as_messages
from skpneumo.cli._streams import plain_characters


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=40, color_system=None)


def printed(console):
    return console.file.getvalue()


@pytest.mark.parametrize("code", sorted(errno.errorcode))
def test_no_number_of_an_error_is_shown(code):
    error = OSError(code, os.strerror(code), "a/b[red].png")
    text = describe_os_error(error)
    assert text.startswith("a/b[red].png: ")
    assert text.endswith(".")
    assert "Errno" not in text
    text = describe_os_error(OSError(code, os.strerror(code)))
    assert text[0].isupper() or not text[0].isalpha()
    assert "Errno" not in text


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda folder: (folder / "gone.png").read_bytes(), "there is no such file or folder"),
        (lambda folder: folder.read_bytes(), "this is a folder, not a file"),
        (lambda folder: os.scandir(folder / "file" / "more"), "is a file, not a folder"),
        (lambda folder: (folder / "file").mkdir(), "exists already and is not a folder"),
        (lambda folder: (folder / ("x" * 300)).read_bytes(), "the name is too long"),
        (lambda folder: (folder / "circle").read_bytes(), "links lead in a circle"),
    ],
)
def test_errors_of_the_operating_system_in_plain_words(tmp_path, act, message):
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(OSError, match="Errno") as caught:
        act(tmp_path)
    assert message in describe_error(caught.value)
    assert str(tmp_path) in describe_error(caught.value)


def test_texts_of_libraries_stay_as_they_are():
    assert describe_error(OSError("weights are missing")) == "weights are missing"
    assert describe_error(ValueError("three")) == "three"
    assert "Out of memory" in describe_error(MemoryError())


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ValueError("[b]no[/b] classes"), 1, "Error: [b]no[/b] classes\n"),
        (OSError(errno.ENOSPC, "x", "a.csv"), 1, "Error: a.csv: no space is left"),
        (MemoryError("8 GiB"), 1, "Error: Out of memory (8 GiB)."),
        (KeyboardInterrupt(), 130, "Interrupted: Training has not finished: nothing was written."),
    ],
)
def test_a_command_ends_in_a_sentence(console, error, code, message):
    with pytest.raises(typer.Exit) as ended, start_run("Training", console=console):
        raise error
    assert ended.value.exit_code == code
    assert message in printed(console)
    assert "Wrote" not in printed(console)


def write_two(console, error=None):
    with start_run("Training", console=console) as run:
        run.written += ["model.skpneumo", "results[1].json"]
        if error is not None:
            raise error


def test_what_was_written_is_named_however_a_command_ends(console):
    write_two(console)
    assert printed(console) == "Wrote model.skpneumo, results[1].json.\n"
    for error in (ValueError("no"), KeyboardInterrupt()):
        with pytest.raises(typer.Exit):
            write_two(console, error)
        assert printed(console).endswith("Wrote model.skpneumo, results[1].json.\n")
    assert "Interrupted: Training has not finished.\n" in printed(console)


def test_bugs_are_not_hidden(console):
    with pytest.raises(ZeroDivisionError), start_run("Training", console=console):
        raise ZeroDivisionError


def test_long_paths_stay_whole():
    path = "/".join(["folder"] * 20)
    for terminal in (True, False):
        console = Console(file=io.StringIO(), width=40, color_system=None, force_terminal=terminal)
        with pytest.raises(typer.Exit), start_run("Training", console=console):
            raise ValueError(f"There is no folder {path} in this place, so nothing can be done.")
        assert path in printed(console)
        lines = printed(console).splitlines()
        assert (len(lines) > 2) == terminal
        assert all(len(line) <= 40 or line.strip() == path for line in lines) == terminal


def warn_and_fail(console):
    with warnings_as_messages(console):
        for _ in range(3):
            warnings.warn("2 files are left out", UserWarning, stacklevel=1)
        raise RuntimeError


def test_warnings_are_shown_once_and_also_after_an_error(console):
    with pytest.raises(RuntimeError):
        warn_and_fail(console)
    assert printed(console) == "Warning: 2 files are left out\n"


def test_characters_that_a_stream_lacks():
    codecs.register_error("test", plain_characters)
    text = "\u2192 98.3 \xb11.4 96x96 \u2026 0\u20131 K\udcf6nig \xe9"
    assert text.encode("ascii", errors="test") == rb"> 98.3 ~1.4 96x96 . 0-1 K\udcf6nig \xe9"
