"""Results as data frames, for which pandas is imported and not required."""

from importlib import import_module


def import_pandas():
    """Import pandas for a method ``to_frame``.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed; the message says what to do.
    """
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas, which is not installed: pip install pandas. to_dict returns "
            "the same without it."
        ) from error
