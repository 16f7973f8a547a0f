"""Figure of the landing page: two sample X-rays, with probability and heatmap.

python docs/landing_figure.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

from skpneumo import load_pretrained
from skpneumo.datasets import load_sample_xrays
from skpneumo.images import read_xray
from skpneumo.inspection import GradCAM

STATIC = Path(__file__).parent / "_static"
# One of each class, of about one height.
ROWS = (0, 11)


def main():
    """Draw both X-rays, each beside its heatmap."""
    samples, model = load_sample_xrays(), load_pretrained()
    paths = [samples.paths[row] for row in ROWS]
    probabilities = model.predict_proba(paths)[:, 1]
    labels = model.predict(paths)
    heatmaps = GradCAM(load_pretrained("inception")).transform(paths)
    figure, axes = plt.subplots(1, 4, figsize=(11, 3.1), layout="constrained")
    figure.patch.set_alpha(0)
    for i, path in enumerate(paths):
        image = read_xray(path)
        for axis, overlay in zip(axes[2 * i : 2 * i + 2], (None, heatmaps[i]), strict=True):
            axis.imshow(image, cmap="gray", aspect="auto")
            axis.set_axis_off()
            if overlay is not None:
                axis.imshow(overlay, cmap="inferno", alpha=0.45, aspect="auto")
        # Readable on white and on black.
        axes[2 * i].set_title(
            f"{labels[i]}, probability {probabilities[i]:.2f}", color="#808080", fontsize=11
        )
        axes[2 * i + 1].set_title("evidence of InceptionV3", color="#808080", fontsize=11)
    figure.savefig(STATIC / "landing.png", dpi=110)
    # A third of the size, and as good to look at.
    picture = Image.open(STATIC / "landing.png")
    picture.quantize(256).save(STATIC / "landing.png", optimize=True)


if __name__ == "__main__":
    main()
