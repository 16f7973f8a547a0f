"""Options are parsed from text, with errors in plain words."""

import os
from contextlib import contextmanager

import pytest
import typer

from skpneumo.cli._parsers import (
    Choice,
    Number,
    parse_folder,
    parse_output,
    parse_report,
    parse_size,
)


@contextmanager
def without_privileges():
    """As a user without the rights of root, whom no permission stops."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("parser", "text", "wanted"),
    [
        (Number(int, 2), "1", "a whole number of 2 or more"),
        (Number(int, 2), "abc", "a whole number of 2 or more"),
        (Number(int, 2), "", "a whole number of 2 or more"),
        (Number(int, 2), "2.5", "a whole number of 2 or more"),
        (Number(int, 2), "9" * 5000, "a whole number of 2 or more"),
        (Number(float, 0, 1), "1.01", "a number from 0 to 1"),
        (Number(float, 0, 1), "nan", "a number from 0 to 1"),
        (Number(float, 0, 1), "98%", "a number from 0 to 1"),
        (Number(float, 0, 1, exclusive=True), "1", "a number between 0 and 1"),
        (Number(float, 0, 1, exclusive=True), "0.0", "a number between 0 and 1"),
        (Choice(("cnn", "inception")), "resnet", "cnn or inception"),
        (Choice(("cnn", "inception")), "", "cnn or inception"),
    ],
)
def test_a_value_that_is_not_allowed(parser, text, wanted):
    with pytest.raises(typer.BadParameter) as caught:
        parser(text)
    assert caught.value.message.endswith(f"wanted {wanted}.")
    assert text[:10] in caught.value.message
    assert len(caught.value.message) < 200


def test_values_that_are_allowed():
    assert Number(int, 2)("2") == 2
    assert Number(float, 0, 1)("1") == 1.0
    assert Number(float, 0, 1, exclusive=True)("0.999") == 0.999
    assert Choice(("cnn", "inception"))("cnn") == "cnn"
    assert parse_size("112") == (112, 112)
    assert parse_size("112x96") == (112, 96)


def test_an_empty_name_is_not_the_working_directory():
    for parse in (parse_folder, parse_output):
        with pytest.raises(typer.BadParameter, match="the name is empty"):
            parse("")
    with pytest.raises(typer.BadParameter, match=r"must end in \.html, \.json or \.txt"):
        parse_report("")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is a folder. Name a file"),
        ("gone/a.json", "does not exist. Create it first"),
        ("file/a.json", "is a file"),
        ("x" * 300, "the name is too long"),
        ("x" * 248, "the name is too long"),  # as it is written under a longer name first
        ("circle", "links lead in a circle"),
    ],
)
def test_where_nothing_can_be_written(tmp_path, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(typer.BadParameter) as caught:
        parse_output(str(tmp_path / name))
    assert message in caught.value.message
    assert "Errno" not in caught.value.message
    assert sorted(os.listdir(tmp_path)) == ["circle", "file"]


def test_where_nothing_may_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o555)
    with without_privileges(), pytest.raises(typer.BadParameter, match="permission denied"):
        parse_output("a.json")
    tmp_path.chmod(0o755)
    (tmp_path / "a.json").touch(0o444)
    with without_privileges(), pytest.raises(typer.BadParameter, match="permission denied"):
        parse_output("a.json")


def test_trying_leaves_everything_as_it_was(tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "new.json")
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("kept.json", "link.json", "pipe.json", "a.json"):
        assert parse_report(str(tmp_path / name)).name == name
    assert kept.read_text(encoding="utf-8") == "{}"
    assert sorted(os.listdir(tmp_path)) == ["kept.json", "link.json", "pipe.json"]
