"""The model that a command is given."""

from skpneumo.persistence import load_model, load_pretrained

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
