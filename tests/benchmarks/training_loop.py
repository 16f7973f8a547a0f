"""Time of one epoch: our loop over Keras's `fit`, on the same network and images.

    python tests/benchmarks/training_loop.py

Each line is a ratio within this run, the median of three; below 1 our loop is faster.
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from skpneumo.classifiers._batches import image_reader
from skpneumo.classifiers._training import compile_network, train
from skpneumo.datasets import make_xrays
from skpneumo.networks import build_cnn


class _Dataset(keras.utils.PyDataset):
    def __init__(self, X, y):
        super().__init__()
        self.X, self.y = X, y

    def __len__(self):
        return len(self.y) // 32

    def __getitem__(self, i):
        return self.X[32 * i : 32 * i + 32, ..., None], self.y[32 * i : 32 * i + 32]


def _median_time(function):
    function()  # the first call compiles
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return np.median(times)


for image_size in ((72, 64), (112, 112)):
    xrays = make_xrays(480, image_size=image_size, random_state=0)
    X, y = xrays.images, (xrays.target == "PNEUMONIA").astype("float32")
    model = build_cnn(image_size)
    compile_network(model, 1e-3)
    ours = _median_time(
        lambda X=X, y=y, m=model: train(m, image_reader(X), y, epochs=1, batch_size=32, seed=0)
    )
    arrays = _median_time(lambda X=X, y=y, m=model: m.fit(X[..., None], y, verbose=0))
    data = _Dataset(X, y)
    made = _median_time(lambda data=data, m=model: m.fit(data, verbose=0, shuffle=False))
    print(f"{image_size}: {ours / arrays:.2f} of fit(arrays), {ours / made:.2f} of fit(PyDataset)")
