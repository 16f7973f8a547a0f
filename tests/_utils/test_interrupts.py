"""An interruption waits for native code, once."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from skpneumo._utils.interrupts import deferred_interrupts


@pytest.fixture(autouse=True)
def handler():
    """The handler of Python, also where the suite runs in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(n_times, reached, error=None):
    with deferred_interrupts():
        for number in range(n_times):
            signal.raise_signal(signal.SIGINT)
            reached.append(number)
        if error is not None:
            raise error


def test_an_interruption_waits():
    reached = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(1, reached)
    assert reached == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_does_not_wait():
    reached = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(2, reached)
    assert reached == [0]


def test_it_replaces_an_error_inside():
    with pytest.raises(KeyboardInterrupt):
        interrupt(1, [], TypeError())


def test_without_an_interruption_nothing_changes():
    with deferred_interrupts():
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_set_no_handler():
    def run():
        with deferred_interrupts():
            return signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run).result() is signal.default_int_handler
