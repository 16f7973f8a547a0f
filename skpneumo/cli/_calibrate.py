"""``skpneumo calibrate``."""

from pathlib import Path
from typing import Annotated

from skpneumo.cli._console import print_paragraphs
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Classes,
    LabelledFolder,
    Model,
    Output,
    Quiet,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import parse_classes
from skpneumo.cli._run import quote, start_run


def calibrate(
    model: Model,
    folder: LabelledFolder,
    min_recall: Annotated[
        float,
        open_fraction(
            "R",
            "Fraction of the patients with pneumonia to be predicted positive.",
        ),
    ] = 0.98,
    min_specificity: Annotated[
        float | None,
        open_fraction(
            "S",
            "Choose a second threshold for predict --triage: fraction of the patients without "
            "pneumonia that are not to be ruled in.",
        ),
    ] = None,
    confidence: Annotated[
        float,
        open_fraction(
            "C",
            "Confidence that new patients of this hospital reach it.",
        ),
    ] = 0.95,
    save: Annotated[Path | None, output_file("Write the calibrated model here.")] = None,
    classes: Classes = None,
    all_views: AllViews = False,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Choose a certified threshold on labelled X-rays of a hospital.

    The network stays as it is. The X-rays must have taken no part in its training, and be a random
    sample of the patients that it will see. An earlier threshold of the model is dropped.
    """
    class_of_folder = parse_classes(classes)
    with start_run("The calibration", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Calibrating"):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo.cli import _calibration
            from skpneumo.cli._models import open_model
            from skpneumo.cli._timing import time_predictions
            from skpneumo.persistence import save_model

            before = open_model(model)
            data = _calibration.load_sample(folder, class_of_folder, views_to_load(all_views))
            run.announce(time_predictions(before, data.paths), "The calibration")
            calibrated = _calibration.calibrate(
                before,
                data,
                min_recall=min_recall,
                min_specificity=min_specificity,
                confidence=confidence,
            )
            if save is not None:
                save_model(calibrated, save)
                run.written.append(save)
        result = _calibration.describe_as_dict(calibrated, before)
        text = _calibration.describe_calibration(calibrated, before)
        run.deliver(result, lambda: print_paragraphs(text))
        run.next_step = _next_step(save, min_specificity is not None)


def _next_step(save, has_triage):
    if save is None:
        return "keep the model with --save local.skpneumo."
    return f"skpneumo predict {quote(save)} IMAGES{' --triage' * has_triage}"
