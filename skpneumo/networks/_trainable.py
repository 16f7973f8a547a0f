"""What of a network is trained: its head alone, or its convolutional part too."""

from __future__ import annotations

from typing import Literal

import keras
from keras import layers

TRAINABLE = ("head", "upper", "blocks", "all")
_HEAD = ("dropout", "probability")
_LAST_FROZEN, _LAST_OF_STEM = "mixed7", "maximum_2"


def set_trainable(model: keras.Model, trainable: Literal["head", "upper", "blocks", "all"]) -> None:
    """Choose which layers of a network training may change.

    Parameters
    ----------
    model : keras.Model
        Of `build_cnn` or `build_inception`. Changed in place; compile it afterwards.
    trainable : {"head", "upper", "blocks", "all"}
        "head": the head alone; "all": everything. Of `build_inception` only: "upper", also the last
        three inception blocks, except their batch normalization, which keeps its pretrained
        statistics, as usual in fine-tuning; "blocks", all but the five convolutions before the
        first inception block, which take a third of the time of a step.

    Raises
    ------
    ValueError
        If the network is of another kind, or ``trainable`` is not for it.

    Examples
    --------
    >>> from skpneumo.networks import build_cnn, is_frozen, set_trainable
    >>> model = build_cnn((48, 40), filters=(2, 4))
    >>> set_trainable(model, "head")
    >>> is_frozen(model), len(model.trainable_variables)
    (True, 2)
    """
    if trainable not in TRAINABLE:
        raise ValueError(f"trainable must be one of {', '.join(TRAINABLE)}; got {trainable!r}.")
    _check_head(model)
    part = _convolutional_part(model)
    backbones = [layer for layer in part if isinstance(layer, keras.Model)]
    if trainable in ("upper", "blocks") and not backbones:
        raise ValueError(
            f"trainable={trainable!r} is for networks of build_inception, not for {model.name!r}. "
            "Wanted: 'head' or 'all'."
        )
    for layer in part:
        layer.trainable = trainable != "head"
    for backbone in backbones:
        _set_trainable_blocks(backbone, trainable)


def _set_trainable_blocks(backbone, trainable):
    names = [layer.name for layer in backbone.layers]
    first = {
        "head": len(names),
        "upper": names.index(_LAST_FROZEN) + 1,
        "blocks": names.index(_LAST_OF_STEM) + 1,
        "all": 0,
    }[trainable]
    for i, layer in enumerate(backbone.layers):
        keeps_statistics = trainable == "upper" and isinstance(layer, layers.BatchNormalization)
        layer.trainable = i >= first and not keeps_statistics


def _check_head(model):
    if not _has_head(model):
        raise ValueError(
            f"The network {model.name!r} has no head that could be trained alone. Wanted: one of "
            f"build_cnn or build_inception, which end in the layers {' and '.join(_HEAD)}."
        )


def _has_head(model):
    return tuple(layer.name for layer in model.layers[-len(_HEAD) :]) == _HEAD


def _convolutional_part(model):
    return [layer for layer in model.layers if layer.name not in _HEAD]


def is_frozen(model: keras.Model) -> bool:
    """Whether training leaves the convolutional part of a network as it is."""
    return _has_head(model) and not any(
        layer.trainable_variables for layer in _convolutional_part(model)
    )


def split_head(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Split a network of `build_cnn` or `build_inception` at its features.

    Both parts hold its layers.

    Parameters
    ----------
    model : keras.Model
        A network that was not split before.

    Returns
    -------
    backbone : keras.Model
        From images to features, not trainable.
    head : keras.Model
        From features to the probability of pneumonia.
    """
    dropout, probability = model.get_layer("dropout"), model.get_layer("probability")
    backbone = keras.Model(model.inputs[0], dropout.input, name="frozen_part")
    features = keras.Input(dropout.input.shape[1:], dtype="float32", name="features")
    return backbone, keras.Model(features, probability(dropout(features)), name="head")
