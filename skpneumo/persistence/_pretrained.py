"""Networks that come with the package."""

from importlib.resources import files

from skpneumo.exceptions import ModelFileError
from skpneumo.persistence._models import load_model

_SUFFIX = ".skpneumo"


def pretrained_path(name="cnn"):
    """File of a network that comes with the package, such as `model_card` takes.

    Parameters
    ----------
    name : {"cnn"}, default="cnn"
        Its name.

    Returns
    -------
    path

    Raises
    ------
    ModelFileError
        If there is none of this name. It is a ValueError.
    """
    folder = files("skpneumo.persistence") / "pretrained"
    names = sorted(file.name.removesuffix(_SUFFIX) for file in folder.iterdir())
    if name not in names:
        raise ModelFileError(
            f"No network named {name!r} comes with skpneumo. Wanted: one of {names}. A file of "
            "your own is read by load_model."
        )
    return folder / f"{name}{_SUFFIX}"


def load_pretrained(name="cnn"):
    """Load a network that comes with the package, already trained.

    Parameters
    ----------
    name : {"cnn"}, default="cnn"
        Its name.

    Returns
    -------
    estimator
    """
    return load_model(pretrained_path(name))
