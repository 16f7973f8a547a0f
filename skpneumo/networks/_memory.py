"""Releasing the memory of networks that are no longer used."""

import gc
from itertools import count

import keras

_EVERY = 8
_calls = count(1)


def release_memory():
    """Release memory, at every eighth call: it takes about a quarter of a second.

    Keras's networks are cycles of references, which Python collects late, and TensorFlow keeps the
    kernels of every traced function for as long as the process: some MB for each training.
    """
    if next(_calls) % _EVERY:
        return
    gc.collect()
    if keras.backend.backend() == "tensorflow":
        # As `keras.utils.clear_session` does, which would also undo settings of the user's.
        from tensorflow.python.eager import context

        context.context().clear_kernel_cache()
