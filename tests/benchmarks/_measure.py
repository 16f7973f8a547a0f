"""What the benchmarks share: timing, peak memory, and one line per result."""

import os
import platform
import resource
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def machine():
    """Processor, cores and whether it is fast in bfloat16, in a line."""
    from skpneumo.networks._precision import cpu_computes_bfloat16

    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":")[1].strip() for line in lines if "model name" in line), name)
    fast = "with" if cpu_computes_bfloat16() else "without"
    return f"{name}, {os.cpu_count()} cores, {fast} bfloat16 instructions"


def seconds(function):
    """Time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def paired(ours, theirs, n=5):
    """Median times of two functions, called in turn after a first call of each."""
    ours()
    theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(n)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def peak_bytes():
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report(what, ratio, wanted, detail=""):
    """Print one result."""
    print(f"{what}: {ratio:.2f} (wanted: {wanted}). {detail}", flush=True)
