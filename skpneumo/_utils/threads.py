"""The number of threads that this process may compute with."""

import os
from functools import cache

import joblib


def get_thread_limit():
    """Number of threads that ``OMP_NUM_THREADS`` allows, or None without it.

    joblib and Dask set it in their workers, schedulers of clusters in their jobs: it is the part
    of the cores that a process may use.
    """
    # OpenMP takes one number for each level of nesting.
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def count_threads():
    """Number of threads to compute with: the limit, or one for each core of this process."""
    return get_thread_limit() or _count_cores()


@cache
def _count_cores():
    return joblib.cpu_count()
