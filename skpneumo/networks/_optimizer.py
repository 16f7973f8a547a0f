"""The optimizer of all trainings."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("skpneumo")
class LeakFreeAdam(keras.optimizers.Adam):
    """Adam that releases what it trained, with a learning rate of float32.

    With TensorFlow, Keras sums the gradients over all devices even if there is only one, in a way
    that keeps the whole traced network alive for as long as the process: some 10 MB for each
    training. And it keeps a constant learning rate in its global floatx, which may be float16.
    """

    def __init__(self, learning_rate: Any = 0.001, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        if isinstance(self._learning_rate, keras.Variable):
            self._untrack_variable(self._learning_rate)
            self._learning_rate = keras.Variable(
                learning_rate, name="learning_rate", dtype="float32", trainable=False
            )

    def _all_reduce_sum_gradients(self, grads_and_vars):
        if self._distribution_strategy.num_replicas_in_sync > 1:
            return super()._all_reduce_sum_gradients(grads_and_vars)
        return grads_and_vars


# As of `HistogramEqualization`: the public module, which Keras's error shows.
LeakFreeAdam.__module__ = "skpneumo.networks"
