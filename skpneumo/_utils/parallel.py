"""Work on many files, in the workers of joblib."""

import os
import warnings
from itertools import islice

from joblib import Parallel, delayed, effective_n_jobs

# So many that workers rarely wait for the last one of a call.
_CHUNKS_PER_WORKER = 16


def map_chunks(function, items, *arguments, n_jobs=None, chunk_size):
    """Call a function on consecutive parts of a sequence, in processes, threads or on a cluster.

    Parameters
    ----------
    function : callable
        Called as ``function(chunk, *arguments)``.
    items : sequence
        It is sliced.
    *arguments
        The same for each call.
    n_jobs : int, default=None
        As everywhere in scikit-learn: None is 1 unless in a `joblib.parallel_config` context.
    chunk_size : int
        Items per call.

    Returns
    -------
    iterator
        The results, in order; few are computed ahead. The backend is that of this call, also if
        its context ends before the iterator does. Warnings of skpneumo in other processes are
        issued in this one.
    """
    n_workers = effective_n_jobs(n_jobs)
    # Calls of one joblib.Parallel, not one call that returns a generator: not every backend can.
    n_chunks = 1 if n_workers == 1 else _CHUNKS_PER_WORKER * n_workers
    task, pid = delayed(_call), os.getpid()
    tasks = (
        task(pid, function, items[start : start + chunk_size], arguments)
        for start in range(0, len(items), chunk_size)
    )
    return _compute(Parallel(n_jobs=n_jobs), tasks, n_chunks)


def _compute(parallel, tasks, n_per_call):
    # The same workers for all calls: starting TensorFlow takes seconds.
    with parallel:
        while call := list(islice(tasks, n_per_call)):
            for result, messages in parallel(call):
                for text, category in messages:
                    warnings.warn(text, category, stacklevel=2)
                yield result


def _call(pid, function, chunk, arguments):
    """Call a function; return its result, and the warnings of another process than the caller's."""
    if os.getpid() == pid:
        return function(chunk, *arguments), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(chunk, *arguments)
    messages = dict.fromkeys((str(one.message), one.category) for one in caught)
    # Those of other packages, while TensorFlow starts for example, are about the worker.
    return result, [pair for pair in messages if pair[1].__module__ == "skpneumo.exceptions"]
