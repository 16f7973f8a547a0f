"""The manifest of a model file, and errors of such files."""

import json
from contextlib import contextmanager

import skpneumo
from skpneumo.exceptions import ModelFileError

FORMATS = (1, 2, 3)
MAX_MANIFEST_BYTES = 2**22
MAX_ARRAYS = 10_000


def parse_manifest(text, formats):
    """Parse a manifest, and check that this version reads its format.

    Parameters
    ----------
    text : str or bytes
        JSON.
    formats : tuple of int
        Formats that a file of this kind may have.

    Returns
    -------
    dict

    Raises
    ------
    ModelFileError
        If it is no manifest, or of another format.
    """
    try:
        manifest = json.loads(text, object_pairs_hook=dict_of_unique_keys)
    except (ValueError, RecursionError):
        raise ModelFileError("its manifest is damaged") from None
    if not isinstance(manifest, dict):
        raise ModelFileError("its manifest is damaged")
    _check_format(manifest, formats)
    return manifest


def dict_of_unique_keys(pairs):
    """Make a dict, and refuse a key that is there twice: other readers may take another value.

    Parameters
    ----------
    pairs : list of (str, object)
        As from `json.loads`.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a key occurs twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _check_format(manifest, formats):
    found = manifest.get("format")
    if type(found) is int and found in formats:
        return
    versions = manifest.get("versions")
    version = versions.get("skpneumo") if isinstance(versions, dict) else None
    if version in (None, skpneumo.__version__):
        advice = "It names no other version that could read it: save the model again"
    else:
        advice = (
            f"It was written by skpneumo {str(version)[:20]}: install that version or a newer one"
        )
    raise ModelFileError(
        f"it has format {str(found)[:20]!r}, but skpneumo {skpneumo.__version__} reads formats "
        f"{', '.join(map(str, FORMATS))}. {advice}"
    )


@contextmanager
def reraise_as_model_file_error(path):
    """Raise whatever the content of a file leads to as one kind of error.

    Parameters
    ----------
    path : str or path
        The file, for the message.
    """
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error}.") from None
    except MemoryError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{path} is refused: it describes no valid model ({type(error).__name__})."
        ) from error
