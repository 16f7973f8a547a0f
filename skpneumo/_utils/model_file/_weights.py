"""Arrays of a model file as the weights of a network; none of them is trusted."""

import numpy as np

from skpneumo.exceptions import ModelFileError


def take_array(name, arrays):
    """Take an array out of those of a file.

    Parameters
    ----------
    name : str
        As in the manifest.
    arrays : dict of str to ndarray
        Changed: each can be taken once, so that a file of one network cannot build many.

    Returns
    -------
    ndarray

    Raises
    ------
    ModelFileError
        If there is none of this name any more.
    """
    if name not in arrays:
        raise ModelFileError(f"it holds no array {str(name)[:40]!r}, or uses it twice")
    return arrays.pop(name)


def unpack_weights(references, arrays):
    """Take the weights of a network out of the arrays of a file.

    Parameters
    ----------
    references : list of str
        Names of arrays.
    arrays : dict of str to ndarray
        Changed, see `take_array`.

    Returns
    -------
    list of ndarray, dtype float32

    Raises
    ------
    ModelFileError
        If one is not there.
    """
    weights = [take_array(reference, arrays) for reference in references]
    # What is too large for float32 becomes infinite, and is refused by `check_weights`.
    with np.errstate(over="ignore"):
        return [array.astype(np.float32, copy=False) for array in weights]
