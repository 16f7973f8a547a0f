"""Processes that were forked after TensorFlow ran, in which it would hang."""

import os
import sys

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
    """Refuse to compute in a process that was forked after TensorFlow ran, since it would hang.

    Raises
    ------
    RuntimeError
        In such a process, if TensorFlow is the backend of Keras.
    """
    keras = sys.modules.get("keras")
    if _FORKED and (keras is None or keras.backend.backend() == "tensorflow"):
        raise RuntimeError(
            f"This process ({os.getpid()}) was forked from one in which TensorFlow had already "
            "run. TensorFlow's threads do not survive a fork, so the network would wait for them "
            "forever. Start processes with multiprocessing.get_context('spawn') or joblib's "
            "default 'loky', or fork before anything is computed with TensorFlow and load the "
            "model in each process (with gunicorn, without --preload)."
        )
