"""Requests per second, waiting times and memory of the reading page under load.

A server in a process of its own, and clients that send files without a pause: X-rays of 224 pixels
and large ones in turn. The answers are compared with those of the library, to the bit.
"""

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

BOUNDARY = "frontier"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def write_files(folder, sizes, n):
    """Synthetic X-rays of some sizes as JPEG files."""
    from PIL import Image

    from skpneumo.datasets import make_xrays

    images = make_xrays(n, image_size=(160, 184), random_state=0).images
    paths = []
    for row, image in enumerate(images):
        for columns, rows in sizes:
            path = Path(folder, f"{row}-{columns}.jpeg")
            Image.fromarray(image).resize((columns, rows)).save(path, quality=90)
            paths.append(path)
    return paths


def send(port, content):
    """Predict one file; its answer."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.jpeg"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/predict?label_outliers=true", body, HEADERS)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"status {response.status}: {text[:200]!r}")
    return json.loads(text)["predictions"][0]["probability"]


class Load:
    """Clients that send files without a pause."""

    def __init__(self, port, contents, wanted):
        self.port, self.contents, self.wanted = port, contents, wanted
        self.seconds, self.errors = [], []

    def run(self, n_clients, seconds):
        """Send for some seconds."""
        self.end = time.monotonic() + seconds
        threads = [threading.Thread(target=self._client, args=(i,)) for i in range(n_clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _client(self, number):
        while time.monotonic() < self.end:
            file, start = number % len(self.contents), time.perf_counter()
            try:
                if send(self.port, self.contents[file]) != self.wanted[file]:
                    self.errors.append("another answer than the library's")
            except Exception as error:
                self.errors.append(repr(error))
            self.seconds.append(time.perf_counter() - start)
            number += 1


def start_server(model, port):
    """The command of the library, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skpneumo", "serve", model, "--port", str(port)],
        stdout=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if json.loads(connection.getresponse().read())["status"] == "ready":
                return process
        except OSError:
            pass
        time.sleep(0.5)
    process.kill()
    raise TimeoutError("The server did not start.")


def main():
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default", choices=("default", "cnn", "inception"))
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    os.environ["SKPNEUMO_CACHE"] = "off"
    from skpneumo import load_pretrained

    model = load_pretrained({"default": "mean"}.get(options.model, options.model))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(folder, [(224, 224), (1800, 1500)], 8)
        wanted = [float(model.predict_proba([str(path)])[0, 1]) for path in paths]
        server = start_server(options.model, port)
        try:
            memory = psutil.Process(server.pid).memory_info
            contents = [path.read_bytes() for path in paths]
            load = Load(port, contents, wanted)
            load.run(options.clients, min(30, options.seconds / 4))  # fills pools and caches
            load.seconds.clear()
            before, start = memory().rss, time.monotonic()
            load.run(options.clients, options.seconds)
            elapsed, after = time.monotonic() - start, memory().rss
        finally:
            server.terminate()
            server.wait(30)
    median, tail = np.percentile(load.seconds, [50, 99])
    print(f"model {options.model}, {options.clients} clients, {elapsed:.0f} s")
    print(f"requests              {len(load.seconds):8,}")
    print(f"errors                {len(load.errors):8,}  {load.errors[:1]}")
    print(f"requests per second   {len(load.seconds) / elapsed:8.1f}")
    print(f"median                {1000 * median:8.0f} ms")
    print(f"99th percentile       {1000 * tail:8.0f} ms")
    print(f"memory at the start   {before / 2**20:8.0f} MiB")
    print(f"memory at the end     {after / 2**20:8.0f} MiB ({after / before - 1:+.1%})")


if __name__ == "__main__":
    main()
