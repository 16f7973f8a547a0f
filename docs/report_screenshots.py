"""Screenshots of a report on synthetic X-rays, by Chromium, for the user guide.

python docs/report_screenshots.py
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import evaluate

STATIC = Path(__file__).parent / "_static"


def with_few_colours(image):
    """The 256 most frequent colours, so that the file is small."""
    colours, counts = np.unique(np.asarray(image).reshape(-1, 3), axis=0, return_counts=True)
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours[np.argsort(-counts)[:256]].ravel().tolist())
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def main():
    """Fit, evaluate, and photograph the page in both colour schemes."""
    train, tune, choose, test = (make_xrays(500, random_state=seed) for seed in range(4))
    model = CNNPneumoniaClassifier(filters=(16, 32, 64), epochs=12, random_state=0)
    model.fit(train.images, train.target)
    model = CalibratedClassifierCV(FrozenEstimator(model)).fit(tune.images, tune.target)
    model = OperatingPointClassifierCV(FrozenEstimator(model), min_recall=0.95)
    model.fit(choose.images, choose.target, groups=choose.groups)
    report = evaluate(model, test.images, test.target, groups=test.groups, subtype=test.subtype)

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        report.save(page)
        for number, scheme in enumerate(("dark", "light")):
            file = STATIC / f"report-{scheme}.png"
            options = [
                "--headless",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--blink-settings=preferredColorScheme={number}",
                "--window-size=1120,2280",
                f"--screenshot={file}",
            ]
            subprocess.run(["chromium", *options, page.as_uri()], check=True, capture_output=True)
            with_few_colours(Image.open(file).convert("RGB")).save(file, optimize=True)
            print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
