"""Packages that only some users need."""

import importlib


def import_optional(module, extra):
    """Import a module of a package that an extra installs.

    Parameters
    ----------
    module : str
        Its full name.
    extra : str
        Name of the extra of skpneumo.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module.partition('.')[0]} is needed, and could not be imported: {error}. Install it "
            f'with: pip install "skpneumo[{extra}]"'
        ) from error
