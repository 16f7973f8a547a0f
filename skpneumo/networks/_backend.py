"""The backend of Keras, loaded and traced without noise."""

import logging
import os
import re
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress

from skpneumo._utils.threads import get_thread_limit

# How TensorFlow begins a line: a letter and a date, or a date and a letter.
_LOGGED = rb"(%(kind)b\d{4} \d\d:\d\d:\d+\.\d+ |\d{4}-\d\d-\d\d [\d:.]+: %(kind)b )"
# What it writes while it loads and looks for devices, and converts to TFLite: information, errors
# that only mean that there is no GPU, or that a plugin was registered twice, and warnings about
# options that it sets itself.
_START_UP = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|INFO: Created TensorFlow Lite "
    rb"|To enable the following instructions: .* rebuild TensorFlow"
    rb"|"
    + _LOGGED % {b"kind": b"I"}
    + rb"|"
    + _LOGGED % {b"kind": b"[WE]"}
    + rb".*(failed call to cuInit|already registered|already been registered"
    + rb"|Ignored (output_format|drop_control_dependency))"
)


@contextmanager
def quiet_start_up():
    """Drop what TensorFlow logs while it starts; pass on all else that is written meanwhile.

    Its C++ part writes to the file descriptor of standard error. The environment variable that
    silences it would silence it for the user too, until the process ends.
    """
    with ExitStack() as stack:
        try:
            written = stack.enter_context(tempfile.TemporaryFile())
            stderr = os.dup(2)
        except OSError:  # nowhere to write to, or no standard error
            yield
            return
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
    # Whatever stands in its place may have no such method, or may be closed.
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()


class _NoRetracing(logging.Filter):
    """Drop TensorFlow's advice on retracing if it is about this thread's own work."""

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


@contextmanager
def float32_policy():
    """Let Keras's default dtype policy be float32, in this thread.

    A model has a policy of its own, the default one, when it is built and when it is loaded: with
    "mixed_float16" its optimizer is wrapped in another.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _limit_threads():
    """Let TensorFlow compute with as many threads as ``OMP_NUM_THREADS`` says, which it ignores.

    Otherwise each worker of a machine would start as many as there are cores.
    """
    limit, threading_config = get_thread_limit(), tf.config.threading
    is_set = threading_config.get_intra_op_parallelism_threads() or os.environ.get(
        "TF_NUM_INTRAOP_THREADS"
    )
    if limit is None or is_set:
        return
    with suppress(RuntimeError):  # TensorFlow has computed before skpneumo was imported
        threading_config.set_intra_op_parallelism_threads(limit)
        threading_config.set_inter_op_parallelism_threads(limit)


with quiet_start_up():
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Looks for a GPU, as the first computation would, but initialises no device.
        tf.config.list_physical_devices()
        _limit_threads()
