"""A certification played through the reading page, whose server is killed again and again.

The X-rays of the folder of the other hospital are read by a script that knows their labels. The
threshold and the number of images read are compared with those of the library alone.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import numpy as np

from skpneumo._utils.filenames import parse_filename


class Server:
    """The command of the library, which can be killed and started again."""

    def __init__(self, model, folder):
        self.model, self.folder, self.process = model, folder, None
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]

    def start(self):
        """Start, and wait until it answers."""
        options = ["--port", str(self.port), "--folder", str(self.folder)]
        command = [sys.executable, "-m", "skpneumo", "serve", self.model, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while True:
            try:
                return self.ask("GET", "/health")
            except OSError:
                time.sleep(0.3)

    def kill(self):
        """Kill it, whatever it does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, value=None):
        """Send a request; its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            body = None if value is None else json.dumps(value)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            found = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"status {response.status}: {found}")
        return found


def find_label(file):
    """Label of a file by its name."""
    return "positive" if parse_filename(file).subtype else "negative"


def by_the_library(model, folder, min_recall):
    """The certifier of the library with the same labels."""
    from sklearn.frozen import FrozenEstimator

    from skpneumo import load_pretrained
    from skpneumo.prediction import identify_patients
    from skpneumo.serving._folder import find_pool
    from skpneumo.sites import RecallCertifier

    files = find_pool(folder)
    estimator = FrozenEstimator(load_pretrained({"default": "mean"}.get(model, model)))
    certifier = RecallCertifier(estimator, min_recall=min_recall, random_state=0)
    certifier.fit(files, groups=identify_patients(files))
    words = dict(zip(("negative", "positive"), certifier.classes_.tolist(), strict=True))
    while not certifier.finished_:
        rows = certifier.next_images(1)
        certifier.record(rows, [words[find_label(files[row])] for row in rows.tolist()])
    return files, certifier


def play(server, files, min_recall, kills):
    """Read until the list is finished; the last state, and readings that were lost."""
    server.start()
    server.ask("POST", "/reading-list", {"min_recall": min_recall})
    reader = urllib.parse.quote("AB")
    n_acknowledged, n_lost = 0, 0
    while True:
        state = server.ask("GET", f"/reading-list?reader={reader}")
        n_lost += max(0, n_acknowledged - state["n_read_by_me"])
        if state["result"] is not None:
            return state, n_lost
        n_acknowledged = state["n_read_by_me"]
        while state["row"] is not None:
            reading = {
                "reader": "AB",
                "row": state["row"],
                "label": find_label(files[state["row"]]),
            }
            if kills and n_acknowledged >= kills[0]:
                # While the reading is under way: before, in the middle, or after it.
                kills.pop(0)
                subprocess.Popen(
                    [sys.executable, "-c", KILLER, str(server.process.pid), str(random.random())]
                )
                try:
                    server.ask("POST", "/reading-list/readings", reading)
                    n_acknowledged += 1
                except (OSError, http.client.HTTPException):
                    pass
                server.process.wait()
                server.start()
                break
            state = server.ask("POST", "/reading-list/readings", reading)
            n_acknowledged += 1


KILLER = """
import os, signal, sys, time
time.sleep(0.05 * float(sys.argv[2]))
os.kill(int(sys.argv[1]), signal.SIGKILL)
"""


def main():
    """Print what was read, and what was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="cnn", choices=("default", "cnn", "inception"))
    parser.add_argument("--min-recall", type=float, default=0.95)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    os.environ["SKPNEUMO_CACHE"] = "off"
    source = Path(os.environ["SKPNEUMO_TEST_DATA"], "new_site")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "site")
        shutil.copytree(source, folder)
        files, wanted = by_the_library(options.model, folder, options.min_recall)
        rng = np.random.default_rng(0)
        kills = sorted(rng.integers(1, wanted.n_labelled_, options.kills).tolist())
        server = Server(options.model, folder)
        try:
            state, n_lost = play(server, files, options.min_recall, kills)
        finally:
            server.kill()
        kept = sorted(path.name for path in folder.glob("skpneumo*"))
    result = state["result"]
    print(
        f"model {options.model}, recall of {options.min_recall:g} certified on {len(files)} images"
    )
    print(
        f"images read        {result['n_labelled']} by the page, "
        f"{wanted.n_labelled_} by the library"
    )
    print(f"threshold          {result['threshold']!r}, {float(wanted.threshold_)!r}")
    print(f"specificity        {result['specificity']:.3f} {result['specificity_interval']}")
    print(f"killed             {options.kills} times, {n_lost} acknowledged readings lost")
    print(f"files written      {', '.join(kept)}")
    if result["threshold"] != float(wanted.threshold_) or n_lost:
        sys.exit("The page and the library differ.")


if __name__ == "__main__":
    main()
