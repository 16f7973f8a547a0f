"""Telling whoever listens how far the trainings are."""

import contextvars
from contextlib import contextmanager

import keras

_LISTENER = contextvars.ContextVar("epoch_listener", default=None)


@contextmanager
def epochs_reported_to(listener):
    """Call ``listener()`` after each epoch of every fit inside this context, in this thread."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


class ReportEpochs(keras.callbacks.Callback):
    """Keras callback that calls the listener of the context it runs in."""

    def on_epoch_end(self, epoch, logs=None):
        """Keras's hook, after validation."""
        listener = _LISTENER.get()
        if listener is not None:
            listener()
