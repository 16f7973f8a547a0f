"""Peak memory of a fit on files of which nothing is kept decoded, by the number of files."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _measure import peak_bytes, report

from skpneumo import CNNPneumoniaClassifier
from skpneumo.classifiers import _data
from skpneumo.datasets import make_xrays


def fit(folder, n):
    _data.MAX_DECODED_BYTES = 0
    files = sorted(map(str, Path(folder).iterdir()))
    y = np.array([Path(file).name[0] == "p" for file in files]).astype(int)
    repeats = -(-n // len(files))
    paths, y = np.tile(files, repeats)[:n], np.tile(y, repeats)[:n]
    clf = CNNPneumoniaClassifier(filters=(4, 8), image_size=(96, 96), epochs=1, batch_size=64)
    clf.fit(paths, y)
    clf.predict(paths[:1000])
    print(peak_bytes())


if len(sys.argv) > 1:
    fit(sys.argv[1], int(sys.argv[2]))
    sys.exit()
with tempfile.TemporaryDirectory() as folder:
    from PIL import Image

    xrays = make_xrays(500, image_size=(110, 100), random_state=0)
    for i, (image, target) in enumerate(zip(xrays.images, xrays.target, strict=True)):
        Image.fromarray(image).save(Path(folder, f"{target[0].lower()}{i}.png"))
    peaks = [
        int(subprocess.check_output([sys.executable, __file__, folder, str(n)]))
        for n in (5_000, 50_000)
    ]
detail = f"{peaks[0] / 1e9:.2f} and {peaks[1] / 1e9:.2f} GB."
report("peak memory of 50,000 files, of that of 5,000", peaks[1] / peaks[0], "at most 1.1", detail)
report("peak memory of 50,000 files, GB", peaks[1] / 1e9, "under 2")
