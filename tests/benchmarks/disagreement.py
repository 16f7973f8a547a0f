"""Images of another hospital on which two networks disagree, with heatmaps of both.

    python tests/benchmarks/disagreement.py FOLDER [NAME or FILE NAME or FILE]

The images are those of `new_site`, of which nothing may be copied into the project: FOLDER, for
`disagreement.png` and `disagreement.csv`, lies outside of it. Both networks are compared at the
threshold that 98 % of the positive images there reach. The table compares images that the first
network alone predicts positive, images that both do, and images that none does, among the negative
ones: median log odds, brightness, proportion of white and black pixels, and detail (mean absolute
difference of neighbouring pixels).
"""

import argparse
import csv
import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
from _xrays import load_either, load_new_site
from scipy.special import logit

from skpneumo.exceptions import OutlierWarning
from skpneumo.images import read_xray
from skpneumo.inspection import GradCAM

RECALL = 0.98
MAX_ROWS = 12


def describe_image(path):
    """Brightness, proportion of white and of black pixels, and detail of an image."""
    image = read_xray(path).astype(float)
    detail = np.mean([np.abs(np.diff(image, axis=axis)).mean() for axis in (0, 1)])
    return image.mean(), np.mean(image >= 250), np.mean(image <= 5), detail


def print_groups(groups, scores, descriptions):
    """Medians of each group of images."""
    print("| negative images | n | log odds | | brightness | white | black | detail |")
    print("| --- " * 8 + "|")
    for name, rows in groups.items():
        odds = [np.median(one[rows]) if rows.any() else np.nan for one in scores]
        values = np.median(descriptions[rows], axis=0) if rows.any() else np.full(4, np.nan)
        cells = [*(f"{x:.1f}" for x in odds), f"{values[0]:.0f}", *(f"{x:.3f}" for x in values[1:])]
        print(f"| {name} | {rows.sum()} | " + " | ".join(cells) + " |")


def draw(path, models, names, paths, scores):
    """One row for each image: as it is, and with the heatmap of each network."""
    figure, axes = plt.subplots(
        len(paths), len(models) + 1, figsize=(9, 3 * len(paths)), squeeze=False
    )
    heatmaps = [GradCAM(model).transform(paths) for model in models]
    for i, row in enumerate(axes):
        image = read_xray(paths[i])
        for axis in row:
            axis.imshow(image, cmap="gray")
            axis.set_axis_off()
        row[0].set_title(os.path.basename(paths[i]), fontsize=8)
        for axis, name, heat, score in zip(row[1:], names, heatmaps, scores, strict=True):
            axis.imshow(heat[i], cmap="inferno", alpha=0.45)
            axis.set_title(f"{name}: log odds {score[i]:.1f}", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    """Print the table, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("models", nargs="*", default=["cnn", "inception"])
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    models, scores = [load_either(name) for name in options.models], []
    for model in models:
        paths, probability, is_positive, _ = load_new_site(model)
        scores.append(logit(np.clip(probability.astype(float), 1e-7, 1 - 1e-7)))
    predicted = [
        score >= np.quantile(score[is_positive], 1 - RECALL, method="lower") for score in scores
    ]
    first, second = predicted
    groups = {
        f"{options.models[0]} alone positive": ~is_positive & first & ~second,
        f"{options.models[1]} alone positive": ~is_positive & ~first & second,
        "both positive": ~is_positive & first & second,
        "none positive": ~is_positive & ~first & ~second,
    }
    print_groups(groups, scores, np.array([describe_image(path) for path in paths]))
    with open(os.path.join(options.folder, "disagreement.csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "positive", *options.models])
        for i in np.flatnonzero(first != second):
            row = [os.path.basename(paths[i]), int(is_positive[i])]
            writer.writerow([*row, *(f"{score[i]:.2f}" for score in scores)])
    rows = np.flatnonzero(~is_positive & (first != second))
    rows = rows[np.argsort(-np.abs(scores[0][rows] - scores[1][rows]))][:MAX_ROWS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        draw(
            os.path.join(options.folder, "disagreement.png"),
            models,
            options.models,
            [paths[i] for i in rows],
            [score[rows] for score in scores],
        )


main()
