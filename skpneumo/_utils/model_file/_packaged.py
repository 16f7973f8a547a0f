"""Files of the networks that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from skpneumo._utils.model_file._files import SUFFIX
from skpneumo.exceptions import ModelFileError


def pretrained_path(name: Literal["mean", "cnn", "inception"] = "mean") -> Path:
    """File of a network that comes with the package, such as `model_card` takes.

    Parameters
    ----------
    name : {"mean", "cnn", "inception"}, default="mean"
        See `~skpneumo.load_pretrained`.

    Returns
    -------
    Path
        In the installed package.

    Raises
    ------
    ModelFileError
        If there is none of this name. It is a ValueError.

    See Also
    --------
    skpneumo.load_pretrained : The network itself.

    Examples
    --------
    >>> from skpneumo.persistence import model_card, pretrained_path
    >>> "Licence of the data: CC BY 4.0" in model_card(pretrained_path("cnn"))
    True
    """
    folder = files("skpneumo") / "persistence" / "pretrained"
    files_there = (file.name for file in folder.iterdir())
    names = sorted(name.removesuffix(SUFFIX) for name in files_there if name.endswith(SUFFIX))
    if name not in names:
        raise ModelFileError(
            f"No network named {name!r} comes with skpneumo. Wanted: one of {names}. A file of "
            "your own is read by load_model."
        )
    return folder / f"{name}{SUFFIX}"
