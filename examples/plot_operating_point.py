"""
Displays of an operating point
==============================

From a trained network to a certified operating point and its net benefit. Each figure is a
display of :mod:`skpneumo.inspection`, which work like those of scikit-learn.

The images are synthetic, so the results are not medical evidence.
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
# Training and validation loss
# ----------------------------
#
# With ``validation=0.2`` a fifth of the patients are validation data. Training stops when the
# validation loss no longer decreases, and the weights of the best epoch, which has a frame, are
# restored.

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
# :class:`~skpneumo.OperatingPointClassifierCV` chooses the highest threshold whose recall of
# patients is at least 90 % with 95 % confidence, on patients that the network was not trained on.
# The grey line marks it. The dotted line is the lower confidence bound of the recall, each point
# for a threshold fixed beforehand.

model = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.9)
model.fit(choose.images, choose.target, groups=choose.groups)
ThresholdCurveDisplay.from_operating_point(model)
plt.show()

# %%
# On other images
# ---------------
#
# The same threshold on images that took no part in the choice. Recall counts patients here too.

ThresholdCurveDisplay.from_estimator(model, test.images, test.target, groups=test.groups)
plt.show()

# %%
# Net benefit
# -----------
#
# A threshold probability of 0.1 means that nine false positives are acceptable for one more true
# positive. There the model should lie above treating all and treating none. The solid curve
# applies each threshold probability as threshold, the dashed curve the operating point.
#
# Net benefit assumes calibrated probabilities, so calibration increases it.

calibrated = CalibratedClassifierCV(FrozenEstimator(cnn))
calibrated.fit(choose.images, choose.target)
display = DecisionCurveDisplay.from_estimator(
    model, test.images, test.target, at_threshold=True, name="network"
)
DecisionCurveDisplay.from_estimator(
    calibrated, test.images, test.target, name="calibrated", ax=display.ax_
)
plt.show()
