"""A small convolutional network for grey images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from skpneumo._utils.typing import Size
from skpneumo.networks._equalize import HistogramEqualization
from skpneumo.networks._normalization import BatchNormalization
from skpneumo.networks._parts import CHANNELS_LAST, LayerNames, add_head, dtype_policy, make_head
from skpneumo.networks._seeds import seed_stream

FILTERS = (32, 40, 80, 160)
# The gate of a block has a quarter of its channels.
_SQUEEZE = 4
_MIN_SQUEEZED = 8


def _convolve(x, n_filters, policy, seeds, names, *, kernel=3, stride=1):
    x = layers.Conv2D(
        n_filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        data_format=CHANNELS_LAST,
        dtype=policy,
        name=names("convolution"),
    )(x)
    # Trainings here are a few hundred steps long: with Keras's momentum of 0.99 the running
    # statistics would lag behind the weights.
    return BatchNormalization(momentum=0.9, dtype=policy, name=names("normalization"))(x)


def _gate(x, policy, seeds, names):
    """Weigh the channels by the whole image: squeeze and excitation."""
    n_filters = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(
        data_format=CHANNELS_LAST, keepdims=True, dtype=policy, name=names("squeeze")
    )(x)
    n_squeezed = max(_MIN_SQUEEZED, n_filters // _SQUEEZE)
    for n, activation in ((n_squeezed, "relu"), (n_filters, "sigmoid")):
        weights = layers.Conv2D(
            n,
            1,
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
            data_format=CHANNELS_LAST,
            dtype=policy,
            name=names("gate"),
        )(weights)
    return layers.Multiply(dtype=policy, name=names("gated"))([x, weights])


def _block(x, n_filters, policy, seeds, names, *, stride):
    short = x
    if stride > 1:
        short = layers.AveragePooling2D(
            stride, padding="same", data_format=CHANNELS_LAST, dtype=policy, name=names("average")
        )(short)
    if short.shape[-1] != n_filters:
        short = _convolve(short, n_filters, policy, seeds, names, kernel=1)
    x = _convolve(x, n_filters, policy, seeds, names, stride=stride)
    x = layers.ReLU(dtype=policy, name=names("relu"))(x)
    x = _gate(_convolve(x, n_filters, policy, seeds, names), policy, seeds, names)
    x = layers.Add(dtype=policy, name=names("sum"))([x, short])
    return layers.ReLU(dtype=policy, name=names("relu"))(x)


def build_cnn(
    image_size: Size,
    *,
    filters: Sequence[int] = FILTERS,
    dropout: float = 0.3,
    precision: Literal["float32", "bfloat16"] = "float32",
    seed: int | None = None,
) -> keras.Model:
    """Build a convolutional network that distinguishes pneumonia from normal.

    A small residual network [1]_ whose blocks weigh their channels (squeeze and excitation [2]_).
    The first layer equalizes the histogram of the image, so that exposure does not matter. The
    first convolution halves the resolution, and images of at least 64 pixels are max-pooled next,
    because a small network spends most of its time in its first layers. Global average pooling
    follows the blocks.

    Parameters
    ----------
    image_size : tuple of (int, int)
        Rows and columns of the images.
    filters : sequence of int, default=(32, 40, 80, 160)
        Filters of the first convolution and of each following block of two convolutions; from the
        second block on, each halves rows and columns.
    dropout : float, default=0.3
        Dropout rate of the averaged features.
    precision : {"float32", "bfloat16"}, default="float32"
        Type in which the layers compute; weights and the result are float32.
    seed : int, default=None
        Controls the random weights and the dropout; None takes entropy from the operating system.

    Returns
    -------
    keras.Model
        Not compiled. Input: uint8 of shape (n, rows, columns, 1). Output: probability of
        pneumonia, float32 of shape (n, 1).

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.
    .. [2] Hu, Shen & Sun, "Squeeze-and-Excitation Networks", CVPR 2018.

    Examples
    --------
    >>> from skpneumo.networks import build_cnn
    >>> build_cnn((64, 48)).output_shape
    (None, 1)
    """
    policy, seeds, names = dtype_policy(precision), seed_stream(seed), LayerNames()
    head = make_head(dropout, seeds)
    images = keras.Input((*image_size, 1), dtype="uint8", name="images")
    x = HistogramEqualization(dtype=policy.name, name="equalization")(images)
    first, *blocks = filters
    x = _convolve(x, first, policy, seeds, names, kernel=5, stride=2)
    x = layers.ReLU(dtype=policy, name=names("relu"))(x)
    # Below 64 pixels that would leave too little of an opacity.
    if min(image_size) >= 64:
        x = layers.MaxPooling2D(
            3, 2, padding="same", data_format=CHANNELS_LAST, dtype=policy, name=names("maximum")
        )(x)
    for i, n_filters in enumerate(blocks):
        x = _block(x, n_filters, policy, seeds, names, stride=1 if i == 0 else 2)
    features = layers.GlobalAveragePooling2D(
        data_format=CHANNELS_LAST, dtype=policy, name="features"
    )(x)
    return add_head(images, features, head)
