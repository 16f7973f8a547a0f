"""``skpneumo evaluate``."""

from skpneumo._utils.formatting import shorten
from skpneumo.cli._console import print_folded
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Classes,
    LabelledFolder,
    Model,
    Output,
    Quiet,
    Report,
    views_to_load,
)
from skpneumo.cli._parsers import parse_classes
from skpneumo.cli._run import quote, start_run
from skpneumo.cli._site import report_check
from skpneumo.exceptions import DatasetError


def evaluate(
    model: Model,
    folder: LabelledFolder,
    report: Report = None,
    classes: Classes = None,
    all_views: AllViews = False,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Evaluate a model on images that it was not trained on.

    Only the test split is evaluated, if the folder has splits.
    """
    class_of_folder = parse_classes(classes)
    with start_run("The evaluation", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Evaluating"):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo import evaluation
            from skpneumo.cli._models import open_model
            from skpneumo.cli._timing import time_predictions
            from skpneumo.datasets import load_xray_folder

            classifier = open_model(model)
            data = load_xray_folder(folder, classes=class_of_folder, views=views_to_load(all_views))
            rows = select_test_rows(data, folder)
            run.announce(time_predictions(classifier, data.paths[rows]), "The evaluation")
            result = evaluation.evaluate(
                classifier,
                data.paths[rows],
                data.target[rows],
                groups=data.groups[rows],
                subtype=data.subtype[rows],
            )
            if report is not None:
                result.save(report)
                run.written.append(report)
        run.deliver(result.to_json(), lambda: print_folded(str(result)))
        report_check(classifier, result.predictions.y_score, data.groups[rows], run)
        run.next_step = (
            "see the misclassified images with --report report.html."
            if report is None
            else f"set a threshold for this hospital: skpneumo calibrate {quote(model)} FOLDER"
        )


def select_test_rows(data, folder):
    """Select the test split, or all rows if the folder itself is a split or has no splits.

    Parameters
    ----------
    data : Bunch
        What `load_xray_folder` returned.
    folder : path
        The folder that it listed.

    Returns
    -------
    ndarray of shape (n_images,), dtype bool

    Raises
    ------
    DatasetError
        If the folder has other splits only: a model may have been trained on them.
    """
    from skpneumo.datasets import split_from_name

    splits = sorted(set(data.split))
    if "test" in splits:
        return data.split == "test"
    if splits not in (["all"], [split_from_name(folder)]):
        problem = (
            f"{folder} has no test split, only {' and '.join(splits)}, which a model may have "
            "been trained on. Name the folder of a split itself to evaluate on it."
        )
        if data.left_out:
            problem += f" Left out, as not understood: {shorten(data.left_out)}."
        raise DatasetError(problem)
    return data.split == splits[0]
