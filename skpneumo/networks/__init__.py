"""The networks, in plain Keras: they know no estimator."""

from skpneumo.networks._cnn import build_cnn
from skpneumo.networks._inception import TRAINABLE, build_inception, set_trainable

__all__ = ["TRAINABLE", "build_cnn", "build_inception", "set_trainable"]
