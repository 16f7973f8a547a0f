"""``skpneumo info``."""

import os
from typing import Annotated

import typer

from skpneumo.cli._console import print_facts
from skpneumo.cli._options import PRETRAINED, AsJSON, Output, Quiet, complete_model
from skpneumo.cli._run import quote, start_run


def info(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            autocompletion=complete_model,
            help="Describe a model file or a network of the package instead.",
        ),
    ] = None,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Show versions, precision, cache and models, or describe a model."""
    with start_run("The description", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Looking"):
            facts = describe_this_installation() if model is None else describe_model_file(model)
        run.deliver(facts, lambda: _print(facts))
        run.next_step = (
            "skpneumo predict --demo" if model is None else f"skpneumo card {quote(model)}"
        )


def describe_this_installation():
    """Describe this installation, its cache and its models.

    Returns
    -------
    dict
        Ready for JSON.
    """
    from skpneumo._show_versions import describe_installation
    from skpneumo._utils.array_store import default_location

    sections, location = describe_installation(), default_location()
    versions = sections["Python dependencies"]
    return {
        **sections["System"],
        "versions": {name: number for name, number in versions.items() if number is not None},
        **sections["Keras"],
        "environment": {
            name: value
            for name, value in sections["Environment variables"].items()
            if value is not None
        },
        "cache": location,
        "cache_bytes": 0 if location is None else _count_bytes(location),
        "models": [name for name in PRETRAINED if name != "default"],
    }


def describe_model_file(model):
    """Describe the model in a file.

    Parameters
    ----------
    model : str
        As typed.

    Returns
    -------
    dict
        Ready for JSON.
    """
    from skpneumo._utils.model_file import read_manifest
    from skpneumo.cli._models import get_model_path

    path = get_model_path(model)
    manifest = read_manifest(path)
    described = manifest["model"]
    return {
        "file": str(path),
        "file_bytes": os.path.getsize(path),
        "model": described["name"],
        "wrapped_in": described["layers"],
        "fingerprint": described["fingerprint"],
        "classes": manifest["classes"],
        "threshold": manifest["threshold"],
        "threshold_origin": manifest["threshold_origin"],
        "images": manifest["image_contract"],
        "created": manifest["created"],
        "versions": manifest["versions"],
    }


def _count_bytes(folder):
    return sum(
        os.path.getsize(os.path.join(root, name))
        for root, _, names in os.walk(folder)
        for name in names
    )


def _print(facts):
    print_facts(
        {
            name.replace("_bytes", " size").replace("_", " "): _show(name, value)
            for name, value in facts.items()
        }
    )


def _show(name, value):
    if name.endswith("_bytes"):
        return f"{value / 1e6:,.1f} MB"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "off" if value is None else str(value)
