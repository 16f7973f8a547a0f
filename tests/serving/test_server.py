"""A real server in a process of its own: odd connections, and the command line."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed")

# Without a network, so that it starts in a second or two.
SERVER = """
import sys
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from skpneumo.images import check_xrays
from skpneumo.serving import Limits, Settings, serve

class MeanGrey(ClassifierMixin, BaseEstimator):
    classes_ = np.array(["NORMAL", "PNEUMONIA"])
    def __sklearn_is_fitted__(self):
        return True
    def predict_proba(self, X):
        p = np.array([image.mean() / 255 for image in check_xrays(X)])
        return np.column_stack([1 - p, p])
    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]

limits = Limits(max_bytes=100_000, seconds=2.0, seconds_idle=0.6)
settings = Settings(port=int(sys.argv[1]), limits=limits)
serve(MeanGrey(), settings, on_start=lambda: print("started", flush=True))
"""
BOUNDARY = "frontier"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(command, port, **options):
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    try:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.output = process.communicate(timeout=30)[0]


@pytest.fixture(scope="module")
def server():
    port = free_port()
    with running([sys.executable, "-c", SERVER, str(port)], port) as process:
        yield port
    # Nothing of what was sent is in its log.
    for secret in ("Secret", "Traceback", "filename"):
        assert secret not in process.output, process.output


def form(content, name="Secret.png"):
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    )
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def head_of(length, *lines):
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    size = [f"Content-Length: {length}"] if length is not None else []
    lines = ["POST /predict HTTP/1.1", "Host: localhost", kind, *size, *lines]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def exchange(port, *parts, seconds=6):
    """Send parts with pauses between them; the status of the answer, or None if there is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        answer = b""
        try:
            for part in parts:
                if isinstance(part, float):
                    time.sleep(part)
                else:
                    connection.sendall(part)
            while chunk := connection.recv(65536):
                answer += chunk
                if b"}" in chunk:
                    break
        except OSError:
            pass
    found = re.match(rb"HTTP/1.1 (\d+)", answer)
    return int(found[1]) if found else None


def assert_goes_on(port, encode, image):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    connection.request("POST", "/predict", form(encode(image)), headers)
    response = connection.getresponse()
    assert response.status == 200
    found = json.loads(response.read())["predictions"][0]
    assert found["probability"] == pytest.approx(image.mean() / 255)
    connection.close()


def test_odd_requests_are_refused_and_the_page_goes_on(server, xrays, encode):
    body = form(encode(xrays.images[0]))
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    endless = b"186a1\r\n" + b"x" * 100_001
    cases = {
        "whole": (exchange(server, head_of(len(body)), body), (200,)),
        "in chunks": (
            exchange(server, head_of(None, "Transfer-Encoding: chunked"), chunked),
            (200,),
        ),
        "longer than it says": (exchange(server, head_of(len(body) - 9), body), (400,)),
        "shorter than it says": (exchange(server, head_of(len(body) + 9), body), (408,)),
        "nothing after the head": (exchange(server, head_of(900)), (408,)),
        "a huge length": (exchange(server, head_of(10**15), body), (408,)),
        "too much": (exchange(server, head_of(200_000), b"x" * 200_000), (413, None)),
        "too much in chunks": (
            exchange(server, head_of(None, "Transfer-Encoding: chunked"), endless),
            (413, None),
        ),
        "a negative length": (exchange(server, head_of(-4), body), (400,)),
        "two lengths": (exchange(server, head_of(4, "Content-Length: 9"), body), (400,)),
        "no HTTP": (exchange(server, b"\x16\x03\x01\x02\x00 hello\r\n\r\n"), (400, None)),
        "a long head": (exchange(server, b"GET /" + b"a" * 70_000), (400, None)),
        "no host": (exchange(server, b"GET / HTTP/1.1\r\n\r\n"), (400,)),
        "two hosts": (
            exchange(server, b"GET /model HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n"),
            (400, 403),
        ),
        "out of the folder": (
            exchange(server, b"GET /static/../_api.py HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            (404,),
        ),
    }
    for name, (status, wanted) in cases.items():
        assert status in wanted, name
    assert_goes_on(server, encode, xrays.images[0])


def test_slow_and_cut_connections_end(server, xrays, encode):
    body = form(encode(xrays.images[0]))
    start = time.monotonic()
    drops = [part for byte in body[:40] for part in (bytes([byte]), 0.1)]
    assert exchange(server, head_of(len(body)), *drops) in (408, None)
    assert time.monotonic() - start < 6
    for n_bytes in (0, 1, len(body) // 2):
        with socket.create_connection(("127.0.0.1", server)) as connection:
            connection.sendall(head_of(len(body)) + body[:n_bytes])
    assert_goes_on(server, encode, xrays.images[0])


def test_the_command_serves_the_page(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "skpneumo", "serve", "cnn", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with running(command, port, env=environment, cwd=tmp_path) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        assert b"not a medical device" in connection.getresponse().read()
        connection.close()
    assert f"http://127.0.0.1:{port}/" in process.output
    assert "Token" not in process.output
    assert "Traceback" not in process.output
    assert list(tmp_path.iterdir()) == []
