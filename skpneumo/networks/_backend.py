"""The backend of Keras: loaded and traced without noise, and refused where it would hang."""

import logging
import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager

# What TensorFlow writes to standard error while it loads and looks for devices: information, and
# errors that only mean that there is no GPU, or that a plugin was registered twice.
_START_UP = re.compile(
    rb"(WARNING: All log messages before absl::InitializeLog|To enable the following instructions:"
    rb"|(\d{4}-\d\d-\d\d [\d:.]+: )?I(\d{4} [\d:.]+| )"
    rb"|.*(cuInit|already registered|already been registered))"
)


@contextmanager
def quiet_start_up():
    """Drop what TensorFlow logs while it starts; pass on all else that is written meanwhile.

    Its C++ part writes to the file descriptor of standard error. The environment variable that
    silences it would silence it for the user too, for as long as the process.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as written:
        _flush_stderr()
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            _flush_stderr()
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            rest = b"".join(line for line in written if not _START_UP.match(line))
            if rest:
                os.write(2, rest)


def _flush_stderr():
    if sys.stderr is not None:
        sys.stderr.flush()


class _NoRetracing(logging.Filter):
    """Drop TensorFlow's advice on retracing where it is about a thread's own work."""

    def __init__(self):
        super().__init__()
        self.thread = threading.get_ident()

    def filter(self, record):
        return record.thread != self.thread or "retracing" not in str(record.msg)


@contextmanager
def quiet_tracing():
    """Drop TensorFlow's warnings of retracing in this thread.

    Each network is traced once, as it must be; TensorFlow counts the traces of all networks
    together.
    """
    logger, no_retracing = logging.getLogger("tensorflow"), _NoRetracing()
    logger.addFilter(no_retracing)
    try:
        yield
    finally:
        logger.removeFilter(no_retracing)


# A list, so that it is written to rather than rebound.
_FORKED = []


def _note_fork():
    context = sys.modules.get("tensorflow.python.eager.context")
    # Without a context TensorFlow has started no threads, and works in the new process.
    if context is not None and context.context()._initialized:
        _FORKED.append(os.getpid())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def check_process():
    """Refuse to compute in a process that was forked after TensorFlow ran, where it would hang.

    Raises
    ------
    RuntimeError
        In such a process.
    """
    if _FORKED:
        raise RuntimeError(
            f"This process ({os.getpid()}) was forked from one in which TensorFlow had already "
            "run. TensorFlow's threads do not survive a fork, so the network would wait for them "
            "forever. Start processes with multiprocessing.get_context('spawn') or joblib's "
            "default 'loky', or import skpneumo and load the model after the fork (with gunicorn, "
            "without --preload)."
        )


with quiet_start_up():
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Looks for a GPU, as the first computation would, but initialises no device.
        tf.config.list_physical_devices()
