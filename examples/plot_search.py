"""
Search class weights and thresholds
===================================

From a folder of files to a candidate with few false negatives and a known specificity.

The files are synthetic, so the results below are no medical evidence.
"""

import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skpneumo import CNNPneumoniaClassifier, XRayLoader, XRayResizer
from skpneumo.datasets import load_xray_folder, make_xrays
from skpneumo.metrics import SCORERS
from skpneumo.model_selection import HighestSpecificity, choose_candidate

# %%
# A folder of X-rays
# ------------------
#
# With the collection of Kermany et al. or a folder of your own, this section is one line,
# ``train = load_xray_folder("chest_xray/train")``. Here synthetic images are saved under names
# like theirs: the number after ``person`` or ``IM`` is the patient.

folder = tempfile.TemporaryDirectory()
xrays = make_xrays(360, image_size=(90, 80), prevalence=0.7, difficulty=0.2, random_state=0)
for i, (image, target) in enumerate(zip(xrays.images, xrays.target, strict=True)):
    patient = int(xrays.groups[i].removeprefix("patient"))
    name = f"IM-{patient}-{i}" if target == "NORMAL" else f"person{patient}_virus_{i}"
    file = Path(folder.name, "train", target, f"{name}.png")
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(file)

train = load_xray_folder(folder.name)
print(f"{len(train.paths)} files of {len(np.unique(train.groups))} patients")

# %%
# The search
# ----------
#
# The pipeline is fed with paths. Loader and resizer decode nothing: the classifier does, batch by
# batch. ``groups`` keeps the images of a patient in one fold.
#
# A threshold changes nothing in the training, so 27 candidates cost no more than the three class
# weights: with an integer ``random_state`` a network that was trained once is used again.
#
# ``SCORERS`` are scikit-learn scorers that know which label is pneumonia.
# :class:`~skpneumo.model_selection.HighestSpecificity` selects, of the candidates whose mean recall
# exceeds a floor by one standard error, the one with the fewest false positives. The best recall
# alone would not do: predicting every image positive has a recall of 1.

pipe = make_pipeline(
    XRayLoader(),
    XRayResizer((72, 64)),
    CNNPneumoniaClassifier(filters=(16, 32, 64), epochs=8, random_state=0),
)
weights = [{"NORMAL": 1, "PNEUMONIA": weight} for weight in (1, 2, 4)]
thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
search = GridSearchCV(
    pipe,
    {
        "cnnpneumoniaclassifier__class_weight": weights,
        "cnnpneumoniaclassifier__threshold": thresholds,
    },
    scoring=SCORERS,
    refit=HighestSpecificity(min_recall=0.95),
    cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
)
search.fit(train.paths, train.target, groups=train.groups)
for name, value in search.best_params_.items():
    print(f"{name}: {value}")

# %%
# :func:`~skpneumo.model_selection.choose_candidate` applies the same rule to a finished search, and
# returns the reason:

index, reason = choose_candidate(search.cv_results_, min_recall=0.95)
print(textwrap.fill(reason, 80))

# %%
# What a threshold costs
# ----------------------
#
# A higher class weight (further down) increases recall and lowers specificity; a higher threshold
# (further right) does the opposite. The frame marks the selected candidate. Differences of a few
# points mean little: with 108 negative images, a specificity near 75 % is uncertain by some eight
# points either way.

shape = len(weights), len(thresholds)
fig, axes = plt.subplots(2, figsize=(7.5, 4.4), layout="constrained", sharex=True)
for ax, metric in zip(axes, ["recall", "specificity"], strict=True):
    means = search.cv_results_[f"mean_test_{metric}"].reshape(shape)
    ax.imshow(means, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    for (row, column), mean in np.ndenumerate(means):
        color = "black" if mean > 0.6 else "white"
        ax.text(column, row, f"{100 * mean:.0f}", ha="center", va="center", color=color)
    row, column = np.unravel_index(index, shape)
    corner = column - 0.5, row - 0.5
    ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, ec="tab:red", lw=3))
    ax.set(title=f"mean {metric}, %", ylabel="weight of\npneumonia")
    ax.set_yticks(range(len(weights)), [weight["PNEUMONIA"] for weight in weights])
axes[1].set_xlabel("threshold")
axes[1].set_xticks(range(len(thresholds)), thresholds)
plt.show()

# %%
# Mean recall and specificity of the candidate selected by them look a little better than they
# are. Report those of images that took no part in the search: the ``test`` split of a folder, or
# the test folds of an outer cross-validation.
#
# The fitted search predicts from paths, or from images in memory:

print(search.predict(train.paths[:3]))
print(search.predict(xrays.images[:3]))
folder.cleanup()
