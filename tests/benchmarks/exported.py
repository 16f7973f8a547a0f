"""Exported files of the packaged networks beside ``predict_proba``: difference, size and time.

Each call is given other images, so that no result is found in a cache.
"""

import os
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
from _measure import report, seconds
from ai_edge_litert.interpreter import Interpreter

from skpneumo import load_pretrained
from skpneumo.images import read_xray
from skpneumo.persistence import export_onnx, export_tflite

SIZES = {"cnn": (96, 96), "inception": (150, 150), "mean": (224, 224)}
N_CALLS = {1: 30, 32: 8}
N_FILES = 60


def load_onnx(path):
    options = onnxruntime.SessionOptions()
    # Threads that wait in a loop would take time from the others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probability"], {"images": images})[0]


def load_tflite(path):
    runner = Interpreter(str(path), num_threads=os.cpu_count()).get_signature_runner()
    return lambda images: runner(images=images)["probability"]


FORMATS = {"ONNX": (export_onnx, load_onnx), "TFLite": (export_tflite, load_tflite)}


def compare(name, model, kind, path):
    export, load = FORMATS[kind]
    metadata = export(model, path)
    predict = load(path)
    difference = float(metadata["max_difference"])
    if "SKPNEUMO_TEST_DATA" in os.environ:
        files = sorted(Path(os.environ["SKPNEUMO_TEST_DATA"]).rglob("*.jpeg"))
        for file in files[:: len(files) // N_FILES]:
            image = read_xray(file)[None]
            found = predict(image) - model.predict_proba(image)[:, 1]
            difference = max(difference, float(np.abs(found).max()))
    detail = f"{path.stat().st_size / 1e6:.1f} MB."
    report(f"{name}, {kind}: largest difference / 0.001", difference / 1e-3, "at most 1", detail)
    rng = np.random.default_rng(0)
    for n, n_calls in N_CALLS.items():
        batches = rng.integers(0, 256, (n_calls + 1, n, *SIZES[name]), dtype=np.uint8)
        times = [
            [seconds(partial(call, images)) for call in (predict, model.predict_proba)]
            for images in batches
        ]
        exported, own = (median(column) for column in zip(*times[1:], strict=True))
        detail = f"{1000 * own:.1f} ms against {1000 * exported:.1f} ms."
        what = f"{name}, {n} at once: predict_proba, of the time of {kind}"
        report(what, own / exported, "at most 1.5" if n == 1 else "at most 1", detail)


with tempfile.TemporaryDirectory() as folder:
    for name in SIZES:
        for kind in FORMATS:
            compare(name, load_pretrained(name), kind, Path(folder, f"{name}.{kind}"))
