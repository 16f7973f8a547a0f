"""``skpneumo info``."""

import importlib.metadata
import os
import platform
from typing import Annotated

import typer

from skpneumo.cli._console import print_facts
from skpneumo.cli._options import PRETRAINED, AsJSON, Output, Quiet, complete_model
from skpneumo.cli._run import quote, start_run

_PACKAGES = ("skpneumo", "scikit-learn", "keras", "tensorflow", "numpy", "pillow", "pydicom")
_OPTIONAL = ("imagecodecs", "onnxruntime", "ai-edge-litert")


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
            facts = describe_installation() if model is None else describe_model_file(model)
        run.deliver(facts, lambda: _print(facts))
        run.next_step = (
            "skpneumo predict --demo" if model is None else f"skpneumo card {quote(model)}"
        )


def describe_installation():
    """Describe this installation.

    Returns
    -------
    dict
        Ready for JSON.
    """
    from skpneumo._utils.array_store import default_location
    from skpneumo.networks import resolve_precision

    location = default_location()
    installed = [name for name in _OPTIONAL if _version(name) is not None]
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "versions": {name: _version(name) for name in (*_PACKAGES, *installed)},
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "precision": resolve_precision("auto"),
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


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


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
