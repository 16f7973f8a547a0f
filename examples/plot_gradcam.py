"""
Heatmaps of the evidence
========================

A small CNN is trained on synthetic X-rays whose opacities have known positions, and
:class:`~skpneumo.inspection.GradCAM` shows where it found evidence of pneumonia.
"""

import matplotlib.pyplot as plt

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.inspection import GradCAM, GradCAMDisplay

train = make_xrays(500, image_size=(63, 56), random_state=0)
test = make_xrays(60, image_size=(63, 56), random_state=1)
clf = CNNPneumoniaClassifier(random_state=0).fit(train.images, train.target)

# %%
# The X-rays with heatmaps, and outlines of the opacities. Each heatmap is scaled to a maximum of 1,
# so check the probability in the title first.

positive = (test.target == "PNEUMONIA").nonzero()[0][:4]
display = GradCAMDisplay.from_estimator(clf, test.images[positive])
for panel, mask in zip(display.axes_, test.masks[positive], strict=True):
    panel.contour(mask, levels=[0.5], colors="cyan", linewidths=1)
plt.show()

# %%
# How often the maximum is inside an opacity, and how often it would be by chance.

true_positive = (test.target == "PNEUMONIA") & (clf.predict(test.images) == "PNEUMONIA")
heatmaps, masks = GradCAM(clf).transform(test.images[true_positive]), test.masks[true_positive]
hits = [mask.flat[heat.argmax()] for heat, mask in zip(heatmaps, masks, strict=True)]
print(f"{sum(hits)} of {len(hits)}, by chance {masks.mean():.0%}")
