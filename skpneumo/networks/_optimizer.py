"""The optimizer of all trainings."""

import keras


@keras.saving.register_keras_serializable("skpneumo")
class LeakFreeAdam(keras.optimizers.Adam):
    """Adam of which nothing stays behind.

    With TensorFlow, Keras adds the gradients of all devices up even if there is one, in a way that
    keeps the whole traced network alive for as long as the process: some 10 MB for each training.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        if self._distribution_strategy.num_replicas_in_sync > 1:
            return super()._all_reduce_sum_gradients(grads_and_vars)
        return grads_and_vars


# As of `HistogramEqualization`: the public module, which Keras's error shows.
LeakFreeAdam.__module__ = "skpneumo.networks"
