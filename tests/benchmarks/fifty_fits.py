"""Fifty fits and predictions in one process: resident memory and time stay what they are."""

import statistics

import psutil
from _measure import report, seconds

from skpneumo import CNNPneumoniaClassifier
from skpneumo.datasets import make_xrays

xrays = make_xrays(200, image_size=(64, 60), random_state=0)
process = psutil.Process()


def fit(seed):
    clf = CNNPneumoniaClassifier(epochs=2, random_state=seed)
    clf.fit(xrays.images, xrays.target).predict(xrays.images)


times, sizes = [], []
for seed in range(50):
    times.append(seconds(lambda seed=seed: fit(seed)))
    sizes.append(process.memory_info().rss)
detail = f"{sizes[4] / 2**20:.0f} and {sizes[-1] / 2**20:.0f} MiB."
report(
    "resident memory after 50 fits, of that after 5", sizes[-1] / sizes[4], "at most 1.1", detail
)
late, early = statistics.median(times[-10:]), statistics.median(times[4:14])
report("time of the last ten fits, of that of the fifth to the fourteenth", late / early, "flat")
