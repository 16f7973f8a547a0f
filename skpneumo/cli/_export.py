"""``skpneumo export``."""

from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._console import print_paragraphs
from skpneumo.cli._options import AsJSON, Model, Output, Quiet
from skpneumo.cli._parsers import Choice, parse_output
from skpneumo.cli._run import start_run

_SUFFIXES = (".onnx", ".tflite")
_PRECISIONS = ("float32", "float16")


def _parse_target(text):
    if Path(text).suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"{text} must end in {' or '.join(_SUFFIXES)}.")
    return parse_output(text)


def export(
    model: Model,
    file: Annotated[
        Path,
        typer.Argument(
            parser=_parse_target, metavar="FILE", help="File to write: .onnx or .tflite."
        ),
    ],
    precision: Annotated[
        str,
        typer.Option(
            parser=Choice(_PRECISIONS),
            metavar="|".join(_PRECISIONS),
            help="Type of the weights; float16 takes half the space.",
        ),
    ] = "float32",
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Export a model to ONNX or TensorFlow Lite, and check the file.

    The file takes grey images of 8 bits and returns the probability of pneumonia; the threshold and
    the names of the classes are in its metadata. It has no outlier detector.
    """
    with start_run("The export", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Exporting"):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo import persistence
            from skpneumo.cli._models import open_model

            is_onnx = file.suffix.lower() == ".onnx"
            write = persistence.export_onnx if is_onnx else persistence.export_tflite
            try:
                metadata = write(open_model(model), file, precision=precision)
            except ImportError as error:  # of a package that only the export needs
                raise ValueError(str(error)) from None
            run.written.append(file)
        run.deliver(metadata, lambda: print_paragraphs(_describe(metadata)))
        run.next_step = f"run it with {'onnxruntime' if is_onnx else 'ai-edge-litert'}."


def _describe(metadata):
    return (
        f"{metadata['model']} in {metadata['precision']}. Input: {metadata['input']}. "
        f"Decision threshold: {float(metadata['threshold']):.4g}. Largest difference from the "
        f"original: {float(metadata['max_difference']):.1g}."
    )
