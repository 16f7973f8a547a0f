"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._parsers import Number, parse_folder, parse_output, parse_report

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="File of save_model, or a pretrained network: default, cnn, inception.",
    ),
]
LabelledFolder = Annotated[
    Path,
    typer.Argument(
        parser=parse_folder, metavar="FOLDER", help="X-rays sorted into NORMAL and PNEUMONIA."
    ),
]
SiteFolder = Annotated[
    Path, typer.Argument(parser=parse_folder, metavar="FOLDER", help="X-rays of the site.")
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


def open_fraction(metavar, text):
    """Option of a number between 0 and 1, both excluded.

    Parameters
    ----------
    metavar : str
        How the help names the number.
    text : str
        Its help.

    Returns
    -------
    typer.Option
    """
    return typer.Option(parser=Number(float, 0, 1, exclusive=True), metavar=metavar, help=text)


def views_to_load(all_views):
    """Return the ``views`` of `load_xray_folder` for the option ``--all-views``."""
    return "all" if all_views else "frontal"
