"""How many threads a process computes with."""

import os

import joblib
import keras
import pytest

from skpneumo._utils.threads import count_threads, get_thread_limit


@pytest.mark.parametrize(
    ("value", "limit"), [("3", 3), ("4,2", 4), (" 2 ", 2), ("", None), ("0", None), ("all", None)]
)
def test_the_limit_of_the_environment(value, limit, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert get_thread_limit() == limit
    assert count_threads() == (limit or joblib.cpu_count())


def test_without_a_limit(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert get_thread_limit() is None
    assert count_threads() == joblib.cpu_count()


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow" or "TF_NUM_INTRAOP_THREADS" in os.environ,
    reason="about the threads of TensorFlow, unless they are set otherwise",
)
def test_tensorflow_keeps_the_limit():
    import tensorflow as tf

    import skpneumo.networks  # noqa: F401

    # The suite sets it for all tests.
    limit = get_thread_limit()
    assert limit is not None
    assert tf.config.threading.get_intra_op_parallelism_threads() == limit
    assert tf.config.threading.get_inter_op_parallelism_threads() == limit
