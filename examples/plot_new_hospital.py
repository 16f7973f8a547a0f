"""
A network at a new hospital
===========================

A network ranks the X-rays of another hospital nearly as well as before, but at its threshold
far more patients without pneumonia are predicted positive. This example finds that without a label,
certifies another threshold with labels of a part of the images, and monitors its recall.

The images are synthetic, so the results are not medical evidence.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV
from skpneumo.datasets import make_xrays
from skpneumo.metrics import recall_scorer, specificity_scorer, threshold_curve
from skpneumo.sites import (
    PrevalenceThresholdClassifier,
    RecallCertifier,
    RecallMonitor,
    RecallMonitorDisplay,
    SiteCheckDisplay,
    check_site,
)

# %%
# A network of one hospital
# -------------------------
#
# It is trained on 600 images, and its threshold is certified on 600 others of the same hospital.

train = make_xrays(600, difficulty=0.2, random_state=0)
choose = make_xrays(600, difficulty=0.2, random_state=1)
cnn = CNNPneumoniaClassifier(filters=(16, 32, 64), epochs=12, random_state=0)
cnn.fit(train.images, train.target, groups=train.groups)
model = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.95)
model.fit(choose.images, choose.target, groups=choose.groups)

# %%
# Images of both hospitals
# ------------------------
#
# At the new one images are framed more tightly, with a softer texture, harder ribs and less air.

home = make_xrays(600, difficulty=0.2, random_state=2)
local = make_xrays(1000, difficulty=0.2, site="new", random_state=3)
fig, axes = plt.subplots(2, 6, figsize=(9, 3.8), layout="constrained")
for row, (name, site) in enumerate({"home": home, "new": local}.items()):
    for ax, image, label in zip(axes[row], site.images, site.target, strict=False):
        ax.imshow(image, cmap="gray", vmin=0, vmax=255)
        ax.set_title(f"{name}, {label.lower()}", fontsize=9)
        ax.set_axis_off()
plt.show()

# %%
# Checking the site, without labels
# ---------------------------------
#
# The model carries the scores by which its threshold was chosen. Other images of the home hospital
# are compared with them first, then those of the new one.

print(check_site(model, home.images, groups=home.groups).headline)
check = check_site(model, local.images, groups=local.groups)
print(check)

# %%
# The scores of the new site are spread more widely than those of the reference, and many lie above
# the threshold: no mixture of the two reference classes fits.

SiteCheckDisplay.from_check(check)
plt.show()

# %%
# Recall and specificity at each threshold
# ----------------------------------------
#
# Labels of all images, which a new hospital does not have, show what happened: the area under the
# ROC curve is as large as before, but the threshold is too low.


def scores(site):
    """Score each image of a site, and name its AUC."""
    y_score = model.predict_proba(site.images)[:, 1]
    return y_score, roc_auc_score(site.target == "PNEUMONIA", y_score)


fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, site, color in (("home", home, "C7"), ("new", local, "C0")):
    y_score, auc = scores(site)
    curve = threshold_curve(site.target == "PNEUMONIA", y_score, groups=site.groups)
    ax.step(curve.threshold, curve.specificity, color=color, label=f"{name}, AUC {auc:.3f}")
    ax.step(curve.threshold, curve.recall, color=color, linestyle=":")
ax.axvline(model.best_threshold_, color="gray", linestyle="--", linewidth=1)
ax.set(xlabel="threshold", ylabel="specificity (solid), recall (dotted)", xlim=(0, 1))
ax.legend(loc="lower center")
plt.show()

# %%
# Two other thresholds
# --------------------
#
# The first one follows from the prevalence, which is supposed to lie between 55 and 65 %. It needs
# no labels, and nothing is certified. The second one is certified: :class:`~.RecallCertifier`
# returns the images to be labelled, until the recall of new patients is at least 95 % with 95 %
# confidence.

by_prevalence = PrevalenceThresholdClassifier(
    FrozenEstimator(model), prevalence=(0.55, 0.65), min_recall=0.95
)
by_prevalence.fit(local.images, groups=local.groups)

certifier = RecallCertifier(FrozenEstimator(model), min_recall=0.95, random_state=0)
certifier.fit(local.images, groups=local.groups)
while not certifier.finished_:
    rows = certifier.next_images(20)
    certifier.record(rows, local.target[rows])
print(f"{certifier.n_labelled_} of {len(local.images)} images were labelled ({certifier.plan_}).")

test = make_xrays(1000, difficulty=0.2, site="new", random_state=4)
for name, classifier in (
    ("threshold of the home hospital", model),
    ("threshold by the prevalence", by_prevalence),
    ("certified threshold", certifier.classifier_),
):
    recall = recall_scorer(classifier, test.images, test.target)
    specificity = specificity_scorer(classifier, test.images, test.target)
    print(f"{name:31}: recall of images {recall:.3f}, specificity {specificity:.3f}")

# %%
# Monitoring
# ----------
#
# Of the cases that follow, all positive predictions are confirmed, and a third of the negative
# ones, selected at random. After 600 of them the images become much harder to read.

rng = np.random.default_rng(0)
monitor = RecallMonitor(min_recall=0.95)
for difficulty, seed in ((0.2, 5), (1.0, 6)):
    cases = make_xrays(
        600, difficulty=difficulty, site="new", images_per_patient=1, random_state=seed
    )
    y_pred = certifier.classifier_.predict(cases.images)
    known = (y_pred == "PNEUMONIA") | (rng.random(len(y_pred)) < 1 / 3)
    monitor.update(cases.target[known], y_pred[known], verified_with=1 / 3)
    print(f"{monitor.n_positive_} positive patients, alarm: {monitor.alarm_}")
RecallMonitorDisplay.from_monitor(monitor)
plt.show()

# %%
# :ref:`sphx_glr_auto_examples_new_hospital_folder.py` certifies a model on a folder of X-rays.
