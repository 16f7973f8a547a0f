"""Networks in plain Keras, independent of estimators."""

from skpneumo.networks._backend import float32_policy as float32_policy
from skpneumo.networks._backend import quiet_start_up as quiet_start_up
from skpneumo.networks._backend import quiet_tracing as quiet_tracing
from skpneumo.networks._cnn import FILTERS as FILTERS
from skpneumo.networks._cnn import build_cnn
from skpneumo.networks._equalize import HistogramEqualization
from skpneumo.networks._inception import MIN_SIDE as MIN_SIDE
from skpneumo.networks._inception import build_backbone, build_inception, fetch_imagenet_weights
from skpneumo.networks._maps import MAPS as MAPS
from skpneumo.networks._maps import split_at_maps
from skpneumo.networks._memory import release_memory as release_memory
from skpneumo.networks._normalization import BatchNormalization
from skpneumo.networks._optimizer import LeakFreeAdam
from skpneumo.networks._precision import PRECISIONS, resolve_precision
from skpneumo.networks._precision import computes_on_cpu as computes_on_cpu
from skpneumo.networks._seeds import seed_stream as seed_stream
from skpneumo.networks._trainable import TRAINABLE, is_frozen, set_trainable, split_head

__all__ = [
    "PRECISIONS",
    "TRAINABLE",
    "BatchNormalization",
    "HistogramEqualization",
    "LeakFreeAdam",
    "build_backbone",
    "build_cnn",
    "build_inception",
    "fetch_imagenet_weights",
    "is_frozen",
    "resolve_precision",
    "set_trainable",
    "split_at_maps",
    "split_head",
]


def __dir__():
    return __all__
