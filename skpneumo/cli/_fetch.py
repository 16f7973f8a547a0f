"""``skpneumo fetch``."""

import io
import os
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._console import print_paragraphs
from skpneumo.cli._options import AsJSON, Output, Quiet
from skpneumo.cli._parsers import Choice, parse_folder
from skpneumo.cli._run import quote, start_run

_DATASETS = ("kermany", "pneumoniamnist", "imagenet")
_SIZES = ("28", "64", "128", "224")
_DOWNLOADS = {
    "kermany": "1.2 GB, and as much again unpacked",
    "pneumoniamnist": "4 to 200 MB",
    "imagenet": "88 MB",
}


def fetch(
    dataset: Annotated[
        str,
        typer.Argument(
            parser=Choice(_DATASETS),
            metavar="DATASET",
            help="kermany: the X-rays of Kermany et al. (1.2 GB); pneumoniamnist: the same, small "
            "(4 to 200 MB); imagenet: the weights that train --model inception starts from "
            "(88 MB).",
        ),
    ],
    size: Annotated[
        str,
        typer.Option(
            parser=Choice(_SIZES),
            metavar="|".join(_SIZES),
            help="Rows and columns of pneumoniamnist.",
        ),
    ] = "28",
    data_home: Annotated[
        Path | None,
        typer.Option(
            parser=parse_folder,
            metavar="FOLDER",
            help="Keep X-rays here, instead of the folder of SKPNEUMO_DATA or the user's.",
        ),
    ] = None,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Download X-rays or ImageNet weights, once, with checksums.

    What is there is not downloaded again, and a download that was cut is resumed.
    """
    with start_run("The download", as_json=as_json, output=output, quiet=quiet) as run:
        run.note(f"Downloads {_DOWNLOADS[dataset]}, unless it is there.")
        # The bar of a download is drawn on a terminal only.
        silence = redirect_stderr(io.StringIO()) if quiet else nullcontext()
        with silence:
            found = _fetch(dataset, int(size), data_home)
        run.deliver(found, lambda: print_paragraphs(f"{found['description']}: {found['path']}"))
        run.next_step = _next_step(dataset, found["path"])


def _fetch(dataset, size, data_home):
    if dataset == "imagenet":
        from skpneumo.networks import fetch_imagenet_weights

        return {"path": fetch_imagenet_weights(), "description": "Weights of InceptionV3"}
    from skpneumo import datasets

    if dataset == "kermany":
        data = datasets.fetch_kermany(data_home=data_home)
        path = os.path.commonpath(data.paths.tolist())
    else:
        data = datasets.fetch_pneumoniamnist(size, data_home=data_home)
        path = data.filename
    return {
        "path": path,
        "description": f"{len(data.target):,} X-rays, {data.licence.partition(',')[0]}",
        "images": len(data.target),
        "licence": data.licence,
        "citation": data.citation,
    }


def _next_step(dataset, path):
    if dataset == "kermany":
        return f"skpneumo audit {quote(path)}, then skpneumo train {quote(path)}"
    if dataset == "imagenet":
        return "skpneumo train FOLDER --model inception"
    return "read it in Python with skpneumo.datasets.fetch_pneumoniamnist()."
