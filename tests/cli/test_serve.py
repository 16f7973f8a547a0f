"""``skpneumo serve``: what is refused before a model is loaded."""

import socket
import sys

import pytest


def test_help_names_what_is_written(invoke, holds):
    done = invoke("serve", "--help", columns="80")
    assert done.exit_code == 0
    assert holds(done.stdout, "are written into the folder")
    assert holds(done.stdout, "requires a token")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--port", "0"), "got '0', wanted a whole number from 1 to 65535"),
        (("--port", "80000"), "got '80000'"),
    ],
)
def test_wrong_options_are_refused(invoke, assert_refused, options, message):
    assert_refused(invoke("serve", "cnn", *options), 2, message)


def test_a_missing_folder_is_refused(invoke, assert_refused):
    assert_refused(invoke("serve", "cnn", "--folder", "nowhere"), 1, "nowhere: there is no such")


def test_the_extra_packages_are_named(invoke, assert_refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert_refused(invoke("serve", "cnn"), 1, 'pip install "skpneumo[serve]"')


def test_a_short_token_is_refused(invoke, assert_refused, monkeypatch):
    pytest.importorskip("fastapi")
    monkeypatch.setenv("SKPNEUMO_TOKEN", "short")
    assert_refused(invoke("serve", "cnn", "--host", "0.0.0.0"), 1, "can be guessed")


def test_a_port_in_use_is_an_error(invoke, assert_refused):
    pytest.importorskip("fastapi")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_refused(invoke("serve", "cnn", "--port", port), 1, f"port {port}")
