"""A search over few images: later fits of an architecture against its first, which is traced."""

import statistics

from _measure import report, seconds

from skpneumo import CNNPneumoniaClassifier, InceptionPneumoniaClassifier, clear_cache
from skpneumo.datasets import make_xrays

xrays = make_xrays(64, image_size=(80, 76), random_state=0)
NETWORKS = {
    "CNN": CNNPneumoniaClassifier(epochs=2),
    "Inception, all layers": InceptionPneumoniaClassifier(weights=None, epochs=2),
}

for name, clf in NETWORKS.items():
    clear_cache(disk=False)
    times = []
    for seed in range(6):
        clf.set_params(random_state=seed)
        times.append(seconds(lambda clf=clf: clf.fit(xrays.images, xrays.target)))
    later = statistics.median(times[2:])
    report(
        f"{name}: a later fit on 64 images, of the first",
        later / times[0],
        "at most 0.5",
        f"{later:.2f} s against {times[0]:.2f} s.",
    )
