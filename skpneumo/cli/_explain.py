"""``skpneumo explain``."""

from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Images,
    LabelOutliers,
    Output,
    Quiet,
    views_to_load,
)
from skpneumo.cli._parsers import Choice, UsageError, parse_folder
from skpneumo.cli._run import start_run

# By their names on the command line.
_METHODS = {"conductance": "integrated", "gradcam": "gradcam"}


def explain(
    images: Images = None,
    heatmaps: Annotated[
        Path,
        typer.Option(
            parser=parse_folder, metavar="FOLDER", help="Write the pictures here, as PNG."
        ),
    ] = Path("heatmaps"),
    method: Annotated[
        str,
        typer.Option(
            parser=Choice(tuple(_METHODS)),
            metavar="|".join(_METHODS),
            help="Layer conductance, or Grad-CAM, which is coarser.",
        ),
    ] = "conductance",
    label_outliers: LabelOutliers = False,
    all_views: AllViews = False,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Draw heatmaps of the evidence for pneumonia, as PNG.

    A heatmap shows where the evidence is for this network, not where disease is, and each is scaled
    to its own maximum: read the probability first.
    """
    if not images:
        raise UsageError("Name X-rays or folders of them.")
    with start_run("The drawing", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Loading TensorFlow"):  # for which --help and wrong options need not wait
            from skpneumo.cli import _prediction
        job = _prediction.PredictionJob(
            names=images,
            options=_prediction.PredictionOptions(
                views=views_to_load(all_views), label_outliers=label_outliers
            ),
            heatmaps=heatmaps,
            method=_METHODS[method],
        )
        job.run(run)
        run.next_step = f"open the pictures in {heatmaps}."
