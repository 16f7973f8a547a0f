"""TensorFlow starts and traces without noise, and is not used after a fork."""

import logging
import os
import subprocess
import sys
import threading
from textwrap import dedent

import keras
import pytest

from skpneumo._utils.fork import check_process
from skpneumo.networks import _backend, quiet_start_up, quiet_tracing

ON_TENSORFLOW = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="about TensorFlow's own noise and threads"
)
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
DROPPED = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795883317.055647    8125 port.cc:153] oneDNN custom operations are on.",
    "E0000 00:00:1795883324.368581    8125 cuda_platform.cc:52] failed call to cuInit: INTERNAL",
    "2026-01-02 03:04:05.678901: I tensorflow/core/util/port.cc:153] oneDNN custom operations",
    "2026-01-02 03:04:05.678901: E external/xla/cuda_dnn.cc:9261] Unable to register cuDNN "
    "factory: one has already been registered",
]
PASSED_ON = [
    "W0000 00:00:1795883324.368581    8125 gpu_device.cc:2341] Cannot dlopen some GPU libraries.",
    "I am a line of the user",
    "2 GPUs: failed call to cuInit by me",
    "this name is already registered",
    "F0000 00:00:1795883324.368581    8125 cpu_guard.cc:10] compiled to use AVX instructions",
]
RETRACING = "5 out of the last 5 calls to %s triggered tf.function retracing."


def run(code, **environment):
    """Standard output and error of Python code in a process of its own."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0", **environment}
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@ON_TENSORFLOW
def test_a_session_shows_the_user_s_own_messages_alone():
    _, err = run(
        """
        import logging, os, sys
        sys.stderr.write("before\\n")
        from sklearn.model_selection import GridSearchCV
        from skpneumo import CNNPneumoniaClassifier
        from skpneumo.datasets import make_xrays
        xrays = make_xrays(30, image_size=(36, 32), random_state=0)
        clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
        grid = {"learning_rate": [1e-2, 1e-3, 1e-4]}
        GridSearchCV(clf, grid, cv=2, scoring="roc_auc").fit(xrays.images, xrays.target)
        logging.getLogger("tensorflow").warning("5 calls triggered retracing of mine")
        """
    )
    first, second = err.splitlines()
    assert first == "before"
    assert "5 calls triggered retracing of mine" in second


def test_what_others_write_while_it_starts_is_passed_on(capfd):
    with quiet_start_up():
        for line in (*DROPPED, *PASSED_ON):
            os.write(2, line.encode() + b"\n")
    assert capfd.readouterr().err.splitlines() == PASSED_ON


def test_what_was_written_before_an_error_is_passed_on(capfd):
    def fail():
        os.write(2, b"the reason\n")
        raise ImportError

    with pytest.raises(ImportError), quiet_start_up():
        fail()
    assert capfd.readouterr().err == "the reason\n"


def test_retracing_is_quiet_in_this_thread_alone(caplog):
    logger = logging.getLogger("tensorflow")
    with caplog.at_level("WARNING", logger="tensorflow"), quiet_tracing():
        logger.warning(RETRACING, "ours")
        logger.warning("another warning")
        other = threading.Thread(target=logger.warning, args=(RETRACING, "theirs"))
        other.start()
        other.join()
    logger.warning(RETRACING, "after")
    assert [record.args or record.msg for record in caplog.records] == [
        "another warning",
        ("theirs",),
        ("after",),
    ]
    assert not any(isinstance(f, _backend._NoRetracing) for f in logger.filters)


@FORKS
@ON_TENSORFLOW
def test_a_fork_after_tensorflow_ran_is_refused():
    out, _ = run(
        """
        import multiprocessing, pickle, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from skpneumo import CNNPneumoniaClassifier, load_pretrained
        from skpneumo.datasets import make_xrays
        from skpneumo.inspection import GradCAM

        xrays = make_xrays(30, image_size=(36, 32), random_state=0)
        clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
        clf.fit(xrays.images, xrays.target)
        packed = pickle.dumps(clf)

        def work(queue):
            for name, task in {
                "fit": lambda: clf.fit(xrays.images, xrays.target, sample_weight=[2.0] * 30),
                "predict": lambda: clf.predict(xrays.images[:7]),
                "partial_fit": lambda: clf.partial_fit(xrays.images, xrays.target),
                "load": load_pretrained,
                "unpickle": lambda: pickle.loads(packed),
                "model_": lambda: clf.model_,
                "heatmap": lambda: GradCAM(clf).transform(xrays.images[:1]),
                "initialize": lambda: clf.initialize(xrays.images, xrays.target),
            }.items():
                try:
                    queue.put((name, str(task())))
                except RuntimeError as error:
                    queue.put((name, f"refused: {error}"))

        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        process = context.Process(target=work, args=(queue,), daemon=True)
        process.start()
        for _ in range(8):
            print(*queue.get(timeout=60))
        """,
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    lines = out.splitlines()
    assert len(lines) == 8
    for line in lines:
        assert "refused: This process" in line
        assert "was forked from one in which TensorFlow had already run" in line
        assert "'spawn'" in line


@FORKS
@ON_TENSORFLOW
def test_a_fork_after_the_user_s_own_tensorflow_is_refused():
    out, _ = run(
        """
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import skpneumo
        import tensorflow as tf
        tf.linalg.matmul([[1.0]], [[2.0]])
        if os.fork() == 0:
            try:
                skpneumo.load_pretrained("cnn")
            except RuntimeError as error:
                print(str(error)[:12], flush=True)
            os._exit(0)
        os.wait()
        """,
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    assert out.strip() == "This process"


@FORKS
def test_a_fork_before_anything_ran_is_fine():
    out, _ = run(
        """
        import multiprocessing, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from skpneumo import load_pretrained
        from skpneumo.datasets import make_xrays

        def work(queue):
            model = load_pretrained("cnn")
            queue.put(model.predict(make_xrays(3, image_size=(40, 36), random_state=0).images))

        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        process = context.Process(target=work, args=(queue,), daemon=True)
        process.start()
        print(len(queue.get(timeout=60)))
        """
    )
    assert out.strip() == "3"


def test_a_process_that_was_not_forked_is_used():
    check_process()
