"""Seconds for an audit of 5,856 real X-rays of 224 px, with nothing cached, and its memory.

SKPNEUMO_TEST_DATA=../shared/data python tests/benchmarks/audit.py
"""

import os
import sys
from pathlib import Path

os.environ["SKPNEUMO_CACHE"] = "off"
from _measure import peak_bytes, report, seconds

from skpneumo.datasets import audit, load_xray_folder

N_IMAGES = 5856
folder = os.environ.get("SKPNEUMO_TEST_DATA")
if folder is None:
    sys.exit("Set SKPNEUMO_TEST_DATA to the folder with chest_xray/.")
data = load_xray_folder(Path(folder, "chest_xray"))
n, before = len(data.paths), peak_bytes()
taken = seconds(lambda: audit(data))
report(
    f"seconds for an audit of {N_IMAGES:,} images",
    taken * N_IMAGES / n,
    "below 60",
    f"{taken:.1f} s for {n:,} images; {(peak_bytes() - before) / 1e6:.0f} MB more than before.",
)
