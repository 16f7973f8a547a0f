"""
Thresholds and calibration with scikit-learn's tools
====================================================

scikit-learn can move the threshold of any classifier, tune it, and calibrate probabilities. Its
tools take the classifiers of this library as they are, text labels included, as long as the scorer
is one of :mod:`skpneumo.metrics`.

The images are synthetic, so the results below are no medical evidence.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.metrics import brier_score_loss, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
)

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.metrics import (
    recall_scorer,
    recall_with_specificity_floor_score,
    specificity_scorer,
)

train = make_xrays(360, prevalence=0.7, difficulty=0.3, random_state=0)
test = make_xrays(300, prevalence=0.7, difficulty=0.3, random_state=1)
cnn = CNNPneumoniaClassifier(
    filters=(16, 32, 64), class_weight={"PNEUMONIA": 4}, epochs=8, random_state=0
)
cnn.fit(train.images, train.target)

# %%
# A threshold of your own
# -----------------------
#
# The classifiers have a parameter ``threshold``: they predict pneumonia if its probability is at
# least this. ``FixedThresholdClassifier`` of scikit-learn does the same around any classifier.

fixed = FixedThresholdClassifier(cnn, threshold=0.8).fit(train.images, train.target)
own = clone(cnn).set_params(threshold=0.8).fit(train.images, train.target)
print(np.array_equal(fixed.predict(test.images), own.predict(test.images)))

# %%
# A threshold that is tuned
# -------------------------
#
# ``TunedThresholdClassifierCV`` maximises a score. It cannot be recall, since the lowest threshold
# would win. Here it is recall on condition that the specificity reaches 80 %. Nor can it be
# scikit-learn's ``scoring="recall"``, which fails on text labels.
#
# ``cv`` is a list of splits, so that the images of a patient stay in one fold.

scorer = make_scorer(recall_with_specificity_floor_score, min_specificity=0.8)
folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
splits = list(folds.split(train.images, train.target, train.groups))
tuned = TunedThresholdClassifierCV(cnn, scoring=scorer, cv=splits)
tuned.fit(train.images, train.target)
print(f"threshold {tuned.best_threshold_:.2f}")

# %%
# On images that took no part:

for name, model in [("default", cnn), ("tuned", tuned)]:
    recall = recall_scorer(model, test.images, test.target)
    specificity = specificity_scorer(model, test.images, test.target)
    print(f"{name:<8} recall {recall:.3f}, specificity {specificity:.3f}")

# %%
# This is more specificity than required, at the cost of recall: folds of some 36 negative
# images make for an uncertain threshold.
#
# The curves show what each threshold would have given there. They are for looking at: a threshold
# that is picked from them is no longer tested by these images.

y_true = test.target == "PNEUMONIA"
probability = cnn.predict_proba(test.images)[:, 1]
grid = np.linspace(0, 1, 201)
y_pred = probability[:, None] >= grid
fig, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
ax.plot(grid, y_pred[y_true].mean(axis=0), label="recall")
ax.plot(grid, 1 - y_pred[~y_true].mean(axis=0), label="specificity")
for threshold, name in [(cnn.threshold, "default"), (tuned.best_threshold_, "tuned")]:
    ax.axvline(threshold, color="gray", linestyle=":")
    ax.text(threshold, 1.03, name, ha="center", va="bottom", color="gray")
ax.set(xlabel="threshold", ylabel="proportion of the test images", ylim=(0, 1.02))
ax.legend(loc="lower left")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Calibrated probabilities
# ------------------------
#
# Of the images with a calibrated probability near 80 %, about 80 % show pneumonia. A class weight
# shifts the probabilities on purpose, here upwards. ``CalibratedClassifierCV`` corrects them, which
# the Brier score (lower is better) shows too.

calibrated = CalibratedClassifierCV(cnn, cv=splits).fit(train.images, train.target)
fig, ax = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
for name, model in [("class weight 4", cnn), ("calibrated", calibrated)]:
    probability = model.predict_proba(test.images)[:, 1]
    CalibrationDisplay.from_predictions(
        y_true, probability, n_bins=6, strategy="quantile", name=name, ax=ax
    )
    print(f"{name:<15} Brier score {brier_score_loss(y_true, probability):.3f}")
ax.set(xlabel="probability of pneumonia, mean of a sixth", ylabel="proportion with pneumonia")
plt.show()

# %%
# After calibration the default threshold of 0.5 means "more likely than not", which is no target
# for recall: calibrate for the probabilities, and choose a threshold for the labels.
