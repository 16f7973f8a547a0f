"""``skpneumo serve``."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._console import print_lines
from skpneumo.cli._options import Quiet, complete_model
from skpneumo.cli._parsers import Number, parse_folder
from skpneumo.cli._run import start_run

_TOKEN = "SKPNEUMO_TOKEN"

_Model = Annotated[
    str,
    typer.Argument(
        metavar="[MODEL]",
        autocompletion=complete_model,
        help="Model file, or a network of the package: default, cnn, inception.",
    ),
]
_Folder = Annotated[
    Path | None,
    typer.Option(
        parser=parse_folder,
        metavar="FOLDER",
        help="X-rays of a site: they are listed, checked as a site, and read for the reading "
        "list. What readers record, and the certified model, are written into the folder.",
    ),
]
_Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Address to listen at. Any other than 127.0.0.1 requires a token, that of the "
        f"variable {_TOKEN} or a new one, and sends X-rays unencrypted through the network.",
    ),
]


def serve(
    model: _Model = "default",
    host: _Host = "127.0.0.1",
    port: Annotated[
        int, typer.Option(parser=Number(int, 1, 65535), metavar="PORT", help="Port to listen at.")
    ] = 8000,
    folder: _Folder = None,
    quiet: Quiet = False,
):
    """Show predictions in the browser, and certify a recall there.

    Nothing leaves this machine, and nothing is kept unless a folder is given. Needs the extra
    packages of skpneumo[serve]. Ctrl-C ends it.
    """
    # Uploads are not to be found on the disk afterwards.
    os.environ["SKPNEUMO_CACHE"] = "off"
    with start_run("The reading page", quiet=quiet) as run:
        with run.working("Loading the model"):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo import serving
            from skpneumo.cli._models import open_model

            try:
                settings = serving.Settings(
                    host=host, port=port, folder=folder, token=os.environ.get(_TOKEN) or None
                )
                serving.prepare(settings)
            except ImportError as error:
                raise ValueError(str(error)) from None
            classifier = open_model(model)
        serving.serve(classifier, settings, on_start=partial(_announce, settings, run))


def _announce(settings, run):
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print_lines(f"Open http://{host}:{settings.port}/ in a browser. Ctrl-C ends the server.")
    if settings.token is not None:
        print_lines(f"Token: {settings.token}")
        run.warn(
            "X-rays and the token travel unencrypted. Use a network that you trust, or an SSH "
            "tunnel."
        )
    print_lines("Research software, not a medical device.")
