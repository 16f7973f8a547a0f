"""Run all benchmarks, each in a process of its own, one after another.

    python tests/benchmarks [name ...]

Each prints ratios measured within one run against what a user would otherwise write. Those on real
X-rays need their folder in SKPNEUMO_TEST_DATA. On two cores all of it takes about half an hour.
Studies of accuracy take longer, and are run as files of their own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _measure import machine

FOLDER = Path(__file__).parent
STUDIES = {
    "accuracy",
    "beside_torch",
    "certified",
    "claims",
    "coverage",
    "disagreement",
    "few_images",
    "operating_points",
    "out_of_fold",
    "outliers",
    "pretrain",
    "reading_list",
    "search_inside",
    "serving",
    "shipped",
    "sites",
    "sites_certifier",
    "sites_compare",
    "sites_monitor",
    "sites_triage",
    "transfer",
}
names = sys.argv[1:] or sorted({file.stem for file in FOLDER.glob("[a-z]*.py")} - STUDIES)
failed = []
print(machine(), flush=True)
for name in names:
    print(f"\n{name}", flush=True)
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"SKPNEUMO_CACHE": cache}
        done = subprocess.run(
            [sys.executable, FOLDER / f"{name}.py"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
    if done.returncode:
        print(done.stderr)
        failed.append(name)
sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
