"""The convolutional part of InceptionV3, layer for layer as `keras.applications` builds it.

That one reads Keras's global image data format, dtype policy and generator of random numbers, so
that what it builds depends on what else a process does. A test compares the two.
"""

import keras
from keras import layers

from skpneumo.networks._normalization import BatchNormalization
from skpneumo.networks._parts import CHANNELS_LAST, LayerNames

# Trainings here are a few hundred steps long: with Keras's momentum of 0.99 the running
# statistics would lag behind the weights.
_MOMENTUM = 0.9


def build_inception_v3(image_size, *, policy, seeds, name):
    """Build InceptionV3 without its top, with random weights.

    Parameters
    ----------
    image_size : tuple of (int, int)
        Rows and columns, each at least 75.
    policy : keras.DTypePolicy
        Of all layers.
    seeds : iterator of int
        One for each convolution.
    name : str
        Of the model.

    Returns
    -------
    keras.Model
        Input: three channels, from -1 to 1. Output: 2,048 features of each image. Weights files of
        `keras.applications.InceptionV3` without the top can be loaded into it.

    References
    ----------
    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
    """
    block = _Block(policy, seeds)
    images = keras.Input((*image_size, 3), dtype=policy.compute_dtype, name="channels")
    x = block.convolve(images, (32, 3, 3, 2), (32, 3, 3, "valid"), (64, 3, 3))
    x = block.pool(x)
    x = block.pool(block.convolve(x, (80, 1, 1, "valid"), (192, 3, 3, "valid")))
    for i, n_pooled in enumerate((32, 64, 64)):
        x = block.join(
            f"mixed{i}",
            block.convolve(x, (64, 1, 1)),
            block.convolve(x, (48, 1, 1), (64, 5, 5)),
            block.convolve(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
            block.convolve(block.average(x), (n_pooled, 1, 1)),
        )
    x = block.join(
        "mixed3",
        block.convolve(x, (384, 3, 3, 2)),
        block.convolve(x, (64, 1, 1), (96, 3, 3), (96, 3, 3, 2)),
        block.pool(x),
    )
    for i, n in enumerate((128, 160, 160, 192), start=4):
        x = block.join(
            f"mixed{i}",
            block.convolve(x, (192, 1, 1)),
            block.convolve(x, (n, 1, 1), (n, 1, 7), (192, 7, 1)),
            block.convolve(x, (n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7)),
            block.convolve(block.average(x), (192, 1, 1)),
        )
    x = block.join(
        "mixed8",
        block.convolve(x, (192, 1, 1), (320, 3, 3, 2)),
        block.convolve(x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2)),
        block.pool(x),
    )
    for i in range(2):
        first = block.convolve(x, (320, 1, 1))
        middle = block.convolve(x, (384, 1, 1))
        middle = block.join(
            f"mixed9_{i}", *(block.convolve(middle, (384, *side)) for side in ((1, 3), (3, 1)))
        )
        last = block.convolve(x, (448, 1, 1), (384, 3, 3))
        last = block.join(None, *(block.convolve(last, (384, *side)) for side in ((1, 3), (3, 1))))
        pooled = block.convolve(block.average(x), (192, 1, 1))
        x = block.join(f"mixed{9 + i}", first, middle, last, pooled)
    features = layers.GlobalAveragePooling2D(
        data_format=CHANNELS_LAST, dtype=policy, name="features"
    )(x)
    return keras.Model(images, features, name=name)


class _Block:
    """The layers of InceptionV3, all of one dtype policy."""

    def __init__(self, policy, seeds):
        self.policy = policy
        self.seeds = seeds
        self.names = LayerNames()

    def convolve(self, x, *convolutions):
        """Apply convolutions, each normalised and rectified.

        Each is (filters, rows, columns), and a stride or "valid": with a stride there is no
        padding either.
        """
        for filters, rows, columns, *rest in convolutions:
            stride = rest[0] if rest and rest[0] != "valid" else 1
            x = layers.Conv2D(
                filters,
                (rows, columns),
                strides=stride,
                padding="valid" if rest else "same",
                use_bias=False,
                kernel_initializer=keras.initializers.GlorotUniform(seed=next(self.seeds)),
                data_format=CHANNELS_LAST,
                dtype=self.policy,
                name=self.names("convolution"),
            )(x)
            x = BatchNormalization(
                scale=False,
                momentum=_MOMENTUM,
                dtype=self.policy,
                name=self.names("normalization"),
            )(x)
            x = layers.Activation("relu", dtype=self.policy, name=self.names("relu"))(x)
        return x

    def pool(self, x):
        return layers.MaxPooling2D(
            3, 2, data_format=CHANNELS_LAST, dtype=self.policy, name=self.names("maximum")
        )(x)

    def average(self, x):
        return layers.AveragePooling2D(
            3,
            1,
            padding="same",
            data_format=CHANNELS_LAST,
            dtype=self.policy,
            name=self.names("average"),
        )(x)

    def join(self, name, *branches):
        name = name or self.names("join")
        return layers.Concatenate(name=name, dtype=self.policy)(list(branches))
