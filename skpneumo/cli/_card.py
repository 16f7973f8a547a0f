"""``skpneumo card``."""

from pathlib import Path
from typing import Annotated

from skpneumo.cli._console import print_paragraphs
from skpneumo.cli._options import AsJSON, Model, Output, Quiet, output_file
from skpneumo.cli._run import quote, start_run


def card(
    model: Model,
    save: Annotated[Path | None, output_file("Write the card here, as Markdown.")] = None,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Print the model card: data, metrics, threshold, limitations.

    With --json the manifest of the file, of which the card is made.
    """
    with start_run("The card", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Reading the model file"):
            from skpneumo._utils.files import write_text
            from skpneumo._utils.model_file import read_manifest
            from skpneumo.cli._models import get_model_path
            from skpneumo.persistence import model_card

            path = get_model_path(model)
            text, manifest = model_card(path), read_manifest(path)
            if save is not None:
                write_text(text, save)
                run.written.append(save)
        run.deliver(manifest, lambda: print_paragraphs(text))
        run.next_step = (
            "keep it beside the model with --save card.md."
            if save is None
            else f"evaluate the model on X-rays of yours: skpneumo evaluate {quote(model)} FOLDER"
        )
