"""Real X-rays to 224 px: the first pass, and the second in another process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _measure import report, seconds

data = os.environ.get("SKPNEUMO_TEST_DATA")
if data is None:
    sys.exit("Set SKPNEUMO_TEST_DATA to the folder with originals/ and chest_xray/.")

PASS = """
import sys, time
import numpy as np
from skpneumo.images import XRaySequence
np.asarray(XRaySequence(sys.argv[2:3], size=(8, 8)))
start = time.perf_counter()
np.asarray(XRaySequence(sys.argv[3:], size=(224, 224)))
print(time.perf_counter() - start)
"""


def one_pass(files, cache):
    """Seconds of a pass in a process of its own."""
    command = [sys.executable, "-c", PASS, "", files[0], *files]
    environment = os.environ | {"SKPNEUMO_CACHE": cache}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def keras_pass(folder, color_mode):
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(224, 224), color_mode=color_mode, verbose=False
    )
    for _ in dataset:
        pass


originals = Path(data, "originals")
large = sorted(map(str, originals.rglob("*.jpeg")))
small = sorted(map(str, Path(data, "chest_xray", "train").rglob("*.jpeg")))[::4]
for name, files, wanted in (("originals", large, "at least 20"), ("224 px files", small, "report")):
    with tempfile.TemporaryDirectory() as cache:
        first, second = one_pass(files, cache), one_pass(files, cache)
    detail = f"{len(files)} files, {first:.2f} s and {second:.2f} s."
    report(f"second pass over {name}, times as fast as the first", first / second, wanted, detail)
with tempfile.TemporaryDirectory() as folder:
    # Two classes, as the function of Keras wants them.
    for i, file in enumerate(large):
        link = Path(folder, "ab"[i % 2], f"{i}.jpeg")
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(file)
    for color_mode, wanted in (("rgb", "at least 1.5"), ("grayscale", "report")):
        keras_pass(folder, color_mode)
        ours, theirs = [], []
        for _ in range(3):
            ours.append(one_pass(large, "off"))
            theirs.append(seconds(lambda mode=color_mode: keras_pass(folder, mode)))
        report(
            f"first pass, images/s against image_dataset_from_directory({color_mode=})",
            sorted(theirs)[1] / sorted(ours)[1],
            wanted,
            f"{len(large) / sorted(ours)[1]:.0f} images/s.",
        )
