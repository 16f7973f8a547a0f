"""
Evaluation of a classifier
==========================

A certified recall, its cost in specificity, and a report: metrics with intervals,
curves, and the misclassified images.

The images are synthetic, so the results are not medical evidence.
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
# Certified operating point
# -------------------------
#
# The network is trained on some patients. The threshold is chosen on others: the highest one whose
# recall of patients is at least 95 %, with 95 % confidence.

cnn = CNNPneumoniaClassifier(filters=(16, 32, 64), epochs=10, random_state=0)
cnn.fit(train.images, train.target)
model = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.95)
model.fit(choose.images, choose.target, groups=choose.groups)
print(f"threshold {model.best_threshold_:.3f}")

# %%
# Evaluation
# ----------
#
# A third set of patients is the test set. With ``groups`` the intervals account for patients with
# several images, and there are metrics of patients: one is a true positive only if every positive
# image is predicted positive. With ``subtype`` there is a recall for each subtype of pneumonia.

report = evaluate(model, test.images, test.target, groups=test.groups, subtype=test.subtype)
print(report)

# %%
# A notebook shows it like this. ``report.save("report.html")`` writes a page that also has the
# misclassified images with their heatmaps, the fingerprints of data and model, and two checklists.

report

# %%
# Comparing two classifiers
# -------------------------
#
# The difference to the same network at a threshold of 0.5, on the same images. The intervals are of
# the differences.

for name, difference in report.compare(
    evaluate(cnn, test.images, test.target, groups=test.groups)
).items():
    if name in ("recall", "recall_of_patients", "specificity"):
        print(f"{name:<18} {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]")
