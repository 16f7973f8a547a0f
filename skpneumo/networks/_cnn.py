"""A small convolutional network for grey images."""

from itertools import pairwise

import keras
from keras import layers

from skpneumo.networks._parts import add_head, dtype_policy, make_head


def _convolve(x, n_filters, policy, *, kernel=3, stride=1):
    x = layers.Conv2D(
        n_filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        dtype=policy,
    )(x)
    # Trainings here are a few hundred steps long: with Keras's momentum of 0.99 the running
    # statistics would lag behind the weights.
    x = layers.BatchNormalization(momentum=0.9, dtype=policy)(x)
    return layers.ReLU(dtype=policy)(x)


def build_cnn(image_size, *, filters=(24, 48, 64, 128), dropout=0.3, precision="float32"):
    """Build a convolutional network that tells pneumonia from normal.

    A large strided kernel takes the image down at once, as in ResNet [1]_, because most of the
    time of a small network goes into its first layers; batch normalisation follows every
    convolution and an average over the image ends them.

    Parameters
    ----------
    image_size : tuple of (int, int)
        Rows and columns of the images.
    filters : sequence of int, default=(24, 48, 64, 128)
        Filters of the first two convolutions, and of each following block, which halves rows
        and columns.
    dropout : float, default=0.3
        Share of the averaged features left out while training.
    precision : {"float32", "bfloat16"}, default="float32"
        Type in which the layers compute; weights and the result are float32.

    Returns
    -------
    keras.Model
        Not compiled. Input: uint8 of shape (n, rows, columns, 1). Output: probability of
        pneumonia, float32 of shape (n, 1).

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.

    Examples
    --------
    >>> from skpneumo.networks import build_cnn
    >>> build_cnn((64, 48)).output_shape
    (None, 1)
    """
    policy = dtype_policy(precision)
    images = keras.Input((*image_size, 1), dtype="uint8", name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype=policy)(images)
    first, second, *blocks = filters
    # Below 64 pixels a stride of 4 would leave too little of an opacity.
    x = _convolve(x, first, policy, kernel=7, stride=4 if min(image_size) >= 64 else 2)
    x = _convolve(x, second, policy)
    for n_filters in blocks:
        x = _convolve(x, n_filters, policy, stride=2)
        x = _convolve(x, n_filters, policy)
    return add_head(images, layers.GlobalAveragePooling2D(dtype=policy)(x), make_head(dropout))


def count_cnn_weights(filters):
    """Numbers that a network of `build_cnn` learns or keeps, without building it.

    Parameters
    ----------
    filters : sequence of int
        As in `build_cnn`.

    Returns
    -------
    int
    """
    first, second, *blocks = filters
    # (from, to, side of the kernel) of each convolution
    convolutions = [(1, first, 7), (first, second, 3)]
    for before, after in pairwise([second, *blocks]):
        convolutions += [(before, after, 3), (after, after, 3)]
    n_weights = sum(side**2 * before * after + 4 * after for before, after, side in convolutions)
    return n_weights + convolutions[-1][1] + 1
