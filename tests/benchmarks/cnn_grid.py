"""A grid of 4 class weights x 19 thresholds x 5 folds over the CNN, by a plain GridSearchCV."""

import numpy as np
from _measure import report, seconds
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from skpneumo import CNNPneumoniaClassifier, clear_cache
from skpneumo.datasets import make_xrays
from skpneumo.metrics import recall_with_specificity_floor_scorer as scorer

xrays = make_xrays(random_state=0)
X, y, groups = xrays.images, xrays.target, xrays.groups
cv = StratifiedGroupKFold(5)
weights = [{"PNEUMONIA": weight} for weight in (1, 2, 4, 8)]
thresholds = np.linspace(0.05, 0.95, 19)
clf = CNNPneumoniaClassifier(random_state=0)
splits = list(cv.split(X, y, groups))


def train_all():
    for weight in weights:
        for rows, _ in splits:
            CNNPneumoniaClassifier(class_weight=weight, random_state=0).fit(X[rows], y[rows])


def without_reuse():
    for rows, held_out in splits[:3]:
        clear_cache(disk=False)
        fitted = CNNPneumoniaClassifier(random_state=0).fit(X[rows], y[rows])
        scorer(fitted, X[held_out], y[held_out])


grid = {"class_weight": weights, "threshold": thresholds}
search = GridSearchCV(clf, grid, scoring=scorer, cv=cv, refit=False)
without_reuse()
# Before and after the search, as machines change their speed within minutes.
trainings = seconds(train_all)
clear_cache(disk=False)
ours = seconds(lambda: search.fit(X, y, groups=groups))
clear_cache(disk=False)
trainings = (trainings + seconds(train_all)) / 2
plain = seconds(without_reuse) / 3 * len(weights) * len(thresholds) * len(splits)
report("CNN grid, times as fast as without reuse", plain / ours, "at least 15")
report(
    "CNN grid, of the cost of its 20 trainings",
    ours / trainings,
    "at most 1.15",
    f"{ours:.0f} s against {trainings:.0f} s.",
)
