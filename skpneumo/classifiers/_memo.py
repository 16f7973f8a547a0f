"""What this process computed already, kept within a bound of bytes."""

import sys
import threading
from collections import OrderedDict

import numpy as np

# Of the dictionary, its links, and the pair that it holds.
_BYTES_PER_ENTRY = 250


def n_bytes_of(value):
    """Bytes that a value takes in memory: of arrays, texts and numbers, and of these in containers.

    An array that is a view counts what it keeps alive.
    """
    n_bytes = sys.getsizeof(value)
    if isinstance(value, np.ndarray) and value.base is not None:
        base = value.base
        n_bytes += n_bytes_of(base) if isinstance(base, np.ndarray | bytes) else value.nbytes
    elif isinstance(value, dict):
        n_bytes += sum(n_bytes_of(key) + n_bytes_of(item) for key, item in value.items())
    elif isinstance(value, list | tuple | set):
        n_bytes += sum(map(n_bytes_of, value))
    return n_bytes


class Memo:
    """Least-recently-used store of values by key, bounded in bytes.

    Parameters
    ----------
    max_bytes : int
        Oldest values are dropped beyond it; a larger value is not kept at all.
    """

    def __init__(self, max_bytes):
        self.max_bytes = max_bytes
        self._values = OrderedDict()
        self._n_bytes = 0
        self._lock = threading.Lock()

    def get(self, key):
        """Value of ``key``, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key, value, n_bytes=None):
        """Keep ``value``, which takes ``n_bytes``: None counts them, with those of the key."""
        if n_bytes is None:
            n_bytes = n_bytes_of(key) + n_bytes_of(value) + _BYTES_PER_ENTRY
        with self._lock:
            self._drop(key)
            if n_bytes > self.max_bytes:
                return
            self._values[key] = value, n_bytes
            self._n_bytes += n_bytes
            while self._n_bytes > self.max_bytes:
                self._drop(next(iter(self._values)))

    def pop(self, key):
        """Value of ``key``, which is dropped, or None."""
        with self._lock:
            value, n_bytes = self._values.pop(key, (None, 0))
            self._n_bytes -= n_bytes
            return value

    def clear(self):
        """Drop everything."""
        with self._lock:
            self._values.clear()
            self._n_bytes = 0

    def _drop(self, key):
        _, n_bytes = self._values.pop(key, (None, 0))
        self._n_bytes -= n_bytes


MEMO = Memo(max_bytes=2 * 2**30)
# Keras's networks take more memory than their weights: a few, each counted as one.
NETWORKS = Memo(max_bytes=10)
# By architecture.
TRAINERS = Memo(max_bytes=2**29)
# Frozen networks, which take long to build.
BACKBONES = Memo(max_bytes=2**29)


def clear_results():
    """Forget the results of fits and predictions; what only saves building networks remains."""
    MEMO.clear()
    NETWORKS.clear()


def clear_memory():
    """Forget the networks and predictions that this process keeps for reuse.

    A fit that differs from an earlier one only in ``threshold`` takes its network, and a network
    does not predict twice on the same images. What is kept is bounded to 2 GiB, least recently used
    first to go, and ends with the process; it is never part of an estimator or a pickle. The
    weights lie in the cache on disk (:func:`~skpneumo.clear_cache`), if there is one.

    Examples
    --------
    >>> from skpneumo.classifiers import clear_memory
    >>> clear_memory()
    """
    clear_results()
    TRAINERS.clear()
    BACKBONES.clear()
