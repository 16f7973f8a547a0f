"""``skpneumo predict``."""

from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Images,
    Jobs,
    LabelOutliers,
    Output,
    Quiet,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import Number, UsageError, parse_folder
from skpneumo.cli._run import quote, start_run

_Csv = Annotated[
    Path | None,
    output_file("Append the rows to this CSV table; those that it holds are not computed again."),
]
_Heatmaps = Annotated[
    Path | None,
    typer.Option(
        parser=parse_folder,
        metavar="FOLDER",
        help="Write a heatmap (layer conductance) of each predicted X-ray into this folder.",
    ),
]
_Threshold = Annotated[
    float | None,
    typer.Option(
        parser=Number(float, 0, 1),
        metavar="T",
        help="Decision threshold on the probability, instead of that of the model: a file is "
        "predicted positive from it on. What was certified for the model does not hold for it.",
    ),
]
_Prevalence = Annotated[
    float | None,
    open_fraction(
        "P",
        "Set the decision threshold for these files, of at least 50 patients of one site, by "
        "the proportion of the patients that have pneumonia. Nothing is certified.",
    ),
]
_Triage = Annotated[
    bool,
    typer.Option(
        "--triage",
        help="Rule out, rule in, or leave to be read, by the two thresholds of a triage model.",
    ),
]
_Demo = Annotated[
    bool, typer.Option("--demo", help="Predict the sample X-rays of the package, with true labels.")
]


def predict(
    images: Images = None,
    demo: _Demo = False,
    csv: _Csv = None,
    heatmaps: _Heatmaps = None,
    threshold: _Threshold = None,
    prevalence: _Prevalence = None,
    triage: _Triage = False,
    label_outliers: LabelOutliers = False,
    all_views: AllViews = False,
    jobs: Jobs = 1,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Predict pneumonia on X-ray files.

    Not for decisions about a patient. Images that the model's outlier detector flags as
    out-of-distribution get no label. Files that hold no frontal chest X-ray are left out. The exit
    status is 1 if a file or folder cannot be read (the others are predicted), and 3 if a file that
    was named, or every file, is left out.
    """
    if (threshold is not None) + (prevalence is not None) + triage > 1:
        raise UsageError("--threshold, --prevalence and --triage exclude each other.")
    if csv is not None and csv == output:
        raise UsageError(f"--csv and --output both name {csv}.")
    if not images and not demo:
        raise UsageError("Name X-rays or folders of them, or try --demo.")
    with start_run("The prediction", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Loading TensorFlow"):  # for which --help and wrong options need not wait
            from skpneumo.cli import _prediction

            samples = _prediction.load_samples() if demo else {}
        job = _prediction.PredictionJob(
            names=[*(images or ()), *samples],
            options=_prediction.PredictionOptions(
                views=views_to_load(all_views),
                label_outliers=label_outliers,
                threshold=threshold,
                triage=triage,
            ),
            csv=csv,
            heatmaps=heatmaps,
            prevalence=prevalence,
            true_labels=samples or None,
            n_jobs=jobs,
        )
        job.run(run)
        run.next_step = _next_step(images, demo, csv)


def _next_step(images, demo, csv):
    if demo:
        return "skpneumo predict your-scan.jpeg"
    if csv is None:
        return "keep the table with --csv out.csv."
    return f"see the evidence: skpneumo explain {' '.join(map(quote, images[:2]))}"
