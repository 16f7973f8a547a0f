"""Batch normalization that trains in one pass over memory."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from skpneumo.networks._precision import computes_on_cpu


@keras.saving.register_keras_serializable("skpneumo")
class BatchNormalization(layers.BatchNormalization):
    """Batch normalization over the last axis, faster in training with TensorFlow on a CPU.

    Keras computes it by some twenty operations on float32, forwards and backwards, which take
    longer than the convolutions of a small network in bfloat16. TensorFlow has one operation for
    it, in float32 inside, which Keras 3 does not use. Results are equal up to rounding. Predictions
    are computed by Keras, as are trainings with other backends and on other devices.

    It has the name of Keras's layer, by which files of weights name their groups: those of either
    can be loaded into the other.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: None = None) -> Any:
        """Normalize images or feature maps.

        Parameters
        ----------
        inputs : tensor of shape (n, ..., n_channels)
            Images or feature maps.
        training : bool, default=None
            Whether to normalize by the statistics of ``inputs``, rather than by the running ones.
        mask : None
            Not supported.

        Returns
        -------
        tensor of shape (n, ..., n_channels)
            In the layer's compute dtype.
        """
        is_fused = keras.backend.backend() == "tensorflow" and computes_on_cpu()
        # The operation knows maps with channels last alone.
        is_fused = is_fused and len(inputs.shape) == 4 and self.axis in (-1, 3)
        if not (training and self.trainable and is_fused):
            return super().call(inputs, training=training)
        import tensorflow as tf

        n_channels = inputs.shape[-1]
        none = tf.constant([], tf.float32)
        fused = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma if self.scale else tf.ones(n_channels),
            offset=self.beta if self.center else tf.zeros(n_channels),
            mean=none,
            variance=none,
            epsilon=self.epsilon,
            is_training=True,
        )
        n = tf.cast(tf.size(inputs) // n_channels, tf.float32)
        # The operation divides by n - 1, Keras by n.
        variance = fused.batch_variance * ((n - 1) / n)
        for moving, value in (
            (self.moving_mean, fused.batch_mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        return fused.y


# As of `HistogramEqualization`: the public module, which Keras's error shows.
BatchNormalization.__module__ = "skpneumo.networks"
