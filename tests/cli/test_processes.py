"""The command line in processes of its own: pipes, full disks, closed streams, interruptions."""

import os
import pty
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "skpneumo"]
FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def xrays(make_collection, tmp_path_factory):
    """A folder of eight small X-rays, without splits."""
    root = tmp_path_factory.mktemp("collection") / "xrays"
    return make_collection(root, {"": 8})


def run(*arguments, **options):
    environment = {**os.environ, **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run([*COMMAND, *arguments], env=environment, **options)


def test_a_closed_pipe_is_no_error_and_loses_nothing(xrays, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    report = tmp_path / "audit.json"
    done = run("audit", xrays, "--report", report, stdout=writer)
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr.decode() == f"Wrote {report}.\n"
    assert report.stat().st_size > 100


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_an_error_in_plain_words(xrays, tmp_path):
    report = tmp_path / "audit.json"
    with FULL.open("w") as full:
        done = run("audit", xrays, "--report", report, stdout=full)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("Error: Results cannot be printed: No space is left")
    assert done.stderr.decode().endswith(f"Wrote {report}.\n")
    done = run("audit", xrays, "--report", FULL.with_name("full.json"))
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(xrays, tmp_path, closed):
    """A file must not take the number of one, and what is printed end in it."""
    shell = f'exec "$@" {closed}'
    outputs = []
    for command in (["sh", "-c", shell, "sh", *COMMAND], COMMAND):
        report = tmp_path / "audit.txt"
        done = subprocess.run(
            [*command, "audit", xrays, "--report", report],
            capture_output=True,
        )
        assert done.returncode == 0
        outputs.append(report.read_text(encoding="utf-8"))
    assert outputs[0] == outputs[1]


def test_streams_that_encode_ascii_only(xrays, tmp_path):
    named = tmp_path / "k\xf6nig"
    named.symlink_to(xrays)
    done = run("audit", named, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert b"8 X-rays" in done.stdout
    done = run("audit", tmp_path / "k\xf6nigin", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert rb"k\xf6nigin" in done.stderr


def test_an_interruption_is_reported_and_leaves_nothing_behind(tmp_path):
    ours, theirs = pty.openpty()
    options = (
        "--image-size",
        "40x36",
        "--folds",
        "2",
        "--output",
        "a.json",
        "--save",
        "a.skpneumo",
    )
    with subprocess.Popen(
        [*COMMAND, "train", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
        # Where the suite runs in the background of a shell, it ignores this signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        os.close(theirs)
        seen, interrupted = b"", False
        try:
            while chunk := os.read(ours, 4096):
                seen += chunk
                if b"Cross-validation" in seen and not interrupted:
                    process.send_signal(signal.SIGINT)
                    interrupted = True
        except OSError:  # closed by the other side, as terminals are
            pass
        printed = process.stdout.read()
    os.close(ours)
    assert process.returncode == 130, seen.decode()
    text = " ".join(seen.decode().split())
    assert "Training has not finished: nothing was written." in text
    assert "Traceback" not in text
    assert printed == b""
    assert not os.listdir(tmp_path)


@pytest.fixture(scope="module")
def offline(collection, tmp_path_factory):
    """The installed command, where the weights of Inception are not and cannot be downloaded."""
    script = Path(sysconfig.get_path("scripts"), "skpneumo")
    kept = {name for name in os.environ if name[:3] != "TF_" and name != "FORCE_COLOR"}
    environment = {name: os.environ[name] for name in kept} | {
        "KERAS_HOME": str(tmp_path_factory.mktemp("keras")),
        "https_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [script, "train", collection, "--model", "inception", "--image-size", "75x80", "--json"],
        capture_output=True,
        text=True,
        env=environment,
    )


def test_offline_the_error_names_the_file_to_fetch(offline):
    assert offline.returncode == 1
    assert "Error: The ImageNet weights of InceptionV3 could not be downloaded" in offline.stderr
    assert "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5" in offline.stderr
    assert "Traceback" not in offline.stderr


def test_only_results_are_on_standard_output(offline):
    assert offline.stdout == ""


def test_tensorflow_is_silent(offline):
    assert not re.search(r"absl|oneDNN|cuda|tf\.function", offline.stderr)
