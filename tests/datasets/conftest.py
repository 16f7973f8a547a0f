"""A server on this machine, to download from."""

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from skpneumo.datasets._registry import RemoteFile


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        server.agents.append(self.headers.get("User-Agent"))
        act, *more = server.script.pop(0) if server.script else ("serve",)
        getattr(self, act)(*more)

    def send(self, body, length=None, start=None):
        total = len(self.server.content)
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Length", len(body) if length is None else length)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body)

    def first_byte(self):
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else None

    def serve(self, n=None):
        """Send the requested range, or its first ``n`` bytes only."""
        start = self.first_byte()
        if start is not None and start >= len(self.server.content):
            return self.status(416)
        body = self.server.content[start:]
        self.send(body[:n], len(body), start)

    def stall(self, n):
        """Send ``n`` bytes and then nothing, until the test ends."""
        self.serve(n)
        self.wfile.flush()
        self.server.stalled.set()
        self.server.ended.wait(20)

    def slowly(self):
        self.server.ended.wait(0.5)
        self.serve()

    def ignore_range(self):
        self.send(self.server.content)

    def misplace(self):
        """Answer a range with another one."""
        self.send(b"x", start=self.first_byte() + 7)

    def other(self, body):
        self.send(body)

    def status(self, code, retry_after=None):
        self.send_response(code)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", 0)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """Server of ``content``; each request takes one entry of ``script``, later ones succeed."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.content = np.random.default_rng(0).bytes(300_001)
    server.script, server.ranges, server.agents = [], [], []
    server.stalled, server.ended = threading.Event(), threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/"

    def remote(name="data.bin", n_images=0, content=None):
        """Describe a file on the server; ``content`` becomes what it holds."""
        if content is not None:
            server.content = content
        return RemoteFile(
            name=name,
            url=f"{server.url}{name}",
            checksum=f"sha256:{hashlib.sha256(server.content).hexdigest()}",
            max_bytes=len(server.content),
            n_images=n_images,
        )

    server.remote = remote
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()
