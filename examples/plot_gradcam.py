"""
Where did the network look?
===========================

A small CNN is trained on synthetic X-rays, whose opacities are at known places, and
:class:`~skpneumo.inspection.GradCAM` is asked where it found them.
"""

import matplotlib.pyplot as plt

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.inspection import GradCAM, GradCAMDisplay

train = make_xrays(500, image_size=(63, 56), random_state=0)
test = make_xrays(60, image_size=(63, 56), random_state=1)
clf = CNNPneumoniaClassifier(random_state=0).fit(train.images, train.target)

# %%
# The X-rays, the heatmaps over them, and outlines of the opacities as they were drawn. Each heatmap
# is scaled to a highest value of 1, so that the probability in the title has to be read first.

ill = (test.target == "PNEUMONIA").nonzero()[0][:4]
display = GradCAMDisplay.from_estimator(clf, test.images[ill])
for panel, mask in zip(display.axes_, test.masks[ill], strict=True):
    panel.contour(mask, levels=[0.5], colors="cyan", linewidths=1)
plt.show()

# %%
# How often is the hottest place inside an opacity, and how often would chance have it there?

found = (test.target == "PNEUMONIA") & (clf.predict(test.images) == "PNEUMONIA")
heatmaps, masks = GradCAM(clf).transform(test.images[found]), test.masks[found]
hits = [mask.flat[heat.argmax()] for heat, mask in zip(heatmaps, masks, strict=True)]
print(f"{sum(hits)} of {len(hits)}, by chance {masks.mean():.0%}")
