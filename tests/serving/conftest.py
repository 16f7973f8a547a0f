"""A tiny model, files to send, and the page without a server."""

import io
import socket
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the packages of skpneumo[serve] are not installed")
pytest.importorskip("httpx", reason="httpx, which sends requests to the page, is not installed")


@pytest.fixture(scope="session")
def xrays():
    """Synthetic X-rays that are not square, sorted by class."""
    from skpneumo.datasets import make_xrays

    return make_xrays(260, image_size=(56, 48), difficulty=0.6, random_state=0)


@pytest.fixture(scope="session")
def model(xrays):
    """A network with an outlier detector and a certified threshold, hardly trained."""
    from sklearn.frozen import FrozenEstimator
    from sklearn.pipeline import make_pipeline

    from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV, XRayOutlierDetector

    odd, even = slice(1, None, 2), slice(0, None, 2)
    cnn = CNNPneumoniaClassifier(
        (36, 32), filters=(4, 8), epochs=4, learning_rate=0.02, random_state=0
    )
    cnn.fit(xrays.images[odd], xrays.target[odd])
    point = OperatingPointClassifierCV(FrozenEstimator(cnn), min_recall=0.8)
    return make_pipeline(XRayOutlierDetector(contamination=0), point).fit(
        xrays.images[even], xrays.target[even]
    )


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Return a function that writes X-rays into a new folder, sorted by their labels."""
    from PIL import Image

    from skpneumo.datasets import make_xrays

    def write(n, *, random_state=1, broken=True):
        root = tmp_path_factory.mktemp("site")
        xrays = make_xrays(n, image_size=(56, 48), difficulty=0.6, random_state=random_state)
        for row, (image, label) in enumerate(zip(xrays.images, xrays.target, strict=True)):
            place = root / label
            place.mkdir(exist_ok=True)
            Image.fromarray(image).save(place / f"scan {row:03}.png")
        if broken:
            (root / "broken.jpeg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
        return Path(root)

    return write


@pytest.fixture(scope="session")
def encode():
    """Return a function that encodes an image as PNG or JPEG."""
    from PIL import Image

    def encode_image(image, kind="PNG"):
        file = io.BytesIO()
        Image.fromarray(np.asarray(image)).save(file, kind)
        return file.getvalue()

    return encode_image


@pytest.fixture(scope="session")
def open_page(model):
    """Return a context manager: a client of the page, whose origin is that of a browser's page."""
    with warnings.catch_warnings():
        # The latest Starlette recommends a successor of httpx.
        warnings.simplefilter("ignore")
        from fastapi.testclient import TestClient

    from skpneumo.serving import Settings, create_app

    def open_with(estimator=None, *, host="127.0.0.1", headers=None, **settings):
        app = create_app(estimator or model, Settings(host=host, **settings))
        client = TestClient(
            app, base_url="http://localhost:8000", headers=headers, follow_redirects=False
        )
        return client

    return open_with


@pytest.fixture(scope="module")
def page(open_page):
    """The page, without a folder."""
    with open_page() as client:
        yield client


@pytest.fixture(scope="session")
def serving():
    """Return a context manager: the page at a port of this machine, served by a thread."""
    return serve_in_thread


@contextmanager
def serve_in_thread(model, **settings):
    """The page at a port of this machine, in a thread."""
    import uvicorn

    from skpneumo.serving import Settings, create_app

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    app = create_app(model, Settings(port=port, **settings))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
