"""Interruptions that wait until native code has returned."""

import signal
import threading
from contextlib import contextmanager


@contextmanager
def deferred_interrupts():
    """Let an interruption from the keyboard wait until the code inside has returned.

    TensorFlow reports an interruption of the tracing of a network as another error, a TypeError, or
    crashes. A second interruption does not wait.
    """
    handler = signal.getsignal(signal.SIGINT)
    # Only the main thread is interrupted; a process in the background may ignore the signal.
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    received = []

    def note(*arguments):
        received.append(arguments)
        signal.signal(signal.SIGINT, handler)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[0])
