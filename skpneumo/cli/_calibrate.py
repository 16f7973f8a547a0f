"""``skpneumo calibrate``."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

from skpneumo._utils.formatting import fold_lines
from skpneumo.cli._console import ERR, print_lines, results_width
from skpneumo.cli._messages import errors_as_messages, warnings_as_messages
from skpneumo.cli._options import (
    AllViews,
    Classes,
    LabelledFolder,
    Model,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import parse_classes


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
):
    """Choose a certified decision threshold for a model on labelled X-rays of a hospital.

    The network stays as it is. The X-rays must have taken no part in its training, and be a random
    sample of the patients that it will see. An earlier threshold of the model is dropped.
    """
    class_of_folder = parse_classes(classes)
    with errors_as_messages("The calibration", ERR) as written:
        calibrating = ERR.status("Calibrating …")
        with warnings_as_messages(ERR), calibrating, redirect_stdout(sys.stderr):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo.cli import _calibration
            from skpneumo.cli._models import open_model
            from skpneumo.persistence import save_model

            before = open_model(model)
            data = _calibration.load_sample(folder, class_of_folder, views_to_load(all_views))
            calibrated = _calibration.calibrate(
                before,
                data,
                min_recall=min_recall,
                min_specificity=min_specificity,
                confidence=confidence,
            )
            text = _calibration.describe_calibration(calibrated, before)
            if save is not None:
                save_model(calibrated, save)
                written.append(save)
        width = results_width()
        print_lines(text if width is None else fold_lines(text, width))
