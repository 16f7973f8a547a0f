"""The application: its commands in the order in which ``skpneumo --help`` lists them."""

import os

import typer

from skpneumo.cli._audit import audit
from skpneumo.cli._calibrate import calibrate
from skpneumo.cli._certify import certify
from skpneumo.cli._check_site import check_site
from skpneumo.cli._evaluate import evaluate
from skpneumo.cli._messages import prepare_streams
from skpneumo.cli._predict import predict
from skpneumo.cli._serve import serve
from skpneumo.cli._train import train

COMMANDS = (train, audit, predict, evaluate, check_site, calibrate, certify, serve)

# Usage errors are plain text: a frame around them would break paths into pieces.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def prepare():
    """Detect pneumonia in children's chest X-rays. Not a medical device."""
    # To be set before the first import of TensorFlow, which logs its start at length and leaves
    # faster kernels unused on many processors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    prepare_streams()


for command in COMMANDS:
    app.command()(command)


def main():
    """Entry point of ``skpneumo``."""
    app()
