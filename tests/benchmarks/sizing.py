"""How long predictions for 10 million files take on 1, 10 and 100 workers.

    python tests/benchmarks/sizing.py

Measured is the processor time of `predict_files` per file, in one process with one thread, decoding
and outlier scores included, nothing cached. The table assumes that

- a worker is a process with one core as fast as this one and ``OMP_NUM_THREADS=1``;
- files are read as fast as they are decoded: the last column is the rate at which the storage must
  deliver them to 100 workers;
- each worker starts once (the seconds are printed), and no file is predicted twice.

Processor time hardly depends on what else runs on the machine.
"""

import os
import sys
import time
from pathlib import Path

# Before NumPy and TensorFlow start their threads.
os.environ |= {"OMP_NUM_THREADS": "1", "SKPNEUMO_CACHE": "off"}
from _measure import machine

from skpneumo.persistence import load_model, pretrained_path
from skpneumo.prediction import predict_files

N_IMAGES = 10_000_000
WORKERS = (1, 10, 100)
MODELS = ("cnn", "inception", "mean")
N_FILES, N_WARM = 512, 32


def measure(model, files):
    """Processor seconds per file; the first files, for which TensorFlow traces, are not counted."""
    for _ in predict_files(model, files[:N_WARM]):
        pass
    start = time.process_time()
    n = sum(row.error is None for row in predict_files(model, files[N_WARM:]))
    return (time.process_time() - start) / n


def format_time(seconds):
    """Days, hours or minutes."""
    for name, unit in (("days", 86_400), ("hours", 3_600)):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds / 60:.0f} minutes"


def print_row(name, kind, seconds, n_bytes):
    times = [format_time(N_IMAGES * seconds / n) for n in WORKERS]
    bandwidth = f"{max(WORKERS) * n_bytes / seconds / 1e6:,.0f} MB/s"
    print(
        "| " + " | ".join([name, kind, f"{1 / seconds:.0f}", *times, bandwidth]) + " |", flush=True
    )


def main():
    data = os.environ.get("SKPNEUMO_TEST_DATA")
    if data is None:
        sys.exit("Set SKPNEUMO_TEST_DATA to the folder with originals/ and chest_xray/.")
    folders = {"224 px": "chest_xray/train", "full size": "originals"}
    started = time.process_time()  # TensorFlow has been imported
    print(f"{machine()}; one core, {N_IMAGES:,} files")
    print(f"A worker starts in {started:.0f} s of processor time, and loads its model once.\n")
    workers = [f"{n} worker{'s' * (n > 1)}" for n in WORKERS]
    columns = ["network", "files", "files/s of a core", *workers, "read by 100 workers"]
    print("| " + " | ".join(columns) + " |\n" + "| --- " * len(columns) + "|")
    for name in MODELS:
        model = load_model(pretrained_path(name))
        for kind, folder in folders.items():
            files = sorted(Path(data, folder).rglob("*.jpeg"))
            files = files[:: max(1, len(files) // N_FILES)][:N_FILES]
            n_bytes = sum(file.stat().st_size for file in files) / len(files)
            print_row(name, kind, measure(model, files), n_bytes)


if __name__ == "__main__":
    main()
