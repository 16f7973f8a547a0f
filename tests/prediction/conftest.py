"""A tiny model, and files that it predicts, two of which cannot be read."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from skpneumo import CNNPneumoniaClassifier, XRayOutlierDetector, save_model
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import OutlierWarning


@pytest.fixture(scope="session")
def model():
    """A detector and a network, fitted on a few images; its batches are of 8."""
    xrays = make_xrays(30, image_size=(37, 41), prevalence=0.7, random_state=0)
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=8, random_state=0)
    return make_pipeline(XRayOutlierDetector(), clf).fit(xrays.images, xrays.target)


@pytest.fixture(scope="session")
def model_file(model, tmp_path_factory):
    """The same as a file."""
    path = tmp_path_factory.mktemp("model") / "model.skpneumo"
    save_model(model, path)
    return path


@pytest.fixture(scope="session")
def files(model, tmp_path_factory):
    """Paths, the second and the last of no X-ray, and what the model itself predicts for them."""
    folder = tmp_path_factory.mktemp("scans")
    images = make_xrays(29, image_size=(52, 45), random_state=1).images
    images[3] = np.flipud(255 - images[3])
    paths = [str(folder / f"{i}.png") for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    (folder / "text.png").write_text("not an X-ray")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutlierWarning)
        probability, label = model.predict_proba(paths)[:, 1], model.predict(paths)
    outlier_score = model[0].outlier_score(paths)
    assert outlier_score[3] > 1
    return SimpleNamespace(
        paths=[paths[0], str(folder / "text.png"), *paths[1:], str(folder / "missing.png")],
        readable=paths,
        expected=list(zip(paths, probability.tolist(), label.tolist(), strict=True)),
        outlier_score=outlier_score,
    )
