"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._parsers import parse_folder, parse_output, parse_report

Model = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="File of save_model, or default: the pretrained network."),
]
LabelledFolder = Annotated[
    Path,
    typer.Argument(
        parser=parse_folder, metavar="FOLDER", help="X-rays sorted into NORMAL and PNEUMONIA."
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        parser=parse_report,
        metavar="FILE",
        help="Write the report here: .html (with images), .json or .txt.",
    ),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--classes",
        metavar="FOLDER=CLASS",
        help="Class of a folder of another name, such as Opacity=PNEUMONIA; may be repeated.",
    ),
]
AllViews = Annotated[
    bool,
    typer.Option(
        "--all-views",
        help="Keep lateral and oblique views and other parts of the body, which are left out by "
        "the headers of DICOM files.",
    ),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def output_file(text):
    """Option of a file to write.

    Parameters
    ----------
    text : str
        Its help.

    Returns
    -------
    typer.Option
    """
    return typer.Option(parser=parse_output, metavar="FILE", help=text)


def views_to_load(all_views):
    """Return the ``views`` of `load_xray_folder` for the option ``--all-views``."""
    return "all" if all_views else "frontal"
