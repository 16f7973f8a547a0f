"""InceptionV3, pretrained or not."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

import keras
from keras import layers

from skpneumo._utils.typing import PathLike, Size
from skpneumo.exceptions import WeightsError
from skpneumo.networks._inception_v3 import build_inception_v3
from skpneumo.networks._parts import add_head, dtype_policy, make_head
from skpneumo.networks._seeds import seed_stream

MIN_SIDE = 75
_BACKBONE = "inception_v3"
_WEIGHTS_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
_WEIGHTS_MD5 = "bcbd6486424b2319ff4ef7d526e38f63"


def build_inception(
    image_size: Size,
    *,
    weights: Literal["imagenet"] | PathLike | None = "imagenet",
    dropout: float = 0.2,
    precision: Literal["float32", "bfloat16"] = "float32",
    seed: int | None = None,
    make_backbone: Callable | None = None,
) -> keras.Model:
    """Build InceptionV3 with one output, the probability of pneumonia.

    Parameters
    ----------
    image_size : tuple of (int, int)
        Rows and columns of the images, each at least 75.
    weights : {"imagenet"}, path or None, default="imagenet"
        Initialization of the convolutional part: "imagenet" downloads 88 MB once into Keras's
        folder (``~/.keras/models``), a path names a file of InceptionV3 weights without the top
        (``.h5`` or ``.weights.h5``), None draws at random.
    dropout : float, default=0.2
        Dropout rate of the features.
    precision : {"float32", "bfloat16"}, default="float32"
        Type in which the layers compute; weights and the result are float32.
    seed : int, default=None
        Controls the random weights and the dropout; None takes entropy from the operating system.
    make_backbone : callable, default=None
        Called instead of `build_backbone`, with its arguments, such as to return one that several
        networks hold and none trains.

    Returns
    -------
    keras.Model
        Not compiled, all of it trainable. Input: uint8 of shape (n, rows, columns, 1). Output:
        float32 of shape (n, 1).

    Raises
    ------
    ValueError
        If a side is below 75 pixels.
    WeightsError
        If the weights cannot be downloaded, or the file is missing or of another network.

    References
    ----------
    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016; on
    these images Kermany et al., Cell 172 (2018), 1122-1131.
    """
    seeds = seed_stream(seed)
    head = make_head(dropout, seeds)
    make_backbone = make_backbone or build_backbone
    backbone = make_backbone(image_size, weights=weights, precision=precision, seed=next(seeds))
    return add_head(backbone.inputs[0], backbone.outputs[0], head)


def build_backbone(
    image_size: Size,
    *,
    weights: Literal["imagenet"] | PathLike | None = "imagenet",
    precision: Literal["float32", "bfloat16"] = "float32",
    seed: int | None = None,
    load: bool = True,
) -> keras.Model:
    """Build InceptionV3 without its top.

    Parameters
    ----------
    image_size, weights, precision, seed
        See `build_inception`.
    load : bool, default=True
        Whether to load ``weights``; False leaves it to the caller to set them.

    Returns
    -------
    keras.Model
        Input: uint8 of shape (n, rows, columns, 1). Output: 2,048 features for each image.
    """
    if min(image_size) < MIN_SIDE:
        raise ValueError(
            f"InceptionV3 needs images of at least {MIN_SIDE} x {MIN_SIDE} pixels, got "
            f"{image_size[0]} x {image_size[1]}. Set image_size, for example to (150, 150)."
        )
    if load and weights not in ("imagenet", None) and not os.path.isfile(weights):
        raise WeightsError(
            f"There is no weights file {os.fspath(weights)}. Wanted: InceptionV3 weights without "
            f"the top, such as {_WEIGHTS_URL}; 'imagenet' downloads them, None trains from scratch."
        )
    policy = dtype_policy(precision)
    images = keras.Input((*image_size, 1), dtype="uint8", name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype=policy, name="rescaling")(images)
    x = layers.Concatenate(dtype=policy, name="grey_to_rgb")([x, x, x])
    application = build_inception_v3(
        image_size, policy=policy, seeds=seed_stream(seed), name=_BACKBONE
    )
    if load and weights is not None:
        _load_weights(application, fetch_imagenet_weights() if weights == "imagenet" else weights)
    return keras.Model(images, application(x), name="frozen_part")


def fetch_imagenet_weights() -> str:
    """Download the ImageNet weights of InceptionV3 (88 MB), unless they are there.

    Returns
    -------
    str
        Path of the file, in the folder of Keras: ``~/.keras/models``, or ``models`` in that of the
        environment variable ``KERAS_HOME``.

    Raises
    ------
    WeightsError
        If they cannot be downloaded; the message names the file to fetch. It is a ValueError.

    See Also
    --------
    build_inception : Builds the network with them.
    """
    try:
        return keras.utils.get_file(
            _WEIGHTS_URL.rpartition("/")[-1],
            _WEIGHTS_URL,
            cache_subdir="models",
            file_hash=_WEIGHTS_MD5,
        )
    except Exception as error:
        raise WeightsError(
            f"The ImageNet weights of InceptionV3 could not be downloaded: {error}. Without "
            f"internet access, fetch {_WEIGHTS_URL} elsewhere and pass the file as weights=..., "
            "or train from scratch with weights=None."
        ) from error


def _load_weights(backbone, path):
    try:
        backbone.load_weights(os.fspath(path))
    except Exception as error:
        raise WeightsError(
            f"{path} does not hold the weights of InceptionV3 without the top: {error}. Wanted: a "
            f"file like {_WEIGHTS_URL}, or one saved by Keras as .weights.h5."
        ) from error
