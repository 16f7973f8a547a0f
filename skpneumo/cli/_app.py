"""The application: its commands in the order in which ``skpneumo --help`` lists them."""

import os
from typing import Annotated

import typer

import skpneumo
from skpneumo.cli._audit import audit
from skpneumo.cli._calibrate import calibrate
from skpneumo.cli._card import card
from skpneumo.cli._certify import certify
from skpneumo.cli._check_site import check_site
from skpneumo.cli._command import Command
from skpneumo.cli._evaluate import evaluate
from skpneumo.cli._explain import explain
from skpneumo.cli._export import export
from skpneumo.cli._fetch import fetch
from skpneumo.cli._info import info
from skpneumo.cli._predict import predict
from skpneumo.cli._serve import serve
from skpneumo.cli._streams import prepare_streams
from skpneumo.cli._train import train

COMMANDS = (
    *(predict, explain, fetch, audit, train, evaluate),
    *(check_site, calibrate, certify, serve, export, card, info),
)

# Usage errors are plain text: a frame around them would break paths into pieces.
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool):
    if wanted:
        typer.echo(f"skpneumo {skpneumo.__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
):
    """Detect pneumonia in children's chest X-rays. Not a medical device."""
    # To be set before the first import of TensorFlow, which logs its start at length and leaves
    # faster kernels unused on many processors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    prepare_streams()


for command in COMMANDS:
    app.command(cls=Command)(command)


def main():
    """Entry point of ``skpneumo``."""
    app()
