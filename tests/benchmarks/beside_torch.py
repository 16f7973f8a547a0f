"""Training and prediction of the default CNN, beside the same network in PyTorch on the processor.

    python tests/benchmarks/beside_torch.py [n_images] [rounds]

Both compute in the type that ``precision="auto"`` selects, PyTorch in channels_last and, in
bfloat16, under autocast. Measurements are made in turn, and ratios are of medians; compilation is
not counted. On a machine with other work the threads of PyTorch wait for each other in busy loops:
run it on a quiet one, or compare processor time with ``OMP_NUM_THREADS=1``.
"""

import sys
import time
from statistics import median

from _measure import machine, report, seconds

try:
    import torch
except ImportError:
    sys.exit("beside_torch compares with PyTorch: pip install torch")
from torch import nn
from torch.nn import functional

from skpneumo import CNNPneumoniaClassifier, clear_cache
from skpneumo.datasets import make_xrays
from skpneumo.networks import FILTERS, resolve_precision

N_IMAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 640
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 7
SIZE, BATCH_SIZE = (96, 96), 32
# As classifiers predict in batches.
PREDICTION_BATCH_SIZE = 32
FAST = resolve_precision("auto") == "bfloat16"


def equalize(images):
    """As `skpneumo.networks.HistogramEqualization`, uint8 of shape (n, 1, H, W)."""
    levels = images.flatten(1).long()
    n_pixels = levels.shape[1]
    counts = torch.zeros(len(levels), 256).scatter_add_(1, levels, torch.ones(levels.shape))
    not_brighter = counts.cumsum(1)
    darkest = not_brighter.masked_fill(not_brighter == 0, n_pixels).amin(1, keepdim=True)
    table = 2 * (not_brighter - darkest).clamp(min=0) / (n_pixels - darkest).clamp(min=1) - 1
    return table.gather(1, levels).reshape(images.shape)


def convolve(n_in, n_out, kernel=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(n_out, momentum=0.1, eps=1e-3),
    )


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.first, self.second = convolve(n_in, n_out, stride=stride), convolve(n_out, n_out)
        average = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        project = convolve(n_in, n_out, kernel=1) if n_in != n_out else nn.Identity()
        self.short = nn.Sequential(average, project)
        n_squeezed = max(8, n_out // 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(n_out, n_squeezed, 1),
            nn.ReLU(),
            nn.Conv2d(n_squeezed, n_out, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        y = self.second(functional.relu(self.first(x)))
        return functional.relu(y * self.gate(y) + self.short(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        first, *others = FILTERS
        self.stem = nn.Sequential(
            convolve(1, first, kernel=5, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        widths = [first, *others]
        pairs = zip(widths, others, strict=False)
        self.blocks = nn.Sequential(*(Block(*pair, 1 + (i > 0)) for i, pair in enumerate(pairs)))
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(widths[-1], 1))

    def forward(self, images):
        x = equalize(images).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=FAST):
            features = self.blocks(self.stem(x)).mean((2, 3))
        return self.head(features.float())


def train_torch(network, optimizer, X, y):
    network.train()
    for rows in torch.randperm(len(X)).split(BATCH_SIZE):
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(network(X[rows]), y[rows])
        loss.backward()
        optimizer.step()


def predict_torch(network, X):
    network.eval()
    with torch.inference_mode():
        parts = X.split(PREDICTION_BATCH_SIZE)
        return torch.cat([torch.sigmoid(network(part)) for part in parts])


class Epochs:
    """Fits one epoch at a time, by `partial_fit`: what is compiled stays."""

    def __init__(self, X, y, augmentation):
        self.clf = CNNPneumoniaClassifier(augmentation=augmentation, random_state=0)
        self.data = X, y

    def __call__(self):
        self.clf.partial_fit(*self.data)


xrays = make_xrays(N_IMAGES, image_size=SIZE, random_state=0)
X, y = torch.from_numpy(xrays.images)[:, None], torch.tensor(xrays.target == "PNEUMONIA")
y = y.float()[:, None]
network = Network().to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(network.parameters())
fitted = CNNPneumoniaClassifier(epochs=1, random_state=0).fit(xrays.images, xrays.target)


def predict():
    # What was predicted before.
    clear_cache(disk=False)
    fitted.predict_proba(xrays.images)


measured = {
    "PyTorch": lambda: train_torch(network, optimizer, X, y),
    "plain": Epochs(xrays.images, xrays.target, None),
    "augmented": Epochs(xrays.images, xrays.target, "auto"),
    "PyTorch predicts": lambda: predict_torch(network, X),
    "prediction": predict,
}
for function in measured.values():
    function()


def measure(call):
    """Seconds, and those of the processor, which other work on the machine changes less."""
    start = time.process_time()
    return seconds(call), time.process_time() - start


rounds = [{name: measure(call) for name, call in measured.items()} for _ in range(ROUNDS)]
speed, per_processor_s = (
    {name: N_IMAGES / median(times[name][i] for times in rounds) for name in measured}
    for i in range(2)
)
print(f"{machine()}, {torch.get_num_threads()} threads of PyTorch {torch.__version__}")
for name in measured:
    print(
        f"  {name:18}{speed[name]:8,.0f} images/s{per_processor_s[name]:8,.0f} per processor second"
    )
for what, ours, theirs, wanted in (
    ("training beside PyTorch", "plain", "PyTorch", "at least 1.0"),
    ("training with augmentation, of that without", "augmented", "plain", "at least 0.9"),
    ("prediction beside PyTorch", "prediction", "PyTorch predicts", "at least 0.8"),
):
    detail = f"By processor time {per_processor_s[ours] / per_processor_s[theirs]:.2f}."
    report(what, speed[ours] / speed[theirs], wanted, detail)
