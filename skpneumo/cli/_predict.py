"""``skpneumo predict``."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._console import ERR, results_console
from skpneumo.cli._messages import (
    errors_as_messages,
    print_warning,
    standard_output,
    warnings_as_messages,
)
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import Number, parse_folder
from skpneumo.cli._site import report_check_of_files

_Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="[MODEL] IMAGES...",
        help="X-rays, or folders of them, after a file of save_model, or after default, cnn or "
        "inception for a pretrained network. Without a model default predicts: the mean of both.",
    ),
]
_Heatmaps = Annotated[
    Path | None,
    typer.Option(
        parser=parse_folder,
        metavar="FOLDER",
        help="Write a heatmap (layer conductance) of each predicted X-ray into this folder.",
    ),
]
_LabelOutliers = Annotated[
    bool, typer.Option("--label-outliers", help="Predict out-of-distribution images too.")
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


def predict(
    paths: _Paths,
    csv: Annotated[Path | None, output_file("Write the table here, as CSV.")] = None,
    heatmaps: _Heatmaps = None,
    threshold: _Threshold = None,
    prevalence: _Prevalence = None,
    triage: _Triage = False,
    label_outliers: _LabelOutliers = False,
    all_views: AllViews = False,
    as_json: AsJSON = False,
):
    """Predict pneumonia on X-ray files. Not for decisions about a patient.

    Images that the model's outlier detector flags as out-of-distribution get no label. Files that
    hold no frontal chest X-ray are left out. The exit status is 1 if a file or folder cannot be
    read (the others are predicted), and 3 if a file that was named, or every file, is left out.
    """
    if (threshold is not None) + (prevalence is not None) + triage > 1:
        raise typer.BadParameter("--threshold, --prevalence and --triage exclude each other.")
    with errors_as_messages("The prediction", ERR) as written:
        with warnings_as_messages(ERR), ERR.status("Predicting …"), redirect_stdout(sys.stderr):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo.cli import _prediction
            from skpneumo.cli._models import check_has_triage, open_first_model, set_threshold

            model, names = open_first_model(paths)
            if triage:
                check_has_triage(model)
            found = _prediction.find_files(names, views_to_load(all_views))
            # What cannot be written is an error before hours of prediction, not after.
            if csv is not None:
                _prediction.check_overwrites_nothing(csv, [*paths, *found.files])
            if heatmaps is not None:
                _prediction.prepare_folder(heatmaps)
            if prevalence is not None:
                model = set_threshold(model, found, prevalence)
            rows = _prediction.predict_files(
                model, found, label_outliers=label_outliers, threshold=threshold, triage=triage
            )
            if csv is not None:
                _prediction.write_csv(rows, csv)
                written.append(csv)
            if heatmaps is not None:
                _prediction.write_heatmaps(model, rows, heatmaps, written)
        with standard_output():
            if as_json:
                result = _prediction.results_as_dict(
                    rows, model, skipped=found.skipped, threshold=threshold
                )
                print(json.dumps(result, indent=2))
            else:
                _prediction.print_results(
                    rows, model, found.skipped, results_console(), threshold=threshold
                )
        if prevalence is not None:
            ERR.print(f"{model.describe_threshold()}.", markup=False, highlight=False)
        else:
            scored = {r["file"]: r["probability"] for r in rows if r["probability"] is not None}
            report_check_of_files(model, list(scored), list(scored.values()))
        for warning in _prediction.describe_omissions(rows, found.skipped):
            print_warning(warning, ERR)
        status = _prediction.exit_status(rows, found.named)
        if status == 1:
            raise ValueError(_prediction.describe_errors(rows))
    if status:
        raise typer.Exit(status)
