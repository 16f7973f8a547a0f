"""Arguments and options that several commands have."""

import glob
from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._parsers import Number, parse_folder, parse_output, parse_report

# Names on the command line of the networks that come with the package.
PRETRAINED = {"default": "mean", "mean": "mean", "cnn": "cnn", "inception": "inception"}


def complete_model(incomplete: str):
    """List the pretrained networks, and files and folders, that begin like this.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Empty if no network is meant: the shell itself completes files better.
    """
    names = [name for name in PRETRAINED if name.startswith(incomplete)]
    return names + sorted(glob.iglob(f"{glob.escape(incomplete)}*")) if names else []


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        autocompletion=complete_model,
        help="Model file, or a network of the package: default, cnn, inception.",
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODEL] IMAGES...",
        autocompletion=complete_model,
        help="X-rays, or folders of them, after a model file or after cnn, inception or default, "
        "the mean of both, which predicts if no model is named.",
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


LabelOutliers = Annotated[
    bool, typer.Option("--label-outliers", help="Predict out-of-distribution images too.")
]
Jobs = Annotated[
    int,
    typer.Option(
        parser=Number(int, 1),
        metavar="N",
        help="Number of processes that work at once, each with a network of its own in memory.",
    ),
]
AsJSON = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON, and nothing else on this stream.")
]
Output = Annotated[Path | None, output_file("Write the same JSON here.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]


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
