"""
An operating point, in pictures
===============================

From a trained network to a certified operating point, and what its calls are worth. Each
picture is a display of :mod:`skpneumo.inspection`, in the manner of scikit-learn's.

The images are synthetic, so the figures below are no medical evidence.
"""

import matplotlib.pyplot as plt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV
from skpneumo.datasets import make_xrays
from skpneumo.inspection import (
    DecisionCurveDisplay,
    LearningHistoryDisplay,
    ThresholdCurveDisplay,
)

options = {"prevalence": 0.6, "difficulty": 0.3}
train = make_xrays(360, random_state=0, **options)
choose = make_xrays(240, random_state=1, **options)
test = make_xrays(300, random_state=2, **options)

# %%
# How the training went
# ---------------------
#
# With ``validation`` a share of the images is held back, here a fifth. Training stops when their
# loss no longer falls, and the weights of the best epoch, which has a frame, are kept.

cnn = CNNPneumoniaClassifier(
    filters=(16, 32, 64), epochs=12, validation=0.2, patience=3, random_state=0
)
cnn.fit(train.images, train.target, groups=train.groups)
LearningHistoryDisplay.from_estimator(cnn)
plt.show()

# %%
# The threshold
# -------------
#
# :class:`~skpneumo.OperatingPointClassifierCV` takes the highest threshold that catches at least
# 90 % of the ill children of a sample that the network has not seen, with a confidence of 95 %.
# The grey line is where it came to lie, the dotted one the lower bound of the recall, each point
# taken by itself.

model = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.9)
model.fit(choose.images, choose.target, groups=choose.groups)
ThresholdCurveDisplay.from_operating_point(model)
plt.show()

# %%
# On other images
# ---------------
#
# The same threshold on images that took no part in the choice. Recall counts children here too.

ThresholdCurveDisplay.from_estimator(model, test.images, test.target, groups=test.groups)
plt.show()

# %%
# What the calls are worth
# ------------------------
#
# Someone who would accept nine false alarms to find one more pneumonia holds to a threshold
# probability of 0.1. There the model should lie above calling everyone ill, and above calling
# nobody ill. The solid line moves its threshold along; the dashed one is the operating point as it
# is.
#
# Net benefit takes probabilities at their word, so it rewards calibration.

calibrated = CalibratedClassifierCV(FrozenEstimator(cnn))
calibrated.fit(choose.images, choose.target)
display = DecisionCurveDisplay.from_estimator(
    model, test.images, test.target, at_threshold=True, name="network"
)
DecisionCurveDisplay.from_estimator(
    calibrated, test.images, test.target, name="calibrated", ax=display.ax_
)
plt.show()
