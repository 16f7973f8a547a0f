"""Histogram equalization, so that the exposure of an image does not matter."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

_LEVELS = 256


@keras.saving.register_keras_serializable("skpneumo")
class HistogramEqualization(layers.Layer):
    """Replace each grey level of an image by the proportion of its pixels that are not brighter.

    The result does not depend on brightness, contrast or gamma of the image, as long as no levels
    are lost: it is invariant to every increasing change of grey [1]_. The darkest level becomes -1,
    the brightest 1; an image of a single level becomes -1.

    References
    ----------
    .. [1] Gonzalez & Woods, "Digital Image Processing", 4th edition (2018), section 3.3.
    """

    def compute_output_spec(self, images: Any) -> Any:
        """Shape and type of the result, without a call on an unknown number of images."""
        return keras.KerasTensor(images.shape, self.compute_dtype)

    def call(self, images: Any) -> Any:
        """Equalize the histogram of each image.

        Parameters
        ----------
        images : tensor of shape (n, rows, columns, 1), dtype uint8
            Each is equalized alone.

        Returns
        -------
        tensor of shape (n, rows, columns, 1)
            From -1 to 1, in the layer's compute dtype.
        """
        _, rows, columns, _ = images.shape
        n = ops.shape(images)[0]
        levels = ops.reshape(ops.cast(images, "int32"), (-1, rows * columns))
        # Not `ops.bincount`: with JAX it cannot be compiled.
        places = ops.reshape(levels + _LEVELS * ops.arange(n, dtype="int32")[:, None], (-1,))
        counts = ops.segment_sum(ops.ones_like(places, "float32"), places, n * _LEVELS)
        not_brighter = ops.cumsum(ops.reshape(counts, (-1, _LEVELS)), axis=1)
        # The darkest level that occurs is the first one with a positive sum.
        darkest = ops.min(
            ops.where(not_brighter > 0, not_brighter, rows * columns), axis=1, keepdims=True
        )
        # An image of one grey level has a span of 0.
        span = ops.maximum(rows * columns - darkest, 1)
        table = 2 * ops.maximum(not_brighter - darkest, 0) / span - 1
        equalized = _look_up(ops.cast(table, self.compute_dtype), levels)
        return ops.reshape(equalized, (-1, rows, columns, 1))


def _look_up(tables, levels):
    """Value of each level in the table of its row."""
    if keras.backend.backend() != "tensorflow":
        return ops.take_along_axis(tables, levels, axis=1)
    import tensorflow as tf

    # Keras would allow for negative numbers, in four passes over all pixels as int64.
    return tf.gather(tables, levels, batch_dims=1)


# A saved network holds this name, and Keras's error shows it if the layer is not registered: the
# module to import is the public one.
HistogramEqualization.__module__ = "skpneumo.networks"
