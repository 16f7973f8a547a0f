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
from skpneumo.cli._options import AllViews, AsJSON, output_file, views_to_load
from skpneumo.cli._parsers import parse_folder

_Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="[MODEL] IMAGES...",
        help="X-rays, or folders of them, after a file of save_model. Without a model, or after "
        "the word default, the pretrained network predicts.",
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


def predict(
    paths: _Paths,
    csv: Annotated[Path | None, output_file("Write the table here, as CSV.")] = None,
    heatmaps: _Heatmaps = None,
    label_outliers: _LabelOutliers = False,
    all_views: AllViews = False,
    as_json: AsJSON = False,
):
    """Predict pneumonia on X-ray files. Not for decisions about a patient.

    Images that the model's outlier detector flags as out-of-distribution get no label. Files that
    hold no frontal chest X-ray are left out. The exit status is 1 if a file or folder cannot be
    read (the others are predicted), and 3 if a file that was named, or every file, is left out.
    """
    with errors_as_messages("The prediction", ERR) as written:
        with warnings_as_messages(ERR), ERR.status("Predicting …"), redirect_stdout(sys.stderr):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo.cli import _prediction
            from skpneumo.cli._models import open_first_model

            model, names = open_first_model(paths)
            found = _prediction.find_files(names, views_to_load(all_views))
            # What cannot be written is an error before hours of prediction, not after.
            if csv is not None:
                _prediction.check_overwrites_nothing(csv, [*paths, *found.files])
            if heatmaps is not None:
                _prediction.prepare_folder(heatmaps)
            rows = _prediction.predict_files(model, found, label_outliers=label_outliers)
            if csv is not None:
                _prediction.write_csv(rows, csv)
                written.append(csv)
            if heatmaps is not None:
                _prediction.write_heatmaps(model, rows, heatmaps, written)
        with standard_output():
            if as_json:
                result = _prediction.results_as_dict(rows, model, skipped=found.skipped)
                print(json.dumps(result, indent=2))
            else:
                _prediction.print_results(rows, model, found.skipped, results_console())
        for warning in _prediction.describe_omissions(rows, found.skipped):
            print_warning(warning, ERR)
        status = _prediction.exit_status(rows, found.named)
        if status == 1:
            raise ValueError(_prediction.describe_errors(rows))
    if status:
        raise typer.Exit(status)
