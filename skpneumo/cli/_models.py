"""The model that a command is given."""

from skpneumo.exceptions import DatasetError
from skpneumo.persistence import is_model_file, load_model, load_pretrained

DEFAULT_MODEL = "default"


def open_model(path):
    """Load a model file, or the pretrained network if the name is "default".

    Parameters
    ----------
    path : str
        As typed: a folder or file named "default" is "./default".

    Returns
    -------
    classifier

    Raises
    ------
    ModelFileError
        If the file is missing or was not written by `save_model`.
    """
    return load_pretrained() if path == DEFAULT_MODEL else load_model(path)


def open_first_model(names):
    """Load the model that is named before X-rays, or the default one.

    Parameters
    ----------
    names : list of str
        As typed: "default" or a model file, which may be missing; then X-rays.

    Returns
    -------
    model : classifier
        Fitted.
    names : list of str
        Those of the X-rays.

    Raises
    ------
    DatasetError
        If a model is named after X-rays.
    """
    model, names = (names[0], names[1:]) if _is_model(names[0]) else (DEFAULT_MODEL, names)
    late = [name for name in names if _is_model(name)]
    if late:
        raise DatasetError(f"{late[0]} is a model. Name one, before the X-rays.")
    return open_model(model), names


def _is_model(name):
    return name == DEFAULT_MODEL or is_model_file(name)
