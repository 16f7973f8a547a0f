"""Caches: results and networks in this process, arrays on disk."""

from __future__ import annotations

import os
import warnings
from functools import cache

from skpneumo._utils.array_store import ArrayStore, default_location
from skpneumo._utils.lru_cache import LRUCache
from skpneumo.exceptions import CacheWarning

# Fits, predictions, features and keys of images.
RESULTS = LRUCache(max_bytes=2 * 2**30)
# Built networks, as building and tracing takes seconds: those of fits, frozen ones that several
# fits hold, and for each architecture one that trains.
NETWORKS = LRUCache(max_bytes=3 * 2**29)


def default_store():
    """Store at the default location, or None if SKPNEUMO_CACHE is "off"."""
    location = default_location()
    return None if location is None else _open_store(os.path.abspath(os.path.expanduser(location)))


@cache
def _open_store(location):
    # One for each location: its connection, and that it cannot be used, are remembered.
    try:
        return ArrayStore(location)
    except ValueError as error:
        warnings.warn(f"Nothing is kept on disk: {error}", CacheWarning, stacklevel=2)


def clear_cache(*, memory: bool = True, disk: bool = True) -> None:
    """Drop what skpneumo keeps for reuse.

    Nothing computed before is reused afterwards, so that a fit or a prediction can be timed.

    Parameters
    ----------
    memory : bool, default=True
        Whether to drop what this process keeps: fitted networks, predictions, features of frozen
        networks. It is bounded to 3.5 GiB, least recently used first to go, ends with the process,
        and is never part of an estimator or a pickle.
    disk : bool, default=True
        Whether to drop the cache of all processes of this user: decoded images, features, weights
        of fitted networks. It is in the folder that the environment variable ``SKPNEUMO_CACHE``
        names, or else in the user's cache folder, at most 10 GiB, least recently used first to go.
        Set the variable to "off" to keep nothing.

    Notes
    -----
    The folder given as ``memory`` to a classifier is the user's, and not touched.

    Examples
    --------
    >>> import skpneumo
    >>> skpneumo.clear_cache(disk=False)
    """
    if memory:
        RESULTS.clear()
        NETWORKS.clear()
    store = default_store() if disk else None
    if store is not None:
        store.clear()
