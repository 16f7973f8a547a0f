"""
A first look
============

Synthetic chest X-rays, a convolutional network and a linear model, compared by
cross-validation. Nothing is downloaded.

The images are drawn by :func:`skpneumo.datasets.make_xrays`. They are for trying code out and are
no medical evidence: nothing below shows how a model performs on patients.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skpneumo import CNNPneumoniaClassifier, XRayResizer
from skpneumo.datasets import make_xrays

xrays = make_xrays(400, random_state=0)
n_patients, n_positive = len(np.unique(xrays.groups)), np.sum(xrays.target == "PNEUMONIA")
print(f"{len(xrays.images)} images of {n_patients} patients, {n_positive} with pneumonia")
print(f"shape {xrays.images.shape}, dtype {xrays.images.dtype}")

# %%
# The images
# ----------
#
# An X-ray is a grey ``uint8`` array: 0 is black, which is air, and 255 is white, which is bone.
# Opacities are what pneumonia looks like here: one patch for "bacteria", several fainter ones for
# "virus". ``masks`` marks their location (orange); no classifier sees it.

fig, axes = plt.subplots(2, 6, figsize=(9, 4), layout="constrained")
for column, subtype in enumerate(["", "bacteria", "virus"]):
    rows = np.flatnonzero(xrays.subtype == subtype)[:4]
    for ax, row in zip(axes[:, 2 * column : 2 * column + 2].flat, rows, strict=True):
        ax.imshow(xrays.images[row], cmap="gray", vmin=0, vmax=255)
        if subtype:
            ax.contour(xrays.masks[row], [0.5], colors="tab:orange", linewidths=1)
        ax.set_title(subtype or "normal", fontsize=10)
        ax.set_axis_off()
plt.show()

# %%
# Two classifiers
# ---------------
#
# A patient may have several images. ``StratifiedGroupKFold`` with ``groups`` keeps them in one
# fold; otherwise a model would be tested on patients that it was trained on.
#
# The network is a scikit-learn classifier, so ``cross_val_score`` accepts it. The baseline is a
# logistic regression on pixels: a metric of a network means little without that of a simple model.

linear = make_pipeline(
    XRayResizer((36, 32)),
    FunctionTransformer(lambda images: images.reshape(len(images), -1) / 255),
    LogisticRegression(C=0.1, max_iter=1000),
)
models = {
    "logistic regression": linear,
    "CNN": CNNPneumoniaClassifier(epochs=8, random_state=0),
}
cv = StratifiedGroupKFold(3, shuffle=True, random_state=0)
auc = {
    name: cross_val_score(
        model, xrays.images, xrays.target, groups=xrays.groups, cv=cv, scoring="roc_auc"
    )
    for name, model in models.items()
}
for name, scores in auc.items():
    print(f"{name:<20} ROC AUC {scores.mean():.3f}, folds {np.round(scores, 3)}")

# %%
# The linear model is a little better than chance, since the images are drawn so that brightness
# is uninformative. The network finds the opacities.

fig, ax = plt.subplots(figsize=(6.5, 2), layout="constrained")
for row, scores in enumerate(auc.values()):
    ax.plot(scores, [row] * len(scores), "o", alpha=0.5, color=f"C{row}")
    ax.plot(scores.mean(), row, "|", ms=22, mew=2.5, color=f"C{row}")
ax.axvline(0.5, color="gray", linestyle=":")
ax.text(0.505, 0.5, "chance", color="gray", va="center")
ax.set(xlim=(0.45, 1.01), ylim=(1.6, -0.6), xlabel="ROC AUC: each fold, and the mean")
ax.set_yticks(range(len(auc)), list(auc))
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Thresholds and class weights come next: :ref:`sphx_glr_auto_examples_plot_search.py`.
