"""
An honest account of a classifier
=================================

A certified recall, its price, and a report to hand on: figures with intervals,
curves, and the images that were called wrong.

The images are synthetic, so the figures below are no medical evidence.
"""

from sklearn.frozen import FrozenEstimator

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV
from skpneumo.datasets import make_xrays
from skpneumo.evaluation import evaluate

# sphinx_gallery_capture_repr = ('_repr_html_',)
# sphinx_gallery_thumbnail_path = '_static/report-light.png'

train = make_xrays(400, random_state=0)
choose = make_xrays(500, random_state=1)
test = make_xrays(400, random_state=2)

# %%
# A threshold with a promise
# --------------------------
#
# The network learns from some children. The threshold is chosen on others: the highest one that
# catches 95 % of the ill, with a confidence of 95 %.

cnn = CNNPneumoniaClassifier(filters=(16, 32, 64), epochs=10, random_state=0)
cnn.fit(train.images, train.target)
model = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.95)
model.fit(choose.images, choose.target, groups=choose.groups)
print(f"threshold {model.best_threshold_:.3f}")

# %%
# The account
# -----------
#
# A third set of children says what that is worth. With ``groups`` the intervals allow for children
# with several images, and there are figures of children: one is caught only if every ill image is.
# With ``subtype`` there is a recall for each kind of pneumonia.

report = evaluate(model, test.images, test.target, groups=test.groups, subtype=test.subtype)
print(report)

# %%
# A notebook shows it like this. ``report.save("report.html")`` writes a page that also has the
# images that were called wrong with their heatmaps, the fingerprints of data and model, and two
# checklists.

report

# %%
# Two classifiers
# ---------------
#
# What the promise costs: the same network at 0.5, image by image on the same children. The
# intervals are of the differences.

for name, difference in report.compare(
    evaluate(cnn, test.images, test.target, groups=test.groups)
).items():
    if name in ("recall", "recall_of_patients", "specificity"):
        print(f"{name:<18} {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]")
