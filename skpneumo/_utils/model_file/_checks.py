"""Checks of a network in a model file, before it is built."""

from itertools import pairwise

import numpy as np

from skpneumo.exceptions import ModelFileError

# Each but the first two halves the image.
MAX_FILTERS = 12


def check_weights(weights, filters=()):
    """Refuse weights that are NaN or infinite, and filters that they are too few for.

    Parameters
    ----------
    weights : list of ndarray
        Of a network.
    filters : sequence of int, default=()
        Of a CNN, see `check_filters`.

    Raises
    ------
    ModelFileError
        In these cases.
    """
    if _min_weights(filters) > sum(array.size for array in weights):
        raise ModelFileError("its filters describe a network of more weights than it holds")
    if not all(np.isfinite(array).all() for array in weights):
        raise ModelFileError(
            "some of its weights are NaN or infinite, so that it could not predict; a lower "
            "learning_rate may avoid that"
        )


def _min_weights(filters):
    """Lower bound on the number of weights, without a network.

    Two convolutions of 3 x 3 for each entry but the first hold most of them, so that a network is
    a few times as large as this at most.
    """
    return 9 * sum(after * (before + after) for before, after in pairwise(map(int, filters)))


def check_filters(filters):
    """Check the filters of a CNN in a file.

    Parameters
    ----------
    filters : sequence of int
        Or anything else.

    Returns
    -------
    tuple of int

    Raises
    ------
    ModelFileError
        If they are not filters of a network that can be built.
    """
    if not isinstance(filters, list | tuple | np.ndarray):
        raise ModelFileError("its filters are not valid. Wanted: a list of integers")
    if len(filters) > MAX_FILTERS:
        raise ModelFileError(f"filters holds {len(filters)} numbers, more than {MAX_FILTERS}")
    filters = np.asarray(filters).tolist()
    if len(filters) < 2 or not all(type(n) is int and n > 0 for n in filters):
        raise ModelFileError("its filters are not valid. Wanted: at least two positive integers")
    return tuple(filters)
