"""A least-recently-used cache that is bounded in bytes."""

import sys
import threading
from collections import OrderedDict

import numpy as np

# What the dictionary, its links and the pair that it holds take, beside the key and the value.
_BYTES_PER_ENTRY = 250


def get_n_bytes(value):
    """Bytes that a value takes in memory: of arrays, texts and numbers, and of these in containers.

    An array that is a view counts what it keeps alive.
    """
    n_bytes = sys.getsizeof(value)
    if isinstance(value, np.ndarray) and value.base is not None:
        base = value.base
        n_bytes += get_n_bytes(base) if isinstance(base, np.ndarray | bytes) else value.nbytes
    elif isinstance(value, dict):
        n_bytes += sum(get_n_bytes(key) + get_n_bytes(item) for key, item in value.items())
    elif isinstance(value, list | tuple | set):
        n_bytes += sum(map(get_n_bytes, value))
    return n_bytes


class LRUCache:
    """Values by key, of which the least recently used are dropped.

    Parameters
    ----------
    max_bytes : int
        Bound on all values together; a larger value is not kept at all.
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
            n_bytes = get_n_bytes(key) + get_n_bytes(value) + _BYTES_PER_ENTRY
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
