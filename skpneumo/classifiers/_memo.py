"""What this process computed already, kept within a bound of bytes."""

import threading
from collections import OrderedDict


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

    def put(self, key, value, n_bytes):
        """Keep ``value``, which takes ``n_bytes``."""
        with self._lock:
            self._drop(key)
            if n_bytes > self.max_bytes:
                return
            self._values[key] = value, n_bytes
            self._n_bytes += n_bytes
            while self._n_bytes > self.max_bytes:
                self._drop(next(iter(self._values)))

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


def clear_memory():
    """Forget the networks and predictions that this process keeps for reuse.

    A fit that differs from an earlier one only in ``threshold`` takes its network, and a network
    is not asked twice for the same images. What is kept is bounded to 2 GiB, least recently used
    first to go, and ends with the process; it is never part of an estimator or a pickle. The
    weights lie in the cache on disk (:func:`~skpneumo.clear_cache`), if there is one.

    Examples
    --------
    >>> from skpneumo.classifiers import clear_memory
    >>> clear_memory()
    """
    MEMO.clear()
    NETWORKS.clear()
